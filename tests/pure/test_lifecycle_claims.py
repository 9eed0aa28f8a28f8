"""What the outcome of a claim still means when another came meanwhile: truths stay, moves don't."""

from __future__ import annotations

import pytest

from jobs.errors import Reason
from scheduler.facts import Attempted, Failed, Faulted, Found, Stage, StepKind, StrayFound
from scheduler.lifecycle import apply, heard
from scheduler.record import Record
from tests.pure.lives import CREATED, LOG, LOST, T0, after, again, creating, lost

NO = Failed(StepKind.CREATE, Reason.BUSY, "not sent")


def claim_of(record: Record) -> float:
    assert record.attempted_at is not None
    return record.attempted_at


@pytest.mark.parametrize("fact", [CREATED, NO, Faulted("Oops in here:1")])
def test_the_outcome_of_the_claim_in_force_counts_as_it_is(fact: object) -> None:
    record = creating()
    assert heard(record, fact, claim_of(record)) is fact  # type: ignore[arg-type]


def test_an_answer_to_a_claim_that_was_given_up_is_still_the_answer() -> None:
    record = lost()
    assert heard(record, CREATED, claim_of(record)) is CREATED
    assert apply(record, CREATED, T0 + 9, (LOG,)).stage is Stage.LIVE


def test_a_conversation_whose_promise_waits_again_is_adopted() -> None:
    record = again()
    assert record.stage is Stage.PLANNED
    fact = heard(record, CREATED, claim_of(record))
    assert fact == Found(CREATED.conversation_id, CREATED.url, CREATED.created_at, active=True)
    assert fact is not None
    assert apply(record, fact, T0 + 60, (LOG,)).stage is Stage.LIVE


def test_a_conversation_of_an_older_claim_is_a_stray_of_the_newer_one() -> None:
    newer = after(again(), (50, Attempted(7)))
    fact = heard(newer, CREATED, T0)
    assert fact == StrayFound(CREATED.conversation_id)
    assert fact is not None
    moved = apply(newer, fact, T0 + 51)
    assert moved.stage is Stage.CREATING
    assert [stray.conversation_id for stray in moved.strays] == [CREATED.conversation_id]


def test_a_conversation_of_an_older_claim_that_a_look_has_adopted_is_not_ended() -> None:
    """The newer claim was turned away, and then the first one's conversation was seen after all."""
    found = Found(CREATED.conversation_id, CREATED.url, CREATED.created_at, active=True)
    adopted = after(again(), (50, Attempted(7)), (51, NO), (52, found))
    assert (adopted.stage, adopted.conversation_id) == (Stage.LIVE, CREATED.conversation_id)
    assert heard(adopted, CREATED, T0) is None


@pytest.mark.parametrize("fact", [NO, Faulted("Oops in here:1"), LOST])
def test_nothing_else_of_an_older_claim_moves_a_newer_one(fact: object) -> None:
    newer = after(again(), (50, Attempted(7)))
    assert heard(newer, fact, T0) is None  # type: ignore[arg-type]
