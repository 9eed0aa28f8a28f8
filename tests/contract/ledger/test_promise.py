"""Promises: written once, with the mark that accounts for them; judged once; settled when files change."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jobs.errors import Reason
from scheduler import lifecycle
from scheduler.facts import (
    Cancelled,
    CancelReason,
    Failed,
    Faulted,
    MissReason,
    SkipReason,
    Stage,
    StepKind,
    StrayFound,
)
from scheduler.ledger import GAP_SLOT, Closed, Ledger, LedgerError, LedgerUnavailable, Note
from scheduler.ledger.snapshot import Snapshot
from scheduler.model import Overlap
from tests.contract.ledger.world import (
    BIRTH,
    DUE,
    OPENS,
    SCHEDULES,
    SHUTS,
    Watched,
    at_once,
    claimed,
    have,
    occurrence,
    promised,
    schedule,
)

Raw = Callable[..., list[tuple[object, ...]]]


async def test_a_promise_waits_as_planned_with_all_its_terms(ledger: Ledger) -> None:
    (key,) = await promised(ledger, occurrence("ana", "quiet"))
    record = await have(ledger, key)
    assert (record.stage, record.reason, record.attempt) == (Stage.PLANNED, None, 1)
    assert (record.due, record.opens, record.shuts, record.starts_at) == (DUE, OPENS, SHUTS, OPENS)
    assert (record.max_call_s, record.absent_s, record.private) == (1800, 300, True)
    assert (record.timezone, record.participant, record.date) == ("America/New_York", "ana", "2026-03-04")
    assert len(record.mark) == 16
    assert await ledger.planned() == [(key, DUE, "America/New_York")]


async def test_a_promise_that_is_there_is_never_reconsidered(ledger: Ledger, raw: Raw) -> None:
    (key,) = await promised(ledger, occurrence("ana"))
    await claimed(ledger, 1)
    before = await have(ledger, key)
    moved = occurrence("ana", skip=SkipReason.DISABLED, due=DUE + 5)
    assert await ledger.promise([moved, moved], SCHEDULES, SHUTS + 9, None) == 0
    assert await have(ledger, key) == before
    assert raw("SELECT count(*) FROM records") == [(1,)]
    assert raw("SELECT promised FROM tallies") == [(1,)]


async def test_the_mark_moves_with_the_rows_it_accounts_for(ledger: Ledger, driver: Watched) -> None:
    assert await ledger.promised_until() == BIRTH
    driver.fail_at_commit = LedgerUnavailable("full")
    with pytest.raises(LedgerUnavailable):
        await ledger.promise([occurrence("ana")], SCHEDULES, BIRTH, OPENS)
    driver.fail_at_commit = None
    assert (await ledger.promised_until(), await ledger.planned()) == (BIRTH, [])
    await ledger.promise([occurrence("ana")], SCHEDULES, BIRTH, OPENS)
    assert (await ledger.promised_until(), len(await ledger.planned())) == (OPENS, 1)


async def test_without_a_mark_the_mark_stays(ledger: Ledger) -> None:
    await promised(ledger, occurrence("ana"))
    assert await ledger.promised_until() == BIRTH


async def test_what_will_not_be_kept_is_terminal_at_once_with_its_fact(
    ledger: Ledger, snapshot: Callable[[], Snapshot]
) -> None:
    told: list[Closed] = []
    ledger.listen(lambda _: None, told.extend)
    off = occurrence("ana", skip=SkipReason.DATE_ABSENT)
    late, in_time = occurrence("ben"), occurrence("cai", due=DUE + 1)
    assert await ledger.promise([off, late, in_time], SCHEDULES, SHUTS + 0.5, None) == 2
    assert sorted(told) == [
        Closed("missed", "late", "coach", "2026-03-04", 1),
        Closed("skipped", "date_absent", "coach", "2026-03-04", 1),
    ]
    assert (await have(ledger, off.key)).reason == SkipReason.DATE_ABSENT
    assert (await have(ledger, late.key)).stage is Stage.MISSED
    assert (await have(ledger, in_time.key)).stage is Stage.PLANNED
    with snapshot() as seen:
        assert [(each.kind, each.at) for each in seen.story(late.key)] == [("missed", SHUTS + 0.5)]
        assert [each.kind for each in seen.story(off.key)] == ["skipped"]
        assert seen.story(in_time.key) == []


async def test_a_window_is_open_to_its_last_instant(ledger: Ledger) -> None:
    (key,) = await promised(ledger, occurrence("ana"), now=SHUTS)
    assert (await have(ledger, key)).stage is Stage.PLANNED


async def test_every_promise_is_tallied_by_schedule_and_day(ledger: Ledger, raw: Raw) -> None:
    await promised(ledger, occurrence("ana"), occurrence("ben"), occurrence("ana", "loose"))
    await promised(ledger, occurrence("ana"), occurrence("cai", skip=SkipReason.PAUSED))
    assert raw("SELECT schedule, promised FROM tallies ORDER BY 1") == [("coach", 3), ("loose", 1)]


async def test_a_row_that_cannot_be_written_is_an_error_and_never_left_out(ledger: Ledger, raw: Raw) -> None:
    nowhere = occurrence("ana")._replace(timezone=None)  # type: ignore[arg-type]
    with pytest.raises(LedgerError):
        await ledger.promise([occurrence("ben"), nowhere], SCHEDULES, BIRTH, OPENS)
    assert raw("SELECT count(*) FROM records") == [(0,)]
    assert await ledger.promised_until() == BIRTH


async def test_a_plan_outlives_its_batch(ledger: Ledger, driver: Watched) -> None:
    """A failure undoes the whole batch; a plan that is an iterator is whole when it runs again."""
    driver.fail_at_next = [None, LedgerUnavailable("once")]
    plan = iter([occurrence("ana"), occurrence("ben")])
    *_, written = await at_once(
        driver,
        ledger.lift("nothing", BIRTH),
        ledger.hold("spent", BIRTH),
        ledger.promise(plan, SCHEDULES, BIRTH, OPENS),
    )
    assert written == 0
    assert (len(await ledger.planned()), await ledger.promised_until()) == (2, OPENS)


async def test_a_long_absence_is_one_row_and_told_once(
    ledger: Ledger, snapshot: Callable[[], Snapshot]
) -> None:
    told: list[Closed] = []
    ledger.listen(lambda _: None, told.extend)
    for _ in range(2):
        await ledger.gap("coach", "2026-02-01", 23, BIRTH - 9e5, BIRTH)
    assert told == [Closed("missed", "gap", "coach", "2026-02-01", 23)]
    with snapshot() as seen:
        (row,) = seen.records()
        (fact,) = seen.story(row.key)
    assert (row.slot, row.stage, row.reason) == (GAP_SLOT, Stage.MISSED, MissReason.GAP)
    assert '"promises": 23' in fact.data


async def test_settling_follows_the_configuration(ledger: Ledger) -> None:
    (stays,) = await promised(ledger, occurrence("ana"))
    (other,) = await promised(ledger, occurrence("ben"))
    new = {"coach": schedule(call_s=900, private=True, overlap=Overlap.ALLOW)}
    await ledger.settle([occurrence("ana", due=DUE + 60, rank=7)], new, DUE - 500)
    record = await have(ledger, stays)
    assert (record.due, record.opens, record.shuts, record.starts_at) == (
        DUE + 60,
        OPENS + 60,
        SHUTS + 60,
        OPENS + 60,
    )
    assert (record.max_call_s, record.private) == (900, True)
    assert (await have(ledger, other)).due == DUE
    assert await ledger.promised_until() == DUE - 500
    assert (await ledger.look(OPENS)).next_at == OPENS + 60


async def test_settling_leaves_what_is_claimed_alone(ledger: Ledger) -> None:
    (key,) = await promised(ledger, occurrence("ana"))
    await claimed(ledger, 1)
    before = await have(ledger, key)
    await ledger.settle([occurrence("ana", due=DUE + 60)], {"coach": schedule(call_s=900)}, DUE)
    assert await have(ledger, key) == before


@pytest.mark.parametrize("later_s", [0.0, 60.0, 3600.0])
@pytest.mark.parametrize("trouble", ["turned away", "at the fence"])
async def test_settling_keeps_the_time_of_a_retry_but_never_opens_too_early(
    ledger: Ledger, trouble: str, later_s: float
) -> None:
    (key,) = await promised(ledger, occurrence("ana"))
    if trouble == "turned away":
        await claimed(ledger, 1)
        await ledger.note(Note(key, Failed(StepKind.CREATE, Reason.BUSY, "429"), DUE))
    else:
        await ledger.note(Note(key, Faulted("KeyError in x:1"), OPENS + 1))
    again = (await have(ledger, key)).starts_at
    assert again > OPENS
    await ledger.settle([occurrence("ana", due=DUE + later_s)], SCHEDULES, DUE)
    assert (await have(ledger, key)).starts_at == max(again, OPENS + later_s)


async def test_settling_forgets_no_stray(ledger: Ledger, raw: Raw) -> None:
    (key,) = await promised(ledger, occurrence("ana"))
    await ledger.note(Note(key, StrayFound("c9"), BIRTH + 1))
    await ledger.settle([occurrence("ana", due=DUE + 60)], SCHEDULES, DUE)
    record = await have(ledger, key)
    assert lifecycle.wakes_at(record) == (BIRTH + 1, StepKind.END)
    assert (await ledger.look(BIRTH + 2)).steps == [(key, "end")]


async def test_settled_by_hand_a_promise_is_no_longer_planned(ledger: Ledger) -> None:
    keys = await promised(ledger, occurrence("ana"), occurrence("ben", due=DUE - 60))
    assert [key for key, *_ in await ledger.planned()] == keys[::-1]
    await ledger.note(Note(keys[0], Cancelled(CancelReason.REMOVED), BIRTH))
    assert [key for key, *_ in await ledger.planned()] == keys[1:]


async def test_marks_are_of_this_ledger(ledger: Ledger, opened: Callable[[], Ledger]) -> None:
    keys = await promised(ledger, occurrence("ana"), occurrence("ben"))
    marks = [(await have(ledger, key)).mark for key in keys]
    again = opened()
    found = await again.by_marks([*marks, "STRANGERSTRANGER"])
    assert {mark: record.key for mark, record in found.items()} == dict(zip(marks, keys, strict=True))
    assert await again.by_marks([]) == {}
