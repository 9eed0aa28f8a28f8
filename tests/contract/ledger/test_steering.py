"""What people ask of the ledger: pauses, skips ahead, make-ups, another try; once, whoever else asks."""

from __future__ import annotations

from datetime import date, time

import pytest

from jobs.errors import Reason
from scheduler import makeups
from scheduler.desk import Asker, Breadth, Pause, Scope
from scheduler.facts import Ask, Asked, Failed, Missed, MissReason, Stage, StepKind
from scheduler.ledger import Kept, Ledger, Note
from scheduler.ledger.audit import audit
from tests.contract.ledger.world import (
    BIRTH,
    DUE,
    OPENS,
    SCHEDULES,
    SHUTS,
    at_once,
    claimed,
    have,
    occurrence,
    promised,
    schedule,
)

OPS, BOSS = Asker("ops", "a holiday"), Asker("boss")
ALL = Scope()
COACH = Scope(Breadth.SCHEDULE, "coach")
ANA = Scope(Breadth.PARTICIPANT, "ana")


async def _stages(ledger: Ledger, *keys: str) -> list[tuple[str, str | None]]:
    return [(str(r.stage), r.reason) for r in [await have(ledger, key) for key in keys]]


# --- pauses ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", [ALL, COACH, ANA])
async def test_who_is_paused_is_not_claimed(ledger: Ledger, scope: Scope) -> None:
    key, other = await promised(ledger, occurrence("ana"), occurrence("ben", "loose"))
    assert await ledger.steering.pause(scope, None, OPS, BIRTH) is None
    assert await claimed(ledger, 10) == ([] if scope == ALL else [other])
    paused = [r.key for r in await ledger.steering.opened_paused(OPENS)]
    assert paused == ([key, other] if scope == ALL else [key])
    assert (await ledger.look(OPENS)).paused == len(paused)


async def test_what_has_not_opened_is_left_alone(ledger: Ledger) -> None:
    await promised(ledger, occurrence("ana"))
    await ledger.steering.pause(ALL, None, OPS, BIRTH)
    assert await ledger.steering.opened_paused(OPENS - 1) == []
    await ledger.steering.resume(ALL, BOSS, OPENS - 1)
    assert len(await claimed(ledger, 10)) == 1


async def test_what_opened_in_a_pause_that_is_over_is_still_paused(ledger: Ledger) -> None:
    await promised(ledger, occurrence("ana"))
    await ledger.steering.pause(ALL, OPENS + 1, OPS, BIRTH)
    assert len(await ledger.steering.opened_paused(OPENS + 60)) == 1
    assert await claimed(ledger, 10, OPENS + 60) == []


async def test_what_opened_before_it_waits_no_longer(ledger: Ledger) -> None:
    await promised(ledger, occurrence("ana"))
    await ledger.steering.pause(ALL, OPENS + 60, OPS, OPENS + 5)
    assert len(await ledger.steering.opened_paused(OPENS + 10)) == 1
    assert await ledger.steering.opened_paused(OPENS + 60) == []


async def test_paused_twice_it_is_one_pause_with_the_later_words(ledger: Ledger) -> None:
    await ledger.steering.pause(COACH, None, OPS, BIRTH)
    before = await ledger.steering.pause(COACH, DUE, BOSS, BIRTH + 9)
    assert before == Pause(COACH, BIRTH, None, *OPS)
    assert await ledger.steering.pauses(BIRTH + 10) == [Pause(COACH, BIRTH, DUE, *BOSS)]
    assert await ledger.steering.pause(COACH, DUE, OPS, BIRTH + 11) == Pause(COACH, BIRTH, DUE, *BOSS)
    assert await ledger.steering.pauses(DUE) == []


async def test_only_the_pause_of_this_scope_ends(ledger: Ledger, opened) -> None:
    await ledger.steering.pause(ALL, None, OPS, BIRTH)
    await ledger.steering.pause(ANA, None, OPS, BIRTH + 1)
    assert await ledger.steering.resume(ALL, BOSS, BIRTH + 2) == Pause(ALL, BIRTH, None, *OPS)
    assert await ledger.steering.resume(ALL, BOSS, BIRTH + 3) is None
    ledger.close()
    assert await opened().steering.pauses(BIRTH + 4) == [Pause(ANA, BIRTH + 1, None, *OPS)]


async def test_two_who_pause_at_once_make_one_pause(ledger: Ledger, driver) -> None:
    pause = ledger.steering.pause
    answers = await at_once(driver, pause(ALL, None, OPS, BIRTH), pause(ALL, None, BOSS, BIRTH))
    assert answers == [None, Pause(ALL, BIRTH, None, *OPS)]
    assert len(await ledger.steering.pauses(BIRTH)) == 1


async def test_who_paused_and_resumed_stands_in_the_ledger(ledger: Ledger, raw) -> None:
    await ledger.steering.pause(ANA, DUE, OPS, BIRTH)
    await ledger.steering.resume(ANA, BOSS, BIRTH + 1)
    told = raw("SELECT kind, data FROM facts WHERE kind IN ('paused', 'resumed') ORDER BY id")
    assert [kind for kind, _ in told] == ["paused", "resumed"]
    assert '"by": "ops"' in str(told[0]) and '"by": "boss"' in str(told[1])


async def test_what_is_written_late_of_a_pause_is_skipped_and_not_missed(ledger: Ledger) -> None:
    await ledger.steering.pause(ANA, SHUTS, OPS, BIRTH)
    late = SHUTS + 60
    keys = await promised(ledger, occurrence("ana"), occurrence("ben"), now=late)
    assert await _stages(ledger, *keys) == [("skipped", "paused"), ("missed", "late")]


# --- skips ahead -----------------------------------------------------------------------------------


async def test_a_skip_waits_for_its_promise(ledger: Ledger, opened, snapshot) -> None:
    told: list[str] = []
    promise = occurrence("ana")
    assert await ledger.steering.skip_ahead(promise, OPS, BIRTH) is Kept.NEW
    assert await ledger.steering.skip_ahead(promise, BOSS, BIRTH) is Kept.ALREADY
    ledger.close()
    ledger = opened()
    ledger.listen(lambda noted: told.extend(each.note.key for each in noted), lambda closed: None)
    keys = await promised(ledger, promise, occurrence("ben"))
    assert await _stages(ledger, *keys) == [("cancelled", "by_person"), ("planned", None)]
    assert told == [keys[0]]
    with snapshot() as read:
        assert [each.fact for each in read.story(keys[0])] == [Asked(Ask.SKIP, *OPS)]
        assert audit(read).faults == []
    assert await ledger.steering.skip_ahead(promise, OPS, BIRTH) is Kept.WRITTEN


async def test_what_was_taken_back_is_not_missed_when_it_is_written_late(ledger: Ledger) -> None:
    await ledger.steering.skip_ahead(occurrence("ana"), OPS, BIRTH)
    keys = await promised(ledger, occurrence("ana"), now=SHUTS + 60)
    assert await _stages(ledger, *keys) == [("cancelled", "by_person")]


# --- another try -----------------------------------------------------------------------------------


async def test_a_retry_follows_the_configuration_as_it_is_now(ledger: Ledger) -> None:
    (key,) = await promised(ledger, occurrence("ana"))
    await claimed(ledger, 1)
    await ledger.note(Note(key, Failed(StepKind.CREATE, Reason.REFUSED, "no"), DUE))
    new = {"coach": schedule(call_s=900)}
    noted = await ledger.steering.again(Note(key, Asked(Ask.RETRY, *OPS), DUE + 60), occurrence("ana"), new)
    assert (noted.before.stage, noted.after.stage) == (Stage.FAILED, Stage.PLANNED)
    record = await have(ledger, key)
    assert (record.stage, record.max_call_s, record.starts_at) == (Stage.PLANNED, 900, DUE + 60)
    second = await ledger.generation('{"new": 1}', DUE)
    assert [r.generation for r in await ledger.claim(DUE + 60, 1, second)] == [second]


# --- make-ups --------------------------------------------------------------------------------------


async def _missed(ledger: Ledger, *who: str) -> list[str]:
    keys = await promised(ledger, *(occurrence(each) for each in who))
    await ledger.note(*(Note(key, Missed(MissReason.BUSY), SHUTS + 1) for key in keys))
    return keys


async def _make_up(ledger: Ledger, key: str, day: int, now: float = SHUTS + 2) -> list[str]:
    record = await have(ledger, key)
    promise = makeups.make_up(record, SCHEDULES["coach"], date(2026, 3, day), time(10), now)
    return await ledger.steering.make_up([(record, promise)], SCHEDULES, OPS, now)


async def test_a_make_up_is_a_promise_that_knows_what_it_makes_up(ledger: Ledger, snapshot) -> None:
    (key,) = await _missed(ledger, "ana")
    (made,) = await _make_up(ledger, key, 5)
    assert made == "coach/make-up:09:00:2026-03-04/2026-03-05/ana"
    record = await have(ledger, made)
    assert (record.stage, record.due) == (Stage.PLANNED, DUE + 25 * 3600)
    with snapshot() as read:
        assert read.story(key)[-1].fact == Asked(Ask.MAKE_UP, *OPS, other=made)
        assert read.story(made)[-1].fact == Asked(Ask.MAKE_UP, *OPS, other=key)
        assert audit(read).faults == []
    assert [r.key for r in await ledger.steering.made_up(await have(ledger, key))] == [made]


@pytest.mark.parametrize("day", [5, 6])
async def test_none_is_made_beside_one_that_stands(ledger: Ledger, day: int) -> None:
    (key,) = await _missed(ledger, "ana")
    assert await _make_up(ledger, key, 5)
    assert await _make_up(ledger, key, day) == []


async def test_two_who_ask_at_once_make_one(ledger: Ledger, driver) -> None:
    (key,) = await _missed(ledger, "ana")
    record = await have(ledger, key)
    made = [makeups.make_up(record, SCHEDULES["coach"], date(2026, 3, n), None, SHUTS + 2) for n in (5, 6)]
    ask = [ledger.steering.make_up([(record, each)], SCHEDULES, OPS, SHUTS + 2) for each in made]
    assert await at_once(driver, *ask) == [[made[0].key], []]


async def test_what_came_to_nothing_again_can_be_made_up_on_another_date(ledger: Ledger) -> None:
    (key,) = await _missed(ledger, "ana")
    (made,) = await _make_up(ledger, key, 5)
    await ledger.note(Note(made, Missed(MissReason.LATE), SHUTS + 90_000))
    assert await _make_up(ledger, key, 5) == []
    assert await _make_up(ledger, made, 6, SHUTS + 90_001) == [
        "coach/make-up:09:00:2026-03-04/2026-03-06/ana"
    ]


async def test_what_was_missed_is_found_by_when_it_was_due(ledger: Ledger) -> None:
    keys = await _missed(ledger, "ana", "ben")
    assert [r.key for r in await ledger.steering.missed_since(DUE - 1, DUE + 1)] == keys
    assert await ledger.steering.missed_since(DUE + 1, DUE + 9) == []
