"""The words of an occurrence's life: stages, reasons, and the facts that add up.

Values only; what they add up to is `record`, how a fact moves a record is `lifecycle`'s table. Facts that
come from the hands (`Created`, `Delivered`,
`StillLive`, `Ended`, `NotThere`, `NotEnded`) are those of `jobs.model`, as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import get_args

from jobs.errors import Blame, Reason
from jobs.model import Address, Created, Delivered, Ended, Instant, NotEnded, NotThere, StillLive


class Stage(StrEnum):
    """Where an occurrence stands. The last five are terminal."""

    PLANNED = "planned"
    CREATING = "creating"
    LIVE = "live"
    ENDED = "ended"
    SKIPPED = "skipped"
    MISSED = "missed"
    CANCELLED = "cancelled"
    FAILED = "failed"


class SkipReason(StrEnum):
    """Why a promise was not kept on purpose."""

    DISABLED = "disabled"
    PAUSED = "paused"
    OVERLAP = "overlap"
    DATE_ABSENT = "date_absent"
    EXCLUDED = "excluded"
    BUDGET = "budget"


class MissReason(StrEnum):
    """Why a promise's start window shut without a conversation."""

    LATE = "late"
    NO_CAPACITY = "no_capacity"
    BUSY = "busy"
    DENIED = "denied"
    SPENT = "spent"
    CLOCK_HELD = "clock_held"
    GAP = "gap"


class CancelReason(StrEnum):
    """Why a promise was taken back."""

    REMOVED = "removed"
    BY_PERSON = "by_person"


class FailReason(StrEnum):
    """Why a promise could not be kept."""

    REFUSED = "refused"
    UNKNOWN_OUTCOME = "unknown_outcome"
    FAULT = "fault"


class EndedReason(StrEnum):
    """Why a conversation is over: what the API told (`jobs.model.EndReason`), and what we know better."""

    MAX_CALL_DURATION = "max_call_duration"
    LEFT = "left"
    ABSENT = "absent"
    BY_US = "by_us"
    UNDELIVERED = "undelivered"
    UNSEEN = "unseen"
    STARTUP_FAULT = "startup_fault"
    ROOM_DELETED = "room_deleted"
    TEST_MODE = "test_mode"
    GONE = "gone"
    OTHER = "other"


REASONS: Mapping[Stage, frozenset[str]] = {
    Stage.ENDED: frozenset(EndedReason),
    Stage.SKIPPED: frozenset(SkipReason),
    Stage.MISSED: frozenset(MissReason),
    Stage.CANCELLED: frozenset(CancelReason),
    Stage.FAILED: frozenset(FailReason),
}
"""The terminal stages, each with its closed set of reasons (S15)."""


class StepKind(StrEnum):
    """The steps of an occurrence, as the ledger and the log name them."""

    CREATE = "create"
    DELIVER = "deliver"
    INSPECT = "inspect"
    END = "end"


class GiveUpReason(StrEnum):
    """Why a delivery was given up."""

    STALE = "stale"
    """The next try would come when the link is dead (S28)."""
    ENDED = "ended"
    """The conversation was over before it could be told of."""
    REFUSED = "refused"
    """It will never be taken, or no message could be written for it (S29)."""
    EXHAUSTED = "exhausted"
    """Every try that its channel allows has failed."""


class Ask(StrEnum):
    """What a person may ask of one promise."""

    SKIP = "skip"
    END = "end"
    RESEND = "resend"
    RETRY = "retry"
    MAKE_UP = "make_up"


# --- facts that the scheduler itself knows --------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Attempted:
    """Claimed: a POST may be on the wire from now on; terms as of this generation (S7, S11)."""

    generation: int


@dataclass(frozen=True, slots=True)
class Found:
    """A Survey saw a conversation with this occurrence's mark; `url` is its join link, never empty
    where it is adopted (the ledger's story leaves links out)."""

    conversation_id: str
    url: str
    created_at: Instant
    active: bool


@dataclass(frozen=True, slots=True)
class NothingThere:
    """A Survey begun at `since` saw no conversation of this occurrence that could be adopted."""

    since: Instant


@dataclass(frozen=True, slots=True)
class Unlisted:
    """The Survey could not be read to its end: what became of the attempt will never be known."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A step failed; `address` names the delivery when the step was Deliver, `retry_after_s` is the other
    side's wish and `blame` who can put it right, if that is known."""

    step: StepKind
    reason: Reason
    detail: str
    address: Address | None = None
    retry_after_s: float | None = None
    blame: Blame | None = None


@dataclass(frozen=True, slots=True)
class GaveUp:
    """A delivery will not be tried again."""

    address: Address
    reason: GiveUpReason


@dataclass(frozen=True, slots=True)
class Doubted:
    """Somebody has a reason to ask whether the conversation still runs (S6, S12)."""

    by: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """Not kept, on purpose."""

    reason: SkipReason


@dataclass(frozen=True, slots=True)
class Missed:
    """The start window shut."""

    reason: MissReason


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Taken back."""

    reason: CancelReason


@dataclass(frozen=True, slots=True)
class Asked:
    """A person wants this, and said why or didn't; `channel` narrows a resend, `other` is the key at the
    other end of a make-up."""

    ask: Ask
    by: str
    why: str | None = None
    channel: str | None = None
    other: str | None = None


@dataclass(frozen=True, slots=True)
class StrayFound:
    """A conversation of ours that this record does not want."""

    conversation_id: str


@dataclass(frozen=True, slots=True)
class StrayEnded:
    """A stray is over."""

    conversation_id: str


@dataclass(frozen=True, slots=True)
class StrayKept:
    """A stray could not be ended yet."""

    conversation_id: str
    detail: str


@dataclass(frozen=True, slots=True)
class Faulted:
    """An unexpected exception at the fence; `detail` is its type and place, never its text. `address` names
    the delivery that it struck, if it was one."""

    detail: str
    address: Address | None = None


Fact = (
    Attempted | Created | Found | NothingThere | Unlisted | Failed | Delivered | GaveUp | StillLive
    | Doubted | Ended | NotThere | NotEnded | Skipped | Missed | Cancelled | Asked | StrayFound
    | StrayEnded | StrayKept | Faulted
)  # fmt: skip

KINDS: Mapping[str, type] = {
    "".join(f"_{c.lower()}" if c.isupper() else c for c in kind.__name__).lstrip("_"): kind
    for kind in get_args(Fact)
}
"""Every kind of fact by its name in the ledger and the log: `nothing_there` for NothingThere."""

NAMES: Mapping[type, str] = {kind: name for name, kind in KINDS.items()}
