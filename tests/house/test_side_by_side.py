"""Each delivery for itself: a channel that hangs, fails or is closed holds up only its own (S28, S29)."""

from __future__ import annotations

import asyncio

from structlog.testing import capture_logs

from jobs.channels.log import LogChannel
from jobs.errors import Blame, Reason, StepFailed
from scheduler.clock import Bell, Clock
from scheduler.daemon.delivering import IN_HAND_MAX
from tests.house.post import Hanging, Office, down, run
from tests.house.teams import mailed

MINUTE, HOUR = 60.0, 3600.0


async def _turning(daemon, what):
    """Turn while something hangs, until this holds."""
    async with asyncio.timeout(10):
        while not what():
            await daemon.turn()
            await Clock().sleep_until(None, Bell(), 0.005)


async def test_a_channel_that_hangs_holds_up_no_other_one_no_inspect_and_no_end(rig, at):
    rig.channels["mail"] = mail = Hanging(rig.clock.now)
    rig.channels["log"] = log = Office(rig.clock.now)
    text = mailed(3, deliver="[mail, log]", absent="25m")
    async with rig.open(rig.config(text)) as daemon:
        await rig.until(daemon, at + HOUR - 31)
        rig.clock.move(at + HOUR - 30)
        await _turning(daemon, lambda: len(log.taken) == 3 and len(mail.tried) == 3)
        rooms = list(rig.sandbox.rooms)
        for room in rooms:
            rig.stubborn(room)
        rig.clock.move(at + HOUR - 30 + 31 * MINUTE)
        await _turning(daemon, lambda: len(rig.asked("end")) == 3)
        assert len(rig.asked("get")) == 3
        assert daemon.in_hand >= 3
        await _turning(daemon, lambda: {r.stage for r in rig.records().values()} == {"ended"})
        mail.answers.set()
        await rig.quiet(daemon)
    records = rig.records().values()
    assert {r.reason for r in records} == {"by_us"}
    assert all(d.state == "delivered" for r in records for d in r.deliveries), "what arrives late has arrived"
    rig.clean()


async def test_hands_are_bounded_and_those_whose_link_dies_first_go_first(rig, at):
    rig.channels["mail"] = mail = Hanging(rig.clock.now)
    long = mailed(IN_HAND_MAX, absent="20m", extra="overlap: allow")
    people = IN_HAND_MAX // 2
    brief = """
  brief:
    when: {days: daily, at: "08:00", timezone: UTC}
    participants: [brief]
    deliver: [mail]
    overlap: allow
    conversation:
      persona_id: pdced222244b
      properties: {participant_absent_timeout: 5m}
"""
    roster = "".join(f"\n    - {{id: b{n}, name: B, email: b{n}@example.com}}" for n in range(people))
    text = long.replace("schedules:", f"  brief:{roster}\nschedules:") + brief
    async with rig.open(rig.config(text)) as daemon:
        await rig.until(daemon, at + HOUR - 31)
        rig.clock.move(at + HOUR - 30)
        await daemon.turn()
        await daemon.settled()
        await _turning(daemon, lambda: len(mail.tried) == IN_HAND_MAX)
        await daemon.turn()
        assert daemon.in_hand == len(mail.tried) == IN_HAND_MAX
        first = [step.key.split("/")[0] for _, step in mail.tried]
        assert first == ["brief"] * people + ["practice"] * (IN_HAND_MAX - people)
        mail.answers.set()
        await rig.quiet(daemon)
    assert len(mail.tried) == IN_HAND_MAX + people
    rig.clean()


async def test_a_try_ends_with_its_links_life(rig, at):
    """Nothing is cut but the try itself: it is no fault, and the next thing to do is to end the room."""
    rig.channels["mail"] = mail = Hanging(rig.clock.now)
    dies_in_s = 0.05
    async with rig.open(rig.config(mailed(1, absent="31s"))) as daemon:
        await rig.until(daemon, at + HOUR - 31)
        rig.clock.move(at + HOUR - 30)
        await daemon.turn()
        await daemon.settled()
        rig.clock.move(rig.clock.now() + 1 - dies_in_s)
        await _turning(daemon, lambda: len(mail.tried) == 1)
        await daemon.settled()
        rig.clock.move(rig.clock.now() + 1)
        await rig.until(daemon, at + HOUR + MINUTE)
    (record,) = rig.records().values()
    assert (record.reason, record.faults, record.deliveries[0].reason) == ("undelivered", 0, "stale")
    assert "no answer within" in rig.details("failed")[0]
    rig.clean()


async def test_a_set_up_that_lets_no_letter_through_is_told_once_and_holds_mail_only(rig, at):
    """A wrong password, put right after three minutes: creation and the log go on meanwhile."""
    rig.channels["log"] = LogChannel()
    wrong = StepFailed(Reason.BUSY, "535 5.7.8 the login was turned away", blame=Blame.SETUP)
    rig.channels["mail"] = office = Office(rig.clock.now, down(0, at + HOUR + 3 * MINUTE, wrong))
    text = mailed(30, deliver="[mail, log]", absent="20m", at='["08:00", "08:01"]', extra="overlap: allow")
    with capture_logs() as lines:
        records = await run(rig, text, at + HOUR + 9 * MINUTE)
    assert {r.stage for r in records} == {"live"}
    assert all(d.state == "delivered" for r in records for d in r.deliveries)
    told = [(line["event"], line["log_level"]) for line in lines if line["event"].startswith("channel_")]
    assert told == [("channel_closed", "warning"), ("channel_open", "info")]
    assert "SIGHUP" in next(line["detail"] for line in lines if line["event"] == "channel_closed")
    assert rig.holds() == []
    tries = [tried for tried, _ in office.tried if tried < at + HOUR + 3 * MINUTE]
    assert len([tried for tried in tries if tried > tries[0] + 10]) <= 4, (
        "one a minute asks whether it is open"
    )


async def test_what_is_created_before_a_stop_is_told_during_the_drain(rig, at):
    rig.channels["mail"] = office = Office(rig.clock.now)
    async with rig.open(rig.config(mailed(5, absent="10m"))) as daemon:
        await rig.until(daemon, at + HOUR - 31)
        rig.clock.move(at + HOUR - 30)
        await daemon.turn()
        daemon.stop()
    assert len(office.taken) == 5
    assert {tuple(story) for story in rig.stories().values()} == {("attempted", "created", "delivered")}
