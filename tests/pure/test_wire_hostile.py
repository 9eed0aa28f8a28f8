"""Any answer at all: the readers of `wire` return a fact or raise StepFailed, and nothing else."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.errors import Reason, StepFailed
from jobs.tavus.wire import Answer, facts, fields

DATE = "Sun, 22 Nov 2026 09:00:00 GMT"
ROOM = {
    "conversation_id": "c1",
    "conversation_name": "Practice",
    "conversation_url": "https://tavus.daily.co/c1",
    "status": "active",
    "created_at": "2026-11-22T09:00:00Z",
}
KEYS = st.sampled_from(
    [*ROOM, "data", "events", "properties", "event_type", "timestamp", "shutdown_reason", "meeting_token"]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([*ROOM.values(), "ended"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=8),
    max_leaves=20,
)
ANSWERS = st.builds(
    Answer,
    status=st.sampled_from([200, 204, 302, 400, 401, 429, 500]),
    body=st.none() | st.binary() | VALUES.map(lambda value: json.dumps(value).encode()),
    date=st.none() | st.just(DATE) | st.text(),
    retry_after=st.none() | st.text(),
)


@settings(max_examples=300)
@given(ANSWERS)
def test_no_answer_raises_anything_but_step_failed(answer: Answer) -> None:
    reads = (
        lambda: facts.created(answer),
        lambda: facts.page(answer),
        lambda: facts.inspected(answer, "c1"),
        lambda: facts.ended(answer),
        lambda: facts.persona(answer, "p1"),
        lambda: facts.replica(answer, "r1"),
    )
    for read in reads:
        try:
            read()
        except StepFailed as failed:
            assert failed.detail.isprintable()
            assert answer.status != 200 or failed.reason is Reason.LOST


@given(VALUES)
def test_what_a_create_lets_through_is_fit_for_use(body: object) -> None:
    try:
        made = facts.created(Answer(200, json.dumps(body).encode(), DATE))
    except StepFailed:
        return
    assert fields.is_id(made.conversation_id)
    assert fields.link(made.url) == made.url
    assert made.created_at >= 0
