"""The keys of the YAML, as pydantic models over texts.

What may be written, key by key; what belongs together is `calendars`, `rosters` and `checks`. Nearly
nothing is required here, since `defaults` may bring it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Discriminator, Field, Tag

from scheduler.config.channels import Channel
from scheduler.config.conversation import Conversation
from scheduler.config.fields import (
    Age,
    AnyZone,
    BaseUrl,
    Boolean,
    CronText,
    Date,
    Duration,
    Email,
    HookUrl,
    Kind,
    Line,
    Listens,
    Moment,
    MonthDay,
    Name,
    OneOrMany,
    Requests,
    Secret,
    Strict,
    Text,
    Times,
    Weekdays,
    Zone,
    whole,
    words,
)
from scheduler.config.mailing import MailKeys, WordingKeys
from scheduler.config.scalars import Misread
from scheduler.databases import BadUrl, check_url
from scheduler.model import Fold, Gap, Overlap, ReadAgain, SecretRef

MOST_PEOPLE = 20_000
"""In one list; a larger roster stands in CSV."""


def _ledger(text: str) -> str:
    if not text.strip():
        raise Misread
    try:
        return check_url(text)
    except BadUrl as bad:
        raise Misread(bad.message, bad.hint) from None


def _version(text: str) -> str:
    if text != "1":
        raise Misread(
            f"version {text} is not in this version" if text.isdigit() else None, "write version: 1"
        )
    return text


Version = Annotated[str, Kind(_version, "1", {"enum": [1, "1"]})]
Ledger = Annotated[str, Kind(_ledger, "the path of a file, or a database's URL", {"type": "string"})]


ADMIN_TOKEN, HEARTBEAT = "CALLBOARD_ADMIN_TOKEN", "CALLBOARD_HEARTBEAT"
"""The variables that hints name."""


def _is_mapping(value: object) -> str:
    return "<mapping>" if isinstance(value, dict) else "<text>"


_Heartbeat = Annotated[
    Annotated[HookUrl, Tag("<text>")] | Annotated[SecretRef, Secret(HEARTBEAT), Tag("<mapping>")],
    Discriminator(_is_mapping),
]


class ServiceKeys(Strict):
    """This process. A change needs a restart."""

    not_yet = frozenset({"public_url"})
    hints: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("host", "port", "bind", "address"), "write listen: 127.0.0.1:8710"),
        **dict.fromkeys(("token", "password"), "write admin_token: {env: CALLBOARD_ADMIN_TOKEN}"),
    }
    ledger: Ledger | None = Field(
        default=None,
        description="The ledger: a file, relative to this one, or postgresql://user@host/database.",
    )
    listen: Listens | None = Field(
        default=None, description="Where the status page and the metrics are served; off when left out."
    )
    admin_token: Annotated[SecretRef, Secret(ADMIN_TOKEN)] | None = Field(
        default=None, description="Where the token is found that people sign in with; never the token itself."
    )
    keep: Age | None = Field(
        default=None, description="How long what is over stays in the ledger; for ever when left out."
    )
    heartbeat: _Heartbeat | None = Field(
        default=None, description="A URL that is asked for once a minute while promises are kept."
    )
    reload: Annotated[ReadAgain, words(tuple(ReadAgain))] | None = Field(
        default=None, description="When the files are read again: on SIGHUP (signal), or also by themselves."
    )


class AccountKeys(Strict):
    """The Tavus account, and how hard it may be driven."""

    not_yet = frozenset({"price_per_minute", "budget"})
    base_url: BaseUrl | None = Field(
        default=None, description="Where the API is; https only, but for loopback."
    )
    api_key: Annotated[SecretRef, Secret("TAVUS_API_KEY")] | None = Field(
        default=None, description="Where the key is found; never the key itself."
    )
    ids: Annotated[str, words(("persona", "pal"))] | None = Field(
        default=None, description="Which spelling of ids is sent."
    )
    requests: Requests | None = Field(
        default=None, description="At most so many requests: n/s, n/min or n/h."
    )
    concurrent_conversations: Annotated[int, whole(1)] | None = Field(
        default=None, description="How many conversations the plan allows at once."
    )
    reserve: Annotated[int, whole(0)] | None = Field(
        default=None, description="How many of them are left free for others."
    )
    max_call_duration: Duration | None = Field(
        default=None, description="The longest call that the plan allows."
    )


class PersonKeys(Strict):
    """One person of a roster."""

    id: Name = Field(description="Unique over all rosters; part of the promise's key.")
    name: Line
    email: Email | None = None
    timezone: Zone | None = Field(default=None, description="An IANA zone; the schedule's when left out.")


class RosterFileKeys(Strict):
    """A CSV file with the columns id, name, email, timezone."""

    file: Text = Field(description="Relative to this file.")


class RangeKeys(Strict):
    """Days without a slot, both ends inclusive."""

    first: Date = Field(alias="from")
    last: Date = Field(alias="until")
    name: Line | None = None


class MonthlyKeys(Strict):
    """A day of each month."""

    day: MonthDay = Field(description="1 to 31, last, or as in first mon.")
    at: Times


_Dates = Annotated[
    Annotated[Date, Tag("<text>")] | Annotated[RangeKeys, Tag("<mapping>")], Discriminator(_is_mapping)
]
_Who = Annotated[
    Annotated[Name, Tag("<text>")] | Annotated[PersonKeys, Tag("<mapping>")], Discriminator(_is_mapping)
]


class WhenKeys(Strict):
    """One form (days, cron, every, on or monthly) with its bounds."""

    not_yet = frozenset({"holidays"})
    days: Annotated[list[Weekdays], OneOrMany("mon-fri, daily or a list of weekdays")] | None = None
    at: Times | None = Field(default=None, description="The local times of day, of `days`.")
    cron: CronText | None = Field(default=None, description="Five fields; weekdays by name.")
    every: Duration | None = Field(default=None, description="An interval, counted from the epoch.")
    on: Annotated[list[Moment], OneOrMany("at least one local time")] | None = None
    monthly: MonthlyKeys | None = None
    timezone: AnyZone | None = Field(default=None, description="An IANA zone, or participant.")
    first: Date | None = Field(default=None, alias="from", description="The first local date.")
    last: Date | None = Field(default=None, alias="until", description="The last local date.")
    exclusions: Annotated[list[_Dates], OneOrMany("at least one date")] | None = Field(
        default=None, alias="except", description="Local dates, or {from, until, name}, without a slot."
    )
    gap: Annotated[Gap, words(tuple(Gap))] | None = Field(
        default=None, description="What a skipped wall time means."
    )
    fold: Annotated[Fold, words(tuple(Fold))] | None = Field(
        default=None, description="Which of two equal wall times."
    )


class ScheduleKeys(Strict):
    """When, who, which conversation, which policies."""

    when: Annotated[list[WhenKeys], OneOrMany("at least one form")] | None = None
    timezone: AnyZone | None = Field(
        default=None, description="An IANA zone, or participant: each person's own."
    )
    participants: Annotated[list[_Who], OneOrMany("at least one roster or person", MOST_PEOPLE)] | None = (
        Field(
            default=None, description="Rosters, or people inline; left out: one conversation for each slot."
        )
    )
    conversation: Conversation | None = Field(
        default=None, description="The request, in the API's own words."
    )
    open: Annotated[str, words(("at_slot",), ("on_join",), "write at_slot")] | None = None
    lead: Duration | None = Field(default=None, description="Create this long before the slot.")
    start_window: Duration | None = Field(default=None, description="How late it may still be created.")
    overlap: Annotated[Overlap, words(tuple(Overlap))] | None = Field(
        default=None, description="When a person's earlier conversation still runs."
    )
    spread: Duration | None = Field(default=None, description="Spread the starts over this long.")
    deliver: Annotated[list[Channel], OneOrMany("at least one channel")] | None = Field(
        default=None, description="How the join link reaches a person."
    )
    mail: WordingKeys | None = Field(default=None, description="The letters' words, in place of ours.")
    enabled: Boolean | None = Field(default=None, description="false: its occurrences are skipped.")


def _is_file(value: object) -> str:
    return "<file>" if isinstance(value, dict) else "<people>"


RosterKeys = Annotated[
    Annotated[RosterFileKeys, Tag("<file>")]
    | Annotated[list[PersonKeys], OneOrMany("at least one person", MOST_PEOPLE), Tag("<people>")],
    Discriminator(_is_file),
]


class FileKeys(Strict):
    """One file; what it may hold at its top."""

    version: Version
    service: ServiceKeys | None = None
    account: AccountKeys | None = None
    mail: MailKeys | None = None
    rosters: dict[Name, RosterKeys] | None = Field(default=None, description="Who takes part.")
    defaults: ScheduleKeys | None = Field(default=None, description="For every schedule; its own words win.")
    schedules: dict[Name, ScheduleKeys] | None = None
