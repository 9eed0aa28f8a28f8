"""The one thread that writes: it commits all that is queued in one transaction before it answers.

A commit costs an fsync; a hundred facts that arrive while one is under way share the next. Jobs run
in the order in which they were given. When one of a batch fails, the batch is undone and its jobs
run again one by one, so that only the faulty one suffers; what is no ordinary failure (not an
`Exception`), or a database that is away, is tried by nobody again and told to all of the batch. What jobs
mean is not known here.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from itertools import groupby
from operator import attrgetter
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, TypeVar

from scheduler.ledger.driver import Driver
from scheduler.ledger.errors import LedgerAway, LedgerError

A = TypeVar("A")
T = TypeVar("T")

Do = Callable[[Callable[[Driver], T]], Coroutine[Any, Any, T]]
"""How whoever has verbs of its own runs one job: as `Writer.submit`, inside a transaction."""

BATCH_MAX = 500
"""Jobs in one transaction at most: bounds how long the first of them waits."""

ANSWERS_MAX = 50
"""Answers given in one round of the loop: whoever gets one goes on at once, and the loop must turn."""


class _Job(NamedTuple):
    reads: bool
    run: Callable[[Driver, Sequence[Any]], Sequence[Any]]
    item: Any
    future: asyncio.Future[Any]


class _Answer(NamedTuple):
    future: asyncio.Future[Any]
    result: Any
    error: BaseException | None


class Writer:
    """Runs jobs of one event loop on a driver, in a thread of its own; open until `close`."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="ledger", daemon=True)
        self._thread.start()

    async def submit(self, run: Callable[[Driver], T], *, reads: bool = False) -> T:
        """Run one job inside a transaction; returns when that is committed. One that only `reads` waits for
        no other process, unless others that came with it write.

        Raises what the job raised; then nothing of it was written. A job may be run twice, since its
        batch may be undone: whatever it uses up must be whole again then.
        """
        return await self._queued(reads, lambda driver, _: [run(driver)], None)

    async def share(self, run: Callable[[Driver, Sequence[A]], Sequence[T]], item: A) -> T:
        """As `submit`; but jobs with the same `run` that come one behind the other are run as one, which
        is given all their items and returns what each of them gets."""
        return await self._queued(False, run, item)

    async def _queued(self, reads: bool, run: Callable[[Driver, Sequence[A]], Sequence[T]], item: A) -> T:
        if self._closed:
            raise LedgerError("the ledger is closed")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.put(_Job(reads, run, item, future))
        return await future

    def close(self) -> None:
        """Finish what is queued, then let go of the connection."""
        self._closed = True
        self._queue.put(None)
        self._thread.join()
        self._driver.close()

    def _work(self) -> None:
        while (first := self._queue.get()) is not None:
            batch, more = self._batch(first)
            self._commit(batch)
            if not more:
                return

    def _batch(self, first: _Job) -> tuple[list[_Job], bool]:
        batch = [first]
        while len(batch) < BATCH_MAX:
            try:
                job = self._queue.get_nowait()
            except Empty:
                break
            if job is None:
                return batch, False
            batch.append(job)
        return batch, True

    def _commit(self, batch: list[_Job]) -> None:
        begun = False
        try:
            with self._transaction(batch):
                begun = True
                answers = list(self._answers(batch))
        except BaseException as error:  # it is raised again where somebody waits for it
            if (
                begun
                and len(batch) > 1
                and isinstance(error, Exception)
                and not isinstance(error, LedgerAway)
            ):
                for job in batch:
                    self._commit([job])
                return
            answers = [_Answer(job.future, None, error) for job in batch]
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            batch[0].future.get_loop().call_soon_threadsafe(_settle, answers)

    def _transaction(self, batch: Sequence[_Job]) -> AbstractContextManager[None]:
        return self._driver.reading() if all(job.reads for job in batch) else self._driver.transaction()

    def _answers(self, batch: Sequence[_Job]) -> Iterator[_Answer]:
        # A generator also makes a StopIteration, the one that no future can carry, a RuntimeError.
        for run, jobs in groupby(batch, attrgetter("run")):
            shared = list(jobs)
            results = run(self._driver, [job.item for job in shared])
            yield from (_Answer(job.future, told, None) for job, told in zip(shared, results, strict=True))


def _settle(answers: Sequence[_Answer]) -> None:
    if rest := answers[ANSWERS_MAX:]:
        answers[0].future.get_loop().call_soon(_settle, rest)
    for future, result, error in answers[:ANSWERS_MAX]:
        if future.done():
            continue
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
