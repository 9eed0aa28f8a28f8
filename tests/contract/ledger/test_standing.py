"""What the ledger holds, in numbers: each of them is what its records say, and costs what is open."""

from __future__ import annotations

from collections.abc import Callable

from jobs.errors import Reason
from jobs.model import Delivered, Ended, EndReason
from scheduler.facts import Failed, StepKind, StrayFound
from scheduler.ledger import Ledger, Note
from scheduler.ledger.snapshot import Snapshot
from scheduler.ledger.standing import standing as measured
from scheduler.vitals import Outbox, Standing, WorkerState
from tests.contract.ledger.world import (
    DUE,
    HOOK,
    LOG,
    claimed,
    created,
    made_live,
    occurrence,
    only_sqlite,
    promised,
)

Open = Callable[[], Snapshot]
NOTHING = Standing(0, 0, 0, 0, 0, None, {}, {})


def standing(snapshot: Open, now: float = DUE) -> Standing:
    with snapshot() as seen:
        return seen.standing(now)


async def test_an_empty_ledger_is_all_noughts(ledger: Ledger, snapshot: Open) -> None:
    assert standing(snapshot) == NOTHING


async def test_promises_on_their_way(ledger: Ledger, snapshot: Open) -> None:
    later = occurrence("eve", due=DUE + 3600, slot="10:00")
    await promised(ledger, *(occurrence(who) for who in ("ana", "ben", "cid")), later)
    ana, ben = await claimed(ledger, 2)
    found = standing(snapshot)
    assert (found.waiting, found.held, found.live, found.next_due) == (1, 2, 0, DUE + 3600)
    await ledger.note(created(ana, to=(LOG, HOOK)), created(ben, at=DUE - 5, to=(HOOK,)))
    found = standing(snapshot)
    assert (found.held, found.live) == (2, 2)
    assert found.outbox == {"log": Outbox(1, DUE), "webhook": Outbox(2, DUE - 5)}
    await ledger.note(Note(ana, Delivered(HOOK), DUE + 1), Note(ben, Delivered(HOOK), DUE + 2))
    assert standing(snapshot).outbox == {"log": Outbox(1, DUE)}
    with snapshot() as seen:
        assert seen.delivered() == {"coach": DUE + 2}


async def test_loose_ends_and_holds(ledger: Ledger, snapshot: Open) -> None:
    ana, ben = await made_live(ledger, "ana", "ben")
    await promised(ledger, occurrence("cid"))
    (cid,) = await claimed(ledger, 1)
    lost = Failed(StepKind.CREATE, Reason.LOST, "no answer")
    await ledger.note(Note(cid, lost, DUE), Note(ana, StrayFound("c9"), DUE))
    await ledger.note(Note(ben, Ended(EndReason.LEFT), DUE + 60))
    await ledger.hold(Reason.SPENT, DUE)
    found = standing(snapshot, DUE + 60)
    assert (found.unknown, found.strays, found.live, found.held) == (1, 1, 1, 3)
    assert found.holds == {"spent": DUE}


async def test_who_works_who_leads_and_what_waits(
    ledger: Ledger, snapshot: Open, raw: Callable[..., list[tuple[object, ...]]]
) -> None:
    """Workers have leases of 5 s, by the database's clock; a lead that nobody renews is nobody's."""
    for worker, until in (("one", DUE + 4), ("two", DUE + 3), ("three", DUE - 1)):
        row = (worker, f"{worker}:1", "1.0", DUE - 60, until, 2)
        raw("INSERT INTO workers VALUES (?, ?, ?, ?, ?, ?)", *row)
    raw("UPDATE lead SET worker = 'two', until = ?", DUE + 3)
    put = "INSERT INTO jobs (kind, key, channel, target, lane, granted_at, not_after, worker) VALUES"
    for key, granted_at, worker in (("a", DUE - 2, None), ("b", DUE - 1, None), ("c", DUE - 9, "one")):
        raw(f"{put} ('ask', ?, '', '', 0, ?, ?, ?)", key, granted_at, DUE + 9, worker)
    found = standing(snapshot)
    states = [(each.name, str(each.state)) for each in found.workers]
    assert states == [("two:1", "leads"), ("one:1", "works"), ("three:1", "gone")]
    assert found.workers[1] == ("one:1", "1.0", WorkerState.WORKS, DUE - 60, DUE - 1, 2)
    assert (found.jobs_waiting, found.oldest_job_at, found.behind_s(DUE)) == (2, DUE - 2, 2.0)
    states = [(each.name, str(each.state)) for each in standing(snapshot, DUE + 3.5).workers]
    assert sorted(states) == [("one:1", "works"), ("three:1", "gone"), ("two:1", "gone")]


@only_sqlite
async def test_no_number_reads_all_that_is_over(ledger: Ledger, snapshot: Open) -> None:
    """Whatever is asked at each look has an index of its own."""
    with snapshot() as seen:
        driver, plans = seen._driver, list[str]()
        fetch = driver.fetch

        class Explained:
            def fetch(self, sql: str, params: object = ()) -> list[object]:
                plans.extend(row[-1] for row in fetch(f"EXPLAIN QUERY PLAN {sql}", params))
                return fetch(sql, params)

        measured(Explained(), DUE)  # type: ignore[arg-type]
    scans = [plan for plan in plans if plan.startswith("SCAN") and "INDEX" not in plan]
    assert {scan.split()[1] for scan in scans} <= {"CONSTANT", "holds", "w"}, scans
