"""An answer read as a fact: one function for each endpoint (tavus-api, section 2).

Each returns a value of `jobs.model` (or, for the two look-ups, one that stands here) or raises
`StepFailed`: a success that can't be read is LOST, whatever was asked (S14), for a create since a
room may exist, for the rest since nothing was learned. What a fact leads to is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

from jobs.model import Created, Ended, EndReason, Instant, Listed, NotEnded, NotThere, Page, StillLive
from jobs.tavus.wire import fields
from jobs.tavus.wire.answer import Answer, content, failure, is_success, message, unreadable

_INVALID_ID = re.compile(r"invalid \w+_id\b", re.IGNORECASE)
_SHUTDOWN = "system.shutdown"
_BY_PREFIX = {
    "max_call_duration": EndReason.MAX_CALL_DURATION,
    "participant_left_timeout": EndReason.LEFT,
    "participant_absent_timeout": EndReason.ABSENT,
    "end_conversation_endpoint_hit": EndReason.BY_US,
    "daily_room_has_been_deleted": EndReason.ROOM_DELETED,
    "exception_encountered_during_conversation_startup": EndReason.STARTUP_FAULT,
}


@dataclass(frozen=True, slots=True)
class Persona:
    """A persona (PAL) that exists; `replica_id` is its default one, if it has one."""

    id: str
    name: str
    replica_id: str | None


@dataclass(frozen=True, slots=True)
class Replica:
    """A replica (face) that exists; it can be used when `status` is `completed`."""

    id: str
    name: str
    status: str


def created(answer: Answer, name: str | None = None) -> Created:
    """The conversation that a create made; a private room's token is part of its link.

    An answer that names another conversation than `name`, the one asked for, is somebody else's (a cache
    between us and the API gave it twice): it says nothing about ours.
    """
    body = _success(answer)
    if name and (body.get("conversation_name") or name) != name:
        raise unreadable(answer, "about another conversation")
    conversation_id, url = fields.opaque_id(body.get("conversation_id")), _join_link(body)
    if conversation_id is None or url is None:
        raise unreadable(answer, "without a usable id or link")
    at = _created_at(body, answer)
    return Created(conversation_id, url, at, ended=body.get("status") == "ended")


def page(answer: Answer) -> Page:
    """One page of the list, in the server's order.

    A row without an id spoils the page, since it might be one of ours; a row without a usable link
    keeps an empty one. Whatever is not `ended` counts as active.
    """
    body = _success(answer)
    rows = body.get("data")
    if not isinstance(rows, list):
        raise unreadable(answer, "without a list")
    listed = tuple(_listed(row, answer) for row in rows)
    return Page(listed, fields.count(body.get("total_count")), fields.http_date(answer.date))


def inspected(answer: Answer, conversation_id: str) -> StillLive | Ended | NotThere:
    """The state of the one conversation that was asked for."""
    if _is_invalid_id(answer):
        return NotThere()
    body = _success(answer)
    if body.get("conversation_id", conversation_id) != conversation_id:
        raise unreadable(answer, "about another conversation")
    match body.get("status"):
        case "active":
            return StillLive()
        case "ended":
            return Ended(_end_reason(body), _ended_at(body))
    raise unreadable(answer, "without a known status")


def ended(answer: Answer) -> Ended | NotEnded:
    """What came of an end. Its success has no documented body, so none is asked for."""
    if answer.status == 400:
        return NotEnded()
    if not is_success(answer):
        raise failure(answer)
    if answer.body is None:
        raise unreadable(answer, "broke off")
    return Ended(EndReason.BY_US)


def persona(answer: Answer, persona_id: str) -> Persona | NotThere:
    """The persona that was asked for, in either spelling, flat or wrapped in `data`."""
    if _is_invalid_id(answer):
        return NotThere()
    row = _looked_up(answer)
    name = row.get("persona_name") or row.get("pal_name")
    default = row.get("default_replica_id") or row.get("default_face_id")
    return Persona(persona_id, fields.line(name), fields.opaque_id(default))


def replica(answer: Answer, replica_id: str) -> Replica | NotThere:
    """The replica that was asked for, in either spelling, flat or wrapped in `data`."""
    if _is_invalid_id(answer):
        return NotThere()
    row = _looked_up(answer)
    name = row.get("replica_name") or row.get("face_name")
    return Replica(replica_id, fields.line(name), fields.line(row.get("status")))


def end_reason(said: object) -> EndReason | None:
    """A shutdown reason by its prefix (tavus-api, section 3); `None` when it is no known one."""
    word = "_".join(said.casefold().split()) if isinstance(said, str) else ""
    return next((reason for prefix, reason in _BY_PREFIX.items() if word.startswith(prefix)), None)


def _success(answer: Answer) -> Mapping[str, object]:
    if not is_success(answer):
        raise failure(answer)
    body = content(answer)
    if body is None:
        raise unreadable(answer, "without a readable JSON object")
    return body


def _is_invalid_id(answer: Answer) -> bool:
    """Unknown ids are 400, not 404, and told by their text."""
    return answer.status == 400 and _INVALID_ID.match(message(answer)) is not None


def _join_link(body: Mapping[str, object]) -> str | None:
    url, token = fields.link(body.get("conversation_url")), body.get("meeting_token")
    if url is None or token in (None, ""):
        return url
    word = fields.token(token)
    return None if word is None else _with_token(url, word)


def _with_token(url: str, token: str) -> str:
    parts = urlsplit(url)
    query = f"{parts.query}&t={quote(token, safe='')}" if parts.query else f"t={quote(token, safe='')}"
    return urlunsplit(parts._replace(query=query))


def _created_at(row: Mapping[str, object], answer: Answer) -> Instant:
    """A missing time must not cost a room that exists: the answer's own date is near enough."""
    at = fields.instant(row.get("created_at"))
    if at is None:
        at = fields.http_date(answer.date)
    if at is None:
        raise unreadable(answer, "without a time of creation")
    return at


def _listed(row: object, answer: Answer) -> Listed:
    row = row if isinstance(row, dict) else {}
    conversation_id = fields.opaque_id(row.get("conversation_id"))
    if conversation_id is None:
        raise unreadable(answer, "with a row that has no usable id")
    return Listed(
        conversation_id,
        name=fields.text(row.get("conversation_name")),
        url=fields.link(row.get("conversation_url")) or "",
        active=row.get("status") != "ended",
        created_at=_created_at(row, answer),
    )


def _looked_up(answer: Answer) -> Mapping[str, object]:
    body = _success(answer)
    wrapped = body.get("data")
    if isinstance(wrapped, list) and wrapped and isinstance(wrapped[0], dict):
        return wrapped[0]
    return body


def _events(body: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    events = body.get("events")
    for event in events if isinstance(events, list) else ():
        if isinstance(event, dict):
            yield event


def _end_reason(body: Mapping[str, object]) -> EndReason:
    known = (end_reason(said) for said in _said(body))
    return next((reason for reason in known if reason), EndReason.OTHER)


def _said(body: Mapping[str, object]) -> Iterator[object]:
    """The three places where a shutdown reason was seen (tavus-api, section 2)."""
    yield body.get("shutdown_reason")
    for event in _events(body):
        properties = event.get("properties")
        if isinstance(properties, dict):
            yield properties.get("shutdown_reason")
            yield properties.get("reason")


def _ended_at(body: Mapping[str, object]) -> Instant | None:
    times = (fields.instant(e.get("timestamp")) for e in _events(body) if e.get("event_type") == _SHUTDOWN)
    return next((at for at in times if at is not None), None)
