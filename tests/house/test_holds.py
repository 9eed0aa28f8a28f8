"""What an answer means for everybody: denied, spent, refused, busy (S14)."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from jobs.tavus.sandbox import Fault
from tests.house.teams import team

MINUTE, HOUR = 60.0, 3600.0


def _deny(rig):
    rig.sandbox.faults.add(Fault(kind="status", status=401, count=None))


def _alerts(lines):
    return [line["reason"] for line in lines if line["event"] == "held"]


def _ends(rig):
    return {(str(r.stage), r.reason) for r in rig.records().values()}


async def test_a_refused_key_holds_everything_and_is_probed_every_five_minutes(rig, at):
    async with rig.open(rig.config(team(3, extra="start_window: 30m"))) as daemon:
        _deny(rig)
        with capture_logs() as lines:
            await rig.until(daemon, at + HOUR + 21 * MINUTE)
    opened = at + HOUR - 30
    assert _ends(rig) == {("planned", None)}
    assert _alerts(lines) == ["denied"]
    assert set(rig.asked("create")) == {opened}
    assert rig.asked("list") == [opened + n * 5 * MINUTE for n in range(1, 5)]
    assert rig.asked("get") == rig.asked("end") == []
    rig.clean()


async def test_accepted_again_creation_goes_on(rig, at):
    async with rig.open(rig.config(team(3, extra="start_window: 30m"))) as daemon:
        _deny(rig)
        await rig.until(daemon, at + HOUR + 7 * MINUTE)
        rig.sandbox.faults.clear()
        await rig.until(daemon, at + HOUR + 9 * MINUTE)
        assert rig.holds() == ["denied"]
        await rig.until(daemon, at + HOUR + 10 * MINUTE)
        assert rig.holds() == []
    assert _ends(rig) == {("live", None)}
    assert {r.lateness_s for r in rig.records().values()} == {9.5 * MINUTE}
    rig.clean()


async def test_refused_until_the_window_shuts_is_missed_for_that(rig, at):
    async with rig.open(rig.config(team(3))) as daemon:
        _deny(rig)
        await rig.until(daemon, at + HOUR + 11 * MINUTE)
    assert _ends(rig) == {("missed", "denied")}
    rig.clean()


async def test_refused_in_the_middle_of_a_call_it_is_asked_after_later(rig, at):
    async with rig.open(rig.config(team(1))) as daemon:
        await rig.until(daemon, at + HOUR)
        _deny(rig)
        with capture_logs() as lines:
            await rig.until(daemon, at + HOUR + 4 * MINUTE)
        assert rig.holds() == ["denied"]
        rig.sandbox.faults.clear()
        await rig.until(daemon, at + HOUR + 12 * MINUTE)
    assert _alerts(lines) == ["denied"]
    assert _ends(rig) == {("ended", "absent")}
    assert len(rig.sandbox.rooms) == 1
    rig.clean()


async def test_a_start_tries_a_refused_key_at_once(rig, at):
    config = rig.config(team(1, extra="start_window: 30m"))
    async with rig.open(config) as daemon:
        _deny(rig)
        await rig.until(daemon, at + HOUR)
    assert rig.holds() == ["denied"]
    rig.sandbox.faults.clear()
    rig.clock.move(at + HOUR + MINUTE)
    async with rig.open(config) as daemon:
        await rig.quiet(daemon)
    assert _ends(rig) == {("live", None)}


@pytest.mark.parametrize("how", ["reload", "start", "neither"])
async def test_no_credits_hold_until_somebody_says_so(rig, at, how):
    config = rig.config(team(3))
    rig.sandbox.faults.add(Fault(kind="status", operation="create", status=402))
    with capture_logs() as lines:
        async with rig.open(config) as daemon:
            await rig.until(daemon, at + HOUR + 5 * MINUTE)
            assert rig.holds() == ["spent"]
            assert len(rig.sandbox.rooms) == 2
            if how == "reload":
                daemon.reload(config)
            if how != "start":
                await rig.until(daemon, at + HOUR + 11 * MINUTE)
        if how == "start":
            async with rig.open(config) as daemon:
                await rig.until(daemon, at + HOUR + 11 * MINUTE)
    assert _alerts(lines) == ["spent"]
    ends = {("ended", "absent")}
    assert _ends(rig) == (ends | {("missed", "spent")} if how == "neither" else ends)
    rig.clean()


REFUSALS = [
    Fault(kind="redirect", operation="create"),
    Fault(kind="status", operation="create", status=400, body='{"message": "Invalid persona_id"}'),
    Fault(kind="status", operation="create", status=404),
    Fault(kind="status", operation="create", status=422),
]


@pytest.mark.parametrize("fault", REFUSALS, ids=lambda fault: str(fault.status))
async def test_a_refused_request_fails_alone(rig, at, fault):
    rig.sandbox.faults.add(fault)
    async with rig.open(rig.config(team(3))) as daemon:
        await rig.until(daemon, at + HOUR)
    ends = sorted((str(r.stage), r.reason) for r in rig.records().values())
    assert ends == [("failed", "refused"), ("live", None), ("live", None)]
    assert len(rig.asked("create")) == 3
    rig.clean()


async def test_a_server_that_is_down_is_tried_again_inside_the_window(rig, at):
    base_url, rig.base_url = rig.base_url, "http://127.0.0.1:9"
    config = rig.config(team(2))
    async with rig.open(config) as daemon:
        await rig.until(daemon, at + HOUR + MINUTE)
        assert {r.turned_away for r in rig.records().values()} == {"busy"}
        turns = daemon.turns
        await rig.until(daemon, at + HOUR + 11 * MINUTE)
        assert daemon.turns - turns < 250
    assert _ends(rig) == {("missed", "busy")}
    assert base_url != rig.base_url
    rig.clean()


async def test_a_server_that_comes_back_gets_its_conversations(rig, at):
    rig.sandbox.faults.add(Fault(kind="status", operation="create", status=429, count=20))
    async with rig.open(rig.config(team(4))) as daemon:
        await rig.until(daemon, at + HOUR + 9 * MINUTE)
    assert {r.attempt for r in rig.records().values()} == {1}
    assert len(rig.sandbox.rooms) == 4
    rig.clean()
