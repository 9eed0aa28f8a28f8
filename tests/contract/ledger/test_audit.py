"""The conservation check: silent over what verbs wrote, and loud about each kind of planted damage."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jobs.errors import Reason
from jobs.model import Delivered, Ended, EndReason
from scheduler.facts import Failed, Found, SkipReason, StepKind, StrayFound
from scheduler.ledger import Ledger, Note
from scheduler.ledger.audit import Day, audit
from scheduler.ledger.snapshot import Snapshot
from tests.contract.ledger.world import (
    BIRTH,
    DUE,
    LINK,
    LOG,
    OPENS,
    claimed,
    created,
    occurrence,
    promised,
)

Raw = Callable[..., list[tuple[object, ...]]]
ANA, BEN, CAI, DEE = (f"coach/09:00/2026-03-04/{who}" for who in ("ana", "ben", "cai", "dee"))


@pytest.fixture
async def day(ledger: Ledger) -> Ledger:
    """ana is live with a stray, ben was adopted, cai's call is over, dee waits; one was skipped, one away."""
    await promised(ledger, *(occurrence(who, rank=n) for n, who in enumerate(("ana", "ben", "cai"))))
    await claimed(ledger, 3)
    await ledger.note(
        created(ANA),
        Note(ANA, StrayFound("c9"), DUE),
        Note(ANA, Delivered(LOG), DUE),
        Note(BEN, Failed(StepKind.CREATE, Reason.LOST, "reset"), OPENS + 1),
        Note(BEN, Found("c2", LINK, OPENS, True), OPENS + 5, (LOG,)),
        Note(BEN, Delivered(LOG), DUE),
        created(CAI),
        Note(CAI, Delivered(LOG), DUE),
        Note(CAI, Ended(EndReason.LEFT), DUE + 60),
    )
    await promised(ledger, occurrence("dee"), occurrence("eve", skip=SkipReason.DISABLED))
    await ledger.gap("coach", "2026-02-01", 23, BIRTH - 9e5, BIRTH)
    return ledger


def faults(snapshot: Callable[[], Snapshot]) -> list[str]:
    with snapshot() as seen:
        return audit(seen).faults


async def test_a_day_is_conserved(day: Ledger, snapshot: Callable[[], Snapshot]) -> None:
    with snapshot() as seen:
        found = audit(seen)
    assert found.faults == []
    assert found.days == [
        Day("coach", "2026-02-01", 1, {"missed": 1}),
        Day("coach", "2026-03-04", 5, {"live": 2, "ended": 1, "planned": 1, "skipped": 1}),
    ]
    assert all(each.conserved for each in found.days)


async def test_an_empty_ledger_is_clean(ledger: Ledger, snapshot: Callable[[], Snapshot]) -> None:
    assert faults(snapshot) == []


DAMAGE = {
    "a row is gone": (f"DELETE FROM records WHERE key = '{DEE}'", "5 promised, 4 accounted for"),
    "a row too many": ("UPDATE tallies SET promised = 4 WHERE date > '2026-03'", "4 promised, 5 accounted"),
    "facts without a row": (f"UPDATE facts SET key = 'x' WHERE key = '{CAI}'", "x: facts without a promise"),
    "no reason": (f"UPDATE records SET reason = NULL WHERE key = '{CAI}'", "without a known reason (None)"),
    "a made-up reason": (f"UPDATE records SET reason = 'bored' WHERE key = '{CAI}'", "known reason (bored)"),
    "another stage": (f"UPDATE records SET stage = 'failed', reason = 'fault' WHERE key = '{CAI}'", "stage"),
    "another attempt": (f"UPDATE records SET attempt = 2 WHERE key = '{ANA}'", "(differ: attempt)"),
    "nothing wakes it": (
        f"UPDATE records SET inspect_at = NULL WHERE key = '{BEN}'",
        "live, but nothing will ever wake it",
    ),
    "no conversation": (f"UPDATE records SET conversation_id = NULL WHERE key = '{ANA}'", "without a conv"),
    "a shared one": (f"UPDATE records SET conversation_id = 'c2' WHERE key = '{ANA}'", "belongs to"),
    "a delivery is gone": (f"DELETE FROM deliveries WHERE key = '{ANA}'", "(differ: deliveries)"),
    "a delivery undone": (
        f"UPDATE deliveries SET state = 'open' WHERE key = '{CAI}'",
        "its row says ended (differ: deliveries)",
    ),
    "a stray is gone": ("DELETE FROM strays", "(differ: strays)"),
    "a stray let be": ("UPDATE strays SET end_at = NULL", "(differ: strays)"),
    "a fact is gone": (f"DELETE FROM facts WHERE key = '{CAI}' AND kind = 'ended'", "add up to live"),
}


@pytest.mark.parametrize("what", DAMAGE)
async def test_damage_is_found(day: Ledger, snapshot: Callable[[], Snapshot], raw: Raw, what: str) -> None:
    statement, told = DAMAGE[what]
    raw(statement)
    found = faults(snapshot)
    assert any(told in fault for fault in found), found
    assert LINK not in repr(found)
