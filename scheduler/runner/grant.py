"""A grant: the right to send one request, which ends in exactly one `sent` or `unsent` (S17).

It also tells the limits what an answer says about the account. It grants nothing itself.
"""

from __future__ import annotations

from enum import Enum, auto

from jobs.errors import Reason, StepFailed
from jobs.model import Instant
from scheduler.clock import Clock
from scheduler.facts import StepKind
from scheduler.limits import Lane, Limits


class _State(Enum):
    WAITING = auto()
    SENT = auto()
    CLOSED = auto()


class Grant:
    """One request's place in the rate window; `close` it, whatever became of the request."""

    def __init__(self, limits: Limits, clock: Clock, lane: Lane) -> None:
        self._limits = limits
        self._clock = clock
        self._lane = lane
        self._state = _State.WAITING
        self._sent_at: Instant | None = None

    def sent(self) -> None:
        """The request's headers went out: it counts from now. The client calls this."""
        if self._state is _State.WAITING:
            self._state = _State.SENT
            self._sent_at = self._clock.now()
            self._limits.sent(self._sent_at)

    def close(self) -> None:
        """The step is over; a request that was never sent gives its place back."""
        if self._state is _State.WAITING:
            self._limits.unsent(self._lane)
        self._state = _State.CLOSED

    def answered(self, step: StepKind | None) -> None:
        """The request did what it was for."""
        self._limits.accepted()
        if step is StepKind.CREATE:
            self._limits.opened()

    def failed(self, step: StepKind | None, error: StepFailed) -> None:
        """The request failed: what that says about everybody's next one (S14, S17)."""
        now = self._clock.now()
        if error.reason is Reason.FULL:
            self._limits.full(now)
            return
        if error.reason is Reason.BUSY or error.retry_after_s is not None:
            self._limits.turned_away(now, self._sent_at, error.retry_after_s)
        if step is StepKind.CREATE:
            self._limits.undecided(now)
