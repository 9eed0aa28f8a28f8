"""The ground floor of `jobs`: the values that pass its door.

Here stand the request's fields with their types (the configuration reads them to know what may be
written under `conversation`), participants and addresses, what a letter can tell, the steps that can
be asked for and the facts that come back. No behaviour, no input or output, no defaults that a policy
should own - but for the three clocks of a conversation, which are always sent (S22).

`Instant` is a moment as seconds since the epoch in UTC; a name that ends in `_s` is a length in
seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Literal
from urllib.parse import urlsplit

Instant = float
"""Seconds since 1970-01-01T00:00:00Z. Plain floats: a day may hold 100,000 of them."""

Seconds = Annotated[int, "seconds"]
"""A whole number of seconds, as the API wants it; in YAML a duration (`30m`)."""


@dataclass(frozen=True, slots=True)
class Participant:
    """One person of a roster. `timezone` is an IANA name; `None` falls back to the schedule's."""

    id: str
    name: str
    email: str | None = None
    timezone: str | None = None


POSTED = ("webhook", "slack")
"""The channels that post to a URL."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a join link can arrive: a channel (`log`, `mail`, `webhook`, `slack`), and the place within it.

    `target` is empty for the log, an e-mail address, or a URL - which is a secret: people are shown
    `place` (semantics, section 7).
    """

    channel: str
    target: str = field(default="", repr=False)

    @property
    def route(self) -> Address:
        """What deliveries share that fail together: the one mail server, or this URL."""
        return Address(self.channel) if self.channel == "mail" else self

    @property
    def place(self) -> str:
        """The target as people may see it: an e-mail address; of anything else the host, if it has one."""
        if self.channel == "mail":
            return self.target
        try:
            host = urlsplit(self.target).hostname or ""
        except ValueError:
            return ""
        return host if host.isprintable() else ""


@dataclass(frozen=True, slots=True)
class Wording:
    """A schedule's own words for its letters, as templates; `None` is our own."""

    subject: str | None = None
    text: str | None = None
    html: str | None = None


LETTER_NAMES = (
    "participant.id", "participant.name", "slot.name", "slot.date", "slot.day", "slot.time", "slot.zone",
    "schedule.name", "practice.name", "practice.length", "link.url", "link.until", "link.length",
)  # fmt: skip
"""All that a `Wording` can name; each is text. `slot.day` and `slot.time` are the person's own local day
and time in words, `slot.zone` their city and offset; the lengths are in words too (`30 minutes`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """Everything that a message with a join link can tell about one conversation.

    `id` is the same for every message of one attempt of one occurrence (S27), `timezone` the IANA zone in
    which the person is told the time, `practice` what will be practised, `not_after` when the link
    dies (S28), `max_call_s` for how long the call may last.
    """

    id: str
    key: str
    schedule: str
    slot: str
    date: str
    participant: Participant | None
    timezone: str
    due: Instant
    url: str = field(repr=False)
    created_at: Instant
    not_after: Instant
    max_call_s: int
    practice: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Properties:
    """`properties` of a create request (tavus-api, section 2). `None` is left out of the body.

    The three clocks are always sent, since the API's own defaults are silent and differ (S22).
    """

    max_call_duration: Seconds = 1800
    participant_left_timeout: Seconds = 60
    participant_absent_timeout: Seconds = 300
    enable_recording: bool | None = None
    enable_closed_captions: bool | None = None
    apply_greenscreen: bool | None = None
    language: str | None = None
    recording_s3_bucket_name: str | None = None
    recording_s3_bucket_region: str | None = None
    aws_assume_role_arn: str | None = None
    recording_storage: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationRequest:
    """The body of a create request, by the API's own names; `None` is left out of the body.

    As it stands in a schedule its strings are templates; as it stands in a `Create` they are
    rendered, and `conversation_name` ends in our mark (S12).
    """

    persona_id: str | None = None
    replica_id: str | None = None
    conversation_name: str | None = None
    callback_url: str | None = None
    conversational_context: str | None = None
    custom_greeting: str | None = None
    enable_dynamic_greeting: bool | None = None
    audio_only: bool | None = None
    memory_stores: tuple[str, ...] | None = None
    participant_tags: tuple[str, ...] | None = None
    document_ids: tuple[str, ...] | None = None
    document_tags: tuple[str, ...] | None = None
    document_retrieval_strategy: Literal["speed", "quality", "balanced"] | None = None
    test_mode: bool | None = None
    require_auth: bool | None = None
    max_participants: Annotated[int, "at least 2"] | None = None
    policy: Literal["eu"] | None = None
    meeting_url: str | None = None
    properties: Properties = field(default_factory=Properties)


# --- steps: what can be asked of the hands; each costs at most one request ----------------------


@dataclass(frozen=True, slots=True)
class Create:
    """Create the conversation of the occurrence `key`. Bills from the moment it is accepted."""

    key: str
    request: ConversationRequest


@dataclass(frozen=True, slots=True)
class Deliver:
    """Bring the join link to one address. `not_after` is when the link dies (S28).

    `message` are the bytes that were frozen when the conversation became known (S27): a whole mail,
    or the body of a post; the log needs none.
    """

    key: str
    participant: Participant | None
    address: Address
    url: str = field(repr=False)
    not_after: Instant
    message: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Inspect:
    """Ask for the state of one conversation."""

    conversation_id: str


@dataclass(frozen=True, slots=True)
class End:
    """End one conversation; only ever one of ours (S13)."""

    conversation_id: str


@dataclass(frozen=True, slots=True)
class Survey:
    """One page of the account's list of conversations; pages count from 1."""

    status: Literal["active", "ended"]
    page: int = 1
    limit: int = 100


Step = Create | Deliver | Inspect | End | Survey

Sent = Callable[[], None]
"""Called once, as a request's bytes go out: from then on it counts as sent (S17). Whoever gave the right to
send it may take that back by raising StepFailed: then nothing is sent, and that is what the call raises."""


# --- facts: what came of a step ------------------------------------------------------------------


class EndReason(StrEnum):
    """Why a conversation ended, as far as the API tells (tavus-api, section 3: by prefix)."""

    MAX_CALL_DURATION = "max_call_duration"
    LEFT = "left"
    ABSENT = "absent"
    BY_US = "by_us"
    STARTUP_FAULT = "startup_fault"
    ROOM_DELETED = "room_deleted"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Created:
    """A conversation exists. `url` is the join link (with its token, for a private room).

    `ended` is true when the answer already said so: `test_mode` makes a room that never runs.
    """

    conversation_id: str
    url: str = field(repr=False)
    created_at: Instant
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Delivered:
    """The link was handed over at this address."""

    address: Address


@dataclass(frozen=True, slots=True)
class StillLive:
    """The conversation is active."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The conversation is over; `at` when the API said when."""

    reason: EndReason
    at: Instant | None = None


@dataclass(frozen=True, slots=True)
class NotThere:
    """The API does not know this conversation id (400 `Invalid conversation_id`)."""


@dataclass(frozen=True, slots=True)
class NotEnded:
    """End was answered 400: it may be over already. The next Inspect tells."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One row of the account's list."""

    conversation_id: str
    name: str
    url: str = field(repr=False)
    active: bool
    created_at: Instant


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the list: its rows in the server's order, and how many there are in all.

    `answered_at` is when the server says that it answered, in whole seconds.
    """

    rows: tuple[Listed, ...]
    total: int | None
    answered_at: Instant | None = field(default=None, compare=False)


Outcome = Created | Delivered | StillLive | Ended | NotThere | NotEnded | Page
