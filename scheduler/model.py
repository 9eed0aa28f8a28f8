"""The ground floor of `scheduler`: schedules and their policies as values.

What a configuration means once it is read and checked: every duration in seconds, every default
filled in, every roster resolved to people. Nothing here reads YAML, computes an instant or knows the
ledger; everything here is frozen, so a configuration can be swapped whole (S7).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from typing import NamedTuple

from jobs.model import Address, ConversationRequest, Instant, Participant, Wording

PARTICIPANT_ZONE = "participant"
"""Written where a time zone stands: each person's own wall time (S3)."""


class Gap(StrEnum):
    """What a wall time that does not exist means (S2)."""

    SHIFT = "shift"
    FIRST_VALID = "first_valid"
    SKIP = "skip"


class Fold(StrEnum):
    """Which of two instants a wall time that exists twice means (S2)."""

    FIRST = "first"
    SECOND = "second"


class Overlap(StrEnum):
    """What happens when a person's earlier conversation still runs (S6)."""

    SKIP = "skip"
    ALLOW = "allow"


@dataclass(frozen=True, slots=True)
class Slot:
    """A local time of day; its name is part of the promise's identity (S1)."""

    name: str
    at: time


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Local dates on which nothing happens, both ends inclusive."""

    first: date
    last: date
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Days:
    """`{days: mon-fri, at: ...}`; weekdays count from Monday = 0."""

    weekdays: frozenset[int]
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class Cron:
    """`{cron: "0 9 * * mon-fri"}`; five fields, already checked (S10)."""

    minute: str
    hour: str
    day: str
    month: str
    day_of_week: str


@dataclass(frozen=True, slots=True)
class Every:
    """`{every: 15m}`: the instants epoch + n * interval + phase (S1); UTC, whatever the zone."""

    interval_s: int
    phase_s: int = 0


@dataclass(frozen=True, slots=True)
class On:
    """`{on: [...]}`: single local moments of the zone, naive by nature."""

    moments: tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class Monthly:
    """`{monthly: {day: 1 | last | first mon, at: ...}}`; `day` as APScheduler's day field reads it
    (`1`, `last`, `1st mon`, `last fri`)."""

    day: str
    slots: tuple[Slot, ...]


Form = Days | Cron | Every | On | Monthly


@dataclass(frozen=True, slots=True)
class When:
    """One form of a schedule's `when` with its bounds. `timezone` is an IANA name or `participant`;
    `first` and `last` are local dates, both inclusive."""

    form: Form
    timezone: str
    first: date | None = None
    last: date | None = None
    exclusions: tuple[Exclusion, ...] = ()
    gap: Gap = Gap.SHIFT
    fold: Fold = Fold.FIRST


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One YAML entry: when, who, which conversation, which policies.

    `fallback_zone` is the zone of a participant who has none of their own.
    Without participants there is one occurrence for each slot and date (S1).
    """

    name: str
    when: tuple[When, ...]
    participants: tuple[Participant, ...]
    request: ConversationRequest
    fallback_zone: str | None = None
    lead_s: int = 30
    start_window_s: int = 600
    spread_s: int = 0
    overlap: Overlap = Overlap.SKIP
    deliver: tuple[Address, ...] = (Address("log"),)
    """One for each channel; `mail` has no target here, since it has everybody's own."""
    wording: Wording = field(default_factory=Wording)
    enabled: bool = True

    def addresses(self, participant: Participant | None) -> tuple[Address, ...]:
        """Where this participant's link goes; nobody gets a mail who has no address."""
        own = Address("mail", (participant and participant.email) or "")
        told = (own if address.channel == "mail" else address for address in self.deliver)
        return tuple(address for address in told if address.channel != "mail" or address.target)


class Occurrence(NamedTuple):
    """One promise: (schedule, slot, local date, participant), and when it may be kept.

    A tuple, since a month may hold hundreds of thousands. `skip` is a reason when the promise will
    not be kept (disabled, date_absent, excluded); `note` marks what a person should see
    (`gap`, `fold`, `excluded` ...). `rank` is the place in the fair rotation of the roster (S18).
    Creation opens at `opens` and shuts at `shuts`, both inclusive (S4).
    """

    schedule: str
    slot: str
    date: str
    participant: str | None
    due: Instant
    opens: Instant
    shuts: Instant
    rank: int
    timezone: str
    skip: str | None = None
    note: str | None = None

    @property
    def key(self) -> str:
        """`schedule/slot/date/participant`, `-` for no participant (S1)."""
        return f"{self.schedule}/{self.slot}/{self.date}/{self.participant or '-'}"


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` requests in any window of `per_s` seconds (S17)."""

    count: int
    per_s: float


@dataclass(frozen=True, slots=True)
class SecretRef:
    """Where a secret is to be found: the name of an environment variable, or a file's path."""

    source: str
    """`env` or `file`."""
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The Tavus account, and how hard it may be driven."""

    base_url: str = "https://tavusapi.com"
    api_key: SecretRef = SecretRef("env", "TAVUS_API_KEY")
    ids: str = "persona"
    requests: Rate = Rate(60, 60.0)
    concurrent_conversations: int = 1
    reserve: int = 0
    max_call_duration_s: int = 3600


class Security(StrEnum):
    """How the connection to a mail server is protected; `none` only on loopback."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Smtp:
    """The mail server that takes our letters."""

    host: str
    port: int = 587
    security: Security = Security.STARTTLS
    username: str | None = None
    password: SecretRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """Letters: whom they are from, and where they are handed over.

    `sender` is a From header (`Practice <practice@example.com>`), checked. Either `smtp` is given or `sink`,
    an absolute path of a directory in which each letter is written as a file (for trying out).
    """

    sender: str
    smtp: Smtp | None = None
    sink: str | None = None
    connections: int = 4


class Listen(NamedTuple):
    """Where pages and metrics are served; `host` is a name or an IP address."""

    host: str
    port: int


class ReadAgain(StrEnum):
    """What makes a running house read its files again."""

    SIGNAL = "signal"
    """SIGHUP, or a person who asks for it."""
    WATCH = "watch"
    """These, and any change of what stands in the files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """This process. `ledger` is an absolute path or a database's URL; `heartbeat` is a URL, or where one is
    found; what has been over for `keep_s` is forgotten, or never."""

    ledger: str
    listen: Listen | None = None
    admin_token: SecretRef | None = None
    keep_s: int | None = None
    reload: ReadAgain = ReadAgain.SIGNAL
    heartbeat: SecretRef | str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """One whole configuration, checked; a reload swaps it for another or keeps it (S7)."""

    service: Service
    account: Account
    schedules: Mapping[str, Schedule]
    mail: Mail | None = None
    webhook_secrets: Mapping[str, SecretRef] = field(default_factory=dict)
    """By URL, the secret that signs what is posted there."""
    warnings: tuple[str, ...] = ()
