"""Wall times to instants, against a walk through UTC that knows nothing of `fold` (S2).

The oracle asks only the direction that is never ambiguous, from an instant to its wall time, for every
half minute of some days, and reads off which wall times came once, twice or never.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.model import Fold, Gap
from scheduler.triggers import resolve
from scheduler.zones import zone, zone_names

EPOCH = datetime(1970, 1, 1)
STEP_S = 30
CHANGES = [
    ("America/New_York", 2025, 2),
    ("America/Vancouver", 2026, 1),  # no winter time since: the old data has a second change
    ("America/St_Johns", 2006, 2),  # at 00:01: the repeated hour lies on two dates
    ("America/Havana", 2024, 2),  # the repeated hour ends at midnight
    ("America/Nuuk", 2025, 2),  # the missing hour ends at midnight
    ("America/Sao_Paulo", 2018, 2),  # no midnight
    ("America/Scoresbysund", 2024, 1),  # at midnight
    ("Africa/Casablanca", 2025, 2),  # negative DST
    ("Africa/Monrovia", 1972, 1),  # 44 min 30 s
    ("Europe/Dublin", 2025, 2),  # negative DST
    ("Europe/London", 1968, 1),
    ("Asia/Kathmandu", 1985, 1),  # a quarter of an hour
    ("Asia/Tehran", 2021, 2),
    ("Antarctica/Troll", 2025, 2),  # two hours
    ("Australia/Lord_Howe", 2025, 2),  # half an hour
    ("Pacific/Apia", 2011, 3),  # no 30 December
    ("Pacific/Kwajalein", 1993, 1),  # no 21 August
    ("Pacific/Chatham", 2025, 2),
]


def wall_at(at: int, name: str) -> datetime:
    return datetime.fromtimestamp(at, zone(name)).replace(tzinfo=None)


def offset_at(at: int, name: str) -> timedelta:
    return wall_at(at, name) - (EPOCH + timedelta(seconds=at))


def days_of_change(name: str, year: int) -> list[int]:
    """The instants, in steps of a day, just before each change of the clock in a year."""
    start, end = (int(datetime(y, 1, 1, tzinfo=UTC).timestamp()) for y in (year, year + 1))
    return [at for at in range(start, end, 86400) if offset_at(at, name) != offset_at(at + 86400, name)]


def expected(walls: dict[datetime, list[int]], wall: datetime) -> dict[Gap | Fold, tuple[float, str | None]]:
    """What S2 says of a wall time, from the instants that show it; one change among `walls`."""
    if seen := walls.get(wall):
        mark = "fold" if len(seen) == 2 else None
        return {Fold.FIRST: (seen[0], mark), Fold.SECOND: (seen[-1], mark)}
    shown = max(each for each in walls if each < wall)
    last_before = max(walls[shown])
    mark = "gap" if any(each.date() == wall.date() for each in walls) else "date_absent"
    shifted = last_before + (wall - shown).total_seconds()
    return {Gap.SHIFT: (shifted, mark), Gap.FIRST_VALID: (last_before + STEP_S, mark)}


@pytest.mark.parametrize(("name", "year", "changes"), CHANGES)
def test_around_every_change_the_resolver_agrees_with_a_walk_through_utc(
    name: str, year: int, changes: int
) -> None:
    found = days_of_change(name, year)
    assert len(found) == changes
    for change in found:
        walls = defaultdict(list)
        for at in range(change - 2 * 86400, change + 3 * 86400, STEP_S):
            walls[wall_at(at, name)].append(at)
        first = wall_at(change, name).replace(hour=0, minute=0, second=0) - timedelta(days=1)
        for wall in (first + timedelta(minutes=each) for each in range(0, 4 * 1440, 7)):
            for option, answer in expected(walls, wall).items():
                gap, fold = (option, Fold.FIRST) if isinstance(option, Gap) else (Gap.SHIFT, option)
                assert resolve(wall, zone(name), gap, fold) == answer, (wall, option)


@given(
    name=st.sampled_from(sorted(zone_names())),
    wall=st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2037, 12, 31)),
    gap=st.sampled_from(Gap),
    fold=st.sampled_from(Fold),
)
@settings(max_examples=300, deadline=None)
def test_an_instant_shows_its_wall_time_unless_that_does_not_exist(
    name: str, wall: datetime, gap: Gap, fold: Fold
) -> None:
    wall = wall.replace(microsecond=0)
    at, mark = resolve(wall, zone(name), gap, fold)
    shown = wall_at(int(at), name)
    assert (shown == wall) == (mark in (None, "fold"))
    assert shown >= wall


def test_the_words_of_the_rule() -> None:
    york, apia = zone("America/New_York"), zone("Pacific/Apia")

    def local(wall: datetime, gap: Gap = Gap.SHIFT, fold: Fold = Fold.FIRST) -> tuple[str, str | None]:
        at, mark = resolve(wall, york, gap, fold)
        return datetime.fromtimestamp(at, york).isoformat(), mark

    assert local(datetime(2026, 3, 8, 2, 30)) == ("2026-03-08T03:30:00-04:00", "gap")
    assert local(datetime(2026, 3, 8, 2, 30), Gap.FIRST_VALID) == ("2026-03-08T03:00:00-04:00", "gap")
    assert local(datetime(2026, 11, 1, 1, 30)) == ("2026-11-01T01:30:00-04:00", "fold")
    assert local(datetime(2026, 11, 1, 1, 30), fold=Fold.SECOND) == ("2026-11-01T01:30:00-05:00", "fold")
    at, mark = resolve(datetime(2011, 12, 30, 9), apia, Gap.SHIFT, Fold.FIRST)
    assert (datetime.fromtimestamp(at, apia).date(), mark) == (date(2011, 12, 31), "date_absent")
