"""When the account's list is read, and when a refused key is tried again.

One Survey at a time, a page at a turn, since each page is a request like any other (S12, S17). What
its rows mean is `runner.survey`'s.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from jobs.errors import Reason, StepFailed
from jobs.model import Instant
from scheduler import policy
from scheduler.clock import Clock
from scheduler.ledger import Ledger, LedgerUnavailable, View
from scheduler.runner import Grant, Runner, Survey, place

FULL_EVERY_S = 10.0
LIVE_EVERY_S = 60.0
AGAIN_S = 5.0

Accepted = Callable[[], Awaitable[None]]
"""Called when a probe shows that the key is accepted again."""

Faulty = Callable[[str], None]
"""Called with the place of an unexpected exception: a Survey belongs to no occurrence's story."""


class Surveying:
    """Whether the list is to be read now; `next_at` is when it will be next, `denied` whether the key
    is refused, so that nothing but a probe makes sense."""

    def __init__(
        self, ledger: Ledger, runner: Runner, clock: Clock, accepted: Accepted, faulty: Faulty
    ) -> None:
        self._ledger = ledger
        self._runner = runner
        self._clock = clock
        self._accepted = accepted
        self._faulty = faulty
        self._survey: Survey | None = None
        self._last_at = clock.now()
        self._not_before: Instant = 0.0
        self._probe_at: Instant = 0.0
        self._busy = False
        # A start may have brought another key: what an earlier process was refused is tried at once.
        self.denied = True
        self.next_at: Instant | None = None

    def wanted(self, view: View, full: bool, now: Instant) -> bool:
        """Whether a page (or, while the key is refused, a probe) should be asked for now."""
        self._believe(now)
        if not (view.live or (view.waiting and full)):
            self._last_at = now  # the first minute of a call needs no Survey, and its Creates the requests
        denied = any(hold.reason == Reason.DENIED for hold in view.holds)
        if denied and not self.denied:
            self._probe_at = now + policy.PROBE_S
        self.denied = denied
        due = self._due(view, full, now)
        at = None if due is None or self._busy else max(due, self._not_before)
        self.next_at = at if at is not None and at > now else None
        return at is not None and at <= now

    async def page(self, grant: Grant) -> None:
        """Use one grant: the probe, or the next page of the Survey that runs."""
        self._busy = True
        try:
            await (self._probe(grant) if self.denied else self._page(grant))
        except StepFailed:
            self._give_up(AGAIN_S)
        except LedgerUnavailable:
            self._give_up(AGAIN_S)
            self._probe_at = self._not_before  # what it was answered is not written: ask again soon
        except Exception as error:
            self._give_up(policy.FAULT_WAIT_S)
            self._faulty(place(error))
        finally:
            self._busy = False
            grant.close()

    def _due(self, view: View, full: bool, now: Instant) -> Instant | None:
        if self.denied:
            return self._probe_at
        if self._survey is not None or view.looks:
            return now
        if view.waiting and full:
            return self._last_at + FULL_EVERY_S
        return self._last_at + LIVE_EVERY_S if view.live else None

    def _believe(self, now: Instant) -> None:
        """After the clock was set back, nothing waits for longer than it ever should."""
        self._last_at = min(self._last_at, now)
        self._not_before = min(self._not_before, now + policy.FAULT_WAIT_S)
        self._probe_at = min(self._probe_at, now + policy.PROBE_S)

    def _give_up(self, wait_s: float) -> None:
        self._survey = None
        self._last_at = self._clock.now()
        self._not_before = self._last_at + wait_s

    async def _probe(self, grant: Grant) -> None:
        self._probe_at = self._clock.now() + policy.PROBE_S
        await self._runner.probe(grant)
        await self._accepted()

    async def _page(self, grant: Grant) -> None:
        if self._survey is None:
            now = self._clock.now()
            self._survey = Survey(now, await self._ledger.looking(now))
        survey = self._survey
        await self._runner.page(survey, grant)
        if survey.step is None:
            self._survey = None
            self._last_at = survey.since if survey.complete else self._last_at
