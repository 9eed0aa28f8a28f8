"""What is asked of Tavus: one `Call` for each endpoint (tavus-api, section 2).

The one place that knows paths, query words and the two spellings of ids. A body holds what was
written and nothing else: `None` is left out, and the three clocks are always there (S22). Here no
call is made, and nothing is checked that the configuration has checked already.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from urllib.parse import quote, urlencode

from jobs.errors import Reason, StepFailed
from jobs.model import ConversationRequest, Properties, Survey
from jobs.tavus.wire.fields import is_id

_CONVERSATIONS = "/v2/conversations"


class Ids(StrEnum):
    """Which of the API's two spellings is sent; exactly one, since both together give 400."""

    PERSONA = "persona"
    PAL = "pal"


_SPELLING: Mapping[Ids, Mapping[str, str]] = {
    Ids.PERSONA: {},
    Ids.PAL: {"persona_id": "pal_id", "replica_id": "face_id"},
}
_PERSONAS = {Ids.PERSONA: "personas", Ids.PAL: "pals"}
_REPLICAS = {Ids.PERSONA: "replicas", Ids.PAL: "faces"}


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request: `path` is quoted and carries its query, `body` is JSON (or there is none)."""

    method: str
    path: str
    body: bytes | None = field(default=None, repr=False)


def create(request: ConversationRequest, ids: Ids) -> Call:
    """Create a conversation; it starts, and bills, at once."""
    spelling = _SPELLING[ids]
    body = {spelling.get(name, name): value for name, value in _written(request).items()}
    return Call("POST", _CONVERSATIONS, json.dumps(body).encode())


def survey(step: Survey) -> Call:
    """One page of the account's list."""
    query = urlencode({"status": step.status, "page": step.page, "limit": step.limit})
    return Call("GET", f"{_CONVERSATIONS}?{query}")


def inspect(conversation_id: str) -> Call:
    """The state of one conversation, with its events."""
    return Call("GET", f"{_CONVERSATIONS}/{_segment(conversation_id)}?verbose=true")


def end(conversation_id: str) -> Call:
    """End one conversation."""
    return Call("POST", f"{_CONVERSATIONS}/{_segment(conversation_id)}/end")


def persona(persona_id: str, ids: Ids) -> Call:
    """Look one persona up."""
    return Call("GET", f"/v2/{_PERSONAS[ids]}/{_segment(persona_id)}")


def replica(replica_id: str, ids: Ids) -> Call:
    """Look one replica up."""
    return Call("GET", f"/v2/{_REPLICAS[ids]}/{_segment(replica_id)}")


def _segment(some_id: str) -> str:
    """An id as one segment of a path; what could leave its segment is refused without a request."""
    if not is_id(some_id):
        raise StepFailed(Reason.REFUSED, "not an id that can be asked for")
    return quote(some_id, safe="")


def _written(values: ConversationRequest | Properties) -> dict[str, object]:
    pairs = ((f.name, getattr(values, f.name)) for f in fields(values))
    return {name: _plain(value) for name, value in pairs if value is not None}


def _plain(value: object) -> object:
    match value:
        case Properties():
            return _written(value)
        case Mapping():
            return dict(value)
        case _:
            return value
