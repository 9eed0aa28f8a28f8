"""Anything that a person can ask, at any time, of anything, while all goes wrong: the promises stay as true.

Each seed is one morning of a team: faults of the service, edits of the file, restarts, and every minute a few
wishes of every verb, sensible or not. Whatever was answered: no promise has a second conversation, none is
lost, nobody who is paused is called, and every make-up knows what it makes up.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, time
from pathlib import Path

import pytest

from jobs.tavus.sandbox import Fault, Plan
from scheduler.daemon import Daemon
from scheduler.desk import Asker, Breadth, Effect, Missed, Pause, Refused, Scope
from scheduler.desk.wishes import (
    ToEnd,
    ToMakeUp,
    ToPause,
    ToResend,
    ToResume,
    ToResumeAccount,
    ToRetry,
    ToSkip,
    Wish,
)
from scheduler.facts import Ask, Asked, Attempted, Stage
from scheduler.ledger import pauses
from scheduler.ledger.snapshot import Snapshot
from scheduler.record import Record
from tests.house.conftest import MONDAY, Rig
from tests.house.steered import desk_of
from tests.house.teams import team
from tests.proofs import invariants
from tests.proofs.world import straight

MINUTE, HOUR = 60.0, 3600.0
OPS = Asker("ops", "why not")
PRACTICE = Scope(Breadth.SCHEDULE, "practice")
SLOTS = [f"{hour:02}:{minute:02}" for hour in (8, 9) for minute in (0, 15, 30, 45)]
PEOPLE = 5
CLOCKS = "max_call_duration: 20m, participant_left_timeout: 60s, participant_absent_timeout: 10m"
FAULTS = (
    Fault(kind="drop", operation="create", when="after"),
    Fault(kind="drop", operation="create", when="before"),
    *(Fault(kind="status", operation="create", status=status, count=2) for status in (402, 422, 429, 500)),
    Fault(kind="status", operation="end", status=500),
    Fault(kind="status", status=401, count=3),
)


class Morning:
    """One seed: who asks what, and what becomes of it."""

    def __init__(self, seed: int, rig: Rig) -> None:
        self.rng = random.Random(seed)
        self.rig = rig
        self.effects: Counter[str] = Counter()

    def text(self) -> str:
        """The file, as somebody has just edited it."""
        at = "[" + ", ".join(f'"{slot}"' for slot in SLOTS[: self.rng.randint(5, len(SLOTS))]) + "]"
        lead = self.rng.choice(("30s", "60s", "90s"))
        extra = f"lead: {lead}\noverlap: allow"
        return team(self.rng.randint(PEOPLE - 1, PEOPLE), at=at, extra=extra, properties=CLOCKS)

    async def live(self, until: float) -> None:
        """Minute by minute; now and then the process is another one."""
        config = self.rig.config(self.text())
        while self.rig.clock.now() < until:
            async with self.rig.open(config) as daemon:
                for _ in range(self.rng.randint(5, 60)):
                    await self.rig.until(daemon, self.rig.clock.now() + self.rng.choice((7.0, 31.0, MINUTE)))
                    await self.minute(daemon)
                config = daemon.config

    async def minute(self, daemon: Daemon) -> None:
        """A little of everything."""
        if self.rng.random() < 0.15:
            self.rig.sandbox.faults.add(self.rng.choice(FAULTS))
        if self.rng.random() < 0.1:
            daemon.reload(self.rig.config(self.text()))
        desk = desk_of(self.rig, daemon)
        for _ in range(self.rng.randint(0, 3)):
            wish = self.wish()
            with suppress(Refused):
                self.effects[f"{type(wish).__name__} {(await wish.ask(desk)).effect}"] += 1

    def wish(self) -> Wish:
        """Anything; what is known is asked for more often than what isn't."""
        records = self.rig.records()
        stage = self.rng.choice(list(Stage))
        known = [key for key, record in records.items() if record.stage is stage] or list(records)
        day = self.rng.choice(("2026-11-30", "2026-12-01"))
        key = f"practice/{self.rng.choice(SLOTS)}/{day}/p{self.rng.randrange(PEOPLE + 1):03}"
        key = self.rng.choice(known) if known and self.rng.random() < 0.8 else key
        who = Scope(Breadth.PARTICIPANT, f"p{self.rng.randrange(PEOPLE):03}")
        scope = self.rng.choice((who, who, Scope(), PRACTICE))
        until = self.rng.choice((*(self.rig.clock.now() + for_s for for_s in (30.0, 5 * MINUTE)), None))
        made_up = {"on": date(2026, 11, 30), "at": time(self.rng.choice((9, 10, 11)), 20), "asker": OPS}
        return self.rng.choice(
            (
                ToPause(scope=scope, until=until, asker=OPS),
                *(ToResume(scope=each, asker=OPS) for each in (scope, who, Scope(), PRACTICE)),
                ToSkip(key=key, asker=OPS),
                ToEnd(key=key, asker=OPS),
                ToResend(key=key, channel=None, asker=OPS),
                *[ToRetry(key=key, asker=OPS)] * 2,
                ToMakeUp(of=key, dry_run=False, **made_up),
                ToMakeUp(of=Missed(), dry_run=self.rng.random() < 0.5, **made_up),
                ToResumeAccount(asker=OPS),
            )
        )

    async def rest(self) -> None:
        """All is well again, and everybody lets it be."""
        self.rig.sandbox.faults.clear()
        async with self.rig.open(self.rig.config(team(PEOPLE, at='"07:00"'))) as daemon:
            await desk_of(self.rig, daemon).resume_account(OPS)
            await self.rig.until(daemon, MONDAY + 9 * HOUR)


def assert_nobody_was_called_in_a_pause(rig: Rig) -> None:
    with Snapshot.open(rig.place) as snapshot:
        known = pauses.remembered(snapshot.driver)
        for key, story in snapshot.stories():
            record = snapshot.record(key)
            assert record is not None
            for told in story:
                if isinstance(told.fact, Attempted):
                    assert not paused_at(known, record, told.at), f"{key} was called in a pause"


def paused_at(known: Sequence[Pause], record: Record, at: float) -> bool:
    names = {Breadth.SCHEDULE: record.schedule, Breadth.PARTICIPANT: record.participant, Breadth.ALL: ""}
    return any(
        names[p.scope.breadth] == p.scope.name and p.since < at and (p.until is None or at < p.until)
        for p in known
    )


def assert_make_ups_are_linked(rig: Rig) -> int:
    """Each end names the other; how many there are."""
    made = 0
    with Snapshot.open(rig.place) as snapshot:
        for record in snapshot.records():
            if record.slot.startswith("make-up:"):
                made += 1
                (other,) = _others(snapshot, record.key, first=True)
                assert record.key in _others(snapshot, other)
    return made


def _others(snapshot: Snapshot, key: str, *, first: bool = False) -> list[str]:
    facts = [told.fact for told in snapshot.story(key)]
    found = [f.other for f in facts if isinstance(f, Asked) and f.ask is Ask.MAKE_UP and f.other]
    return found[:1] if first else found


async def _morning(folder: Path, seed: int) -> Counter[str]:
    async with straight(folder, Plan(concurrent=8)) as rig:
        morning = Morning(seed, rig)
        await morning.live(MONDAY + 4 * HOUR)
        await morning.rest()
        invariants.check(rig)
        assert_nobody_was_called_in_a_pause(rig)
        morning.effects["made up"] = assert_make_ups_are_linked(rig)
    return morning.effects


async def test_whatever_is_asked_in_a_few_mornings(tmp_path: Path) -> None:
    effects: Counter[str] = Counter()
    for seed in range(4):
        (tmp_path / str(seed)).mkdir()
        effects += await _morning(tmp_path / str(seed), seed)
    for verb in ("ToPause", "ToResume", "ToSkip", "ToEnd", "ToResend", "ToMakeUp", "ToRetry"):
        assert effects[f"{verb} {Effect.DONE}"], f"{verb} never came to anything"


@pytest.mark.long
@pytest.mark.parametrize("tens", range(10))
async def test_whatever_is_asked_in_many_mornings(tmp_path: Path, tens: int) -> None:
    for seed in range(100 + tens * 10, 110 + tens * 10):
        (tmp_path / str(seed)).mkdir()
        await _morning(tmp_path / str(seed), seed)
