"""Many at once: lost answers by the hundred, a storm of 429, an account that is too small (S12, S17, S18).

Everything is measured at the server. The figures of the large runs stand in `tests/README.md`.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from jobs.tavus.sandbox import Fault, Plan
from tests.house.conftest import MONDAY, Rig
from tests.house.teams import team
from tests.proofs import invariants
from tests.proofs.world import straight

MINUTE, HOUR = 60.0, 3600.0
SLOT = MONDAY + HOUR
LONG_ENOUGH = "max_call_duration: 30m, participant_left_timeout: 60s, participant_absent_timeout: 20m"


def _created(rig: Rig) -> list[str]:
    """The keys of all conversations in the order in which the server made them."""
    keys = {record.mark: key for key, record in rig.records().items()}
    rooms = rig.sandbox.rooms.values()
    marks = [invariants.MARK.search(str(room.body["conversation_name"])) for room in rooms]
    return [keys[mark[1]] for mark in marks if mark]


async def lost_answers(folder: Path, creations: int, when: str = "after", seed: int = 5) -> Counter[str]:
    """That many promises of one slot, 5 % of their answers lost; what was asked until all were live."""
    async with straight(folder, Plan(concurrent=2 * creations)) as rig:
        lost = Fault(kind="drop", operation="create", when=when, count=None, probability=0.05, seed=seed)
        rig.sandbox.faults.add(lost)
        account = f"requests: {2 * creations}/s, concurrent_conversations: {2 * creations}"
        text = team(creations, extra="start_window: 20m", properties=LONG_ENOUGH)
        async with rig.open(rig.config(text, account)) as daemon:
            await rig.until(daemon, SLOT - 30)
            while _waits(rig) and rig.clock.now() < SLOT + 10 * MINUTE:
                await rig.until(daemon, rig.clock.now() + 5)
            seen = list(rig.sandbox.requests)
            rig.sandbox.faults.clear()
            invariants.assert_safe(rig)
            assert {r.stage for r in rig.records().values()} == {"live"}
            rooms = invariants.by_attempt(rig.sandbox.rooms.values())
            assert len(rig.sandbox.rooms) == len(rooms) == creations, "a double, or one that is lost"
            await rig.until(daemon, SLOT + HOUR)
        invariants.check(rig)
        nothing = sum(each.operation == "create" and each.status is None for each in seen)
        return Counter(str(each.operation) for each in seen) + Counter(lost=nothing)


def _waits(rig: Rig) -> bool:
    return len(rig.sandbox.rooms) == 0 or any(r.stage != "live" for r in rig.records().values())


async def test_a_thousand_creations_with_lost_answers(tmp_path: Path) -> None:
    cost = await lost_answers(tmp_path, 1_000)
    assert cost["lost"] > 30
    assert cost["create"] == 1_000
    assert cost["list"] <= 20, cost


async def test_a_thousand_creations_of_which_some_never_arrive(tmp_path: Path) -> None:
    cost = await lost_answers(tmp_path, 1_000, when="before")
    assert cost["lost"] > 30
    assert cost["create"] == 1_000 + cost["lost"]


@pytest.mark.long
async def test_ten_thousand_creations_with_lost_answers(tmp_path: Path) -> None:
    cost = await lost_answers(tmp_path, 10_000)
    print(f"\n{dict(cost)}")
    assert cost["lost"] > 400
    assert cost["create"] == 10_000
    assert cost["list"] <= 200, cost


@pytest.mark.long
async def test_ten_thousand_creations_of_which_some_never_arrive(tmp_path: Path) -> None:
    cost = await lost_answers(tmp_path, 10_000, when="before")
    print(f"\n{dict(cost)}")
    assert cost["create"] == 10_000 + cost["lost"]


async def test_a_storm_of_429_for_ten_minutes(tmp_path: Path) -> None:
    """Five hundred due at once; who fits into the window is done, and the limit is never broken."""
    async with straight(tmp_path, Plan(concurrent=1000)) as rig:
        storm = Fault(kind="status", operation="create", status=429, count=None, probability=0.6, seed=11)
        rig.sandbox.faults.add(storm)
        config = rig.config(
            team(500, extra="start_window: 60m"), "requests: 20/s, concurrent_conversations: 1000"
        )
        async with rig.open(config) as daemon:
            await rig.until(daemon, SLOT - 30 + 10 * MINUTE)
            rig.sandbox.faults.clear()
            await rig.until(daemon, SLOT + 2 * HOUR)
        times = [seen.at for seen in rig.sandbox.requests]
        invariants.assert_rate(times, 20, 1.0)
        invariants.check(rig)
        assert {(r.stage, r.reason) for r in rig.records().values()} == {("ended", "absent")}
        assert len(rig.sandbox.rooms) == 500


async def test_a_storm_that_outlasts_the_window_is_told(tmp_path: Path) -> None:
    """Nothing is lost without a reason: whoever the storm kept away was missed because of it."""
    async with straight(tmp_path, Plan(concurrent=1000)) as rig:
        rig.sandbox.faults.add(
            Fault(kind="status", operation="create", status=429, count=None, probability=0.95, seed=3)
        )
        config = rig.config(team(200), "requests: 20/s, concurrent_conversations: 1000")
        async with rig.open(config) as daemon:
            await rig.until(daemon, SLOT + HOUR)
        invariants.assert_rate([seen.at for seen in rig.sandbox.requests], 20, 1.0)
        invariants.check(rig)
        reasons = Counter(r.reason for r in rig.records().values())
        assert reasons.total() == 200
        assert set(reasons) <= {"absent", "busy", "no_capacity"}, reasons


@pytest.mark.parametrize("lag_s", [0.0, 7.0])
async def test_room_for_ten_of_five_hundred(tmp_path: Path, lag_s: float) -> None:
    """In order, ten at a time, until the window shuts; everybody else was missed for lack of room."""
    cap, absent_s, window_s = 10, 120.0, 2 * HOUR
    async with straight(tmp_path, Plan(concurrent=cap, release_lag_s=lag_s)) as rig:
        text = team(500, extra=f"start_window: {window_s:.0f}s")
        config = rig.config(text, f"requests: 60/s, concurrent_conversations: {cap}")
        async with rig.open(config) as daemon:
            await rig.until(daemon, SLOT + window_s + HOUR)
        invariants.assert_rate([seen.at for seen in rig.sandbox.requests], 60, 1.0)
        invariants.check(rig)
        assert invariants.most_at_once(list(rig.sandbox.rooms.values())) == cap
        kept = _created(rig)
        missed = {k: r.reason for k, r in rig.records().items() if r.stage == "missed"}
        assert set(missed.values()) <= {"no_capacity"}
        assert len(kept) + len(missed) == 500
        assert kept == _in_line(rig)[: len(kept)], "out of order"
        # An empty room ends after two minutes; it is known 15 s after that, and a slot frees a little later.
        slowest_s = absent_s + 15 + lag_s + 15
        assert len(kept) >= min(500, cap * int((window_s + 30) / slowest_s))


def _in_line(rig: Rig) -> list[str]:
    """All keys in the order of the fair rotation that the roster has on this day (S18): each follows the one
    before it in the roster, from wherever the first stands."""
    first = _created(rig)[0]
    keys = sorted(rig.records())
    return keys[keys.index(first) :] + keys[: keys.index(first)]
