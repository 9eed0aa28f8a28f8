"""What S2 says of a wall time, worked out without the house: the oracle of `test_zones`.

It asks the zone only the question that has one answer, from an instant to its offset. Clock changes are found
by halving between instants whose offsets differ; between two changes the clock runs straight, so the instants
that show a wall time can be read off stretch by stretch. `fold` is never asked, and nothing of `scheduler` is
imported.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1)
LOOK_S = 6 * 3600
"""Two changes that undo each other lie further apart than this (Ramadan in Morocco: a month)."""


def utc_s(year: int, month: int = 1, day: int = 1) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp())


def wall_s(wall: datetime) -> int:
    """Seconds from 1970 on the wall's own clock."""
    return (wall - EPOCH) // timedelta(seconds=1)


@dataclass(frozen=True)
class Stretch:
    """Instants from `start` to before `end`, in which the wall shows `instant + offset`."""

    start: int
    end: int
    offset: int


@dataclass(frozen=True)
class Verdict:
    """All that S2 may say of one wall time; `None` where the question doesn't arise."""

    seen: tuple[int, ...]
    """The instants that show it, in order."""
    shifted: int | None
    """Read with the offset before the gap (RFC 5545, section 3.3.5)."""
    gap_ends: int | None
    date_absent: bool

    def answer(self, gap: str, fold: str) -> tuple[int, str | None, bool]:
        """(instant, what was met, whether it is left out) under a policy; if left out, when is moot."""
        if self.seen:
            return self.seen[-1 if fold == "second" else 0], "fold" if len(self.seen) > 1 else None, False
        assert self.shifted is not None and self.gap_ends is not None
        at = self.gap_ends if gap == "first_valid" else self.shifted
        return at, "date_absent" if self.date_absent else "gap", self.date_absent or gap == "skip"


class Wall:
    """One zone's clock over some years."""

    def __init__(self, zone: ZoneInfo, first_year: int, last_year: int) -> None:
        self._zone = zone
        start, end = utc_s(first_year) - 7 * 86400, utc_s(last_year + 1) + 7 * 86400
        edges = [start, *self._edges(start, end), end]
        self.stretches = [Stretch(a, b, self.offset(a)) for a, b in pairwise(edges)]

    def offset(self, at: int) -> int:
        """Seconds east of UTC at an instant."""
        return wall_s(datetime.fromtimestamp(at, self._zone).replace(tzinfo=None)) - at

    def changes(self) -> list[tuple[int, int, int]]:
        """Each change of the clock: (its instant, the offset before, the offset after)."""
        return [(b.start, a.offset, b.offset) for a, b in pairwise(self.stretches)]

    def judge(self, wall: datetime) -> Verdict:
        shown = wall_s(wall)
        around = [each for each in self.stretches if each.start - 4 * 86400 < shown < each.end + 4 * 86400]
        seen = tuple(shown - s.offset for s in around if s.start <= shown - s.offset < s.end)
        if seen:
            return Verdict(seen, None, None, False)
        gaps = [(a, b) for a, b in pairwise(around) if b.start + a.offset <= shown < b.start + b.offset]
        ((before, after),) = gaps
        return Verdict((), shown - before.offset, after.start, not self._has(wall.date(), around))

    def dates_around(self, at: int) -> list[date]:
        """The local dates that a change at this instant may touch, and one more at either end."""
        index = bisect_right([s.start for s in self.stretches], at)
        first, last = (EPOCH + timedelta(seconds=at + s.offset) for s in self.stretches[index - 2 : index])
        lowest, highest = sorted((first.date(), last.date()))
        return [lowest + timedelta(days=n) for n in range(-1, (highest - lowest).days + 2)]

    def _has(self, day: date, around: list[Stretch]) -> bool:
        midnight = wall_s(datetime(day.year, day.month, day.day))
        return any(s.start + s.offset < midnight + 86400 and midnight < s.end + s.offset for s in around)

    def _edges(self, start: int, end: int) -> list[int]:
        looks = [*range(start, end, LOOK_S), end]
        return [self._edge(a, b) for a, b in pairwise(looks) if self.offset(a) != self.offset(b)]

    def _edge(self, before: int, after: int) -> int:
        """The first instant with the offset of `after`."""
        old = self.offset(before)
        while after - before > 1:
            middle = (before + after) // 2
            before, after = (middle, after) if self.offset(middle) == old else (before, middle)
        return after
