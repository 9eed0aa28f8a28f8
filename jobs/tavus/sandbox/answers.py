"""What the API says: the JSON of its answers and webhooks, and the bodies of its errors as documented
(tavus-api, sections 1-3). Pure, and without an opinion on when which answer is given.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from jobs.model import Instant
from jobs.tavus.sandbox.life import TIMERS
from jobs.tavus.sandbox.plan import Dialect, ReasonAt
from jobs.tavus.sandbox.room import Event, Room, events
from jobs.tavus.sandbox.stock import Persona, Replica

NO_KEY = "Invalid access token"
NO_CREDITS = "The user is out of conversational credits"
NO_SLOT = "User has reached maximum concurrent conversations"


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and the JSON under it; `payload` None means no body at all."""

    status: int
    payload: Any


class Refused(Exception):
    """A request that is answered with an error."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.answer = answer


def refused(status: int, **said: str) -> Refused:
    """An error under `message` or `error`, whichever the description has for it."""
    return Refused(Answer(status, said))


def iso(at: Instant, dialect: Dialect) -> str:
    """ISO 8601 in UTC with `Z`, with or without microseconds."""
    text = datetime.fromtimestamp(at, UTC).isoformat(
        timespec="microseconds" if dialect.fractions else "seconds"
    )
    return text.removesuffix("+00:00") + "Z"


def created(room: Room, dialect: Dialect) -> dict[str, Any]:
    """The answer to a create. Only here does a private room's token appear."""
    answer = {
        "conversation_id": room.conversation_id,
        "conversation_name": room.body.get("conversation_name", ""),
        "conversation_url": room.url,
        "status": room.status,
        "callback_url": room.body.get("callback_url", ""),
        "created_at": iso(room.created_at, dialect),
    }
    return answer if room.token is None else {**answer, "meeting_token": room.token}


def row(room: Room, dialect: Dialect) -> dict[str, Any]:
    """A conversation as the list and a plain GET show it."""
    changed_at = room.created_at if room.ended is None else room.ended.at
    answer = {**created(room, dialect), **room.ids, "updated_at": iso(changed_at, dialect)}
    answer.pop("meeting_token", None)
    return answer


def verbose(room: Room, now: Instant, dialect: Dialect) -> dict[str, Any]:
    """A conversation with its events, and the shutdown reason in the place that the dialect says."""
    told = [_told(event, dialect) for event in events(room, now)]
    answer = {**row(room, dialect), "events": told}
    if dialect.reason_at == ReasonAt.TOP:
        answer["shutdown_reason"] = spoken(room.shutdown_reason, dialect)
    return answer


def spoken(reason: str | None, dialect: Dialect) -> str | None:
    """A reason as it is told: a timer's may be followed by " reached"."""
    return f"{reason}{dialect.reason_suffix}" if reason in TIMERS else reason


def page(rows: Iterable[Room], total: int, dialect: Dialect) -> dict[str, Any]:
    """One page of the list."""
    return {"data": [row(room, dialect) for room in rows], "total_count": total}


def persona(persona_id: str, known: Persona, dialect: Dialect) -> dict[str, Any]:
    """A persona under both of its names."""
    names = {
        "persona_id": persona_id,
        "pal_id": persona_id,
        "persona_name": known.name,
        "pal_name": known.name,
    }
    return _wrapped({**names, "default_replica_id": known.default_replica_id}, dialect)


def replica(replica_id: str, known: Replica, dialect: Dialect) -> dict[str, Any]:
    """A replica under both of its names; `status` is `completed` when it is usable."""
    names = {
        "replica_id": replica_id,
        "face_id": replica_id,
        "replica_name": known.name,
        "face_name": known.name,
    }
    return _wrapped({**names, "status": known.status}, dialect)


def webhook(room: Room, event: Event, dialect: Dialect) -> dict[str, Any]:
    """The envelope of one webhook. It carries no signature."""
    kind = event.event_type.partition(".")[0]
    return {
        **_stamped(event, dialect),
        "conversation_id": room.conversation_id,
        "message_type": kind,
        "properties": _respoken(event, "shutdown_reason", dialect),
        "webhook_url": room.body.get("callback_url", ""),
    }


def _told(event: Event, dialect: Dialect) -> dict[str, Any]:
    place = None if dialect.reason_at == ReasonAt.TOP else dialect.reason_at.value
    return {**_stamped(event, dialect), "properties": _respoken(event, place, dialect)}


def _stamped(event: Event, dialect: Dialect) -> dict[str, Any]:
    return {"event_type": event.event_type, "timestamp": iso(event.at, dialect)}


def _respoken(event: Event, place: str | None, dialect: Dialect) -> dict[str, Any]:
    """An event's properties with the shutdown reason under the key `place`, or left out."""
    told = dict(event.properties)
    reason = told.pop("shutdown_reason", None)
    return told if reason is None or place is None else {**told, place: spoken(reason, dialect)}


def _wrapped(answer: dict[str, Any], dialect: Dialect) -> dict[str, Any]:
    return {"data": [answer]} if dialect.wrapped else answer
