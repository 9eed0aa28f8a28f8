"""A grant: the right to send one request, which ends in exactly one `sent` or `unsent` (S17).

It also tells the limits what an answer says about the account. It grants nothing itself.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import Protocol

from jobs.errors import Reason, StepFailed
from jobs.model import Instant
from scheduler.clock import Clock
from scheduler.facts import StepKind
from scheduler.limits import Lane


class Meter(Protocol):
    """What a grant tells of its request: the limits themselves, or the way to them (`scheduler.limits`)."""

    def sent(self, now: Instant) -> None:
        """Its bytes go out now."""

    def unsent(self, lane: Lane) -> None:
        """They never will."""

    def accepted(self) -> None:
        """It was answered normally."""

    def opened(self) -> None:
        """It was a create, and succeeded."""

    def full(self, now: Instant) -> None:
        """It was refused for concurrency."""

    def turned_away(self, now: Instant, sent_at: Instant | None, retry_after_s: float | None) -> None:
        """It was turned away, or could not be sent."""

    def undecided(self, now: Instant) -> None:
        """It was a create, and says nothing about the line."""


class _State(Enum):
    WAITING = auto()
    SENT = auto()
    CLOSED = auto()


def always() -> bool:
    """It may leave whenever it does: nobody else is there."""
    return True


class Grant:
    """One request's place in the rate window; `close` it, whatever became of the request. `may_leave` is
    asked as its bytes would go."""

    def __init__(
        self, meter: Meter, clock: Clock, lane: Lane, may_leave: Callable[[], bool] = always
    ) -> None:
        self._meter = meter
        self._clock = clock
        self._lane = lane
        self._may_leave = may_leave
        self._state = _State.WAITING
        self._kept_back = False
        self._sent_at: Instant | None = None

    def sent(self) -> None:
        """The request's bytes go out: it counts from now. The client calls this; StepFailed keeps it from
        sending them."""
        if self._state is _State.WAITING:
            if not self._may_leave():
                self._kept_back = True
                raise StepFailed(Reason.BUSY, "not sent: the worker's time was over")
            now = self._clock.now()
            self._meter.sent(now)
            self._state, self._sent_at = _State.SENT, now

    def close(self) -> None:
        """The step is over; a request that was never sent gives its place back."""
        if self._state is _State.WAITING:
            self._meter.unsent(self._lane)
        self._state = _State.CLOSED

    def answered(self, step: StepKind | None) -> None:
        """The request did what it was for."""
        self._meter.accepted()
        if step is StepKind.CREATE:
            self._meter.opened()

    def failed(self, step: StepKind | None, error: StepFailed) -> None:
        """The request failed: what that says about everybody's next one (S14, S17). One that was kept back
        here says nothing."""
        if self._kept_back:
            return
        now = self._clock.now()
        if error.reason is Reason.FULL:
            self._meter.full(now)
            return
        if error.reason is Reason.BUSY or error.retry_after_s is not None:
            self._meter.turned_away(now, self._sent_at, error.retry_after_s)
        if step is StepKind.CREATE:
            self._meter.undecided(now)
