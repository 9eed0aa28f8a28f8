"""The one wait that holds every lane after the account turned a request away (S14, S17).

Arithmetic over instants; what a request is for, and who waits, is not known here.
"""

from __future__ import annotations

from jobs.model import Instant
from scheduler.limits.window import STALE_S

BACKOFF_S = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
LONGEST_RETRY_AFTER_S = 300.0


class Penalty:
    """The one wait that holds every lane after the account turned a request away."""

    def __init__(self, until: Instant | None = None) -> None:
        self.until = until
        self._began: Instant | None = None
        self._length_s = 0.0
        self._level = 0

    def look(self, now: Instant) -> None:
        """Forget a penalty that is over, and keep one within its length if the clock was set back."""
        if self._began is not None and self._began > now + STALE_S:
            self._began = now
            self.until = None if self.until is None else now + self._length_s
        if self.until is not None and self.until <= now:
            self.until = None

    def turned_away(self, now: Instant, sent_at: Instant | None, retry_after_s: float | None) -> None:
        """Hold everybody, for what the answer asks or a step longer than the last time."""
        if retry_after_s is not None:
            # In this order NaN becomes the longest wait, not none.
            self._hold(now, max(0.0, min(LONGEST_RETRY_AFTER_S, retry_after_s)))
        elif self._is_news(now, sent_at):
            self._hold(now, BACKOFF_S[min(self._level, len(BACKOFF_S) - 1)])
            self._level += 1

    def accepted(self) -> None:
        """An answer came: the next penalty is a short one again."""
        self._level = 0

    def opens_at(self, now: Instant) -> Instant:
        """When the penalty is over."""
        return now if self.until is None else self.until

    def _is_news(self, now: Instant, sent_at: Instant | None) -> bool:
        if sent_at is None:
            return self.until is None
        return self._began is None or sent_at > self._began

    def _hold(self, now: Instant, wait_s: float) -> None:
        self.until = max(self.opens_at(now), now + wait_s)
        self._began, self._length_s = now, self.until - now
