"""An unexpected exception is one occurrence's misfortune, and the house lives on (design, section 3)."""

from __future__ import annotations

from collections import Counter

import pytest
from structlog.testing import capture_logs

from jobs.model import Create, Deliver, Inspect, Survey
from jobs.tavus.sandbox import Fault
from tests.house.teams import team

MINUTE, HOUR = 60.0, 3600.0


class Faulty:
    """Raises what nobody expects for steps of one kind, as often as told; before or after doing them."""

    def __init__(self, kind: type, times: int, *, whom: str = "", after: bool = False) -> None:
        self.kind = kind
        self.left = times
        self.whom = whom
        self.after = after

    def __call__(self, perform):
        async def performed(step, sent):
            mine = isinstance(step, self.kind) and self.whom in getattr(step, "key", "") and self.left > 0
            if mine:
                self.left -= 1
                if self.after:
                    await perform(step, sent)
                raise RuntimeError("a link: https://example.com/secret")
            return await perform(step, sent)

        return performed


async def _day(rig, text, until, wrap):
    rig.wrap = wrap
    async with rig.open(rig.config(text)) as daemon:
        await rig.until(daemon, until)
    rig.clean()
    return rig.records()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_fault_in_a_create_leads_to_a_look_never_to_a_create(rig, at, after):
    wrap = Faulty(Create, 1, whom="p001", after=after)
    records = await _day(rig, team(3), at + HOUR + MINUTE, wrap)
    assert {r.stage for r in records.values()} == {"live"}
    assert len(rig.sandbox.rooms) == 3
    faulted = records["practice/08:00/2026-11-30/p001"]
    assert (faulted.faults, faulted.attempt) == (1, 1 if after else 2)


async def test_the_third_fault_fails_the_record_and_nobody_else(rig, at):
    records = await _day(rig, team(3), at + HOUR + 9 * MINUTE, Faulty(Create, 99, whom="p001"))
    ends = Counter((str(r.stage), r.reason) for r in records.values())
    assert ends == {("failed", "fault"): 1, ("ended", "absent"): 2}
    assert len(rig.sandbox.rooms) == 2


async def test_a_conversation_that_is_given_up_is_ended(rig, at):
    """It runs, and asking after it fails three times for a bug of ours: it must not go on billing."""
    text = team(1, properties="participant_absent_timeout: 50m, max_call_duration: 55m")
    wrap = Faulty(Inspect, 3)
    rig.sandbox.faults.add(Fault(kind="list_lag", operation="list", count=None, seconds=10**5))
    records = await _day(rig, text, at + HOUR + 30 * MINUTE, wrap)
    (record,) = records.values()
    assert (record.stage, record.reason) == ("failed", "fault")
    assert all(room.status == "ended" for room in rig.sandbox.rooms.values())
    assert all(s.end_at is None for s in record.strays)


async def test_a_fault_in_a_delivery_postpones_it_by_five_minutes(rig, at):
    wrap = Faulty(Deliver, 1, whom="p000")
    text = team(2, properties="participant_absent_timeout: 9m")
    records = await _day(rig, text, at + HOUR + 5 * MINUTE, wrap)
    first, second = (records[f"practice/08:00/2026-11-30/p00{n}"].deliveries[0] for n in range(2))
    assert (first.at - second.at, first.state) == (300.0, "delivered")


async def test_a_fault_in_a_survey_stops_surveys_for_five_minutes_and_nothing_else(rig, at):
    """One answer lost, and the list can't be read for a bug of ours: the look waits alone."""
    rig.sandbox.faults.add(Fault(kind="drop", operation="create", when="after"))
    with capture_logs() as lines:
        records = await _day(rig, team(3), at + HOUR + 6 * MINUTE, Faulty(Survey, 1))
    assert Counter(str(r.stage) for r in records.values())["ended"] == 3
    assert len(rig.sandbox.rooms) == 3
    told = [line for line in lines if line["event"] == "faulted"]
    assert [(line["step"], line["log_level"]) for line in told] == [("survey", "warning")]
    assert "example.com" not in str(lines).replace("conversation", "")


async def test_a_survey_that_always_fails_does_not_spin(rig, at):
    text = team(2, properties="max_call_duration: 50m, participant_absent_timeout: 50m")
    await _day(rig, text, at + 1.5 * HOUR, Faulty(Survey, 10**6))
    assert {r.stage for r in rig.records().values()} == {"live"}


async def test_a_fault_tells_its_place_and_never_its_text(rig, at):
    await _day(rig, team(1), at + HOUR, Faulty(Create, 1))
    details = rig.details("faulted")
    assert len(details) == 1
    assert "RuntimeError in performed" in details[0]
    assert "secret" not in details[0]
