"""Thirty-six months of a team in four zones: the ledger is what the oracle says, to the second.

Twenty people, schedules drawn by seed (weekdays, cron, the last such day of a month, a day of the month) at
times that clock changes touch, with holidays, bounds and one that is switched off. Only time is virtual:
every request is real HTTP, every row a real database's, and a month takes some seconds.
"""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from jobs.tavus.sandbox import Plan
from scheduler.ledger import Place, place_of
from tests.postgres import Server
from tests.proofs import invariants
from tests.proofs.oracle import WEEKDAYS, Rule, expected
from tests.proofs.world import straight

ZONES = ("America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Sydney")
BEGIN = datetime(2027, 3, 1, tzinfo=UTC)
"""Clock changes follow in the first month, in the north and in the south."""
AHEAD_S = 900.0
SEEDS = range(5)


def rules(dice: random.Random) -> list[Rule]:
    """What is promised; never two at one time, so that no overlap decides."""
    people = {f"p{n:02}": dice.choice(ZONES) for n in range(20)}
    some = dict(dice.sample(sorted(people.items()), 8))
    days = tuple(day for day in WEEKDAYS if dice.random() < 0.7) or ("mon",)
    off = tuple(_ranges(dice, 12))
    early = time(dice.choice([1, 2, 3]), dice.choice([0, 15, 30]))
    return [
        Rule("daily", {f"{early:%H:%M}": early, "late": time(17, 30, dice.randint(1, 59))}, people,
             weekdays=days, excluded=off),
        Rule("board", {"09:30": time(9, 30)}, some, weekdays=("tue", "thu"), zone=dice.choice(ZONES)),
        Rule("review", {"14:00": time(14)}, some, dates="last", weekdays=(dice.choice(WEEKDAYS),)),
        Rule("bill", {"00:05": time(0, 5)}, {}, dates="monthday",
             monthday=dice.choice([1, 28, 31]), zone="UTC"),
        Rule("trial", {"12:00": time(12)}, dict(dice.sample(sorted(people.items()), 3)), weekdays=("wed",),
             first=date(2027, 3, 10), last=date(2027, 12, 24)),
        Rule("off", {"19:00": time(19)}, some, weekdays=("sat",), enabled=False),
    ]  # fmt: skip


def _ranges(dice: random.Random, count: int) -> Iterator[tuple[date, date]]:
    for _ in range(count):
        first = BEGIN.date() + timedelta(days=dice.randint(0, 1100))
        yield first, first + timedelta(days=dice.choice([0, 0, 1, 6]))


def text(plan: list[Rule]) -> str:
    """The same in the words of a user."""
    known = {who: zone for rule in plan for who, zone in rule.people.items()}
    rosters = "".join(f"  {rule.name}:\n{_people(rule, known)}" for rule in plan if rule.people)
    return f"rosters:\n{rosters}schedules:\n" + "".join(map(_schedule, plan))


def _people(rule: Rule, known: dict[str, str]) -> str:
    return "".join(
        f"    - {{id: {who}, name: {who.upper()}, timezone: {known[who]}}}\n" for who in rule.people
    )


def _schedule(rule: Rule) -> str:
    participants = f"    participants: [{rule.name}]\n" if rule.people else ""
    return f"""  {rule.name}:
    when: {{{_form(rule)}, timezone: {rule.zone or "participant"}{_bounds(rule)}}}
{participants}    overlap: allow
    enabled: {str(rule.enabled).lower()}
    conversation:
      persona_id: pdced222244b
      replica_id: rfe12d8b9597
      properties: {{max_call_duration: 30m, participant_left_timeout: 60s, participant_absent_timeout: 50s}}
"""


def _form(rule: Rule) -> str:
    at = ", ".join(f'{name}: "{each.isoformat()}"' for name, each in rule.slots.items() if ":" not in name)
    plain = ", ".join(f'"{name}"' for name in rule.slots if ":" in name)
    ((_, first), *_) = rule.slots.items()
    match rule.dates:
        case "monthday":
            return f'cron: "{first.minute} {first.hour} {rule.monthday} * *"'
        case "last":
            return f"monthly: {{day: last {rule.weekdays[0]}, at: [{plain}]}}"
    if not at:
        return f'cron: "{first.minute} {first.hour} * * {",".join(rule.weekdays)}"'
    named = ", ".join([f'"{name}": "{name}"' for name in rule.slots if ":" in name] + [at])
    return f"days: [{', '.join(rule.weekdays)}], at: {{{named}}}"


def _bounds(rule: Rule) -> str:
    said = ""
    if rule.first > date.min:
        said += f', from: "{rule.first}"'
    if rule.last < date.max:
        said += f', until: "{rule.last}"'
    if rule.excluded:
        ranges = (f'{{from: "{a}", until: "{b}", name: off}}' for a, b in rule.excluded)
        said += f", except: [{', '.join(ranges)}]"
    return said


async def months(seed: int, count: int, folder: Path, place: Place | None) -> Counter[str]:
    """So many months; what became of their promises."""
    plan, begin = rules(random.Random(seed)), BEGIN.timestamp()
    end = (BEGIN + timedelta(days=round(count * 365.25 / 12))).timestamp()
    async with straight(folder, Plan(concurrent=1000), at=begin, place=place) as rig:
        async with rig.open(rig.config(text(plan))) as daemon:
            await rig.until(daemon, end)
        records = rig.records()
        sure = expected(plan, begin, end - 600)
        maybe = expected(plan, begin, end + AHEAD_S)
        assert sure.keys() <= records.keys() <= maybe.keys(), (
            sure.keys() - records.keys(),
            records.keys() - maybe.keys(),
        )
        for key, record in records.items():
            assert record.due == maybe[key].due, f"{key}: due {record.due}, expected {maybe[key].due}"
        for key, promise in sure.items():
            record = records[key]
            if promise.skip is not None:
                assert (record.stage, record.reason) == ("skipped", promise.skip), key
            else:
                assert (record.stage, record.reason) == ("ended", "absent"), key
                assert record.created_at == promise.opens, f"{key}: not to the second"
        invariants.assert_safe(rig)
        assert all(len(each) == 1 for each in rig.rooms_by_mark().values())
        return Counter(f"{r.stage} {r.reason}" for r in records.values())


async def told(seed: int, count: int, place: Place | None = None) -> Counter[str]:
    """A failure names its seed and how it is repeated."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            return await months(seed, count, Path(folder), place)
        except BaseException as error:
            error.add_note(f"seed {seed}; again: {again(seed, count)}")
            raise


def again(seed: int, count: int) -> str:
    return (
        "python -c 'import asyncio; from tests.proofs.test_months import told; "
        f"print(asyncio.run(told({seed}, {count})))'"
    )


@pytest.mark.parametrize("seed", SEEDS[:2])
async def test_a_month(seed: int) -> None:
    became = await told(seed, 1)
    assert became["ended absent"] > 400


async def test_a_month_on_postgresql(postgres: Server) -> None:
    assert await told(0, 1, place_of(postgres.new())) == await told(0, 1)


@pytest.mark.long
@pytest.mark.parametrize("seed", SEEDS)
async def test_thirty_six_months(seed: int) -> None:
    became = await told(seed, 36)
    print(f"\nseed {seed}: {dict(became)}")
    assert became.total() > 20_000
