"""The record: an occurrence and all that its facts add up to.

Values only; how a fact moves a record is `lifecycle`'s table, how long a wait is `policy`'s, and how
a record is stored is the ledger's. They are tuples: thousands of them move at 09:00.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from jobs.model import Address, Instant
from scheduler.facts import Stage


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    OPEN = "open"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


class Delivery(NamedTuple):
    """The link on its way to one address: a row of its own, with its own due time (S27, S28).

    `at` is when it arrived or was given up; while it is open, when it arrived before it was asked for again.
    """

    address: Address
    due: Instant
    not_after: Instant
    state: DeliveryState = DeliveryState.OPEN
    tries: int = 0
    at: Instant | None = None
    reason: str | None = None


class Stray(NamedTuple):
    """A conversation of ours to be ended; `end_at` is when it is tried next, `None` once it is over."""

    conversation_id: str
    end_at: Instant | None
    tries: int = 0


class Record(NamedTuple):
    """An occurrence and all that its facts add up to.

    The first block is what was promised, the second how far creation has come, the third the
    conversation. `starts_at` is when creation may be tried (again), `look_at` when a Survey is due
    for it, `inspect_at` and `end_at` when those steps are.
    """

    key: str
    schedule: str
    slot: str
    date: str
    participant: str | None
    due: Instant
    opens: Instant
    shuts: Instant
    max_call_s: int
    absent_s: int
    timezone: str = "UTC"
    private: bool = False

    stage: Stage = Stage.PLANNED
    reason: str | None = None
    starts_at: Instant = 0.0
    attempt: int = 1
    attempted_at: Instant | None = None
    attempt_ended_at: Instant | None = None
    generation: int | None = None
    mark: str = ""
    looks: int = 0
    look_at: Instant | None = None
    tries: int = 0
    faults: int = 0
    turned_away: str | None = None
    """Why the last create did not happen (`busy`, `full` ...); the reason, should the window shut."""

    conversation_id: str | None = None
    url: str | None = None
    created_at: Instant | None = None
    ended_at: Instant | None = None
    inspect_at: Instant | None = None
    inspected_at: Instant | None = None
    end_at: Instant | None = None
    end_asked_at: Instant | None = None
    """When a person asked for its end."""
    not_there: int = 0
    resends: int = 0
    """How often a person had its link handed over again: each time it is another message (S27)."""
    deliveries: tuple[Delivery, ...] = ()
    strays: tuple[Stray, ...] = ()

    @property
    def lateness_s(self) -> float | None:
        """How long after its due time the conversation was created; 0 when it was in time."""
        return None if self.created_at is None else max(0.0, self.created_at - self.due)

    @property
    def lasted_s(self) -> float | None:
        """How long the conversation ran; `None` while that is not known."""
        if self.created_at is None or self.ended_at is None:
            return None
        return self.ended_at - self.created_at


class Tally(NamedTuple):
    """How many promises of one slot stand in one stage; `due` is that of the first of them."""

    timezone: str
    date: str
    schedule: str
    slot: str
    stage: str
    due: Instant
    promises: int
