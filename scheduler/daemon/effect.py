"""What another configuration changes: promises that come, go and move within a day.

Only schedules that differ are computed. It looks at the plan alone: what the ledger makes of it (a promise
that opened already is not taken back) is told by the swap itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from jobs.model import Instant
from scheduler.model import Schedule
from scheduler.planner import occurrences

AHEAD_S = 86_400.0


class Changed(NamedTuple):
    """How many promises of the next 24 hours are new, gone, and at another time."""

    added: int
    removed: int
    moved: int

    def __str__(self) -> str:
        """`+3 promises, -1, 2 moved within 24 hours`."""
        noun = "promise" if self.added == 1 else "promises"
        return f"+{self.added} {noun}, -{self.removed}, {self.moved} moved within 24 hours"


def changed(before: Mapping[str, Schedule], after: Mapping[str, Schedule], now: Instant) -> Changed:
    """What happens to the promises that open from now on."""
    same = {name for name in before if before[name] == after.get(name)}
    old, new = (_dues([s for name, s in each.items() if name not in same], now) for each in (before, after))
    moved = sum(new[key] != old[key] for key in old.keys() & new.keys())
    return Changed(len(new.keys() - old.keys()), len(old.keys() - new.keys()), moved)


def _dues(schedules: list[Schedule], now: Instant) -> dict[str, Instant]:
    coming = occurrences(schedules, now, now + AHEAD_S)
    return {each.key: each.due for each in coming if each.skip is None}
