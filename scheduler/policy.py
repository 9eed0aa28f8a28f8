"""How long to wait, and when enough is enough. Pure arithmetic, no state.

Every number that the life of an occurrence knows stands here once, with its unit and its rule. What
is done when a wait is over is `lifecycle`'s; how many requests may go at once is `limits`'.
"""

from __future__ import annotations

import zlib

from jobs.model import POSTED, Instant

LOOKS_S = (2.0, 10.0, 30.0)
"""Looks for a lost answer, counted from the end of the attempt (S12)."""

LINK_MARGIN_S = 30.0
"""A link is not handed over in the last seconds of an empty room (S28)."""

LOOK_OVERDUE_S = 30.0
"""A look that is later than this is the last one: the rows it waits for are long listed."""

AFTERLOOK_S = 60.0
"""One more look after a second create, or after a promise was given up with an answer lost (S12)."""

MARGIN_S = 600.0
"""How far before the oldest attempt a list is read, for clocks that differ (S12)."""

STEP_BOX_S = 65.0
"""The runner's backstop over the client's own 60 s."""

DELIVER_BOX_S = 300.0
"""The runner's backstop over a channel's own time-outs, which don't count while it waits for a connection."""

CHANNEL_PROBE_S = 60.0
"""How often one delivery tries whether a channel that our set-up keeps closed is open again (S29)."""

PROMISE_AHEAD_S = 900.0
"""Promises are written this long before they open (S7)."""

AWAY_S = 7 * 86_400.0
"""Absent for longer than this: one `gap` row for each schedule instead of one for each promise (S4)."""

KEEP_AT_LEAST_S = 8 * 86_400.0
"""What is younger is never forgotten: after an absence it might be caught up (S4), and the clock may jump."""

ROOMS_LOST_MAX = 3
"""Private rooms made and lost for one promise before it fails: something keeps eating the answers."""

FAULT_WAIT_S = 300.0
FAULTS_MAX = 3
"""The fence: an unexpected exception postpones its occurrence, the third one fails it."""

PROBE_S = 300.0
"""How often a refused key is tried again (S14)."""

GIVE_BACK_S = 900.0
"""A slot is given back when its end was asked for this long without an answer (S17)."""

STRAY_TRIES_HELD = 16
"""Ends and Inspects of a stray until its slot is given back: at their waits, about as long."""

_CREATE_WAITS_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
_DELIVER_WAITS_S = (5.0, 15.0, 30.0, 60.0)
_POST_WAITS_S = (5.0, 25.0, 90.0, 180.0)
"""A post is tried at 0 and 5 s, 30 s, 2 min and 5 min, and not again: who listens there is a program."""
_END_WAITS_S = (10.0, 30.0, 60.0, 60.0, 60.0, 60.0, 300.0, 900.0, 3600.0)


def create_wait_s(key: str, tries: int) -> float:
    """The wait before a create that was turned away is tried again.

    Up to a quarter more than the plain step, by a stable hash of the key: a roster that was turned
    away together does not come back together.
    """
    spread = zlib.crc32(f"{key}#{tries}".encode()) / 2**32
    return _step(_CREATE_WAITS_S, tries) * (1 + spread / 4)


def deliver_wait_s(channel: str, tries: int) -> float | None:
    """The wait before a link is handed over again, after so many tries that failed before; `None` when this
    one was the last (S28)."""
    if channel not in POSTED:
        return _step(_DELIVER_WAITS_S, tries)
    return _POST_WAITS_S[tries] if tries < len(_POST_WAITS_S) else None


def end_wait_s(tries: int) -> float:
    """The wait before an End or an Inspect that failed is tried again (design, section 3)."""
    return _step(_END_WAITS_S, tries)


def look_at(attempt_ended_at: Instant, looks: int) -> Instant:
    """When look number `looks` (from 0) is due."""
    return attempt_ended_at + LOOKS_S[looks]


def link_dies_at(created_at: Instant, absent_s: int) -> Instant:
    """When an empty room ends, less half a minute: no link is sent after it (S28)."""
    return created_at + absent_s - LINK_MARGIN_S


def given_back_at(created_at: Instant, max_call_s: int) -> Instant:
    """When a conversation that can't be ended no longer counts as held (S17)."""
    return overdue_at(created_at, max_call_s) + GIVE_BACK_S


def overdue_at(created_at: Instant, max_call_s: int) -> Instant:
    """When a conversation should long be over (S17, S23): asked once more, then ended."""
    return created_at + max_call_s + 60.0


def check_at(created_at: Instant, absent_s: int, max_call_s: int, after: Instant) -> Instant:
    """When to ask next, after this instant: has anybody come, and is it over as it should be (S23)."""
    overdue = overdue_at(created_at, max_call_s)
    came = created_at + absent_s + 15.0
    return came if after < came < overdue else overdue


def _step(waits_s: tuple[float, ...], tries: int) -> float:
    return waits_s[min(tries, len(waits_s) - 1)]
