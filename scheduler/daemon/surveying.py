"""When the account's list is read, and when a refused key is tried again.

One Survey at a time, a page at a turn, since each page is a request like any other (S12, S17). What
its rows mean is `runner.survey`'s.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from jobs.errors import StepFailed
from jobs.model import Instant
from scheduler import policy
from scheduler.clock import Clock
from scheduler.ledger import Ledger, View
from scheduler.runner import Grant, Runner, Survey

FULL_EVERY_S = 10.0
LIVE_EVERY_S = 60.0
AGAIN_S = 5.0

Accepted = Callable[[], Awaitable[None]]
"""Called when a probe shows that the key is accepted again."""


class Surveying:
    """Whether the list is to be read now; `next_at` is when it will be next."""

    def __init__(self, ledger: Ledger, runner: Runner, clock: Clock, accepted: Accepted) -> None:
        self._ledger = ledger
        self._runner = runner
        self._clock = clock
        self._accepted = accepted
        self._survey: Survey | None = None
        self._last_at = clock.now()
        self._not_before: Instant = 0.0
        self._probe_at: Instant = 0.0
        self.busy = False
        self.denied = False
        self.next_at: Instant | None = None

    def wanted(self, view: View, free: int, now: Instant) -> bool:
        """Whether a page (or, while the key is refused, a probe) should be asked for now."""
        due = None if self.busy else self._due(view, free, now)
        at = None if due is None else max(due, self._not_before)
        self.next_at = at if at is not None and at > now else None
        return at is not None and at <= now

    async def page(self, grant: Grant) -> None:
        """Use one grant: the probe, or the next page of the Survey that runs."""
        self.busy = True
        try:
            if self.denied:
                await self._probe(grant)
            else:
                await self._page(grant)
        except StepFailed:
            self._survey = None
            self._not_before = self._clock.now() + AGAIN_S
        finally:
            self.busy = False
            grant.close()

    def _due(self, view: View, free: int, now: Instant) -> Instant | None:
        if self.denied:
            return self._probe_at
        if self._survey is not None or view.looks:
            return now
        if view.waiting and free <= 0:
            return self._last_at + FULL_EVERY_S
        return self._last_at + LIVE_EVERY_S if view.live else None

    async def _probe(self, grant: Grant) -> None:
        self._probe_at = self._clock.now() + policy.PROBE_S
        await self._runner.probe(grant)
        await self._accepted()

    async def _page(self, grant: Grant) -> None:
        if self._survey is None:
            self._last_at = self._clock.now()
            self._survey = Survey(self._last_at, await self._ledger.looking(self._last_at))
        await self._runner.page(self._survey, grant)
        if self._survey.step is None:
            self._survey = None
