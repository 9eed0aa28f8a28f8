"""Schedules as a person edits them: what stands in the file, and the next thing that somebody changes."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import time

from tests.proofs.oracle import Rule

PEOPLE = tuple(f"p{n}" for n in range(12))
NAMES = ("coach", "pitch", "review")
TIMES = tuple(f"{minute // 60:02}:{minute % 60:02}" for minute in range(7 * 60 + 5, 11 * 60, 5))


@dataclass(frozen=True)
class Terms:
    """One schedule as it stands in the file; slots are names or times of their own."""

    slots: tuple[tuple[str, str], ...]
    people: tuple[str, ...]
    lead_s: int = 30
    window_s: int = 600
    enabled: bool = True
    greeting: str = "Hello"

    def yaml(self, name: str) -> str:
        at = ", ".join(f'{slot if slot != at else repr(slot)}: "{at}"' for slot, at in self.slots)
        return f"""
  {name}:
    when: {{days: daily, at: {{{at}}}, timezone: UTC}}
    participants: [{name}]
    lead: {self.lead_s}s
    start_window: {self.window_s}s
    overlap: allow
    enabled: {str(self.enabled).lower()}
    conversation:
      persona_id: pdced222244b
      replica_id: rfe12d8b9597
      custom_greeting: {self.greeting}
      properties: {{max_call_duration: 6m, participant_left_timeout: 60s, participant_absent_timeout: 3m}}
"""

    def rule(self, name: str) -> Rule:
        slots = {slot: time.fromisoformat(at) for slot, at in self.slots}
        everybody = dict.fromkeys(self.people, "UTC")
        own = {"lead_s": self.lead_s, "window_s": self.window_s, "enabled": self.enabled}
        return Rule(name, slots, everybody, zone="UTC", **own)


State = dict[str, Terms]


def terms(dice: random.Random) -> Terms:
    named = tuple(zip(("early", "late"), sorted(dice.sample(TIMES, 2)), strict=True))
    unnamed = tuple((at, at) for at in sorted(dice.sample(TIMES, dice.randint(8, 20))))
    return Terms(named + unnamed, tuple(dice.sample(PEOPLE, dice.randint(5, 9))))


def changed(state: State, dice: random.Random) -> State:
    """A slot, a person or a term of one schedule is another; seldom all of it, or there is one more."""
    name = dice.choice([*state])
    own, other = state[name], terms(dice)
    named, unnamed = own.slots[:2], own.slots[2:]
    fewer = unnamed[:-1] if len(unnamed) > 1 else unnamed
    at = dice.choice([at for at in TIMES if (at, at) not in unnamed])
    free = [each for each in NAMES if each not in state]
    edits: list[tuple[int, State]] = [
        (4, state | {name: replace(own, slots=((named[0][0], dice.choice(TIMES)), *own.slots[1:]))}),
        (4, state | {name: replace(own, slots=(*named, *unnamed, (at, at)))}),
        (2, state | {name: replace(own, slots=(*named, *fewer))}),
        (3, state | {name: replace(own, people=tuple(dict.fromkeys((*own.people, dice.choice(PEOPLE)))))}),
        (3, state | {name: replace(own, people=own.people[1:] or own.people)}),
        (2, state | {name: replace(own, lead_s=dice.choice([0, 30, 90]), window_s=dice.choice([120, 600]))}),
        (3, state | {name: replace(own, greeting=f"Hello {dice.randrange(9)}")}),
        (1, state | {name: replace(own, enabled=not own.enabled)} if dice.random() < 0.2 else dict(state)),
        (1, state | {name: other}),
        (1, state | {free[0]: other} if free else dict(state)),
        (
            1,
            {each: terms for each, terms in state.items() if each != name} if len(state) > 1 else dict(state),
        ),
    ]
    return dice.choices([each for _, each in edits], [weight for weight, _ in edits])[0]
