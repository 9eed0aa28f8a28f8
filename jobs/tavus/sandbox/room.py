"""One conversation as the server knows it, and the events of its life. Pure: no clock, no index.

The replica joins at once; recordings are never started, and a face is never analysed, so those events come
only when a test announces them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jobs.model import Instant
from jobs.tavus.sandbox.life import Ending, Life

TRANSCRIPT_AFTER_S = 2.0
"""How long after the end the transcript is ready; the description only says that it comes later."""

FIRST_WORD_AFTER_S = 10.0
"""Somebody who stays this long has said something: the transcript has a turn of the user's."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that is told by `?verbose=true` and by a webhook. Its name begins with its message type."""

    at: Instant
    event_type: str
    properties: Mapping[str, Any]


@dataclass(slots=True)
class Room:
    """A conversation ever made. `ended` is filled in when its ending has passed and somebody looked.

    `ids` are persona and replica under the names that the create request used. The link and the token
    are bearer secrets: they stay out of the repr.
    """

    conversation_id: str
    body: Mapping[str, Any] = field(repr=False)
    ids: Mapping[str, str | None]
    url: str = field(repr=False)
    life: Life
    token: str | None = field(default=None, repr=False)
    ended: Ending | None = None
    deleted_at: Instant | None = None
    announced: list[Event] = field(default_factory=list, repr=False)

    @property
    def created_at(self) -> Instant:
        """When it was made: billing and all timers start here."""
        return self.life.created_at

    @property
    def ended_at(self) -> Instant | None:
        """When it ended; None while it is active."""
        return None if self.ended is None else self.ended.at

    @property
    def shutdown_reason(self) -> str | None:
        """Why it ended, in the API's words; None while it is active, and for `test_mode`."""
        return None if self.ended is None else self.ended.reason

    @property
    def status(self) -> str:
        """`active` or `ended`."""
        return "active" if self.ended is None else "ended"

    @property
    def replica_id(self) -> str | None:
        """The replica in the room, whichever name the request gave the field."""
        return self.ids.get("replica_id") or self.ids.get("face_id")


def arrival(room: Room) -> tuple[Event, ...]:
    """The replica comes in: the event and its newer twin, both are sent. Never in test mode."""
    if room.life.test_mode:
        return ()
    who = {"replica_id": room.replica_id}
    kinds = ("system.replica_joined", "system.pal_joined")
    return tuple(Event(room.created_at, kind, who) for kind in kinds)


def departure(room: Room) -> tuple[Event, ...]:
    """What follows from the end: the shutdown, and a transcript when somebody had joined."""
    if room.ended is None or room.ended.reason is None:
        return ()
    why = {"replica_id": room.replica_id, "shutdown_reason": room.ended.reason}
    shutdown = Event(room.ended.at, "system.shutdown", why)
    joined_at = room.life.first_joined_at
    if joined_at is None:
        return (shutdown,)
    transcript = _transcript(room.body, joined_at, room.ended.at)
    ready_at = room.ended.at + TRANSCRIPT_AFTER_S
    return shutdown, Event(ready_at, "application.transcription_ready", {"transcript": transcript})


def events(room: Room, now: Instant) -> list[Event]:
    """All that has happened by `now`, oldest first."""
    known = [*arrival(room), *room.announced, *departure(room)]
    return sorted((event for event in known if event.at <= now), key=lambda event: event.at)


def meeting_token(secret: bytes, conversation_id: str, expires_at: Instant) -> str:
    """A JWT (HS256) that opens a private room."""
    parts = ({"alg": "HS256", "typ": "JWT"}, {"r": conversation_id, "exp": int(expires_at)})
    text = ".".join(_base64url(json.dumps(part).encode()) for part in parts)
    return f"{text}.{_base64url(hmac.digest(secret, text.encode(), hashlib.sha256))}"


def token_expires_at(life: Life) -> Instant:
    """When a private room's token stops letting people in: it lives as long as an empty room."""
    return life.created_at + life.timers.participant_absent_timeout_s


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _transcript(body: Mapping[str, Any], joined_at: Instant, ended_at: Instant) -> list[dict[str, Any]]:
    """The whole prompt as the system entry, a greeting, and a word from somebody who stayed for one."""
    greeting = body.get("custom_greeting", "Hello, shall we begin?")
    turns = [
        {"role": "system", "content": body.get("conversational_context", "")},
        {"role": "assistant", "content": greeting, "timestamp": joined_at, "seconds_from_start": 0.0},
    ]
    if ended_at - joined_at >= FIRST_WORD_AFTER_S:
        said_at = {"timestamp": joined_at + FIRST_WORD_AFTER_S, "seconds_from_start": FIRST_WORD_AFTER_S}
        turns.append({"role": "user", "content": "Yes, let us practise.", **said_at})
    return turns
