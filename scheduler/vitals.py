"""How a house at work is doing at one moment, and whether it does its work: values for health and metrics.

What stands here is known without asking the ledger, so it may be looked at as often as anybody likes. It
names nobody. Who looks, and what is done about it, is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from jobs.model import Instant

TICKING_S = 60.0
"""The alarm ticks every 15 s, and is revived after 30 s of silence: older than this, it is dead."""

UNWRITABLE = "the ledger can't be written"


class Crewed(NamedTuple):
    """This process among the workers of one ledger: what it is called, whether it leads, how many others
    live, and whether the database doesn't answer."""

    name: str
    leads: bool
    others: int
    away: bool


class WorkerState(StrEnum):
    """What a worker does: it decides and carries out, it carries out, or its lease is over."""

    LEADS = "leads"
    WORKS = "works"
    GONE = "gone"


class Worker(NamedTuple):
    """One on the list of those who work on a ledger: its machine and process, since when it is there, when it
    gave its last sign of life, and how many steps it had in hand then."""

    name: str
    version: str
    state: WorkerState
    since: Instant
    seen_at: Instant
    in_hand: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """One moment of a house. Times that are over or that nobody knows are `None`.

    `tick_age_s` is measured on a clock that nobody sets; `None` where no alarm was started. `cap` is how
    many conversations there may be at once, `counted` of `rate` requests count now, `penalty_s` is how long
    every request still waits because the account turned one away, and `shut` whether it said that it is
    full. `clock_step_s` is how far the wall clock jumped and is not yet believed. `crew` is there where
    several processes work on one ledger.
    """

    at: Instant
    begun: bool
    stopping: bool
    writable: bool
    clock_held: bool
    clock_step_s: float
    tick_age_s: float | None
    ticks: int
    revived: int
    turns: int
    turned_at: Instant | None
    in_hand: int
    cap: int
    rate: int
    counted: int
    penalty_s: float
    shut: bool
    next_due: Instant | None
    crew: Crewed | None = None


class Outbox(NamedTuple):
    """Deliveries of one channel that are still open, and when the oldest of their conversations began."""

    waiting: int
    since: Instant


class Standing(NamedTuple):
    """What the ledger holds now, in numbers. `waiting` are promises that are open and not begun, `unknown`
    those of which nobody knows whether a conversation was made, `next_due` is the next of those that are
    written; `holds` are reasons with their beginnings, `outbox` is by channel. Of several processes on one
    ledger, `workers` are those on its list, and `jobs_waiting` steps that were decided and that none of them
    has taken yet, the oldest since `oldest_job_at`."""

    waiting: int
    held: int
    live: int
    unknown: int
    strays: int
    next_due: Instant | None
    holds: Mapping[str, Instant]
    outbox: Mapping[str, Outbox]
    workers: tuple[Worker, ...] = ()
    jobs_waiting: int = 0
    oldest_job_at: Instant | None = None

    def behind_s(self, now: Instant) -> float:
        """How long the oldest job that nobody has taken waits; 0.0 where there is none."""
        return 0.0 if self.oldest_job_at is None else max(0.0, now - self.oldest_job_at)


class Changed(NamedTuple):
    """How many promises come, go and move."""

    added: int
    removed: int
    moved: int

    def __str__(self) -> str:
        """`+3, -1, 2 moved`, without what there is none of; empty when nothing changes."""
        told = (("+", self.added, ""), ("-", self.removed, ""), ("", self.moved, " moved"))
        return ", ".join(f"{sign}{number:,}{word}" for sign, number, word in told if number)


class Changes(NamedTuple):
    """What another configuration does to the promises to come: of what is left of today, where each of them
    is, and of the whole days after it; `cut` when there are too many to be compared for all of these."""

    today: Changed
    later: Changed
    days: int
    cut: bool = False

    def together(self) -> Changed:
        """Today's and those after it."""
        return Changed(*map(sum, zip(self.today, self.later, strict=True)))

    def __str__(self) -> str:
        """`+3, -1, 2 moved today; +21 in the 7 days after`."""
        days = f"{'a part of ' if self.cut else ''}the {self.days} days after"
        told = [f"{self.today} today"] if any(self.today) else []
        told += [f"{self.later} in {days}"] if any(self.later) else []
        return "; ".join(told) or f"nothing changes today and in {days}"


class Reload(NamedTuple):
    """How the last reading of the configuration went, and when one last went well.

    `changes` and `warnings` are what the last good one changed, and what a person should know of it; `errors`
    are why the last one was refused, one line each with its place, none when it went well.
    """

    ok: bool
    at: Instant
    changes: Changes | None = None
    warnings: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


def unready(vitals: Vitals) -> Iterator[str]:
    """Why the house doesn't do its work now, in words for people; nothing when it does.

    A hold is no reason: what is promised waits, and a start would not help.
    """
    if vitals.stopping:
        yield "draining: it was told to stop"
    if vitals.clock_held:
        yield "the clock jumped, and is not believed yet"
    elif not vitals.begun and (vitals.crew is None or vitals.crew.leads):
        yield "starting: what was promised is not taken up yet"
    if vitals.crew is not None:
        yield from _uncrewed(vitals.crew)
    if not vitals.writable:
        yield UNWRITABLE
    if vitals.tick_age_s is None:
        yield "the alarm was not started"
    elif vitals.tick_age_s > TICKING_S:
        yield f"the alarm has not ticked for {vitals.tick_age_s:.0f} s"


def _uncrewed(crew: Crewed) -> Iterator[str]:
    if crew.away:
        yield "the database doesn't answer"
    elif not crew.leads and not crew.others:
        yield "no worker leads"
