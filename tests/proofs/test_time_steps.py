"""The wall clock is set, the machine sleeps, the clock runs slow: exactly the promises that S4 and S9 say.

The expectation is computed anew from one idea: a promise is kept at the first instant of its window that the
wall clock shows while it is believed. If it never shows one, it is missed: for the clock's sake if it waited
while that was held, else as late. Where the ledger has no past it begins at now, also after a step back.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from jobs.tavus.sandbox import Plan
from scheduler.daemon import Daemon
from tests.house.conftest import MONDAY, Rig
from tests.house.teams import team
from tests.proofs import invariants
from tests.proofs.world import straight

HOUR, DAY = 3600.0, 86_400.0
SLOT = MONDAY + HOUR
BEGIN = SLOT - 1200.0
LEAD_S, WINDOW_S, AHEAD_S = 30.0, 600.0, 900.0
HELD_FROM_S, AGREED_S = 3 * HOUR, 120.0
PEOPLE = 2

STEPS_S = (1.0, -1.0, HOUR, -HOUR, DAY, -DAY)
MOMENTS_S = (-700.0, -61.0, -31.0, -LEAD_S, -29.0, 0.0, 1.0, 60.0, 300.0, 599.0, 900.0)
SLEEP_S = 3 * HOUR


class Kept(NamedTuple):
    """What becomes of a day's promise: its stage, and the reason or how late it was."""

    stage: str
    reason: str | None
    late_s: float


def expected(at: float, step_s: float, end: float, *, held: bool) -> dict[str, Kept]:
    """By date; `held`: nothing is believed for two minutes after the step."""
    landed = at + step_s
    shown = ((BEGIN, at), (landed + (AGREED_S if held else 0.0), end))
    kept = {}
    for day in (-DAY, 0.0, DAY):
        opens, shuts = SLOT + day - LEAD_S, SLOT + day + WINDOW_S
        date = f"{datetime.fromtimestamp(SLOT + day, UTC):%Y-%m-%d}"
        first = [max(opens, a) for a, b in shown if max(opens, a) <= min(shuts, b)]
        if opens < BEGIN and opens <= landed:
            continue
        if first:
            kept[date] = Kept("ended", None, max(0.0, first[0] - SLOT - day))
        elif at < shuts and landed > opens:
            waited = held and (opens - AHEAD_S <= at or landed <= shuts)
            kept[date] = Kept("missed", "clock_held" if waited else "late", 0.0)
    return kept


def found(rig: Rig) -> dict[str, Kept]:
    """What became of them; everybody of a day alike."""
    kept: dict[str, set[Kept]] = {}
    for r in rig.records().values():
        late_s = round(r.lateness_s or 0.0, 3)
        kept.setdefault(r.date, set()).add(
            Kept(str(r.stage), r.reason if r.stage == "missed" else None, late_s)
        )
    assert all(len(each) == 1 for each in kept.values()), kept
    return {date: each.pop() for date, each in kept.items()}


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with straight(tmp_path, Plan(concurrent=1000), BEGIN) as made:
        yield made


def assert_right(rig: Rig, kept: dict[str, Kept]) -> None:
    assert found(rig) == kept
    assert len(rig.sandbox.rooms) == PEOPLE * sum(each.stage == "ended" for each in kept.values())
    assert rig.holds() == []
    invariants.check(rig)


@pytest.mark.parametrize("step_s", STEPS_S)
@pytest.mark.parametrize("moment_s", MOMENTS_S)
async def test_the_wall_clock_is_set(rig: Rig, moment_s: float, step_s: float) -> None:
    at, end = SLOT + moment_s, max(SLOT, SLOT + step_s) + 1800.0
    async with rig.open(rig.config(team(PEOPLE))) as daemon:
        await rig.until(daemon, at)
        rig.clock.set_wall(at + step_s)
        await rig.until(daemon, end)
    assert_right(rig, expected(at, step_s, end, held=abs(step_s) >= HELD_FROM_S))


@pytest.mark.parametrize("moment_s", MOMENTS_S)
async def test_the_machine_sleeps_for_three_hours(rig: Rig, moment_s: float) -> None:
    """Both clocks go on: it is lateness, nothing else."""
    at, end = SLOT + moment_s, SLOT + moment_s + SLEEP_S + 1800.0
    async with rig.open(rig.config(team(PEOPLE))) as daemon:
        await rig.until(daemon, at)
        rig.clock.move(at + SLEEP_S)
        await rig.until(daemon, end)
    assert_right(rig, expected(at, SLEEP_S, end, held=False))


@pytest.mark.parametrize("rate", [0.9, 0.99, 1.01, 1.1])
async def test_a_clock_that_runs_slow_or_fast(rig: Rig, rate: float) -> None:
    """It is what the schedule is written in: everything is in time by it, and nothing is held."""
    end = SLOT + 1800.0
    async with rig.open(rig.config(team(PEOPLE))) as daemon:
        while rig.clock.now() < end:
            await rig.quiet(daemon)
            _pass(rig, daemon, rate, end)
    assert_right(rig, {"2026-11-30": Kept("ended", None, 0.0)})


def _pass(rig: Rig, daemon: Daemon, rate: float, end: float) -> None:
    """Time passes up to the next turn, or for 15 s by the boot clock: the alarm's tick looks at both then."""
    now = rig.clock.now()
    to = min(now + 15.0 * rate, end, max(daemon.next_turn() or end, now + 0.001))
    rig.clock.move(now + (to - now) / rate)
    rig.clock.set_wall(to)


@pytest.mark.parametrize("moment_s", MOMENTS_S)
async def test_there_and_back(rig: Rig, moment_s: float) -> None:
    """Set a day ahead and corrected a minute later: nobody noticed anything but the minutes it was held."""
    at = SLOT + moment_s
    async with rig.open(rig.config(team(PEOPLE))) as daemon:
        await rig.until(daemon, at)
        rig.clock.set_wall(at + DAY)
        await rig.until(daemon, at + DAY + 60)
        rig.clock.set_wall(at + 60)
        await rig.until(daemon, SLOT + 3600)
    assert_right(rig, expected(at, 60.0, SLOT + 3600, held=True))
