"""One busy day, end to end in virtual time: every promise kept once, or closed with its reason."""

from __future__ import annotations

from collections import Counter

HOUR = 3600.0

TEAM = """
rosters:
  team:
    - {id: ana, name: Ana, email: ana@example.com, timezone: America/New_York}
    - {id: ben, name: Ben, email: ben@example.com, timezone: Europe/Berlin}
    - {id: chi, name: Chi, email: chi@example.com, timezone: Asia/Tokyo}
schedules:
  practice:
    when: {days: daily, at: ["09:00", "09:30"], timezone: participant}
    participants: [team]
    conversation:
      persona_id: pdced222244b
      replica_id: rfe12d8b9597
      conversation_name: Practice with {{ participant.name }}
      properties: {max_call_duration: 30m, participant_left_timeout: 60s, participant_absent_timeout: 2m}
"""


async def test_a_day_of_three_zones(rig, at):
    async with rig.open(rig.config(TEAM)) as daemon:
        await rig.until(daemon, at + 24 * HOUR)
        turns = daemon.turns
    records = rig.records()
    assert Counter(r.stage for r in records.values() if r.due < at + 23 * HOUR) == {"ended": 6}
    assert {r.reason for r in records.values() if r.stage == "ended"} == {"absent"}
    assert all(r.lateness_s == 0 for r in records.values() if r.created_at)
    assert all(d.state == "delivered" for r in records.values() for d in r.deliveries)
    assert all(len(ids) == 1 for ids in rig.rooms_by_mark().values())
    assert len(rig.sandbox.rooms) == 6
    assert turns < 6 * 30
    rig.clean()


async def test_terms_are_sent_as_written(rig, at):
    async with rig.open(rig.config(TEAM)) as daemon:
        await rig.until(daemon, at + HOUR)
    (room,) = (r for r in rig.sandbox.rooms.values() if "Ben" in r.body["conversation_name"])
    assert room.body["properties"] == {
        "max_call_duration": 1800,
        "participant_left_timeout": 60,
        "participant_absent_timeout": 120,
    }
    assert room.body["conversation_name"].startswith("Practice with Ben [cb-")
    assert "callback_url" not in room.body


async def test_an_idle_house_takes_few_turns(rig, at):
    config = rig.config(TEAM.replace("days: daily", "days: sat"))
    async with rig.open(config) as daemon:
        await rig.until(daemon, at + 48 * HOUR)
        assert daemon.turns <= 2 * 48
    assert rig.sandbox.requests == () or len(rig.sandbox.requests) == 0
