"""Today: the slots of each zone's own day, from what the ledger has and what the planner says is to come.

Numbers only: which promises run and which went wrong are lists of records that stand beside them. A day may
hold a slot every few seconds, so what is shown of it is bounded, and says what it leaves out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from jobs.model import Instant
from scheduler.facts import Stage
from scheduler.planner import SlotTime
from scheduler.record import Tally
from scheduler.web.pages import times
from scheduler.web.pages.words import LOOKS

ROWS_MAX = 24
"""Slots of one zone that are shown in words."""
BEFORE_ROWS = 6
"""How many of these may be over."""
BINS = 48
"""A day is drawn in half hours."""
WIDTH, HEIGHT = 960, 48


@dataclass(slots=True)
class Row:
    """One slot of the day: who is called how often, and how far it has come."""

    at: Instant
    schedule: str
    slot: str
    date: str
    stages: Counter[str] = field(default_factory=Counter)
    note: str | None = None

    @property
    def people(self) -> int:
        """How many promises it holds."""
        return self.stages.total()

    @property
    def outcomes(self) -> list[tuple[str, int]]:
        """(stage, promises), in the order of stages."""
        return [(str(stage), self.stages[stage]) for stage in Stage if self.stages[stage]]


class Bar(NamedTuple):
    """A part of the drawn day: where it stands, in the drawing's own units, and how it looks."""

    x: float
    y: float
    width: float
    height: float
    look: str


@dataclass(frozen=True, slots=True)
class ZoneDay:
    """One zone's own day. `bars` and `now_x` are its drawing; `hidden` rows are not shown."""

    timezone: str
    starts: Instant
    rows: Sequence[Row]
    hidden: int
    bars: Sequence[Bar]
    now_x: float
    stages: Counter[str]

    @property
    def told(self) -> str:
        """The drawing in words."""
        parts = [f"{self.stages[stage]} {stage}" for stage in Stage if self.stages[stage]]
        return ", ".join(parts) or "nothing"


def days(counted: Iterable[Tally], coming: Iterable[SlotTime], now: Instant) -> list[ZoneDay]:
    """Each zone's day, the fullest first: what the ledger has, and what it doesn't have yet."""
    found = _rows(counted, coming)
    made = (_zone_day(timezone, list(rows.values()), now) for timezone, rows in found.items())
    return sorted((each for each in made if each.rows), key=lambda day: (-day.stages.total(), day.timezone))


def span(now: Instant, timezones: Iterable[str]) -> tuple[Instant, Instant]:
    """From the first beginning of a today, wherever, to the last end of one."""
    bounds = [times.midnights(now, timezone) for timezone in {"UTC", *timezones}]
    return min(each[0] for each in bounds), max(each[1] for each in bounds)


_Found = dict[str, dict[tuple[str, str, str], Row]]


def _rows(counted: Iterable[Tally], coming: Iterable[SlotTime]) -> _Found:
    found: _Found = {}
    for timezone, date, schedule, slot, stage, due, promises in counted:
        rows = found.setdefault(timezone, {})
        row = rows.setdefault((schedule, slot, date), Row(due, schedule, slot, date))
        row.stages[stage] += promises
        row.at = min(row.at, due)
    written = {timezone: set(rows) for timezone, rows in found.items()}
    for each in coming:
        named = (each.schedule, each.slot, each.date)
        if named in written.get(each.timezone, ()):
            continue
        rows = found.setdefault(each.timezone, {})
        row = rows.setdefault(named, Row(each.at, *named, note=each.note))
        row.stages[Stage.SKIPPED if each.skip else Stage.PLANNED] += each.people
    return found


def _zone_day(timezone: str, rows: Sequence[Row], now: Instant) -> ZoneDay:
    starts, ends = times.midnights(now, timezone)
    mine = sorted((row for row in rows if starts <= row.at < ends), key=lambda row: (row.at, row.schedule))
    shown = _about_now(mine, now)
    stages = sum((row.stages for row in mine), Counter[str]())
    now_x = (now - starts) / (ends - starts) * WIDTH
    bars = list(_bars(mine, starts, ends))
    return ZoneDay(timezone, starts, shown, len(mine) - len(shown), bars, now_x, stages)


def _about_now(rows: Sequence[Row], now: Instant) -> Sequence[Row]:
    """As many as may be shown, of which the last few that are over."""
    if len(rows) <= ROWS_MAX:
        return rows
    over = sum(row.at < now for row in rows)
    first = max(0, min(over - BEFORE_ROWS, len(rows) - ROWS_MAX))
    return rows[first : first + ROWS_MAX]


def _bars(rows: Sequence[Row], starts: Instant, ends: Instant) -> Iterator[Bar]:
    """The day in half hours, each a pile of what looks alike; the highest pile fills the drawing."""
    bins: dict[int, Counter[str]] = {}
    for row in rows:
        place = min(BINS - 1, int((row.at - starts) / (ends - starts) * BINS))
        looks = bins.setdefault(place, Counter())
        for stage, promises in row.stages.items():
            looks[LOOKS[stage]] += promises
    highest = max((looks.total() for looks in bins.values()), default=1)
    for place, looks in bins.items():
        yield from _pile(place, looks, highest)


def _pile(place: int, looks: Mapping[str, int], highest: int) -> Iterator[Bar]:
    width, top = WIDTH / BINS, float(HEIGHT)
    for kind in ("well", "live", "wait", "off", "wrong"):
        if promises := looks.get(kind, 0):
            height = max(2.0, promises / highest * (HEIGHT - 4))
            top -= height
            yield Bar(round(place * width + 1, 1), round(top, 1), width - 2, round(height, 1), kind)
