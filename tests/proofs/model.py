"""The machine's model: what must have a row, and what may, after reloads, restarts and steps of the clock.

A configuration is in force over a stretch of wall time. What opens in it under that configuration must have
a row (S1, S4, S7), whether the house was up or not; what has a row must have been promised by some
configuration, at most a quarter of an hour ahead. What becomes of a promise the model doesn't say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.proofs.oracle import Promise, Rule, expected

HELD_FROM_S = 3 * 3600.0
BELIEVED_S = 150.0
"""After a jump the clock may be doubted this long, and a reload waits until it is believed (S9)."""
AHEAD_S = 900.0 + BELIEVED_S
"""A configuration writes a quarter of an hour ahead, also while another one waits for the clock to be
believed: every start doubts a clock that is behind the newest fact."""


@dataclass(slots=True)
class Stretch:
    """One configuration, in force from `start` to `end`: what may have a row. From `sure` to `unsure` it
    must."""

    rule: Rule
    start: float
    sure: float
    end: float
    unsure: float = float("inf")


@dataclass(slots=True)
class Model:
    """The configurations that were in force; `now` reads the wall clock."""

    now: Callable[[], float]
    stretches: list[Stretch] = field(default_factory=list)
    doubted_until: float = float("-inf")
    doubted_since: float = float("-inf")

    def begins(self, rule: Rule) -> None:
        """Another configuration, from now on - or from when the clock is believed again. What the former one
        opened while it was not is its own only if no restart comes first: then it is the new one's to say."""
        now = self.now()
        self._close(now)
        if not self._is_doubted(now):
            self.stretches.append(Stretch(rule, now, now, now))
            return
        self.stretches[-1].unsure = min(self.stretches[-1].unsure, self.doubted_since)
        self.stretches.append(Stretch(rule, min(now, self.doubted_since), now + BELIEVED_S, now))

    def restarts(self, down_at: float) -> None:
        """The same configuration: what opened meanwhile is caught up with. Doubts begin anew, and what was
        not swapped in when the house went down is swapped in by the start."""
        now, latest = self.now(), self.stretches[-1]
        if self._is_doubted(down_at):
            self.doubted_until = now + BELIEVED_S
        if down_at < latest.sure:
            latest.sure = max(now, self.doubted_until)

    def jumps(self, to: float) -> None:
        """Somebody sets the clock; call it before that is done. A little forward is lateness (S9): as if that
        time had passed. Anything else is lived through only if it is believed."""
        now, latest = self.now(), self.stretches[-1]
        doubted = self._is_doubted(now)
        if not doubted:
            self.doubted_since = min(now, to)
        if doubted or not now < to < now + HELD_FROM_S:
            self._close(now)
            if doubted:
                latest.unsure = min(latest.unsure, self.doubted_since)
            self.doubted_since = min(self.doubted_since, to)
            self.stretches.append(Stretch(latest.rule, min(now, to), to + BELIEVED_S, to))
        self.doubted_until = to + BELIEVED_S

    def must(self) -> dict[str, Promise]:
        """What must have a row by now."""
        self._close(self.now())
        found = (expected([each.rule], each.sure, min(each.end, each.unsure)) for each in self.stretches)
        return {key: promise for each in found for key, promise in each.items()}

    def may(self) -> dict[str, Promise]:
        """All that may have one."""
        self._close(self.now())
        found = (expected([each.rule], each.start, each.end + AHEAD_S) for each in self.stretches)
        return {key: promise for each in found for key, promise in each.items()}

    def _is_doubted(self, now: float) -> bool:
        return now < self.doubted_until

    def _close(self, now: float) -> None:
        if self.stretches:
            self.stretches[-1].end = max(self.stretches[-1].end, now)
