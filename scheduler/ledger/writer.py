"""The one thread that writes: it commits all that is queued in one transaction before it answers.

A commit costs an fsync; a hundred facts that arrive while one is under way share the next. Jobs run
in the order in which they were given. When one of a batch fails, the batch is undone and its jobs
run again one by one, so that only the faulty one suffers. What the jobs mean is not known here.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, TypeVar

from scheduler.ledger.driver import Driver

T = TypeVar("T")

BATCH_MAX = 500
"""Jobs in one transaction at most: bounds how long the first of them waits."""


class _Job(NamedTuple):
    run: Callable[[Driver], Any]
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop


class Writer:
    """Runs jobs on a driver in a thread of its own; open until `close`."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="ledger", daemon=True)
        self._thread.start()

    async def submit(self, run: Callable[[Driver], T]) -> T:
        """Run one job inside a transaction; returns when that is committed.

        Raises what the job raised; then nothing of it was written.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._queue.put(_Job(run, future, loop))
        return await future

    def close(self) -> None:
        """Finish what is queued, then let go of the connection."""
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
        try:
            with self._driver.transaction():
                results = [job.run(self._driver) for job in batch]
        except Exception as error:
            if len(batch) == 1:
                self._answer([(batch[0].future, None, error)], batch[0].loop)
            else:
                for job in batch:
                    self._commit([job])
            return
        answers = [(job.future, result, None) for job, result in zip(batch, results, strict=True)]
        self._answer(answers, batch[0].loop)

    @staticmethod
    def _answer(
        answers: Sequence[tuple[asyncio.Future[Any], Any, Exception | None]], loop: asyncio.AbstractEventLoop
    ) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle, answers)


def _settle(answers: Sequence[tuple[asyncio.Future[Any], Any, Exception | None]]) -> None:
    for future, result, error in answers:
        if future.done():
            continue
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
