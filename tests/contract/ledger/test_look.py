"""One look: what is due, what waits, what is held, and when to look again - each by an example."""

from __future__ import annotations

from jobs.errors import Reason
from jobs.model import Ended, EndReason, StillLive
from scheduler import policy
from scheduler.facts import Failed, Faulted, StepKind, StrayEnded, StrayFound
from scheduler.ledger import Blocked, Due, Hold, Ledger, Link, Note
from tests.contract.ledger.world import (
    BIRTH,
    DUE,
    LOG,
    OPENS,
    SHUTS,
    claimed,
    created,
    have,
    made_live,
    occurrence,
    promised,
)

LOST = Failed(StepKind.CREATE, Reason.LOST, "reset")


async def test_an_empty_ledger_wants_nothing(ledger: Ledger) -> None:
    view = await ledger.look(DUE)
    assert (view.steps, view.waiting, view.blocked, view.shut, view.held) == ([], 0, [], 0, 0)
    assert view.links == []
    assert (view.looks, view.live, view.holds, view.next_at) == (0, 0, [], None)


async def test_who_waits_is_no_step(ledger: Ledger) -> None:
    await promised(ledger, occurrence("ana"), occurrence("ben", due=DUE + 60))
    assert (await ledger.look(OPENS - 1)).waiting == 0
    view = await ledger.look(OPENS)
    assert (view.waiting, view.steps, view.next_at) == (1, [], OPENS + 60)


async def test_steps_come_by_the_time_they_are_due(ledger: Ledger) -> None:
    ana, ben = await promised(ledger, occurrence("ana"), occurrence("ben"))
    await claimed(ledger, 2)
    await ledger.note(created(ana, at=DUE + 5), created(ben, at=DUE, to=()))
    link = Link(ana, LOG, DUE + 5 + 270)
    view = await ledger.look(DUE + 5)
    assert (view.steps, view.links) == ([], [link])
    check = DUE + 300 + 15
    view = await ledger.look(check)
    assert (view.steps, view.links) == ([Due(ben, "inspect")], [link])
    await ledger.note(Note(ben, StillLive(), DUE + 1900))
    assert Due(ben, "end") in (await ledger.look(DUE + 1900)).steps


async def test_what_is_held_is_creating_live_and_strays(ledger: Ledger) -> None:
    keys = await made_live(ledger, "ana", "ben")
    await promised(ledger, occurrence("cai"), occurrence("dee", due=DUE + 99))
    await claimed(ledger, 1)
    await ledger.note(Note(keys[0], StrayFound("c8"), DUE), Note(keys[0], StrayFound("c9"), DUE))
    view = await ledger.look(DUE + 1)
    assert (view.held, view.live) == (5, 2)
    await ledger.note(Note(keys[0], StrayEnded("c9"), DUE + 2), Note(keys[1], Ended(EndReason.LEFT), DUE + 2))
    view = await ledger.look(DUE + 3)
    assert (view.held, view.live) == (3, 1)


async def test_a_slot_is_given_back_when_its_end_stays_unanswered(ledger: Ledger) -> None:
    await made_live(ledger, "ana")
    given_back = DUE + 1800 + 60 + policy.GIVE_BACK_S
    assert (await ledger.look(given_back - 1)).held == 1
    view = await ledger.look(given_back)
    assert (view.held, view.live) == (0, 1)


async def test_who_stands_behind_their_own_conversation_is_named_with_it(ledger: Ledger) -> None:
    (running,) = await made_live(ledger, "ana")
    await ledger.note(Note(running, StillLive(), DUE + 30))
    key, _ = await promised(ledger, occurrence("ana", slot="x"), occurrence("ana", "loose"))
    view = await ledger.look(DUE)
    assert view.blocked == [Blocked(key, OPENS, SHUTS, running, DUE + 1800, DUE + 30)]
    assert view.waiting == 1


async def test_while_the_other_is_created_nobody_knows_when_it_ends(ledger: Ledger) -> None:
    (running,) = await promised(ledger, occurrence("ana"))
    await claimed(ledger, 1)
    (key,) = await promised(ledger, occurrence("ana", slot="x"))
    assert (await ledger.look(DUE)).blocked == [Blocked(key, OPENS, SHUTS, running, None, None)]


async def test_a_window_that_shut_is_counted_and_handed_over(ledger: Ledger) -> None:
    keys = await promised(ledger, occurrence("ana"), occurrence("ben", due=DUE - 1))
    assert ((await ledger.look(SHUTS)).shut, (await ledger.look(SHUTS + 1)).shut) == (1, 2)
    assert [record.key for record in await ledger.shut(SHUTS + 1)] == keys[::-1]
    assert [record.key for record in await ledger.shut(SHUTS + 1, 1)] == keys[1:]


async def test_looks_are_due_when_their_record_says(ledger: Ledger) -> None:
    (key,) = await promised(ledger, occurrence("ana"))
    await claimed(ledger, 1)
    assert [record.key for record in await ledger.in_flight()] == [key]
    await ledger.note(Note(key, LOST, DUE))
    assert await ledger.in_flight() == []
    view = await ledger.look(DUE + 1)
    assert (view.looks, view.next_at) == (0, policy.look_at(DUE, 0))
    assert (await ledger.look(DUE + 2)).looks == 1
    assert [record.key for record in await ledger.looking(DUE + 2)] == [key]
    assert await ledger.looking(DUE + 1) == []


async def test_holds_are_in_the_view(ledger: Ledger) -> None:
    await ledger.hold("denied", DUE)
    assert (await ledger.look(DUE)).holds == [Hold("denied", DUE)]


async def test_live_are_those_with_a_conversation_that_runs(ledger: Ledger) -> None:
    keys = await made_live(ledger, "ana", "ben")
    await ledger.note(Note(keys[1], Ended(EndReason.LEFT), DUE + 9))
    assert [record.key for record in await ledger.live()] == keys[:1]


# --- when to look again ---


async def next_times(ledger: Ledger, now: float, most: int = 9) -> list[float]:
    """Where a daemon that goes from time to time would stop."""
    stops: list[float] = []
    while len(stops) < most and (at := (await ledger.look(now)).next_at) is not None:
        assert at > now
        stops.append(at)
        now = at
    return stops


async def test_a_promise_is_looked_at_as_it_opens_and_just_after_it_shuts(ledger: Ledger) -> None:
    await promised(ledger, occurrence("ana"))
    opens, shut = await next_times(ledger, BIRTH)
    assert (opens, SHUTS < shut <= SHUTS + 0.01) == (OPENS, True)
    assert (await ledger.look(shut)).shut == 1


async def test_a_try_that_comes_after_the_window_still_ends_in_a_look(ledger: Ledger) -> None:
    (key,) = await promised(ledger, occurrence("ana"))
    await ledger.note(Note(key, Faulted("KeyError in x:1"), SHUTS - 1))
    assert (await have(ledger, key)).starts_at > SHUTS
    stops = await next_times(ledger, SHUTS - 1)
    assert [(await ledger.look(at)).shut for at in stops][-1] == 1


async def test_a_stray_does_not_hide_when_its_promise_opens(ledger: Ledger) -> None:
    (key,) = await promised(ledger, occurrence("ana"))
    await ledger.note(Note(key, StrayFound("c9"), BIRTH))
    view = await ledger.look(BIRTH + 1)
    assert (view.steps, view.next_at) == ([Due(key, "end")], OPENS)
    assert Due(key, "end") in (await ledger.look(DUE)).steps


async def test_deliveries_wake_the_house(ledger: Ledger) -> None:
    (key,) = await made_live(ledger, "ana")
    await ledger.note(Note(key, Failed(StepKind.DELIVER, Reason.BUSY, "full", LOG), DUE))
    assert (await ledger.look(DUE)).next_at == DUE + 5
