"""The exact window: how many requests count now, and when the next one may go (S17).

Arithmetic over instants; what a request is for, and who waits, is not known here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from jobs.model import Instant
from scheduler.model import Rate

WIDENING = 1.02
STALE_S = 5.0
"""A `now` this much behind what was seen is an old reading; further behind, the clock was set back."""


class Window:
    """What counts against a rate: grants outstanding, and sendings no older than the widened window.

    `_sent` is sorted: a sending that seems older than the last is taken to be as young.
    """

    def __init__(self, rate: Rate) -> None:
        self.outstanding = 0
        self._sent: deque[Instant] = deque()
        self.set_rate(rate)

    def set_rate(self, rate: Rate) -> None:
        """Count against another rate from now on."""
        self.rate = rate
        self._count, self.length_s = rate.count, rate.per_s * WIDENING

    def seed(self, sent: Iterable[Instant]) -> None:
        """Count these sendings too."""
        self._sent = deque(sorted([*self._sent, *sent]))

    def sent(self, now: Instant, count: int = 1) -> None:
        """Count `count` sendings at `now`."""
        at = max(now, self._sent[-1]) if self._sent else now
        self._sent.extend([at] * count)

    def give_back(self, count: int = 1) -> None:
        """So many grants are no longer outstanding."""
        self.outstanding = max(0, self.outstanding - count)

    def look(self, now: Instant) -> None:
        """Forget what is older than the window; errs to our cost when the clock was set back."""
        if self._sent and self._sent[-1] > now + STALE_S:
            self._clock_set_back(now)
        while self._sent and self._sent[0] + self.length_s <= now:
            self._sent.popleft()

    def room(self) -> int:
        """How many more may go now."""
        return max(0, self._count - self.outstanding - len(self._sent))

    def opens_at(self, now: Instant) -> Instant | None:
        """When one more may go; `None` when only a sending tells."""
        if self.room():
            return now
        last_to_leave = self.outstanding + len(self._sent) - self._count
        return self._sent[last_to_leave] + self.length_s if last_to_leave < len(self._sent) else None

    def counted(self, now: Instant) -> int:
        """How many count now."""
        return self.outstanding + sum(at + self.length_s > now for at in self._sent)

    def _clock_set_back(self, now: Instant) -> None:
        """What lies ahead was sent before now, nobody knows when: counted from now it errs to our cost."""
        moved = 0
        while self._sent and self._sent[-1] > now:
            self._sent.pop()
            moved += 1
        self._sent.extend([now] * moved)
