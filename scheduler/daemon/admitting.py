"""Who goes now: what is due asks the limits, and what is admitted is handed to the engine at once.

Only what was granted is claimed, so `creating` always means that a POST may be on the wire (S11). In
what order, and how many, is the ledger's line and the limits'; here they only meet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from jobs.model import Instant
from scheduler.daemon.surveying import Surveying
from scheduler.engine import Engine, InHand
from scheduler.facts import StepKind
from scheduler.ledger import Due, LedgerError, View
from scheduler.limits import Lane, Limits
from scheduler.model import Account

_LANES = {str(StepKind.END): Lane.END, str(StepKind.INSPECT): Lane.INSPECT}
"""The steps of a record that is live; each costs a request."""

_SURVEY = "(survey)"
"""The Survey's place among the keys in hand: no key looks like it."""


class Admitting:
    """Starts what is due, as far as the limits allow."""

    def __init__(self, engine: Engine, limits: Limits, surveying: Surveying, hands: InHand) -> None:
        self._engine = engine
        self._limits = limits
        self._surveying = surveying
        self._hands = hands

    async def start(self, view: View, account: Account, generation: int, now: Instant) -> Instant | None:
        """Start everything that is due and admitted; when something more can be, for time's sake alone."""
        due = [each for each in view.steps if each.key not in self._engine]
        free = account.concurrent_conversations - account.reserve - view.held
        admission = self._limits.admit(now, self._waiting(view, due, free, now), free)
        if admission.granted[Lane.SURVEY]:
            self._hands.take(_SURVEY, self._surveying.page(self._engine.grant(Lane.SURVEY)))
        creates = admission.granted[Lane.CREATE]
        try:
            await self._engine.ask(list(self._chosen(due, admission.granted)))
        except LedgerError:
            self._limits.unsent(Lane.CREATE, creates)
            raise
        await self._engine.create(now, creates, generation)
        times = (view.next_at, admission.next_at, self._surveying.next_at, self._engine.next_at)
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

    def _chosen(self, due: Sequence[Due], granted: Mapping[Lane, int]) -> Iterator[tuple[str, Lane]]:
        """The first of each lane, as many as were granted.

        A record may be due for several steps: it is taken once, and a grant it doesn't use is given back.
        """
        left, chosen = dict(granted), set[str]()
        for key, step in due:
            lane = _LANES[step]
            if not left[lane]:
                continue
            left[lane] -= 1
            if key in chosen:
                self._limits.unsent(lane)
            else:
                chosen.add(key)
                yield key, lane
