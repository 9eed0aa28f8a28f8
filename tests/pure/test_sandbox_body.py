"""The strict reading of a create body, and of a fault as JSON: what each rule takes and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jobs.tavus import sandbox
from jobs.tavus.sandbox import Fault, Kind, ListOrder, Operation, When
from jobs.tavus.sandbox.answers import Refused
from jobs.tavus.sandbox.body import FIELDS, PROPERTIES, read_body
from jobs.tavus.sandbox.fault import SHAPES, as_json, read_faults
from jobs.tavus.sandbox.naming import resolve
from jobs.tavus.sandbox.stock import stock_personas, stock_replicas

S3 = {
    "provider": "s3",
    "bucket_name": "b",
    "bucket_region": "eu-north-1",
    "assume_role_arn": "arn",
    "external_id": "x",
}
GCS = {"provider": "gcs", "bucket_name": "b", "project_id": "p", "workload_identity_provider": "w"}
AZURE = {
    "provider": "azure_blob",
    "storage_account": "s",
    "container": "c",
    "tenant_id": "t",
    "client_id": "c",
}

GOOD = [
    *((name, "x") for name in ("persona_id", "replica_id", "pal_id", "face_id", "conversation_name")),
    *((name, "") for name in ("callback_url", "conversational_context", "custom_greeting", "meeting_url")),
    *((name, True) for name in ("enable_dynamic_greeting", "audio_only", "test_mode", "require_auth")),
    *((name, ["a", "b"]) for name in ("memory_stores", "participant_tags", "document_ids", "document_tags")),
    *(("document_retrieval_strategy", name) for name in ("speed", "quality", "balanced")),
    ("max_participants", 2),
    ("policy", "eu"),
    ("properties", {}),
]

BAD = [
    *(
        (name, value)
        for name in ("persona_id", "conversation_name", "callback_url")
        for value in (7, None, ["x"])
    ),
    *((name, value) for name in ("test_mode", "require_auth", "audio_only") for value in ("true", 1, None)),
    *((name, value) for name in ("memory_stores", "document_tags") for value in ("a", [1], {})),
    *(("document_retrieval_strategy", value) for value in ("fast", 1)),
    *(("max_participants", value) for value in (1, "2", 2.5, True)),
    ("policy", "us"),
    ("properties", []),
    ("conversation_title", "unknown key"),
    ("max_call_duration", 60),
]

GOOD_PROPERTIES = [
    ("max_call_duration", 1),
    *((name, 0) for name in ("participant_left_timeout", "participant_absent_timeout")),
    *(
        (name, False)
        for name in ("enable_recording", "enable_closed_captions", "apply_greenscreen", "require_auth")
    ),
    *(("language", name) for name in ("english", "multilingual", "Thai")),
    *(
        (name, "x")
        for name in ("recording_s3_bucket_name", "recording_s3_bucket_region", "aws_assume_role_arn")
    ),
    *(("recording_storage", storage) for storage in (S3, GCS, AZURE)),
]

BAD_PROPERTIES = [
    *(("max_call_duration", value) for value in (0, -1, "1800", 1800.0, True, None)),
    *((name, -1) for name in ("participant_left_timeout", "participant_absent_timeout")),
    ("enable_recording", "yes"),
    *(("language", code) for code in ("en", "en-US", "eng", 7)),
    *(
        ("recording_storage", value)
        for value in ({}, "s3", {**S3, "project_id": "p"}, {**GCS, "bucket_name": 1})
    ),
    ("recording_storage", {"provider": "ftp"}),
    ("max_call_durations", 60),
]


def refusal(raw: bytes) -> str:
    with pytest.raises(Refused) as caught:
        read_body(raw)
    assert caught.value.answer.status == 400
    return caught.value.answer.payload["error"]


def test_every_known_key_is_tried_here():
    assert {name for name, _ in GOOD} == set(FIELDS)
    assert {name for name, _ in GOOD_PROPERTIES} == set(PROPERTIES)


@pytest.mark.parametrize(("name", "value"), GOOD)
def test_takes(name, value):
    assert read_body(json.dumps({name: value}).encode()) == {name: value}


@pytest.mark.parametrize(("name", "value"), BAD)
def test_refuses(name, value):
    assert name in refusal(json.dumps({name: value}).encode())


@pytest.mark.parametrize(("name", "value"), GOOD_PROPERTIES)
def test_takes_a_property(name, value):
    read_body(json.dumps({"properties": {name: value}}).encode())


@pytest.mark.parametrize(("name", "value"), BAD_PROPERTIES)
def test_refuses_a_property(name, value):
    assert f"properties.{name}" in refusal(json.dumps({"properties": {name: value}}).encode())


@pytest.mark.parametrize("pair", [("persona_id", "pal_id"), ("replica_id", "face_id")])
def test_refuses_both_spellings_of_one_thing(pair):
    assert "not both" in refusal(json.dumps(dict.fromkeys(pair, "x")).encode())


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_refuses_what_is_no_json_object(raw):
    assert "Bad Request" in refusal(raw)


COACH, NATHAN = "pdced222244b", "rfe12d8b9597"


@pytest.mark.parametrize(
    ("body", "ids"),
    [
        ({"persona_id": COACH, "replica_id": NATHAN}, {"persona_id": COACH, "replica_id": NATHAN}),
        ({"pal_id": COACH, "face_id": NATHAN}, {"pal_id": COACH, "face_id": NATHAN}),
        ({"persona_id": COACH, "face_id": NATHAN}, {"persona_id": COACH, "face_id": NATHAN}),
        ({"persona_id": COACH}, {"persona_id": COACH, "replica_id": NATHAN}),
        ({"pal_id": COACH}, {"pal_id": COACH, "face_id": NATHAN}),
        ({"replica_id": NATHAN}, {"persona_id": None, "replica_id": NATHAN}),
        ({"face_id": NATHAN}, {"pal_id": None, "face_id": NATHAN}),
    ],
)
def test_ids_come_back_under_the_names_that_were_used(body, ids):
    assert resolve(body, stock_personas(), stock_replicas()) == ids


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({}, "replica_id"),
        ({"persona_id": "pcb7a34da5fe"}, "replica_id"),
        ({"persona_id": "unknown", "replica_id": NATHAN}, "persona_id"),
        ({"pal_id": "", "face_id": NATHAN}, "persona_id"),
        ({"persona_id": COACH, "replica_id": "unknown"}, "replica_id"),
        ({"replica_id": "r0training00"}, "replica_id"),
    ],
)
def test_unknown_missing_or_untrained_is_invalid(body, name):
    with pytest.raises(Refused) as caught:
        resolve(body, stock_personas(), stock_replicas())
    assert caught.value.answer.payload == {"error": f"Invalid {name}"}


# --- faults as JSON ----------------------------------------------------------------------------------------


def test_a_fault_reads_back_as_it_was_written():
    fault = Fault(
        kind=Kind.LIST_ORDER, operation=Operation.LIST, count=None, order=ListOrder.SHUFFLED, seed=4
    )
    assert read_faults(json.dumps(as_json(fault)).encode()) == [fault]


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_stands_by_itself(kind):
    [fault] = read_faults(json.dumps({"kind": kind}).encode())
    assert fault.strikes in SHAPES[kind].whens


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"{", "Invalid JSON"),
        (b"7", "fault"),
        (b"{}", "kind"),
        (b'{"kind": "fire"}', "kind"),
        (b'{"kind": "hang", "seconds": 3}', "doesn't read seconds"),
        (b'{"kind": "truncated", "when": "before"}', "can't strike before"),
        (b'{"kind": "list_lag", "operation": "create"}', "can't strike create"),
        (b'{"kind": "drop", "operation": "webhook"}', "can't strike webhook"),
        (b'{"kind": "drop", "count": 0}', "count"),
        (b'{"kind": "drop", "probability": 1.5}', "probability"),
        (b'{"kind": "status", "status": 99}', "status"),
        (b'{"kind": "drop", "often": true}', "often"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_with_a_reason(raw, said):
    with pytest.raises(ValueError, match=said):
        read_faults(raw)


def test_plain_words_do_as_well_as_the_enums():
    fault = Fault(kind="list_order", operation="list", when="after", order="oldest")  # type: ignore[arg-type]
    assert fault == Fault(kind=Kind.LIST_ORDER, operation=Operation.LIST, when=When.AFTER)


def test_faults_choose_their_operation():
    anything = Fault(kind=Kind.DROP)
    assert anything.applies_to(Operation.CREATE)
    assert not anything.applies_to(Operation.WEBHOOK)
    full = Fault(kind=Kind.FULL)
    assert full.applies_to(Operation.CREATE)
    assert not full.applies_to(Operation.LIST)
    assert Fault(kind=Kind.WEBHOOK_TWICE).applies_to(Operation.WEBHOOK)
    assert Fault(kind=Kind.SLOW, when=When.AFTER).strikes is When.AFTER


def test_the_readme_has_a_row_for_every_kind_with_its_parameters_and_moments():
    text = (Path(sandbox.__file__).parent / "README.md").read_text()
    rows = {row.split("|")[1].strip(): row for row in text.splitlines() if row.startswith("| `")}
    for kind, shape in SHAPES.items():
        row = rows[f"`{kind}`"]
        assert all(f"`{name}`" in row for name in shape.reads)
        if kind not in (Kind.WEBHOOK_TWICE, Kind.WEBHOOK_LATE, Kind.WEBHOOK_LOST):
            assert row.rstrip(" |").endswith(", ".join(shape.whens))
