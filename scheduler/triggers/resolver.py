"""From a wall time of a zone to an instant (S2).

The clock changes that matter are of two kinds. A *gap*: clocks jump ahead, and the wall times in between do
not exist; it may be a whole date (Samoa had no 30 December 2011). A *fold*: clocks go back, and the wall
times in between exist twice. Python tells them apart by `fold` (PEP 495): in a gap, `fold=0` reads the
offset before it, `fold=1` the one after. No calendar stands here, and nothing is skipped: a mark says what
was met, and whoever asked decides.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from jobs.model import Instant
from scheduler.model import Fold, Gap

Mark = Literal["gap", "fold", "date_absent"]
"""What a wall time met: it does not exist, exists twice, or its whole local date does not exist."""

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - wall times are naive by nature
_SECOND = timedelta(seconds=1)


def resolve(wall: datetime, zone: ZoneInfo, gap: Gap, fold: Fold) -> tuple[Instant, Mark | None]:
    """The instant of the naive `wall` in `zone`, and what was met there.

    In a gap: with `first_valid` the instant at which it ends, else the wall time read with the offset before
    it, so 02:30 becomes 03:30 (RFC 5545, section 3.3.5). `skip` differs from `shift` by the caller's deeds.
    """
    before = _offset(wall.replace(tzinfo=zone, fold=0))
    after = _offset(wall.replace(tzinfo=zone, fold=1))
    wall_s = (wall - _EPOCH) // _SECOND
    if before == after:
        return float(wall_s - before), None
    if before > after:
        return float(wall_s - (before if fold is Fold.FIRST else after)), "fold"
    edge = _end_of_gap(wall_s, before, after, zone)
    mark: Mark = "date_absent" if _jumps_over(wall, edge, zone) else "gap"
    return float(edge if gap is Gap.FIRST_VALID else wall_s - before), mark


def _offset(aware: datetime) -> int:
    """Seconds east of UTC."""
    return (aware.utcoffset() or timedelta()) // _SECOND


def _end_of_gap(wall_s: int, before: int, after: int, zone: ZoneInfo) -> int:
    """The instant of the jump, which lies where the two readings of a wall time in the gap leave room."""
    readings = range(wall_s - after, wall_s - before + 1)
    return readings[bisect_left(readings, after, key=lambda at: _offset(datetime.fromtimestamp(at, zone)))]


def _jumps_over(wall: datetime, edge: int, zone: ZoneInfo) -> bool:
    """Whether the jump at `edge` leaves out the whole date of `wall`."""
    last, first = (datetime.fromtimestamp(at, zone).date() for at in (edge - 1, edge))
    return last < wall.date() < first
