"""The verbs of jobs, over the ledger's one writer: each is one transaction, committed when it answers.

What a job is stands in `jobs`; who may call these for whom, in the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from jobs.model import Address, Instant
from scheduler.ledger.driver import Driver
from scheduler.ledger.notes import Listener
from scheduler.ledger.shared import jobs
from scheduler.ledger.shared.jobs import Job, Reaped
from scheduler.ledger.writer import Do

Share = Callable[[Callable[[Driver, Sequence[Any]], Sequence[Any]], Any], Coroutine[Any, Any, Any]]


class Jobs:
    """What the leader puts and workers take. Verbs raise LedgerError."""

    def __init__(self, do: Do[Any], read: Do[Any], share: Share, tell: Listener) -> None:
        self._do = do
        self._read = read
        self._share = share
        self._tell = tell

    async def put_claimed(
        self, now: Instant, count: int, generation: int, lane: int, until: Instant
    ) -> list[Job]:
        """Claim up to `count` promises in line, with a job for each in the same transaction (S11)."""
        found: list[Job] = await self._do(
            lambda driver: jobs.put_claimed(driver, now, count, generation, lane, until)
        )
        return found

    async def put(
        self, kind: str, places: Sequence[tuple[str, Address | None, int]], now: Instant, until: Instant
    ) -> list[Job]:
        """A job for each of these (key, address, lane) that has none; those that are new."""
        found: list[Job] = await self._do(lambda driver: jobs.put(driver, kind, places, now, until))
        return found

    async def take(self, worker: str, now: Instant, most: int) -> list[Job]:
        """Up to `most` jobs that are this worker's from now on."""
        found: list[Job] = await self._do(lambda driver: jobs.take(driver, worker, now, most))
        return found

    async def done(self, number: int) -> None:
        """What came of this job is noted: strike it off."""
        await self._share(jobs.done, (number,))

    async def waiting(self) -> bool:
        """Whether there is any to be taken, which costs less than trying to."""
        found: bool = await self._read(jobs.waiting)
        return found

    async def there(self) -> list[Job]:
        """All jobs, taken or not."""
        found: list[Job] = await self._read(jobs.there)
        return found

    async def reap(self, now: Instant) -> Reaped:
        """Give up what nobody will finish."""
        reaped: Reaped = await self._do(lambda driver: jobs.reap(driver, now))
        self._tell(reaped.noted)
        return reaped

    async def hold_until(self, until: Instant) -> None:
        """The account wants to be left alone until then."""
        await self._do(lambda driver: jobs.hold_until(driver, until))

    async def held_until(self) -> Instant | None:
        """Until when it last wanted to be."""
        found: Instant | None = await self._read(jobs.held_until)
        return found
