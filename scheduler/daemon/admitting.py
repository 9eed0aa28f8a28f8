"""Who goes now: what is due asks the limits, and what is admitted is claimed and started at once.

Only what was granted is claimed, so `creating` always means that a POST may be on the wire (S11). In
what order, and how many, is the ledger's line and the limits'; here they only meet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from jobs.model import Instant
from scheduler.clock import breathe
from scheduler.daemon.hands import InHand
from scheduler.daemon.surveying import Surveying
from scheduler.facts import StepKind
from scheduler.ledger import Due, Ledger, View
from scheduler.limits import Lane, Limits
from scheduler.model import Account
from scheduler.record import Record
from scheduler.runner import Grant, Runner

CLAIM_MAX = 10_000
"""Claims in one transaction at most: bounds how long every note waits behind it, 0.15 s or so."""

STARTS_MAX = 100
"""Started in one round of the loop: thousands at once would stall it."""

_LANES = {str(StepKind.END): Lane.END, str(StepKind.INSPECT): Lane.INSPECT}
"""The steps of a record that is live; each costs a request."""

_SURVEY = "(survey)"
"""The Survey's place among the keys in hand: no key looks like it."""


class Admitting:
    """Starts what is due, as far as the limits allow."""

    def __init__(
        self, ledger: Ledger, limits: Limits, runner: Runner, surveying: Surveying, hands: InHand
    ) -> None:
        self._ledger = ledger
        self._limits = limits
        self._runner = runner
        self._surveying = surveying
        self._hands = hands

    async def start(self, view: View, account: Account, generation: int, now: Instant) -> Instant | None:
        """Start everything that is due and admitted; when something more can be, for time's sake alone."""
        due = [each for each in view.steps if each.key not in self._hands]
        free = account.concurrent_conversations - account.reserve - view.held
        admission = self._limits.admit(now, self._waiting(view, due, free, now), free)
        for key, grant in self._with_grants(due, admission.granted):
            self._hands.take(key, self._runner.ask(key, grant))
        if admission.granted[Lane.SURVEY]:
            self._hands.take(_SURVEY, self._surveying.page(self._runner.grant(Lane.SURVEY)))
        await self._claim(admission.granted[Lane.CREATE], generation, now)
        times = (view.next_at, admission.next_at, self._surveying.next_at)
        return min((at for at in times if at is not None), default=None)

    def _waiting(self, view: View, due: Sequence[Due], free: int, now: Instant) -> dict[Lane, int]:
        full = free <= 0 or self._limits.shut
        survey = self._surveying.wanted(view, full, now) and _SURVEY not in self._hands
        denied = self._surveying.denied
        return {
            Lane.END: 0 if denied else sum(each.step == StepKind.END for each in due),
            Lane.SURVEY: int(survey),
            Lane.CREATE: 0 if view.holds else view.waiting,
            Lane.INSPECT: 0 if denied else sum(each.step == StepKind.INSPECT for each in due),
        }

    def _with_grants(self, due: Sequence[Due], granted: Mapping[Lane, int]) -> Iterator[tuple[str, Grant]]:
        """The first of each lane, as many as were granted.

        A record may be due for several steps: it is taken once, and a grant it doesn't use is given back.
        """
        left = dict(granted)
        for each in due:
            lane = _LANES[each.step]
            if not left[lane]:
                continue
            left[lane] -= 1
            grant = self._runner.grant(lane)
            if each.key not in self._hands:
                yield each.key, grant
            else:
                grant.close()

    async def _claim(self, count: int, generation: int, now: Instant) -> None:
        """Claim as many as were granted and start each; grants that find nobody in line are given back."""
        left = count
        try:
            while left and (claimed := await self._ledger.claim(now, min(left, CLAIM_MAX), generation)):
                for slice_at in range(0, len(claimed), STARTS_MAX):
                    some = claimed[slice_at : slice_at + STARTS_MAX]
                    left -= len(some)
                    self._post(some)
                    await breathe()
        finally:
            for _ in range(left):
                self._limits.unsent()

    def _post(self, claimed: Sequence[Record]) -> None:
        for record in claimed:
            self._hands.take(record.key, self._runner.create(record, self._runner.grant(Lane.CREATE)))
