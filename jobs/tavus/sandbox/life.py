"""A conversation's life as a pure function of its record and now (tavus-api, sections 1 and 2).

A record always has one *projected* ending: the earliest of what its timers and callers have in store, as
far as is known by now. The conversation is active before that instant and over from it on; nobody has to be
awake when it passes. Joining and leaving give a new record with another projection.

    created, nobody ever joined    created_at + participant_absent_timeout    (and the cap below)
    somebody is in                 created_at + max_call_duration             the cap, always in force
    the last one left              that moment + participant_left_timeout     (and the cap)
    shut by a call                 that moment, unless a timer came first
    test_mode                      created_at: over at once

No clock, no index, no slots, no words of an answer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from jobs.model import Instant


class Shutdown(StrEnum):
    """Shutdown reasons that the sandbox gives of its own accord (tavus-api, section 3)."""

    MAX_CALL_DURATION = "max_call_duration"
    LEFT = "participant_left_timeout"
    ABSENT = "participant_absent_timeout"
    END_CALLED = "end_conversation_endpoint_hit"
    ROOM_DELETED = "daily_room_has_been_deleted"


TIMERS = frozenset({Shutdown.MAX_CALL_DURATION, Shutdown.LEFT, Shutdown.ABSENT})
"""The reasons that a timer gives, and that may be followed by " reached"."""


@dataclass(frozen=True, slots=True)
class Ending:
    """When a conversation ends and the reason told; None for `test_mode`, which never ran."""

    at: Instant
    reason: str | None


@dataclass(frozen=True, slots=True)
class Timers:
    """The three timers in force, in seconds, with the API's own defaults; already cut to the plan."""

    max_call_duration_s: int = 3600
    participant_left_timeout_s: int = 0
    participant_absent_timeout_s: int = 300


@dataclass(frozen=True, slots=True)
class Life:
    """The record. `present` names who is in; `empty_since` is when the last one left."""

    created_at: Instant
    timers: Timers = Timers()
    test_mode: bool = False
    present: frozenset[str] = frozenset()
    first_joined_at: Instant | None = None
    empty_since: Instant | None = None
    shut: Ending | None = None


def ending(life: Life) -> Ending:
    """The projected ending, by all that is known now; of two at one instant the more particular."""
    if life.test_mode:
        return Ending(life.created_at, None)
    known = [
        *_empty(life),
        Ending(life.created_at + life.timers.max_call_duration_s, Shutdown.MAX_CALL_DURATION),
    ]
    if life.shut is not None:
        known.append(life.shut)
    return min(known, key=lambda end: end.at)


def is_over(life: Life, now: Instant) -> bool:
    """Whether the conversation has ended at `now`; the instant of its ending is already over."""
    return now >= ending(life).at


def joined(life: Life, who: str, now: Instant) -> Life:
    """The record after `who` came in. One who is in already, or who comes after the end, changes nothing."""
    if is_over(life, now) or who in life.present:
        return life
    first = now if life.first_joined_at is None else life.first_joined_at
    return replace(life, present=life.present | {who}, first_joined_at=first, empty_since=None)


def left(life: Life, who: str, now: Instant) -> Life:
    """The record after `who` went. One who is not in, or who goes after the end, changes nothing."""
    if is_over(life, now) or who not in life.present:
        return life
    rest = life.present - {who}
    return replace(life, present=rest, empty_since=None if rest else now)


def shut(life: Life, reason: str, now: Instant) -> Life:
    """The record after something ended the conversation at `now`; after the end nothing changes."""
    return life if is_over(life, now) else replace(life, shut=Ending(now, reason))


def _empty(life: Life) -> tuple[Ending, ...]:
    """What an empty room has in store; nothing while somebody is in."""
    if life.first_joined_at is None:
        return (Ending(life.created_at + life.timers.participant_absent_timeout_s, Shutdown.ABSENT),)
    if life.empty_since is not None:
        return (Ending(life.empty_since + life.timers.participant_left_timeout_s, Shutdown.LEFT),)
    return ()
