"""What is old is forgotten whole and its count kept; what may still matter stays, and nothing comes back."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.errors import Reason
from jobs.model import Delivered, Ended, EndReason
from scheduler.facts import Failed, Found, SkipReason, StepKind, StrayEnded, StrayFound
from scheduler.ledger import Ledger, Note
from scheduler.ledger.audit import audit
from scheduler.ledger.pruning import PAGE, Total, prune
from scheduler.ledger.snapshot import Snapshot
from tests.contract.ledger.world import (
    BIRTH,
    DUE,
    LINK,
    LOG,
    SHUTS,
    claimed,
    made_live,
    occurrence,
    promised,
)

Raw = Callable[..., list[tuple[object, ...]]]
Open = Callable[[], Snapshot]
LATER = DUE + 200 * 86_400.0
OLD, NOT_OLD = SHUTS + 1, SHUTS
TABLES = ("records", "facts", "deliveries", "strays", "messages")


async def forgotten(ledger: Ledger, before: float = OLD, most_pages: int = 10**6) -> Total:
    pages = count(1)

    async def go_on() -> bool:
        return next(pages) < most_pages

    return await prune(ledger, before, LATER, go_on)


def keys(snapshot: Open) -> list[str]:
    with snapshot() as seen:
        assert audit(seen).faults == []
        return sorted(record.key.rsplit("/", 1)[1] for record in seen.records())


async def ended(ledger: Ledger, *who: str) -> list[str]:
    keys = await made_live(ledger, *who)
    for key in keys:
        await ledger.note(Note(key, Delivered(LOG), DUE), Note(key, Ended(EndReason.LEFT), DUE + 60))
    return keys


async def test_what_is_over_goes_with_all_its_rows_and_still_adds_up(
    ledger: Ledger, snapshot: Open, raw: Raw
) -> None:
    await ended(ledger, "ana", "ben")
    await promised(ledger, occurrence("cai", skip=SkipReason.DISABLED), occurrence("dee"))
    total = await forgotten(ledger)
    assert total.records == 3
    assert keys(snapshot) == ["dee"]
    with snapshot() as seen:
        (day,) = audit(seen).days
        assert (day.promised, day.stages, day.pruned) == (4, {"planned": 1}, {"ended": 2, "skipped": 1})
    left = {table: raw(f"SELECT count(*) FROM {table} WHERE key IS NOT NULL")[0][0] for table in TABLES}
    assert left == {"records": 1, "facts": 0, "deliveries": 0, "strays": 0, "messages": 0}


async def test_twice_is_as_once_and_a_days_counts_add_up(ledger: Ledger, snapshot: Open) -> None:
    await promised(ledger, occurrence("ana", skip=SkipReason.DISABLED))
    assert (await forgotten(ledger)).records == 1
    assert await forgotten(ledger) == Total(0, 0, 0)
    await promised(ledger, occurrence("ben", due=DUE + 3600, skip=SkipReason.DISABLED))
    assert (await forgotten(ledger, OLD + 3600)).records == 1
    with snapshot() as seen:
        assert [(day.promised, day.pruned) for day in audit(seen).days] == [(2, {"skipped": 2})]


async def test_whoever_is_not_old_enough_stays(ledger: Ledger, snapshot: Open) -> None:
    await ended(ledger, "ana")
    assert await forgotten(ledger, NOT_OLD) == Total(0, 0, 0)
    assert keys(snapshot) == ["ana"]


async def test_whatever_is_not_over_stays(ledger: Ledger, snapshot: Open) -> None:
    """One live, one planned, one creating, one with an open stray, one whose link is still on its way, one
    that still has a last look to come."""
    await made_live(ledger, "live")
    await promised(ledger, occurrence("creating"))
    await claimed(ledger, 1)
    stray, link = await ended(ledger, "stray"), await made_live(ledger, "link")
    await ledger.note(Note(stray[0], StrayFound("c9"), DUE + 90))
    await ledger.note(Note(link[0], Failed(StepKind.DELIVER, Reason.BUSY, "later"), DUE))
    await promised(ledger, occurrence("planned"))
    assert (await forgotten(ledger)).records == 0
    await ledger.note(Note(stray[0], StrayEnded("c9"), DUE + 99))
    assert (await forgotten(ledger)).records == 1
    assert keys(snapshot) == ["creating", "link", "live", "planned"]


async def test_a_last_look_to_come_keeps_its_record(ledger: Ledger, raw: Raw, snapshot: Open) -> None:
    (key,) = await ended(ledger, "ana")
    raw("UPDATE records SET look_at = ? WHERE key = ?", DUE, key)
    assert (await forgotten(ledger)).records == 0


async def test_an_adopted_one_and_a_gap_go_too(ledger: Ledger, snapshot: Open) -> None:
    (key,) = await promised(ledger, occurrence("ana"))
    await claimed(ledger, 1)
    await ledger.note(
        Note(key, Failed(StepKind.CREATE, Reason.LOST, "reset"), DUE),
        Note(key, Found("c2", LINK, DUE, True), DUE + 5, (LOG,)),
        Note(key, Delivered(LOG), DUE + 6),
        Note(key, Ended(EndReason.LEFT), DUE + 60),
    )
    await ledger.gap("coach", "2026-02-01", 23, BIRTH - 9e5, BIRTH)
    assert (await forgotten(ledger)).records == 2
    assert keys(snapshot) == []


async def test_what_was_forgotten_is_not_promised_again(ledger: Ledger, snapshot: Open) -> None:
    """Also when a clock that was set back makes the planner come by once more."""
    await ended(ledger, "ana")
    await forgotten(ledger)
    mark = await ledger.promised_until()
    await promised(ledger, occurrence("ana"), now=BIRTH)
    assert keys(snapshot) == []
    assert await ledger.promised_until() == mark
    await promised(ledger, occurrence("ana", due=DUE + 86_400, slot="later"), now=BIRTH)
    assert keys(snapshot) == ["ana"]


async def test_configurations_that_nobody_names_any_more_go(ledger: Ledger, raw: Raw) -> None:
    """The newest stays, so that no number is given twice, and so does the one in force."""
    await ended(ledger, "ana")  # under "{}"
    for terms in ("two", "three", "four", "two"):
        in_force = await ledger.generation(terms, DUE)
    assert in_force == 2
    assert (await forgotten(ledger)).generations == 2
    assert raw("SELECT terms FROM generations ORDER BY id") == [("two",), ("four",)]
    assert await ledger.terms(in_force) == "two"


async def test_a_record_keeps_its_configuration(ledger: Ledger, raw: Raw) -> None:
    await made_live(ledger, "ana")
    await ledger.generation("two", DUE)
    assert (await forgotten(ledger)).generations == 0


async def test_the_accounts_old_facts_go_and_the_newest_fact_is_never_lost(ledger: Ledger, raw: Raw) -> None:
    await ledger.hold("denied", BIRTH)
    await ledger.lift("denied", BIRTH + 1)
    await ledger.surveyed(2, SHUTS + 5)
    assert await forgotten(ledger) == Total(0, 2, 0)
    assert raw("SELECT kind FROM facts ORDER BY id") == [("surveyed",), ("pruned",)]
    assert await ledger.newest_fact_at() == LATER


async def test_a_years_facts_of_the_account_go_page_by_page(ledger: Ledger, raw: Raw) -> None:
    for n in range(2 * PAGE + 5):
        await ledger.surveyed(1, BIRTH + n)
    assert (await forgotten(ledger, most_pages=1)).facts == PAGE
    assert (await forgotten(ledger)).facts == PAGE + 5
    assert raw("SELECT DISTINCT kind FROM facts") == [("pruned",)]


async def test_a_hold_in_force_is_no_fact_to_forget(ledger: Ledger, snapshot: Open) -> None:
    await ledger.hold("spent", BIRTH)
    await forgotten(ledger)
    with snapshot() as seen:
        assert [hold.reason for hold in seen.holds()] == ["spent"]


async def test_it_goes_page_by_page_and_can_be_stopped_between(ledger: Ledger, snapshot: Open) -> None:
    await promised(ledger, *(occurrence(f"p{n:03}", skip=SkipReason.DISABLED) for n in range(2 * PAGE + 1)))
    assert (await forgotten(ledger, most_pages=1)).records == PAGE
    assert len(keys(snapshot)) == PAGE + 1
    assert (await forgotten(ledger)).records == PAGE + 1
    assert keys(snapshot) == []


async def test_old_ones_behind_a_page_that_stays_are_found(ledger: Ledger, snapshot: Open) -> None:
    await made_live(ledger, *(f"p{n:03}" for n in range(PAGE)))
    await promised(ledger, occurrence("last", skip=SkipReason.DISABLED))
    assert (await forgotten(ledger)).records == 1


async def test_a_reader_knows_beforehand(ledger: Ledger, snapshot: Open) -> None:
    await ended(ledger, "ana", "ben")
    await promised(ledger, occurrence("cai", skip=SkipReason.DISABLED), occurrence("dee"))
    with snapshot() as seen:
        assert seen.prunable(OLD) == {"ended": 2, "skipped": 1}
        assert seen.prunable(NOT_OLD) == {}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(days=st.lists(st.tuples(st.integers(0, 30), st.booleans()), max_size=30), cut=st.integers(0, 31))
async def test_what_stays_is_what_is_young_or_not_over(
    opened: Callable[[], Ledger], snapshot: Open, raw: Raw, days: list[tuple[int, bool]], cut: int
) -> None:
    ledger = opened()
    for table in (*TABLES, "tallies", "pruned"):
        raw(f"DELETE FROM {table}")
    raw("DELETE FROM meta WHERE name = 'pruned_until'")
    plan = [
        occurrence(f"p{n}", due=DUE + day * 86_400, skip=SkipReason.DISABLED if over else None)
        for n, (day, over) in enumerate(days)
    ]
    await promised(ledger, *plan)
    await forgotten(ledger, DUE + cut * 86_400)
    stays = {f"p{n}" for n, (day, over) in enumerate(days) if not over or day + 600 / 86_400 >= cut}
    assert set(keys(snapshot)) == stays
