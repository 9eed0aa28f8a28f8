"""A lost answer is looked up before anything is tried again (S12, S14)."""

from __future__ import annotations

import pytest

from jobs.tavus.sandbox import Fault
from tests.house.teams import team

HOUR = 3600.0

LOST_AFTER = [
    Fault(kind="drop", operation="create", when="after"),
    Fault(kind="status", operation="create", when="after", status=500),
    Fault(kind="status", operation="create", when="after", status=503, retry_after="1"),
    Fault(kind="truncated", operation="create"),
    Fault(kind="html", operation="create"),
    Fault(kind="wrong_json", operation="create", wrong="no_id"),
    Fault(kind="wrong_json", operation="create", wrong="no_url"),
    Fault(kind="huge", operation="create"),
]
LOST_BEFORE = [
    Fault(kind="drop", operation="create", when="before"),
    Fault(kind="status", operation="create", when="before", status=500),
    Fault(kind="html", operation="create", when="before"),
]


def _name(fault: Fault) -> str:
    return f"{fault.kind}-{fault.status if fault.kind == 'status' else fault.wrong}"


@pytest.mark.parametrize("fault", LOST_AFTER, ids=_name)
async def test_a_conversation_that_was_made_is_adopted(rig, at, fault):
    rig.sandbox.faults.add(fault)
    async with rig.open(rig.config(team(1))) as daemon:
        await rig.until(daemon, at + HOUR + 50)
    (record,) = rig.records().values()
    assert (record.stage, record.attempt) == ("live", 1)
    assert len(rig.sandbox.rooms) == 1
    assert [d.state for d in record.deliveries] == ["delivered"]
    rig.clean()


@pytest.mark.parametrize("fault", LOST_BEFORE, ids=_name)
async def test_nothing_there_leads_to_a_second_attempt_after_three_looks(rig, at, fault):
    rig.sandbox.faults.add(fault)
    async with rig.open(rig.config(team(1))) as daemon:
        await rig.until(daemon, at + HOUR + 50)
    (record,) = rig.records().values()
    assert (record.stage, record.attempt) == ("live", 2)
    assert record.created_at - record.due == pytest.approx(0, abs=5)  # lead 30 s, looked for 30 s
    assert len(rig.sandbox.rooms) == 1
    rig.clean()


async def test_a_row_that_shows_late_is_adopted_at_a_later_look(rig, at):
    rig.sandbox.faults.add(Fault(kind="drop", operation="create", when="after"))
    rig.sandbox.faults.add(Fault(kind="list_lag", operation="list", count=None, seconds=20))
    async with rig.open(rig.config(team(1))) as daemon:
        await rig.until(daemon, at + HOUR + 50)
    (record,) = rig.records().values()
    assert (record.stage, record.attempt, len(rig.sandbox.rooms)) == ("live", 1, 1)


async def test_a_row_that_shows_after_the_last_look_becomes_a_stray_and_is_ended(rig, at):
    rig.sandbox.faults.add(Fault(kind="drop", operation="create", when="after"))
    rig.sandbox.faults.add(Fault(kind="list_lag", operation="list", count=None, seconds=70))
    async with rig.open(rig.config(team(1))) as daemon:
        await rig.until(daemon, at + HOUR + 180)
    (record,) = rig.records().values()
    assert record.attempt == 2
    first, second = sorted(rig.sandbox.rooms.values(), key=lambda room: room.created_at)
    assert record.conversation_id == second.conversation_id
    assert [s.conversation_id for s in record.strays] == [first.conversation_id]
    assert all(s.end_at is None for s in record.strays)
    assert first.ended_at < first.created_at + 115
    rig.clean()


async def test_a_private_room_whose_answer_was_lost_is_ended_and_made_anew(rig, at):
    rig.sandbox.faults.add(Fault(kind="drop", operation="create", when="after"))
    async with rig.open(rig.config(team(1, body="require_auth: true"))) as daemon:
        await rig.until(daemon, at + HOUR + 50)
    (record,) = rig.records().values()
    assert (record.stage, record.attempt) == ("live", 2)
    assert "?t=" in record.url
    ended = [room.ended_at is not None for room in rig.sandbox.rooms.values()]
    assert sorted(ended) == [False, True]
    rig.clean()


async def test_one_survey_serves_all_looks(rig, at):
    rig.sandbox.faults.add(Fault(kind="drop", operation="create", when="after", count=None, probability=0.3))
    async with rig.open(rig.config(team(100))) as daemon:
        await rig.until(daemon, at + HOUR + 50)
    assert {r.stage for r in rig.records().values()} == {"live"}
    assert len(rig.sandbox.rooms) == 100
    assert sum(seen.operation == "list" for seen in rig.sandbox.requests) <= 12
    rig.clean()


async def test_a_walk_for_looks_goes_no_further_than_it_must(rig, at):
    """800 people, 20 a second: every few seconds a walk, and what it looks for stands on the first pages."""
    rig.sandbox.faults.add(Fault(kind="drop", operation="create", when="after", count=None, probability=0.3))
    config = rig.config(team(800), "requests: 20/s, concurrent_conversations: 1000")
    async with rig.open(config) as daemon:
        await rig.until(daemon, at + HOUR + 50)
    assert {r.stage for r in rig.records().values()} == {"live"}
    assert len(rig.sandbox.rooms) == 800
    assert sum(seen.operation == "list" for seen in rig.sandbox.requests) <= 30
    rig.clean()


async def test_a_strangers_mark_is_never_touched(rig, at):
    async with rig.open(rig.config(team(1))) as daemon:
        stranger = "Theirs [cb-AAAAAAAAAAAAAAAA-1]"
        await rig.somebody_else_creates(stranger)
        await rig.until(daemon, at + HOUR + 100)
    theirs = [r for r in rig.sandbox.rooms.values() if r.body["conversation_name"] == stranger]
    assert [room.shutdown_reason for room in theirs] == ["participant_absent_timeout"]
    assert all(not r.strays for r in rig.records().values())
