"""The next days: how many conversations run at once if everybody stays to the end, against the cap.

The worst case, drawn from the slots of the configuration alone: a call begins when creation opens and holds
its place for its whole length. A spread is drawn as a slope. No-shows, early leavers and colleagues who use
the same account are not foreseen here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from jobs.model import Instant
from scheduler.model import Schedule
from scheduler.planner import SlotTime
from scheduler.web.pages import times

WIDTH, HEIGHT = 960, 120
HEADROOM = 8
STEPS_MAX = 12
"""In so many steps a spread is drawn."""
SLOTS_MAX = 8
"""Slots of one day that are named."""


class Level(NamedTuple):
    """From this instant on so many run at once."""

    at: Instant
    running: int


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the curve in the drawing's own units. `peak` is the most at once, `over` by how much that is
    more than the cap."""

    starts: Instant
    promises: int
    peak: int
    peak_at: Instant | None
    over: int
    line: str
    area: str
    cap_y: float | None
    now_x: float | None
    slots: Sequence[tuple[Instant, str, str, int]]
    more_slots: int


def days(
    schedules: Mapping[str, Schedule],
    slots: Sequence[SlotTime],
    cap: int,
    midnights: Sequence[Instant],
    now: Instant,
) -> list[Day]:
    """A day for each pair of neighbouring midnights; `slots` begin long enough before the first that what
    still runs then is counted."""
    held = [each for each in slots if each.skip is None and each.schedule in schedules]
    levels = _levels(held, schedules)
    highest = max(cap, max((level.running for level in levels), default=0))
    return [_day(held, levels, cap, highest, starts, ends, now) for starts, ends in pairwise(midnights)]


def longest_s(schedules: Iterable[Schedule]) -> float:
    """How long before a day a call may begin that still runs in it."""
    return max((float(_holds_s(each) + each.lead_s + each.spread_s) for each in schedules), default=0.0)


def _holds_s(schedule: Schedule) -> int:
    return 0 if schedule.request.test_mode else schedule.request.properties.max_call_duration


def _levels(slots: Iterable[SlotTime], schedules: Mapping[str, Schedule]) -> list[Level]:
    """The curve, as the instants at which it changes."""
    changes: dict[Instant, int] = {}
    for each in slots:
        schedule = schedules[each.schedule]
        if holds_s := _holds_s(schedule):
            for at, people in _begins(each, schedule.lead_s):
                changes[at] = changes.get(at, 0) + people
                changes[at + holds_s] = changes.get(at + holds_s, 0) - people
    running, levels = 0, []
    for at, change in sorted(changes.items()):
        running += change
        levels.append(Level(at, running))
    return levels


def _begins(slot: SlotTime, lead_s: int) -> Iterator[tuple[Instant, int]]:
    """When how many begin: all at once, or spread over the slot's room."""
    steps = min(STEPS_MAX, slot.people) if slot.room_s else 1
    for n in range(steps):
        people = slot.people * (n + 1) // steps - slot.people * n // steps
        yield slot.at - lead_s + slot.room_s * n / steps, people


def _day(
    slots: Sequence[SlotTime],
    levels: Sequence[Level],
    cap: int,
    highest: int,
    starts: Instant,
    ends: Instant,
    now: Instant,
) -> Day:
    mine = [each for each in slots if starts <= each.at < ends]
    before = [level for level in levels if level.at < starts]
    within = [level for level in levels if starts <= level.at < ends]
    first = Level(starts, before[-1].running if before else 0)
    peak = max([first, *within], key=lambda level: level.running)
    line = _line([first, *within], starts, ends, highest)
    return Day(
        starts=starts,
        promises=sum(each.people for each in mine),
        peak=peak.running,
        peak_at=peak.at if peak.running else None,
        over=max(0, peak.running - cap),
        line=line,
        area=f"{line}V{HEIGHT}H0Z",
        cap_y=_y(cap, highest) if cap else None,
        now_x=round((now - starts) / (ends - starts) * WIDTH, 1) if starts <= now < ends else None,
        slots=[(each.at, each.schedule, each.slot, each.people) for each in mine[:SLOTS_MAX]],
        more_slots=max(0, len(mine) - SLOTS_MAX),
    )


def _line(levels: Sequence[Level], starts: Instant, ends: Instant, highest: int) -> str:
    """The curve as an SVG path of steps from the left edge to the right one; what is narrower than a unit of
    the drawing is drawn as high as it was, so that a day with a slot every second stays a short path."""
    most: dict[int, int] = {}
    left: dict[int, int] = {}
    for level in levels:
        column = int((level.at - starts) / (ends - starts) * WIDTH)
        most[column] = max(most.get(column, 0), level.running)
        left[column] = level.running
    path = [f"M0 {_y(levels[0].running, highest)}"]
    for column, running in most.items():
        path.append(f"H{column}V{_y(running, highest)}")
        if left[column] != running:
            path.append(f"H{column + 1}V{_y(left[column], highest)}")
    return "".join([*path, f"H{WIDTH}"])


def _y(running: int, highest: int) -> float:
    return round(HEIGHT - running / max(1, highest) * (HEIGHT - HEADROOM), 1)


def spoken(day: Day, timezone: str, cap: int) -> str:
    """The day's drawing in words."""
    if day.peak_at is None:
        return "Nothing is planned."
    most = f"At most {day.peak} at once, first at {times.minute(day.peak_at, timezone)}"
    return f"{most}; {day.over} more than the {cap} allowed." if day.over else f"{most}, of {cap} allowed."
