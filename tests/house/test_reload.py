"""A configuration is swapped whole, and what was promised is neither lost nor repeated (S7)."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from tests.house.teams import team

MINUTE, HOUR = 60.0, 3600.0
ALWAYS = ("08:00", "08:15")
KEY = "practice/{}/2026-11-30/p000"


async def _edited(rig, before, after, edit_at, until):
    """A day that begins with one configuration and goes on with another; the records."""
    async with rig.open(rig.config(before)) as daemon:
        await rig.until(daemon, edit_at)
        daemon.reload(rig.config(after))
        await rig.until(daemon, until)
    rig.clean()
    return rig.records()


def _stages(records):
    return {key: (str(r.stage), r.reason) for key, r in records.items()}


async def test_an_added_slot_is_promised(rig, at):
    after = team(1, at='["08:00", "08:20"]')
    records = await _edited(rig, team(1), after, at + HOUR + 10 * MINUTE, at + HOUR + 21 * MINUTE)
    assert _stages(records)[KEY.format("08:20")] == ("live", None)


async def test_a_removed_slot_is_cancelled(rig, at):
    before = team(1, at='["08:00", "08:05"]')
    records = await _edited(rig, before, team(1), at + HOUR, at + HOUR + 6 * MINUTE)
    assert _stages(records)[KEY.format("08:05")] == ("cancelled", "removed")
    assert len(rig.asked("create")) == 1


async def test_a_removed_person_is_cancelled_and_the_others_stay(rig, at):
    records = await _edited(rig, team(3), team(2), at + HOUR - MINUTE, at + HOUR)
    assert sorted(str(r.stage) for r in records.values()) == ["cancelled", "live", "live"]


async def test_a_named_slot_is_moved_and_stays_one_promise(rig, at):
    before, after = team(1, at='{early: "08:00"}'), team(1, at='{early: "08:10"}')
    records = await _edited(rig, before, after, at + HOUR - MINUTE, at + HOUR + 11 * MINUTE)
    ((key, record),) = records.items()
    assert key == KEY.format("early")
    assert (record.stage, record.created_at) == ("live", at + HOUR + 10 * MINUTE - 30)


async def test_a_named_slot_moved_after_it_happened_does_not_happen_again(rig, at):
    before, after = team(1, at='{early: "08:00"}'), team(1, at='{early: "08:30"}')
    records = await _edited(rig, before, after, at + HOUR + 5 * MINUTE, at + 1.6 * HOUR)
    assert len(rig.asked("create")) == len(records) == 1


async def test_an_unnamed_time_that_moves_is_another_promise(rig, at):
    records = await _edited(rig, team(1), team(1, at='"08:05"'), at + HOUR - MINUTE, at + HOUR + 6 * MINUTE)
    assert _stages(records) == {
        KEY.format("08:00"): ("cancelled", "removed"),
        KEY.format("08:05"): ("live", None),
    }


@pytest.mark.parametrize("slots", ['["08:00", "08:20"]', '{late: "08:00", later: "08:20"}'])
async def test_what_would_have_opened_before_the_swap_is_not_created(rig, at, slots):
    after = team(1, at=slots)
    records = await _edited(
        rig, team(1, at='"09:00"'), after, at + HOUR + 5 * MINUTE, at + HOUR + 21 * MINUTE
    )
    assert [r.due for r in records.values() if r.stage == "live"] == [at + HOUR + 20 * MINUTE]
    assert all(r.due != at + HOUR for r in records.values())


async def test_a_named_slot_moved_into_the_past_is_cancelled(rig, at):
    before, after = team(1, at='{early: "08:10"}'), team(1, at='{early: "08:00"}')
    records = await _edited(rig, before, after, at + HOUR + 5 * MINUTE, at + HOUR + 15 * MINUTE)
    assert _stages(records) == {KEY.format("early"): ("cancelled", "removed")}


async def test_a_longer_lead_takes_no_promise_back(rig, at):
    """The slot stands where it stood; only that it now opens a little in the past is new."""
    after = team(1, extra="lead: 90s")
    records = await _edited(rig, team(1), after, at + HOUR - MINUTE, at + HOUR)
    assert _stages(records) == {KEY.format("08:00"): ("live", None)}


async def test_disabled_is_skipped_from_now_on(rig, at):
    after = team(1, extra="enabled: false")
    records = await _edited(rig, team(1), after, at + HOUR - MINUTE, at + 26 * HOUR)
    assert set(_stages(records).values()) == {("skipped", "disabled")}
    assert len(records) == 2


async def test_terms_edited_two_minutes_before_count(rig, at):
    after = team(1, body="custom_greeting: Good morning", properties="max_call_duration: 20m")
    records = await _edited(rig, team(1), after, at + HOUR - 2 * MINUTE, at + HOUR)
    (room,) = rig.sandbox.rooms.values()
    assert room.body["custom_greeting"] == "Good morning"
    assert room.body["properties"]["max_call_duration"] == 1200
    assert [r.max_call_s for r in records.values()] == [1200]


async def test_a_live_conversation_keeps_its_own_terms(rig, at):
    after = team(1, properties="max_call_duration: 40m")
    records = await _edited(rig, team(1), after, at + HOUR + MINUTE, at + HOUR + 3 * MINUTE)
    (record,) = records.values()
    assert (record.max_call_s, record.generation) == (1800, 1)


async def test_a_second_attempt_has_the_terms_of_its_own_claim(rig, at):
    """Refused for lack of room, edited meanwhile, claimed again: the later generation counts."""
    before = team(2, extra="start_window: 20m")
    after = team(2, extra="start_window: 20m", body="custom_greeting: Later")
    account = "requests: 100/s, concurrent_conversations: 1"
    async with rig.open(rig.config(before, account)) as daemon:
        await rig.until(daemon, at + HOUR + 10)
        daemon.reload(rig.config(after, account))
        await rig.until(daemon, at + HOUR + 4 * MINUTE)
    greetings = [room.body.get("custom_greeting") for room in rig.sandbox.rooms.values()]
    assert greetings == [None, "Later"]
    assert sorted(r.generation for r in rig.records().values()) == [1, 2]


async def test_account_limits_apply_at_once(rig, at):
    text = team(6, extra="start_window: 1m")
    async with rig.open(rig.config(text, "requests: 100/s, concurrent_conversations: 2")) as daemon:
        await rig.until(daemon, at + HOUR)
        assert len(rig.sandbox.rooms) == 2
        daemon.reload(rig.config(text, "requests: 100/s, concurrent_conversations: 5"))
        await rig.quiet(daemon)
        assert len(rig.sandbox.rooms) == 5
        daemon.reload(rig.config(text, "requests: 100/s, concurrent_conversations: 1"))
        await rig.until(daemon, at + HOUR + 2 * MINUTE)
    assert len(rig.sandbox.rooms) == 5
    assert Counter(r.reason for r in rig.records().values())["no_capacity"] == 1


async def test_a_reload_after_a_long_silence_loses_nothing(rig, at):
    """The machine slept over the slot and is told of another configuration before its first turn."""
    async with rig.open(rig.config(team(2))) as daemon:
        await rig.until(daemon, at + 10 * MINUTE)
        rig.clock.move(at + 2 * HOUR)
        daemon.reload(rig.config(team(2, at='"10:00"')))
        await rig.quiet(daemon)
    assert set(_stages(rig.records()).values()) == {("missed", "late")}
    rig.clean()


async def test_the_same_configuration_again_changes_nothing(rig, at):
    await _edited(rig, team(3), team(3), at + HOUR - MINUTE, at + HOUR)
    assert set(map(tuple, rig.stories().values())) == {("attempted", "created", "delivered")}


@pytest.mark.parametrize("seed", range(3))
async def test_random_edits_during_a_busy_morning(rig, at, seed):
    """Thirty edits of people, slots, clocks and limits: one conversation for each promise, none lost."""
    dice = random.Random(seed)
    async with rig.open(rig.config(team(4, at='["08:00", "08:15"]'))) as daemon:
        for n in range(30):
            await rig.until(daemon, at + 0.75 * HOUR + n * MINUTE + dice.random() * 50)
            daemon.reload(rig.config(_any_team(dice), _any_limits(dice)))
        await rig.until(daemon, at + 2.5 * HOUR)
    records = rig.records()
    assert all(r.stage in ("ended", "cancelled", "skipped", "missed") for r in records.values())
    assert all(len(rooms) == 1 for rooms in rig.rooms_by_mark().values())
    kept = [r for r in records.values() if r.stage == "ended"]
    assert len(kept) == len(rig.sandbox.rooms) >= 4
    assert {f"practice/{slot}/2026-11-30/p00{n}" for slot in ALWAYS for n in range(3)} <= records.keys()
    rig.clean()


def _any_team(dice):
    slots = [*ALWAYS, *dice.sample(["08:10", "08:20", "08:30"], k=dice.randint(0, 2))]
    extra = dice.choice(["", "lead: 60s", "spread: 3m", "start_window: 2m", "overlap: allow"])
    listed = ", ".join(f'"{slot}"' for slot in sorted(slots))
    return team(dice.randint(3, 6), at=f"[{listed}]", extra=extra)


def _any_limits(dice):
    return f"requests: {dice.randint(1, 50)}/s, concurrent_conversations: {dice.randint(2, 8)}"
