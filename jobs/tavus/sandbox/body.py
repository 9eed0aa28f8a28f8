"""The body of a create request, read strictly (tavus-api, section 2): every key known, every value of its
type, one spelling for one thing. Pure; it knows neither the plan nor which ids exist.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from jobs.tavus.sandbox.answers import Refused, refused


@dataclass(frozen=True, slots=True)
class Rule:
    """What a value has to be: `expected` in words, and the check."""

    expected: str
    fits: Callable[[Any], bool]


def _whole(least: int) -> Rule:
    return Rule(f"an integer of at least {least}", lambda value: type(value) is int and value >= least)


def _one_of(*names: str) -> Rule:
    return Rule(f"one of {', '.join(names)}", lambda value: isinstance(value, str) and value in names)


def _is_storage(value: Any) -> bool:
    """`recording_storage`: a provider, and texts under that provider's own keys only."""
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        return False
    keys = STORAGE_KEYS.get(value.get("provider", ""))
    return keys is not None and value.keys() - {"provider"} <= keys


STORAGE_KEYS = MappingProxyType(
    {
        "s3": frozenset({"bucket_name", "bucket_region", "assume_role_arn", "external_id"}),
        "gcs": frozenset(
            {"bucket_name", "project_id", "workload_identity_provider", "service_account_email"}
        ),
        "azure_blob": frozenset({"storage_account", "container", "tenant_id", "client_id"}),
    }
)

TEXT = Rule("a string", lambda value: isinstance(value, str))
FLAG = Rule("a boolean", lambda value: isinstance(value, bool))
TEXTS = Rule(
    "an array of strings", lambda value: isinstance(value, list) and all(isinstance(t, str) for t in value)
)
OBJECT = Rule("an object", lambda value: isinstance(value, dict))
LANGUAGE = Rule(  # "codes are said to be refused": en, en-US, eng
    "the full name of a language, or multilingual",
    lambda value: isinstance(value, str) and re.fullmatch(r"[A-Za-z][A-Za-z ()]{3,}", value) is not None,
)

FIELDS: Mapping[str, Rule] = MappingProxyType(
    {
        **dict.fromkeys(("persona_id", "pal_id", "replica_id", "face_id"), TEXT),
        **dict.fromkeys(("conversation_name", "callback_url", "conversational_context"), TEXT),
        **dict.fromkeys(("custom_greeting", "meeting_url"), TEXT),
        **dict.fromkeys(("enable_dynamic_greeting", "audio_only", "test_mode", "require_auth"), FLAG),
        **dict.fromkeys(("memory_stores", "participant_tags", "document_ids", "document_tags"), TEXTS),
        "document_retrieval_strategy": _one_of("speed", "quality", "balanced"),
        "max_participants": _whole(2),
        "policy": _one_of("eu"),
        "properties": OBJECT,
    }
)

PROPERTIES: Mapping[str, Rule] = MappingProxyType(
    {
        "max_call_duration": _whole(1),
        "participant_left_timeout": _whole(0),
        "participant_absent_timeout": _whole(0),
        **dict.fromkeys(
            ("enable_recording", "enable_closed_captions", "apply_greenscreen", "require_auth"), FLAG
        ),
        "language": LANGUAGE,
        **dict.fromkeys(
            ("recording_s3_bucket_name", "recording_s3_bucket_region", "aws_assume_role_arn"), TEXT
        ),
        "recording_storage": Rule("a provider (s3, gcs or azure_blob) with its own keys", _is_storage),
    }
)

TWINS = (("persona_id", "pal_id"), ("replica_id", "face_id"))


def read_body(raw: bytes) -> dict[str, Any]:
    """The body as it was sent, checked; raises `Refused` (400) with the first thing wrong."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise refused(400, error="Bad Request. The body is not JSON.") from None
    if not isinstance(body, dict):
        raise refused(400, error="Bad Request. The body is not an object.")
    _check(body, FIELDS, "")
    _check(body.get("properties", {}), PROPERTIES, "properties.")
    for older, newer in TWINS:
        if older in body and newer in body:
            raise refused(400, error=f"Bad Request. Provide either {older} or {newer}, not both.")
    return body


def _check(values: Mapping[str, Any], rules: Mapping[str, Rule], prefix: str) -> None:
    for name, value in values.items():
        rule = rules.get(name)
        if rule is None:
            raise _wrong(prefix + name, "Unknown field.")
        if not rule.fits(value):
            raise _wrong(prefix + name, f"Not {rule.expected}.")


def _wrong(name: str, fault: str) -> Refused:
    return refused(400, error=f"Bad Request. {name}: {fault}")
