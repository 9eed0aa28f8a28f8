"""The line of creations after a refusal for concurrency: shut, but for one head at a time (S17).

Arithmetic over instants; who stands in the line is the ledger's.
"""

from __future__ import annotations

from jobs.model import Instant

FULL_RETRY_S = (3.0, 5.0, 10.0)
HEAD_ANSWERS_WITHIN_S = 75.0
"""Above the 60 s that a Create is given: a head whose answer was lost can't shut the line for ever."""


class Line:
    """Creation after a refusal for concurrency: shut, but for one head at a time (S17)."""

    def __init__(self) -> None:
        self._refusals = 0
        self._retry_at: Instant = 0.0
        self._head_until: Instant | None = None

    @property
    def shut(self) -> bool:
        """Whether a refusal has shut it."""
        return self._refusals > 0

    def look(self, now: Instant) -> None:
        """A clock that was set back keeps nobody waiting longer than the longest wait."""
        self._retry_at = min(self._retry_at, now + FULL_RETRY_S[-1])
        if self._head_until is not None:
            self._head_until = min(self._head_until, now + HEAD_ANSWERS_WITHIN_S)

    def grant(self, now: Instant, wanted: int) -> int:
        """How many of `wanted` may go: all, or, while it is shut, one head at its time."""
        if not self._refusals:
            return wanted
        count = min(1, wanted) if self.opens_at(now) <= now else 0
        if count:
            self._head_until = now + HEAD_ANSWERS_WITHIN_S
        return count

    def opens_at(self, now: Instant) -> Instant:
        """When the next may go, as far as time alone tells."""
        if not self._refusals:
            return now
        return max(now, self._retry_at, self._head_until or now)

    def full(self, now: Instant) -> None:
        """A create was refused: shut, and the next head later than the last."""
        if self._refusals and self._head_until is None:
            return  # it went out before the line was shut
        self._refusals += 1
        self._try_again(now)

    def opened(self) -> None:
        """A create succeeded; the head's opens it."""
        if self._head_until is not None:
            self._refusals, self._head_until = 0, None

    def given_back(self) -> None:
        """The head never went out."""
        self._head_until = None

    def undecided(self, now: Instant) -> None:
        """The head's answer said nothing: the next one after the same wait."""
        if self._head_until is not None:
            self._try_again(now)

    def _try_again(self, now: Instant) -> None:
        self._retry_at = now + FULL_RETRY_S[min(self._refusals, len(FULL_RETRY_S)) - 1]
        self._head_until = None
