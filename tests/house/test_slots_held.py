"""Who holds the account's slots, and how they come back (S17, S23)."""

from __future__ import annotations

import itertools

import pytest

from jobs.errors import Reason, StepFailed
from jobs.tavus.sandbox import Fault, Plan, Sandbox
from tests.house.conftest import Rig, VirtualClock
from tests.house.teams import team

MINUTE, HOUR = 60.0, 3600.0
SHORT = "max_call_duration: 5m, participant_left_timeout: 60s, participant_absent_timeout: 2m"


class Moody:
    """A log that can't be written at the first try for one person."""

    def __init__(self, log) -> None:
        self.log = log
        self.failed = False

    async def deliver(self, step):
        if step.participant.id == "late" and not self.failed:
            self.failed = True
            raise StepFailed(Reason.BUSY, "not now")
        return await self.log.deliver(step)


def _active(rig):
    return sum(room.status == "active" for room in rig.sandbox.rooms.values())


def _ends(rig):
    return sorted((str(r.stage), r.reason) for r in rig.records().values())


async def test_the_reserve_is_left_free(rig, at):
    account = "requests: 100/s, concurrent_conversations: 4, reserve: 3"
    async with rig.open(rig.config(team(3), account)) as daemon:
        await rig.until(daemon, at + HOUR)
        assert _active(rig) == 1
        await rig.until(daemon, at + HOUR + 8 * MINUTE)
    assert _ends(rig) == [("ended", "absent")] * 3
    rig.clean()


async def test_slots_that_free_late_lose_nobody(tmp_path, at):
    """Each create after an end is still refused for a while; nobody behind it suffers."""
    clock = VirtualClock(at)
    sandbox = Sandbox(clock.now, Plan(concurrent=2, release_lag_s=8.0))
    async with sandbox.serving() as base_url:
        rig = Rig(tmp_path, clock, sandbox, base_url)
        config = rig.config(
            team(6, extra="start_window: 20m"), "requests: 100/s, concurrent_conversations: 2"
        )
        async with rig.open(config) as daemon:
            await rig.until(daemon, at + HOUR + 20 * MINUTE)
        assert _ends(rig) == [("ended", "absent")] * 6
        assert len(sandbox.rooms) == 6
        rig.clean()


async def test_a_stray_holds_its_slot_until_it_is_over(rig, at):
    """A row that shows after the last look is a second conversation; its End is refused for a while."""
    rig.sandbox.faults.add(Fault(kind="drop", operation="create", when="after"))
    rig.sandbox.faults.add(Fault(kind="list_lag", operation="list", count=None, seconds=45))
    rig.sandbox.faults.add(Fault(kind="status", operation="end", status=500, count=3))
    config = rig.config(
        team(2, extra="start_window: 20m", properties="participant_absent_timeout: 15m"),
        "requests: 100/s, concurrent_conversations: 2",
    )
    most = 0
    async with rig.open(config) as daemon:
        while rig.clock.now() < at + HOUR + 10 * MINUTE:
            await rig.until(daemon, rig.clock.now() + 5)
            most = max(most, _active(rig))
    first, second = rig.records().values()
    assert most == 3  # two attempts of one promise, and the other one, which went at once
    assert len(first.strays) + len(second.strays) == 1
    assert all(s.end_at is None for r in (first, second) for s in r.strays)
    assert len(rig.asked("end")) == 4
    rig.clean()


async def test_an_end_that_fails_is_tried_again_after_10_30_60(rig, at):
    """Past its length by a minute it is asked after, found alive, and ended by us."""
    rig.sandbox.faults.add(Fault(kind="status", operation="end", status=500, count=4))
    async with rig.open(rig.config(team(1, properties=SHORT))) as daemon:
        await rig.until(daemon, at + HOUR)
        (room,) = rig.sandbox.rooms.values()
        rig.sandbox.join(room.conversation_id)
        rig.stubborn(room.conversation_id)
        await rig.until(daemon, at + HOUR + 12 * MINUTE)
    (record,) = rig.records().values()
    ends = rig.asked("end")
    assert ends[0] == record.created_at + 6 * MINUTE
    assert [round(b - a) for a, b in itertools.pairwise(ends)] == [10, 30, 60, 60]
    assert (record.stage, record.reason) == ("ended", "by_us")
    rig.clean()


async def test_an_end_answered_400_is_asked_after(rig, at):
    """It ended by itself just before our End came: no failure, and the reason is the API's own."""
    async with rig.open(rig.config(team(1, properties=SHORT))) as daemon:
        await rig.until(daemon, at + HOUR)
        (room,) = rig.sandbox.rooms.values()
        rig.sandbox.join(room.conversation_id)
        rig.stubborn(room.conversation_id)
        rig.sandbox.faults.add(Fault(kind="status", operation="end", status=400, count=2))
        await rig.until(daemon, at + HOUR + 8 * MINUTE)
    (record,) = rig.records().values()
    ends = rig.asked("end")
    assert len(ends) == 3
    assert [g for g in rig.asked("get") if g == ends[0]], "asked after at once"
    assert (record.stage, record.reason) == ("ended", "by_us")


async def test_a_conversation_that_nobody_knows_is_gone(rig, at):
    """Deleted by a person in the service's own console: the second such answer closes it."""
    async with rig.open(rig.config(team(1))) as daemon:
        await rig.until(daemon, at + HOUR)
        (room,) = rig.sandbox.rooms.values()
        rig.sandbox._account.delete(room, rig.clock.now())
        await rig.until(daemon, at + HOUR + 3 * MINUTE)
    assert _ends(rig) == [("ended", "gone")]
    assert len(rig.asked("get")) >= 2
    rig.clean()


async def test_an_unknown_id_in_the_first_minute_is_only_young(rig, at):
    body = '{"error": "Invalid conversation_id"}'
    rig.sandbox.faults.add(Fault(kind="status", operation="get", status=400, body=body, count=1))
    text = team(1, at='["08:00", "08:00:20"]', properties="max_call_duration: 50m")
    async with rig.open(rig.config(text)) as daemon:
        await rig.until(daemon, at + HOUR + 2 * MINUTE)
    assert ("live", None) in _ends(rig)


async def test_a_slot_comes_back_after_a_quarter_of_an_hour_without_an_answer(rig, at):
    """Neither Inspect nor End is answered: the next person must not wait for ever."""
    rig.sandbox.faults.add(Fault(kind="status", operation="end", status=500, count=None))
    rig.sandbox.faults.add(Fault(kind="status", operation="get", status=500, count=None))
    config = rig.config(
        team(2, extra="start_window: 40m", properties=SHORT), "requests: 100/s, concurrent_conversations: 1"
    )
    async with rig.open(config) as daemon:
        await rig.until(daemon, at + HOUR)
        await rig.until(daemon, at + HOUR + 35 * MINUTE)
    first, second = sorted((r for r in rig.records().values()), key=lambda r: r.created_at)
    given_back = first.created_at + (5 + 1 + 15) * MINUTE
    assert second.created_at == pytest.approx(given_back, abs=15)
    rig.clean()


async def test_a_house_that_can_end_nothing_does_not_hammer(rig, at):
    rig.sandbox.faults.add(Fault(kind="status", operation="end", status=500, count=None))
    async with rig.open(rig.config(team(1, properties=SHORT))) as daemon:
        await rig.until(daemon, at + HOUR)
        (room,) = rig.sandbox.rooms.values()
        rig.sandbox.join(room.conversation_id)
        rig.stubborn(room.conversation_id)
        await rig.until(daemon, at + 3 * HOUR)
    assert len(rig.asked("end")) <= 2 * 60
    assert _ends(rig) == [("live", None)]
    rig.clean()


async def test_a_thousand_overdue_questions_hide_no_link(rig, at):
    """Inspects may take a tenth of the requests and lag behind; a link that failed once must not."""
    text = team(600, properties="participant_absent_timeout: 60s").replace(
        "schedules:\n",
        """schedules:
  later:
    when: {days: daily, at: "08:03", timezone: UTC}
    participants: [{id: late, name: Late}]
    conversation: {persona_id: pdced222244b}
""",
    )
    rig.channels["log"] = Moody(rig.channels["log"])
    rig.sandbox.faults.add(Fault(kind="status", operation="list", status=500, count=None))
    account = "requests: 20/s, concurrent_conversations: 1000"
    async with rig.open(rig.config(text, account)) as daemon:
        await rig.until(daemon, at + HOUR + 3 * MINUTE)
    late = rig.records()["later/08:03/2026-11-30/late"]
    (delivery,) = late.deliveries
    assert (delivery.state, delivery.at) == ("delivered", late.created_at + 5)
    assert sum(r.stage == "live" for r in rig.records().values()) > 300


async def test_who_could_not_come_today_is_not_last_every_day(rig, at):
    """Room for two of four, every day: the rotation is fair within a fortnight (S18)."""
    config = rig.config(team(4, extra="start_window: 1m"), "requests: 100/s, concurrent_conversations: 2")
    async with rig.open(config) as daemon:
        await rig.until(daemon, at + 14 * 24 * HOUR)
    kept = [r.participant for r in rig.records().values() if r.stage == "ended"]
    assert len(kept) == 14 * 2
    assert all(4 <= kept.count(person) <= 10 for person in {f"p{n:03}" for n in range(4)})
    rig.clean()


async def test_a_spread_is_the_same_every_day_and_kept_to(rig, at):
    config = rig.config(team(20, extra="spread: 10m"))
    async with rig.open(config) as daemon:
        await rig.until(daemon, at + 26 * HOUR)
    offsets: dict[str, set[float]] = {}
    for record in rig.records().values():
        assert record.lateness_s == 0
        assert record.created_at == record.due - 30
        offsets.setdefault(record.participant, set()).add((record.due - at) % (24 * HOUR) - HOUR)
    assert all(len(each) == 1 and 0 <= min(each) < 600 for each in offsets.values())
    assert len({min(each) for each in offsets.values()}) > 10
    rig.clean()
