"""What an explanation is made of, and what it is made from. Values only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from jobs.model import Instant
from scheduler.desk import Asker, Pause
from scheduler.facts import Fact
from scheduler.model import Account, Occurrence, Schedule

Story = Sequence[tuple[Instant, Fact]]
"""The facts of one record with their times, in the order in which they were noted."""


class Part(StrEnum):
    """The links of the chain, in their order."""

    SCHEDULE = "schedule"
    ZONE = "zone"
    CALENDAR = "calendar"
    PAUSE = "pause"
    CAPACITY = "capacity"
    POST = "post"
    DELIVERY = "delivery"
    OUTCOME = "outcome"


class Verdict(StrEnum):
    """What a link does to the promise."""

    HOLDS = "holds"
    """Nothing in the way here."""
    DELAYS = "delays"
    """It took, or may take, longer than it should, or needed more than one try."""
    STOPS = "stops"
    """Because of this it came, or will come, to nothing."""
    OPEN = "open"
    """Not known yet."""


class Link(NamedTuple):
    """One link: a verdict, and why in a sentence. Times in it are those of the promise's own zone."""

    link: Part
    verdict: Verdict
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known beside the record: `schedules` as they are now (`None`: no configuration could be read),
    the account's limits, pauses that may matter, skips of what is not written yet (by key), the holds in
    force, when the ledger began, and up to when everything that opens has been written."""

    now: Instant
    schedules: Mapping[str, Schedule] | None = None
    account: Account | None = None
    pauses: Sequence[Pause] = ()
    skips: Mapping[str, Asker] = field(default_factory=dict)
    holds: Sequence[tuple[str, Instant]] = ()
    born: Instant | None = None
    promised_until: Instant | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The chain of one key; `occurrence` is what the configuration promises under it now, if it does."""

    key: str
    chain: tuple[Link, ...]
    occurrence: Occurrence | None

    @property
    def said(self) -> str:
        """What came of it, or will, in one sentence."""
        return self.chain[-1].words
