"""Every zone's clock changes, 2024-2037, at 48 times of day, under each `gap` and `fold` policy (S1, S2).

The whole road is driven, from a schedule's words to occurrences, and held against `wallclock`, which knows
nothing of it: on each date each slot comes exactly once, at the instant that the oracle names, with its mark.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import pairwise, product

import pytest

from jobs.model import ConversationRequest, Participant
from scheduler.model import PARTICIPANT_ZONE, Cron, Days, Fold, Gap, Occurrence, On, Schedule, Slot, When
from scheduler.planner import finder, occurrences
from scheduler.triggers import resolve
from scheduler.zones import zone, zone_names
from tests.proofs.wallclock import Verdict, Wall

YEARS = (2024, 2037)
TIMES = tuple(time(hour, minute) for hour in range(24) for minute in (0, 30))
SLOTS = tuple(Slot(f"{at:%H:%M}", at) for at in TIMES)
HALF_HOURS = Cron("0,30", "*", "*", "*", "*")
DAYS = Days(frozenset(range(7)), SLOTS)
POLICIES = list(product(Gap, Fold))

SEED = 20261122
SAMPLE = 8
ODD = (
    "Africa/Casablanca", "Africa/Cairo", "America/Havana", "America/Nuuk", "America/Scoresbysund",
    "America/Vancouver", "Antarctica/Troll", "Asia/Beirut", "Asia/Gaza", "Atlantic/Azores",
    "Australia/Lord_Howe", "Europe/Chisinau", "Europe/Dublin", "Pacific/Chatham",
)  # fmt: skip
"""Midnight changes, halves and doubles of an hour, negative summer time, Ramadan."""
VANISHED = [("Pacific/Apia", 2011), ("Pacific/Kwajalein", 1993), ("Pacific/Enderbury", 1994)]
"""Dates that never were; none is known to come, so these are looked for where they lie."""


def schedule(form: Days | Cron | On, name: str, gap: Gap, fold: Fold) -> Schedule:
    when = When(form, PARTICIPANT_ZONE, gap=gap, fold=fold)
    people = (Participant("ana", "Ana", timezone=name),)
    return Schedule(name="s", when=(when,), participants=people, request=ConversationRequest(), lead_s=0)


def told(each: Occurrence) -> tuple[float, str | None, bool]:
    return each.due, each.note, each.skip is not None


def on_dates(plan: Schedule, dates: list[date], around: int) -> list[Occurrence]:
    found = occurrences([plan], around - 3 * 86400, around + 3 * 86400)
    days = {day.isoformat() for day in dates}
    return [each for each in found if each.date in days]


def check_change(name: str, wall: Wall, at: int) -> int:
    """Everything about one change of one zone; how many answers were compared."""
    dates = wall.dates_around(at)
    verdicts = {
        (day.isoformat(), slot.name): wall.judge(datetime.combine(day, slot.at))
        for day, slot in product(dates, SLOTS)
    }
    for gap, fold in POLICIES:
        check_plan(schedule(DAYS, name, gap, fold), dates, at, verdicts)
    moments = On(tuple(datetime.combine(day, each) for day, each in product(dates, TIMES)))
    for form in (HALF_HOURS, moments):
        check_plan(schedule(form, name, Gap.SHIFT, Fold.FIRST), dates, at, verdicts)
    check_windows(schedule(DAYS, name, Gap.SHIFT, Fold.FIRST), at)
    return (len(POLICIES) + 2) * len(verdicts) + check_edges(name, wall, at)


def check_plan(plan: Schedule, dates: list[date], at: int, verdicts: dict[tuple[str, str], Verdict]) -> None:
    found = on_dates(plan, dates, at)
    assert [each.due for each in found] == sorted(each.due for each in found)
    assert len(found) == len(verdicts), "once for each date and slot"
    gap, fold = plan.when[0].gap, plan.when[0].fold
    by_key = finder([plan])
    for each in found:
        due, mark, left_out = verdicts[each.date, each.slot].answer(gap, fold)
        assert (each.note, each.skip is not None) == (mark, left_out), each
        assert left_out or each.due == due, (each, due)
    probe = found[len(found) // 2]
    assert by_key(probe.key) == probe


def check_windows(plan: Schedule, at: int) -> None:
    """Turns that look again at the change itself, and just beside it, promise the same as one long look."""
    start, end = at - 3 * 86400, at + 3 * 86400
    cuts = [start, at - 3600, at - 1, at, at + 1, at + 1800, end]
    pieces = [each for a, b in pairwise(cuts) for each in occurrences([plan], a, b)]
    assert pieces == list(occurrences([plan], start, end))


def check_edges(name: str, wall: Wall, at: int) -> int:
    """To the second: where a gap or a fold begins and ends."""
    offsets = wall.offset(at - 1), wall.offset(at)
    beside = [datetime(1970, 1, 1) + timedelta(seconds=at + o + d) for o in offsets for d in (-1, 0, 1)]
    for shown, (gap, fold) in product(beside, POLICIES):
        due, mark, _ = wall.judge(shown).answer(gap, fold)
        assert resolve(shown, zone(name), gap, fold) == (due, mark), (shown, gap, fold)
    return len(beside) * len(POLICIES)


def check_zone(name: str, years: tuple[int, int] = YEARS) -> tuple[int, int]:
    """All changes of one zone: (changes, answers compared). A failure names the zone and the instant."""
    wall, compared = Wall(zone(name), *years), 0
    for at, _, _ in wall.changes():
        try:
            compared += check_change(name, wall, at)
        except Exception as error:
            raise AssertionError(f"{name} at {at}: {error}; again: {again(name)}") from error
    return len(wall.changes()), compared


def again(name: str) -> str:
    return f"python -c 'from tests.proofs.test_zones import check_zone; print(check_zone(\"{name}\"))'"


def check_zones(names: Iterator[str]) -> tuple[int, int, int]:
    """(zones, changes, answers compared)."""
    each = [check_zone(name) for name in names]
    return len(each), sum(changes for changes, _ in each), sum(compared for _, compared in each)


def test_clock_changes_of_a_sample_of_zones() -> None:
    others = sorted(zone_names() - set(ODD))
    sample = random.Random(SEED).sample(others, SAMPLE)
    _, changes, _ = check_zones(iter([*ODD, *sample]))
    assert changes > 28 * len(ODD) // 2


@pytest.mark.parametrize(("name", "year"), VANISHED)
def test_a_date_that_never_was(name: str, year: int) -> None:
    changes, _ = check_zone(name, (year, year + 1))
    assert changes
    wall = Wall(zone(name), year, year + 1)
    noons = (datetime(year, 1, 1, 12) + timedelta(days=n) for n in range(370))
    assert [noon for noon in noons if wall.judge(noon).date_absent]


@pytest.mark.long
def test_clock_changes_of_every_zone() -> None:
    zones, changes, compared = check_zones(iter(sorted(zone_names())))
    print(f"\n{zones} zones, {changes} clock changes, {compared} answers compared")
    assert zones > 400
