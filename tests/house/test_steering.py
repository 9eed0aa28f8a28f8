"""A person steers a house at work: skip, end, resend, retry, make up, resume; what is asked is done once."""

from __future__ import annotations

from datetime import date, time

import pytest

from jobs.tavus.sandbox.fault import Fault
from scheduler.daemon import Daemon
from scheduler.desk import Effect, Missed, Refused
from scheduler.facts import Faulted
from scheduler.ledger import Note
from tests.house.conftest import Rig
from tests.house.post import Office
from tests.house.steered import ALL, EIGHT, KEY, OPS, stages, steered
from tests.house.teams import mailed, team

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


# --- skip ------------------------------------------------------------------------------------------


async def test_a_promise_is_taken_back_long_before_its_date(rig, at):
    ahead = "practice/08:00/2026-12-02/p000"
    async with steered(rig, team(1)) as (daemon, desk):
        await rig.quiet(daemon)
        answers = [await desk.skip(ahead, OPS), await desk.skip(ahead, OPS)]
        assert [answer.effect for answer in answers] == [Effect.DONE, Effect.ALREADY]
        for verb in (desk.end, desk.retry):
            with pytest.raises(Refused, match="has not come yet; before 2026-12-02 07:59:30Z"):
                await verb(ahead, OPS)
        await rig.until(daemon, at + 2 * DAY + 2 * HOUR)
    found = stages(rig)
    assert found.pop(ahead) == "cancelled by_person"
    assert len(rig.asked("create")) == len(found) == 2


async def test_one_that_is_written_is_taken_back_at_once(rig, at):
    async with steered(rig, team(1)) as (daemon, desk):
        await rig.until(daemon, at + HOUR - MINUTE)
        assert (await desk.skip(EIGHT, OPS)).effect is Effect.DONE
        assert (await desk.skip(EIGHT, OPS)).effect is Effect.ALREADY
        await rig.until(daemon, at + HOUR)
        with pytest.raises(Refused, match="did you mean"):
            await desk.skip(KEY.format("08:01"), OPS)
    assert rig.asked("create") == []


async def test_what_is_live_is_ended_instead(rig, at):
    async with steered(rig, team(1)) as (daemon, desk):
        await rig.until(daemon, at + HOUR)
        with pytest.raises(Refused, match="callboard end"):
            await desk.skip(EIGHT, OPS)
        assert (await desk.end(EIGHT, OPS)).effect is Effect.DONE
        await rig.quiet(daemon)
        assert (await desk.end(EIGHT, OPS)).effect is Effect.ALREADY
    assert stages(rig) == {EIGHT: "ended by_us"}
    assert len(rig.asked("end")) == 1


# --- resend ----------------------------------------------------------------------------------------


async def test_a_link_goes_out_again_as_another_message(rig, at):
    office = Office(rig.clock.now)
    rig.channels["mail"] = office
    async with steered(rig, mailed(1)) as (daemon, desk):
        await rig.until(daemon, at + HOUR)
        assert (await desk.resend(EIGHT, "mail", OPS)).effect is Effect.DONE
        await rig.quiet(daemon)
        ids = [line for each in office.letters() for line in each.split(b"\r\n") if b"Message-ID" in line]
        assert len(ids) == len(set(ids)) == 2
        rig.clock.move(at + HOUR + 2 * MINUTE)
        with pytest.raises(Refused, match="was alive until 2026-11-30 08:01:00Z"):
            await desk.resend(EIGHT, None, OPS)


async def test_what_is_on_its_way_is_not_doubled(rig, at):
    office = Office(rig.clock.now)
    rig.channels["mail"] = office
    async with steered(rig, mailed(1)) as (daemon, desk):
        await rig.until(daemon, at + HOUR)
        first, second = await desk.resend(EIGHT, None, OPS), await desk.resend(EIGHT, None, OPS)
        assert (first.effect, second.effect) == (Effect.DONE, Effect.ALREADY)
        with pytest.raises(Refused, match="told by mail"):
            await desk.resend(EIGHT, "slack", OPS)
        await rig.quiet(daemon)
    assert len(office.taken) == 2


# --- retry -----------------------------------------------------------------------------------------


async def test_a_refusal_that_was_put_right_is_tried_again(rig, at):
    rig.sandbox.faults.add(Fault(kind="status", operation="create", status=422))
    async with steered(rig, team(1)) as (daemon, desk):
        await rig.until(daemon, at + HOUR)
        assert stages(rig) == {EIGHT: "failed refused"}
        daemon.reload(rig.config(team(1, body="conversation_name: put right")))
        await rig.quiet(daemon)
        answers = [await desk.retry(EIGHT, OPS), await desk.retry(EIGHT, OPS)]
        assert [answer.effect for answer in answers] == [Effect.DONE, Effect.ALREADY]
        await rig.quiet(daemon)
    assert stages(rig) == {EIGHT: "live"}
    (room,) = rig.sandbox.rooms.values()
    assert str(room.body["conversation_name"]).startswith("put right [cb-")


async def test_where_an_answer_is_lost_it_is_looked_for_and_there_is_no_second_room(rig, at):
    rig.sandbox.faults.add(Fault(kind="drop", operation="create", when="after"))
    async with steered(rig, team(1)) as (daemon, desk):
        await rig.until(daemon, at + HOUR - 29)
        for _ in range(3):
            await daemon.ledger.note(Note(EIGHT, Faulted("x"), rig.clock.now()))
        assert stages(rig) == {EIGHT: "failed fault"}
        answer = await desk.retry(EIGHT, OPS)
        assert "looked for first" in answer.said[0]
        await rig.until(daemon, at + HOUR)
    assert stages(rig) == {EIGHT: "live"}
    assert len(rig.sandbox.rooms) == 1


async def test_what_did_not_fail_or_is_shut_is_not_tried_again(rig, at):
    rig.sandbox.faults.add(Fault(kind="status", operation="create", status=422))
    async with steered(rig, team(2)) as (daemon, desk):
        await rig.until(daemon, at + HOUR)
        failed, live = sorted(stages(rig), key=lambda key: stages(rig)[key])
        with pytest.raises(Refused, match="only what has failed"):
            await desk.retry(live, OPS)
        rig.clock.move(at + HOUR + 11 * MINUTE)
        with pytest.raises(Refused, match="make-up"):
            await desk.retry(failed, OPS)


# --- make-ups --------------------------------------------------------------------------------------


async def _missed(rig: Rig, daemon: Daemon, at: float) -> None:
    rig.sandbox.faults.add(Fault(kind="status", operation="create", status=429, count=None))
    await rig.until(daemon, at + HOUR + 11 * MINUTE)
    rig.sandbox.faults.clear()


async def test_what_was_missed_is_made_up_on_another_day(rig, at):
    async with steered(rig, team(2)) as (daemon, desk):
        await _missed(rig, daemon, at)
        on, clock_time = date(2026, 11, 30), time(15)
        would = await desk.make_up(Missed(), on, clock_time, OPS, dry_run=True)
        assert (would.effect, len(would.keys)) == (Effect.WOULD, 2)
        assert len(stages(rig)) == 2
        done = await desk.make_up(Missed(), on, clock_time, OPS, dry_run=False)
        assert (done.effect, done.keys) == (Effect.DONE, would.keys)
        again = await desk.make_up(Missed(), on, clock_time, OPS, dry_run=False)
        assert (again.effect, sorted(again.keys)) == (Effect.ALREADY, sorted(done.keys))
        daemon.reload(rig.config(team(2, extra="lead: 60s")))
        await rig.until(daemon, at + 8 * HOUR)
    found = stages(rig)
    assert [found[key] for key in done.keys] == ["live", "live"]
    assert {rig.records()[key].due for key in done.keys} == {at + 8 * HOUR}


async def test_it_goes_with_the_person(rig, at):
    async with steered(rig, team(2)) as (daemon, desk):
        await _missed(rig, daemon, at)
        made = await desk.make_up(Missed(), date(2026, 12, 1), None, OPS, dry_run=False)
        daemon.reload(rig.config(team(1)))
        await rig.quiet(daemon)
    found = stages(rig)
    assert {key.split("/")[3]: found[key] for key in made.keys} == {
        "p000": "planned",
        "p001": "cancelled removed",
    }


async def test_what_makes_no_sense_is_refused(rig, at):
    async with steered(rig, team(1)) as (daemon, desk):
        await rig.until(daemon, at + HOUR)
        with pytest.raises(Refused, match="is live: nothing of it is missed yet"):
            await desk.make_up(EIGHT, date(2026, 12, 1), None, OPS, dry_run=False)
        nothing = await desk.make_up(Missed(date(2026, 11, 30)), date(2026, 12, 1), None, OPS, dry_run=False)
        assert (nothing.effect, nothing.said) == (Effect.ALREADY, ("nothing was missed on 2026-11-30",))


async def test_not_into_the_past_nor_into_a_pause_without_a_word(rig, at):
    async with steered(rig, team(1)) as (daemon, desk):
        await _missed(rig, daemon, at)
        with pytest.raises(Refused, match="is over"):
            await desk.make_up(EIGHT, date(2026, 11, 30), time(7), OPS, dry_run=True)
        await desk.pause(ALL, None, OPS)
        would = await desk.make_up(EIGHT, date(2026, 12, 1), None, OPS, dry_run=True)
        assert "everything is paused" in would.said[-1]


# --- the account -----------------------------------------------------------------------------------


async def test_a_spent_account_is_resumed_by_a_person(rig, at):
    rig.sandbox.faults.add(Fault(kind="status", operation="create", status=402))
    async with steered(rig, team(1)) as (daemon, desk):
        await rig.until(daemon, at + HOUR)
        assert rig.holds() == ["spent"]
        assert (await desk.resume_account(OPS)).effect is Effect.DONE
        await rig.quiet(daemon)
        assert (await desk.resume_account(OPS)).effect is Effect.ALREADY
    assert stages(rig) == {EIGHT: "live"}


async def test_a_clock_that_jumped_is_not_a_persons_to_believe(rig, at):
    async with steered(rig, team(1)) as (daemon, desk):
        await rig.quiet(daemon)
        rig.clock.set_wall(at + 5 * HOUR)
        await daemon.turn()
        with pytest.raises(Refused, match="believed again"):
            await desk.resume_account(OPS)


async def test_the_status_is_what_the_ledger_and_the_daemon_say(rig, at):
    async with steered(rig, team(1)) as (daemon, desk):
        await _missed(rig, daemon, at)
        await desk.pause(ALL, None, OPS)
        status = await desk.status()
        assert status.last_missed is not None
        assert (status.last_missed.key, status.last_missed.reason) == (EIGHT, "busy")
        assert [pause.why for pause in status.pauses] == ["a holiday"]
        assert status.vitals is not None and status.vitals.turns == daemon.turns
