"""Notes: the fact and its record in one transaction, many in one commit, each failing for itself alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest

from jobs.errors import Reason
from jobs.model import Delivered, Ended, EndReason, StillLive
from scheduler import lifecycle
from scheduler.facts import Failed, Found, GaveUp, GiveUpReason, Stage, StepKind, StrayFound
from scheduler.ledger import Ledger, LedgerError, LedgerUnavailable, Note, Noted
from scheduler.ledger.snapshot import Snapshot
from scheduler.record import DeliveryState
from tests.contract.ledger.world import (
    DUE,
    HOOK,
    LINK,
    LOG,
    OPENS,
    Watched,
    at_once,
    claimed,
    created,
    have,
    made_live,
    occurrence,
    outcome,
    promised,
    same,
)

Raw = Callable[..., list[tuple[object, ...]]]


async def test_a_note_tells_the_record_before_and_after(ledger: Ledger) -> None:
    (key,) = await promised(ledger, occurrence("ana"))
    await claimed(ledger, 1)
    before = await have(ledger, key)
    note = created(key, to=(LOG, HOOK))
    (noted,) = await ledger.note(note)
    assert noted == Noted(note, before, lifecycle.apply(before, note.fact, note.at, note.addresses))
    assert same(await have(ledger, key)) == same(noted.after)
    assert noted.after.url == LINK


async def test_notes_add_up_in_their_order(ledger: Ledger) -> None:
    (key,) = await promised(ledger, occurrence("ana"))
    await claimed(ledger, 1)
    noted = await ledger.note(
        created(key, to=(LOG, HOOK)),
        Note(key, Failed(StepKind.DELIVER, Reason.BUSY, "full", HOOK), DUE + 1),
        Note(key, Delivered(LOG), DUE + 2),
        Note(key, GaveUp(HOOK, GiveUpReason.STALE), DUE + 3),
        Note(key, StrayFound("c8"), DUE + 4),
        Note(key, StrayFound("c9"), DUE + 5),
    )
    assert [each.before for each in noted[1:]] == [same(each.after) for each in noted[:-1]]
    record = await have(ledger, key)
    states = {delivery.address: (delivery.state, delivery.tries) for delivery in record.deliveries}
    assert states == {LOG: (DeliveryState.DELIVERED, 0), HOOK: (DeliveryState.GIVEN_UP, 1)}
    assert {stray.conversation_id for stray in record.strays} == {"c8", "c9"}


async def test_a_fact_that_came_too_late_is_kept_and_changes_nothing(
    ledger: Ledger, snapshot: Callable[[], Snapshot]
) -> None:
    (key,) = await promised(ledger, occurrence("ana"))
    (noted,) = await ledger.note(Note(key, StillLive(), DUE))
    assert noted.after is noted.before
    with snapshot() as seen:
        assert [told.fact for told in seen.story(key)] == [StillLive()]


@pytest.mark.parametrize("broken", ["the fact", "the record"])
async def test_a_fact_and_its_record_are_written_together_or_not_at_all(
    ledger: Ledger, driver: Watched, raw: Raw, broken: str
) -> None:
    (key,) = await promised(ledger, occurrence("ana"))
    await claimed(ledger, 1)
    before = await have(ledger, key)
    if broken == "the fact":
        driver.broken["created"] = LedgerUnavailable("no")
    else:
        driver.fail_at_commit = LedgerUnavailable("no")
    with pytest.raises(LedgerUnavailable):
        await ledger.note(created(key))
    driver.fail_at_commit = None
    assert await have(ledger, key) == before
    assert raw("SELECT kind FROM facts") == [("attempted",)]
    assert raw("SELECT * FROM deliveries") == []


async def test_an_unknown_key_hurts_only_its_own_call(ledger: Ledger, driver: Watched) -> None:
    ana, ben = await made_live(ledger, "ana", "ben")
    results = await at_once(
        driver,
        ledger.note(Note(ana, Delivered(LOG), DUE)),
        ledger.note(Note(ben, Delivered(LOG), DUE), Note("coach/09:00/2026-03-04/zoe", StillLive(), DUE)),
        ledger.note(Note(ana, Ended(EndReason.LEFT), DUE + 1)),
    )
    assert [type(each) for each in results] == [list, LedgerError, list]
    assert "zoe" in str(results[1])
    assert (await have(ledger, ana)).stage is Stage.ENDED
    assert (await have(ledger, ben)).deliveries[0].state is DeliveryState.OPEN


@pytest.mark.parametrize("error", [LedgerUnavailable("no"), ValueError("no"), StopIteration("no")])
async def test_a_failing_note_hurts_only_itself(ledger: Ledger, driver: Watched, error: Exception) -> None:
    keys = await made_live(ledger, "ana", "ben", "cai")
    driver.broken[keys[1]] = error
    results = await at_once(driver, ledger.live(), *(ledger.note(Note(k, Delivered(LOG), DUE)) for k in keys))
    told = RuntimeError if isinstance(error, StopIteration) else type(error)
    assert [type(each) for each in results[1:]] == [list, told, list]
    states = [(await have(ledger, key)).deliveries[0].state for key in keys]
    assert states == ["delivered", "open", "delivered"]


async def test_many_notes_share_a_commit(ledger: Ledger, driver: Watched) -> None:
    keys = await made_live(ledger, *(f"p{n:03}" for n in range(200)))
    before = driver.commits
    notes = (ledger.note(Note(key, Delivered(LOG), DUE)) for key in keys)
    assert all(isinstance(each, list) for each in await at_once(driver, *notes))
    assert driver.commits - before == 2


async def test_a_batch_is_bounded(ledger: Ledger, driver: Watched) -> None:
    before = driver.commits
    await at_once(driver, *(ledger.live() for _ in range(1201)))
    assert driver.commits - before == 4


async def test_listeners_hear_of_it_only_when_it_is_written(ledger: Ledger, driver: Watched) -> None:
    heard: list[tuple[int, str]] = []
    ledger.listen(lambda noted: heard.extend((driver.commits, n.note.key) for n in noted), lambda _: None)
    (key,) = await made_live(ledger, "ana")
    assert heard.pop() == (driver.commits, key)
    driver.fail_at_commit = LedgerUnavailable("full")
    assert isinstance(await outcome(ledger.note(Note(key, Delivered(LOG), DUE))), LedgerUnavailable)
    assert heard == []


async def test_a_caller_who_leaves_takes_nothing_back(ledger: Ledger, driver: Watched) -> None:
    (key,) = await made_live(ledger, "ana")
    driver.gate.clear()
    async with asyncio.TaskGroup() as group:
        leaving = group.create_task(ledger.note(Note(key, Delivered(LOG), DUE)))
        await asyncio.sleep(0)
        leaving.cancel()
        driver.gate.set()
    assert leaving.cancelled()
    assert (await have(ledger, key)).deliveries[0].state is DeliveryState.DELIVERED


async def test_no_fact_holds_a_link(ledger: Ledger, raw: Raw) -> None:
    ana, ben = await promised(ledger, occurrence("ana"), occurrence("ben"))
    await claimed(ledger, 2)
    await ledger.note(created(ana))
    await ledger.note(
        Note(ben, Failed(StepKind.CREATE, Reason.LOST, "reset"), OPENS + 1),
        Note(ben, Found("c2", LINK, OPENS, True), OPENS + 5, (LOG,)),
    )
    assert [(await have(ledger, key)).url for key in (ana, ben)] == [LINK, LINK]
    facts = [json.loads(str(row[0])) for row in raw("SELECT data FROM facts")]
    assert len(facts) == 5
    assert LINK not in repr(facts)
