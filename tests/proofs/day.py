"""A day on which everything happens that a promise can live through; from each seed the same but for details.

Lost answers, a call that must be ended, an overlap, a drain at the slot, a refused key, a reload that
cancels, rows that come late, no credits, a private room, a channel that is deaf. What is still to come
follows from the time alone, so a house may die anywhere and the next one goes on.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from jobs.tavus.sandbox import Fault, Kind, Operation, When
from tests.house.conftest import MONDAY

MINUTE = 60.0
LEAD_S = 30.0
END = MONDAY + 4.4 * 60 * MINUTE

PRACTICE = ("08:00", "08:20", "08:40", "09:00", "09:40", "10:00", "10:40")
REMOVED, ADDED = "09:20", "09:50"
BRIEF, SECOND, PRIVATE = "10:00", "08:22", "11:00"


def slot(name: str) -> float:
    """A time of the day, as an instant."""
    hour, minute = map(int, name.split(":"))
    return MONDAY + ((hour - 7) * 60 + minute) * MINUTE


@dataclass(frozen=True, slots=True)
class Scene:
    """What goes wrong at the server for a while."""

    begins: float
    ends: float
    faults: tuple[Fault, ...] = ()
    stubborn: bool = False


def scenes(seed: int) -> list[Scene]:
    """The troubles of the day at the server."""

    def around(name: str, ends_s: float, *faults: Fault, stubborn: bool = False) -> Scene:
        return Scene(slot(name) - 60, slot(name) + ends_s, faults, stubborn)

    def lost(count: int | None, probability: float = 1.0) -> Fault:
        kind = random.Random(seed).choice((Kind.DROP, Kind.TRUNCATED))
        return Fault(kind=kind, operation=Operation.CREATE, when=When.AFTER, count=count,
                     probability=probability, seed=seed)  # fmt: skip

    late_rows = Fault(kind=Kind.LIST_LAG, operation=Operation.LIST, seconds=75, count=None)
    return [
        around("08:00", -1, lost(1), lost(None, 0.4)),
        around("08:20", 60, stubborn=True),
        around("09:00", 180, Fault(kind=Kind.STATUS, status=401, count=None)),
        around("09:40", 600, late_rows, lost(2)),
        around("10:00", 60, Fault(kind=Kind.STATUS, status=402, operation=Operation.CREATE, count=None)),
        around("11:00", 60, lost(1)),
    ]


def people(seed: int) -> int:
    return 2 + seed % 3


def schedule(seed: int, now: float) -> str:
    """The YAML as it stands at this time: the reload finds another one."""
    before = now < reload_at(seed)
    slots = sorted({*PRACTICE, REMOVED} if before else {*PRACTICE, ADDED})
    who = "    - {{id: p{0}, name: P{0}, email: p{0}@example.com}}"
    team = "\n".join(who.format(n) for n in range(people(seed)))
    body = "conversation: {persona_id: pdced222244b, replica_id: rfe12d8b9597"
    timers = "max_call_duration: 5m, participant_left_timeout: 60s, participant_absent_timeout: 2m"
    clocks = f"properties: {{{timers}}}"
    return f"""
mail: {{from: Practice <practice@example.com>, sink: unused}}
rosters:
  team:
{team}
defaults: {{timezone: UTC, overlap: allow, deliver: [log, mail]}}
schedules:
  practice:
    when: {{days: daily, at: [{", ".join(f'"{each}"' for each in slots)}]}}
    participants: [team]
    {body}, {clocks}}}
  second:
    when: {{days: daily, at: "{SECOND}"}}
    participants: [team]
    overlap: skip
    start_window: 60s
    {body}, {clocks}}}
  brief:
    when: {{days: daily, at: "{BRIEF}"}}
    participants: [team]
    start_window: 30s
    {body}, {clocks}}}
  private:
    when: {{days: daily, at: "{PRIVATE}"}}
    participants: [team]
    {body}, require_auth: true, {clocks}}}
"""


def reload_at(seed: int) -> float:
    """When the files are read again, after `REMOVED` was promised."""
    return slot("09:06") + random.Random(seed).uniform(0, 180)


def events(seed: int) -> list[tuple[float, str]]:
    """What is done to the house, and when: a drain at the slot and one while promises wait, a reload of
    other files and one of the same, for the credits."""
    dice = random.Random(seed)
    dice.random()
    drained_at = slot("08:40") - LEAD_S
    return [
        (drained_at, "drain"),
        (reload_at(seed), "reload"),
        (slot("10:01") + dice.uniform(5, 55), "reload"),
        (slot("10:30") + dice.uniform(0, 300), "drain"),
        (END, "end"),
    ]


def is_deaf(now: float) -> bool:
    """Whether the channel takes nothing just now."""
    return slot("10:39") <= now < slot("10:45")


def expected(seed: int) -> dict[str, set[str]]:
    """Every promise of the day by key, with the stages that it may end in."""
    kept = [("practice", name, {"ended"}) for name in (*PRACTICE, ADDED)]
    told = [
        *kept,
        ("practice", REMOVED, {"cancelled"}),
        ("second", SECOND, {"skipped", "missed", "ended"}),
        ("brief", BRIEF, {"missed"}),
        ("private", PRIVATE, {"ended"}),
    ]
    return {f"{name}/{at}/2026-11-30/p{n}": stages for name, at, stages in told for n in range(people(seed))}
