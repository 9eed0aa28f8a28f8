"""The claim: one bulk statement that does what the lifecycle's table says, for whoever is first in line."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from jobs.errors import Reason
from jobs.model import Ended, EndReason
from scheduler import lifecycle
from scheduler.facts import Attempted, Failed, Missed, MissReason, StepKind, StrayFound
from scheduler.ledger import Ledger, LedgerUnavailable, Note
from scheduler.ledger.snapshot import Snapshot
from tests.contract.ledger.world import (
    BIRTH,
    DUE,
    OPENS,
    SHUTS,
    Watched,
    claimed,
    created,
    have,
    made_live,
    occurrence,
    promised,
    same,
)


async def test_a_claim_is_the_tables_attempted_field_by_field(
    ledger: Ledger, snapshot: Callable[[], Snapshot]
) -> None:
    fresh, again = await promised(ledger, occurrence("ana"), occurrence("ben"))
    await ledger.note(Note(again, StrayFound("c9"), BIRTH))
    await claimed(ledger, 2)
    for key in (fresh, again):
        await ledger.note(Note(key, Failed(StepKind.CREATE, Reason.BUSY, "429"), OPENS + 1))
    before = [await have(ledger, key) for key in (fresh, again)]
    generation = await ledger.generation("other terms", DUE)
    after = await ledger.claim(DUE, 9, generation)
    claims = [Attempted(record.generation or generation) for record in before]
    assert after == [
        lifecycle.apply(record, claim, DUE) for record, claim in zip(before, claims, strict=True)
    ]
    assert [await have(ledger, record.key) for record in after] == after
    with snapshot() as seen:
        last = seen.story(fresh)[-1]
    assert (last.fact, last.at) == (Attempted(1), DUE), "under the terms of its first claim"


async def test_the_line_is_by_due_time_then_rotation_then_key(ledger: Ledger) -> None:
    await promised(
        ledger,
        occurrence("dee", due=DUE + 1),
        occurrence("cai", rank=2),
        occurrence("ben", rank=1),
        occurrence("ana", rank=2),
    )
    line = await claimed(ledger, 9, now=OPENS + 1)
    assert [key.rsplit("/")[-1] for key in line] == ["ben", "ana", "cai", "dee"]


@pytest.mark.parametrize(
    ("now", "open_"), [(OPENS - 0.001, False), (OPENS, True), (SHUTS, True), (SHUTS + 0.001, False)]
)
async def test_only_inside_the_window_both_ends_included(ledger: Ledger, now: float, open_: bool) -> None:
    keys = await promised(ledger, occurrence("ana"))
    assert await claimed(ledger, 1, now) == (keys if open_ else [])


async def test_only_what_is_planned_and_not_waiting_for_its_next_try(ledger: Ledger) -> None:
    keys = await promised(ledger, *(occurrence(who) for who in ("ana", "ben", "cai")))
    assert len(await claimed(ledger, 2)) == 2
    await ledger.note(
        Note(keys[0], Failed(StepKind.CREATE, Reason.BUSY, "429"), OPENS),
        Note(keys[2], Missed(MissReason.LATE), OPENS),
    )
    assert await claimed(ledger, 9) == []
    retry = (await have(ledger, keys[0])).starts_at
    assert await claimed(ledger, 9, retry) == [keys[0]]


async def test_never_more_than_are_asked_for_and_never_one_twice(ledger: Ledger) -> None:
    keys = await promised(ledger, *(occurrence(f"p{n:02}") for n in range(23)))
    generation = await ledger.generation("{}", OPENS)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ledger.claim(OPENS, 5, generation)) for _ in range(6)]
    chunks = [[record.key for record in task.result()] for task in tasks]
    assert sorted(map(len, chunks)) == [0, 3, 5, 5, 5, 5]
    assert [key for chunk in chunks for key in chunk] == keys
    assert await ledger.claim(OPENS, 0, generation) == []


async def test_one_person_stands_in_line_once_at_a_time(ledger: Ledger) -> None:
    first, second, other = await promised(
        ledger,
        occurrence("ana"),
        occurrence("ana", slot="09:01", due=DUE + 1),
        occurrence("ben", due=DUE + 2),
    )
    assert await claimed(ledger, 9, OPENS + 2) == [first, other]
    assert await claimed(ledger, 9, OPENS + 2) == []
    await ledger.note(created(first), Note(first, Ended(EndReason.LEFT), DUE + 3))
    assert await claimed(ledger, 9, OPENS + 3) == [second]


@pytest.mark.parametrize("stage", ["creating", "live", "over"])
@pytest.mark.parametrize("to", ["coach", "quiet"])
async def test_nobody_is_claimed_while_their_other_conversation_runs(
    ledger: Ledger, stage: str, to: str
) -> None:
    (running,) = await promised(ledger, occurrence("ana"))
    await claimed(ledger, 1)
    if stage != "creating":
        await ledger.note(created(running))
    if stage == "over":
        await ledger.note(Note(running, Ended(EndReason.LEFT), DUE + 60))
    (key,) = await promised(ledger, occurrence("ana", to, slot="x"))
    assert await claimed(ledger, 9, DUE + 61) == ([key] if stage == "over" else [])


async def test_a_schedule_that_allows_it_goes_beside_anything(ledger: Ledger) -> None:
    await made_live(ledger, "ana")
    keys = await promised(ledger, occurrence("ana", "loose"), occurrence("ana", "loose", slot="x"))
    assert await claimed(ledger, 9) == keys


async def test_who_allows_it_does_not_allow_it_for_another(ledger: Ledger) -> None:
    """Claimed in one chunk or one after the other: the same promises go."""
    await promised(ledger, occurrence("ana", "loose", rank=0), occurrence("ana", "coach", rank=1))
    await promised(ledger, occurrence("ben", "coach", rank=0), occurrence("ben", "loose", rank=1))
    line = await claimed(ledger, 9)
    assert [key.partition("/09:00/2026-03-04/")[::2] for key in line] == [
        ("coach", "ben"),
        ("loose", "ana"),
        ("loose", "ben"),
    ]


async def test_without_participants_a_schedule_is_in_its_own_way(ledger: Ledger) -> None:
    keys = await promised(ledger, occurrence(None), occurrence(None, slot="x"), occurrence(None, "quiet"))
    assert await claimed(ledger, 9) == [keys[0], keys[2]]


async def test_a_claim_that_is_not_committed_claims_nobody(ledger: Ledger, driver: Watched) -> None:
    keys = await promised(ledger, occurrence("ana"))
    generation = await ledger.generation("{}", OPENS)
    driver.fail_at_commit = LedgerUnavailable("full")
    with pytest.raises(LedgerUnavailable):
        await ledger.claim(OPENS, 1, generation)
    driver.fail_at_commit = None
    assert await claimed(ledger, 1) == keys


async def test_children_of_a_claimed_record_come_with_it(ledger: Ledger) -> None:
    (key,) = await promised(ledger, occurrence("ana"))
    await ledger.note(Note(key, StrayFound("c8"), BIRTH), Note(key, StrayFound("c9"), BIRTH + 1))
    generation = await ledger.generation("{}", OPENS)
    (record,) = await ledger.claim(OPENS, 1, generation)
    assert [stray.conversation_id for stray in same(record).strays] == ["c8", "c9"]


async def test_nobody_is_claimed_while_a_hold_is_in_force(ledger: Ledger) -> None:
    await promised(ledger, occurrence("ana"))
    await ledger.hold("denied", DUE)
    assert await ledger.claim(DUE, 9, 1) == []
    await ledger.lift("denied", DUE)
    assert len(await ledger.claim(DUE, 9, 1)) == 1
