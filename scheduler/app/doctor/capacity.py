"""Do the plan's caps let every promise be kept, in the worst case that everybody stays to the end?

Plays the coming creations through as many places and requests as there are: each goes when it opens, a
place is free and the rate allows, or misses when its window has shut by then. Pure arithmetic; no-shows,
early leavers and colleagues who use the account are not foreseen here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from heapq import heappop, heappush
from typing import NamedTuple

from jobs.model import Instant
from scheduler.model import Occurrence, Rate


class Wanted(NamedTuple):
    """A promise to come, and how long its conversation holds a place; 0 for one that holds none."""

    promise: Occurrence
    holds_s: float


class Load(NamedTuple):
    """How it goes: the most conversations that are wanted at once, and who would miss."""

    promises: int
    peak: int
    peak_at: Instant | None
    missed: tuple[Occurrence, ...]
    latest_s: float
    """The longest that a promise which is kept waits beyond its opening."""


def play(wanted: Iterable[Wanted], places: int, rate: Rate) -> Load:
    """The worst case for these promises, given in the order of their opening."""
    count, peak, peak_at, latest_s = 0, 0, None, 0.0
    unhindered, held = list[Instant](), list[Instant]()
    sent: deque[Instant] = deque(maxlen=rate.count)
    missed = list[Occurrence]()
    for promise, holds_s in wanted:
        count += 1
        _let_go(unhindered, promise.opens)
        heappush(unhindered, promise.opens + holds_s)
        if holds_s and len(unhindered) > peak:
            peak, peak_at = len(unhindered), promise.due
        start = _start(promise.opens, held if holds_s else [], places, sent, rate)
        if start > promise.shuts:
            missed.append(promise)
            continue
        sent.append(start)
        latest_s = max(latest_s, start - promise.opens)
        if holds_s:
            _let_go(held, start)
            heappush(held, start + holds_s)
    return Load(count, peak, peak_at, tuple(missed), latest_s)


def _let_go(held: list[Instant], now: Instant) -> None:
    while held and held[0] <= now:
        heappop(held)


def _start(opens: Instant, held: list[Instant], places: int, sent: deque[Instant], rate: Rate) -> Instant:
    """When it may go: once it is open, a place is free, and the oldest request has left the window."""
    start = max(opens, sent[-1] if sent else opens)
    if len(sent) == rate.count:
        start = max(start, sent[0] + rate.per_s)
    _let_go(held, start)
    return max(start, held[0]) if len(held) >= places else start
