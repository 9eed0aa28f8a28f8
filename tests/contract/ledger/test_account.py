"""What is the whole account's: its identity, its holds, its generations, and what it asked lately."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jobs.errors import Reason
from jobs.model import Created, Ended, EndReason, NotThere, StillLive
from scheduler.facts import Failed, NothingThere, StepKind, StrayFound
from scheduler.ledger import Hold, Ledger, LedgerMismatch, Note, Place
from tests.contract.ledger.world import (
    BASE_URL,
    BIRTH,
    DUE,
    LINK,
    OPENS,
    made_live,
    occurrence,
    promised,
)

Raw = Callable[..., list[tuple[object, ...]]]


async def test_a_hold_is_a_row_and_begins_once(
    ledger: Ledger, opened: Callable[[], Ledger], raw: Raw
) -> None:
    assert [await ledger.hold("spent", DUE + n) for n in (5, 6)] == [True, False]
    assert await ledger.hold("denied", DUE) is True
    again = opened()
    assert (await again.look(DUE)).holds == [Hold("denied", DUE), Hold("spent", DUE + 5)]
    assert [await again.lift("spent", DUE + n) for n in (7, 8)] == [True, False]
    assert (await again.look(DUE)).holds == [Hold("denied", DUE)]
    told = raw("SELECT kind, at FROM facts WHERE key IS NULL ORDER BY id")
    assert told == [("held", DUE + 5), ("held", DUE), ("lifted", DUE + 7)]


async def test_the_same_terms_keep_their_number(ledger: Ledger, opened: Callable[[], Ledger]) -> None:
    first, second = await ledger.generation("terms: 1", DUE), await ledger.generation("terms: 2", DUE)
    assert first != second
    again = opened()
    assert await again.generation("terms: 1", DUE + 9) == first
    assert [await again.terms(number) for number in (first, second)] == ["terms: 1", "terms: 2"]


async def test_the_newest_fact_is_the_latest_not_the_last(ledger: Ledger) -> None:
    assert await ledger.newest_fact_at() is None
    (key,) = await promised(ledger, occurrence("ana"))
    await ledger.note(Note(key, StillLive(), DUE + 9), Note(key, StillLive(), DUE))
    assert await ledger.newest_fact_at() == DUE + 9


async def test_what_the_rate_must_remember_are_requests_of_the_window(ledger: Ledger) -> None:
    (key,) = await made_live(ledger, "ana")
    others: list[tuple[object, float]] = [
        (StillLive(), 1),
        (NotThere(), 2),
        (Ended(EndReason.LEFT), 3),
        (NothingThere(0.0), 4),
        (StrayFound("c9"), 5),
        (Failed(StepKind.CREATE, Reason.BUSY, "429"), 6),
        (Created("c1", LINK, DUE), 7),
    ]
    await ledger.note(*(Note(key, fact, DUE + at) for fact, at in others))  # type: ignore[arg-type]
    await ledger.surveyed(2, DUE + 8)
    sent = [DUE + 1, DUE + 2, DUE + 3, DUE + 6, DUE + 7, DUE + 8, DUE + 8]
    assert (await ledger.requests_since(OPENS))[-7:] == sent
    assert await ledger.requests_since(DUE + 7) == sent[-3:]
    assert await ledger.requests_since(DUE + 99) == []


async def test_what_was_written_is_there_when_it_is_opened_again(
    ledger: Ledger, opened: Callable[[], Ledger]
) -> None:
    (key,) = await promised(ledger, occurrence("ana"))
    record = await ledger.record(key)
    again = opened()
    assert await again.record(key) == record
    assert await again.promised_until() == BIRTH


async def test_another_account_gets_a_ledger_of_its_own(place: Place) -> None:
    Ledger.open(place, BASE_URL, BIRTH).close()
    with pytest.raises(
        LedgerMismatch, match=r"made for https://tavus\.example, not for https://other"
    ) as told:
        Ledger.open(place, "https://other.example", DUE)
    assert "\n" not in str(told.value)
    Ledger.open(place, BASE_URL, DUE).close()
