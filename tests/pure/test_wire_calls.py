"""What is asked of Tavus: every field, both spellings, and paths that can't be left."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.errors import Reason, StepFailed
from jobs.model import ConversationRequest, Properties, Survey
from jobs.tavus.wire import Ids, calls

FULL = ConversationRequest(
    persona_id="pdced222244b",
    replica_id="rfe12d8b9597",
    conversation_name="Übung [cb-AAAAAAAAAAAAAAAA-1]",
    callback_url="https://example.com/hook",
    conversational_context="Hello",
    custom_greeting="Hi",
    enable_dynamic_greeting=True,
    audio_only=False,
    memory_stores=("ana",),
    participant_tags=("east",),
    document_ids=("d1", "d2"),
    document_tags=(),
    document_retrieval_strategy="speed",
    test_mode=True,
    require_auth=True,
    max_participants=2,
    policy="eu",
    meeting_url="https://meet.example.com/x",
    properties=Properties(
        enable_recording=True,
        enable_closed_captions=False,
        apply_greenscreen=True,
        language="english",
        recording_s3_bucket_name="b",
        recording_s3_bucket_region="r",
        aws_assume_role_arn="arn",
        recording_storage={"provider": "s3", "bucket_name": "b"},
    ),
)


def body(request: ConversationRequest, ids: Ids = Ids.PERSONA) -> dict[str, object]:
    sent = calls.create(request, ids).body
    assert sent is not None
    value = json.loads(sent)
    assert isinstance(value, dict)
    return value


def test_an_empty_request_still_sends_the_three_clocks() -> None:
    assert body(ConversationRequest()) == {
        "properties": {
            "max_call_duration": 1800,
            "participant_left_timeout": 60,
            "participant_absent_timeout": 300,
        }
    }


def test_every_field_goes_out_under_its_own_name_and_as_it_was_written() -> None:
    sent = body(FULL)
    assert set(sent) == {f.name for f in fields(FULL)}
    assert set(sent["properties"]) == {f.name for f in fields(FULL.properties)}  # type: ignore[call-overload]
    assert sent["document_ids"] == ["d1", "d2"]
    assert sent["document_tags"] == []
    assert sent["audio_only"] is False
    assert sent["conversation_name"] == FULL.conversation_name
    assert sent["properties"]["recording_storage"] == {"provider": "s3", "bucket_name": "b"}  # type: ignore[index]


def test_a_zero_is_written_and_no_default() -> None:
    sent = body(replace(FULL, properties=Properties(participant_left_timeout=0)))
    assert sent["properties"]["participant_left_timeout"] == 0  # type: ignore[index]


def test_exactly_one_spelling_is_sent() -> None:
    old, new = body(FULL), body(FULL, Ids.PAL)
    assert (new["pal_id"], new["face_id"]) == (old["persona_id"], old["replica_id"])
    assert not {"persona_id", "replica_id"} & set(new)
    assert not {"pal_id", "face_id"} & set(old)


def test_the_endpoints() -> None:
    asked = [
        calls.create(FULL, Ids.PERSONA),
        calls.survey(Survey("ended", page=3, limit=50)),
        calls.inspect("c1"),
        calls.end("c1"),
        calls.persona("p1", Ids.PERSONA),
        calls.persona("p1", Ids.PAL),
        calls.replica("r1", Ids.PERSONA),
        calls.replica("r1", Ids.PAL),
    ]
    assert [f"{call.method} {call.path}" for call in asked] == [
        "POST /v2/conversations",
        "GET /v2/conversations?status=ended&page=3&limit=50",
        "GET /v2/conversations/c1?verbose=true",
        "POST /v2/conversations/c1/end",
        "GET /v2/personas/p1",
        "GET /v2/pals/p1",
        "GET /v2/replicas/r1",
        "GET /v2/faces/r1",
    ]
    assert all(call.body is None for call in asked[1:])


@pytest.mark.parametrize("bad", ["", ".", "..", "a/b", "a b", "a\nb", "a\x00", "x" * 129, "\ud800"])
def test_what_is_no_id_is_refused_before_any_request(bad: str) -> None:
    with pytest.raises(StepFailed) as caught:
        calls.end(bad)
    assert caught.value.reason is Reason.REFUSED


@given(st.text(min_size=1, max_size=20))
def test_an_id_never_leaves_its_segment(some_id: str) -> None:
    try:
        path = calls.inspect(some_id).path
    except StepFailed:
        return
    segment = path.removeprefix("/v2/conversations/").removesuffix("?verbose=true")
    assert segment.isascii()
    assert not set(segment) & set("/?#& \\")
    assert segment not in (".", "..")
