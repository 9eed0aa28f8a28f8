"""Words between workers: whole on the other side, as many in one call as it may hold, and none longer."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from jobs.errors import Blame, Reason
from jobs.model import Address, Delivered
from scheduler.engine.shared.told import DETAIL_MAX, Word, done, fact_of, packed
from scheduler.facts import Fact, Failed, GaveUp, GiveUpReason, StepKind
from scheduler.ledger.shared.jobs import DELIVER, Job
from scheduler.ledger.shared.wire import CALL_BYTES

JOB = Job(7, DELIVER, "coach/09:00/2026-11-30/ana", "log", "", -1, 0.0, 0.0, "w")
HOOK = Address("webhook", "https://hooks.example/x")
FACTS: tuple[Fact | None, ...] = (
    None,
    Delivered(HOOK),
    GaveUp(HOOK, GiveUpReason.STALE),
    Failed(StepKind.DELIVER, Reason.DENIED, 'no "password" ✗', HOOK, 7.5, Blame.SETUP),
)


def test_what_became_of_a_delivery_arrives_whole() -> None:
    for fact in FACTS:
        (text,) = packed([done(JOB, fact)], CALL_BYTES)
        assert fact_of(json.loads(text)[0]) == fact


def test_a_long_text_is_cut_and_still_goes_into_one_call() -> None:
    fact = Failed(StepKind.DELIVER, Reason.LOST, "\N{PILE OF POO}" * 9_000, HOOK)
    (text,) = packed([done(JOB, fact)], CALL_BYTES)
    told = fact_of(json.loads(text)[0])
    assert isinstance(told, Failed)
    assert told.detail == fact.detail[:DETAIL_MAX]


words = st.lists(st.tuples(st.integers(), st.text(max_size=60)).map(list), max_size=50)


@given(words, st.integers(40, 300))
def test_calls_hold_all_words_in_their_order_and_no_call_is_too_long(said: list[Word], most: int) -> None:
    """But for words that fit into no call: they are lost, as any may be."""
    calls = list(packed(said, most))
    assert all(len(call.encode()) <= most for call in calls)
    heard = [word for call in calls for word in json.loads(call)]
    assert heard == [word for word in said if len(json.dumps([word])) <= most]
