"""Random edits of the files during a busy morning: the last good configuration stays, nothing is lost or made
twice (S1, S7, S15).

Each edit is written to real files and read as `service.reload: watch` reads them: when their content has
changed. Times, people, schedules and terms change; files are broken, cut short, touched, renamed into place.
What must have a row, and what may, is the oracle's; whatever was closed must be explained by the
configuration of that moment.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from jobs.tavus.sandbox import Plan
from scheduler.app.channels import open_channels
from scheduler.app.reloading import REFUSALS, Reloading
from scheduler.config import content, load
from scheduler.daemon import Daemon
from scheduler.facts import Cancelled, Skipped
from scheduler.ledger.snapshot import Snapshot
from scheduler.notifying import Notifier
from scheduler.settings import Redaction
from scheduler.telemetry import Telemetry
from tests.house.conftest import MONDAY, Rig
from tests.proofs import invariants
from tests.proofs.edits import State, changed, terms
from tests.proofs.oracle import Rule, expected
from tests.proofs.world import straight

HOUR = 3600.0
DAY_S = 24 * HOUR
CUTS = ("leed: 30s", "lead: [", 'when: {days: mon-fri, at: "25:00"}', "participants: [nobody]")


@dataclass
class Stretch:
    """One good configuration, and from when to when it was in force."""

    rules: list[Rule]
    start: float
    end: float = float("inf")


@dataclass
class Morning:
    """The files, the house, and what was in force when."""

    rig: Rig
    daemon: Daemon
    reloading: Reloading
    dice: random.Random
    state: State
    seen: str = ""
    stretches: list[Stretch] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        return self.rig.folder / "callboard.yaml"

    def text(self, state: State) -> str:
        head = (
            f"version: 1\naccount: {{base_url: '{self.rig.base_url}', requests: 1000/s, "
            "concurrent_conversations: 1000}\nrosters:\n"
        )
        rosters = "".join(f"  {name}: {{file: {name}.csv}}\n" for name in state)
        return head + rosters + "schedules:" + "".join(each.yaml(name) for name, each in state.items())

    def write(self, state: State) -> None:
        """Whole, by a second name; rosters first."""
        for name, each in state.items():
            put(self.rig.folder / f"{name}.csv", "id,name\n" + "".join(f"{p},{p}\n" for p in each.people))
        put(self.file, self.text(state))

    async def look(self) -> bool:
        """As the watch does: read again if anything has changed; whether it was taken."""
        found = content([self.file]).digest
        if found == self.seen:
            return False
        self.seen = found
        with suppress(*REFUSALS):
            await self.reloading.read()
        await self.rig.quiet(self.daemon)
        return self.reloading.last.ok

    def begins(self, state: State) -> None:
        now = self.rig.clock.now()
        if self.stretches:
            self.stretches[-1].end = now
        self.state = state
        self.stretches.append(Stretch([each.rule(name) for name, each in state.items()], now))

    # --- edits ---

    async def edit(self) -> None:
        """One of all kinds."""
        kinds = {"good": 10, "broken": 3, "cut": 3, "touched": 2, "roster": 2}
        kind = self.dice.choices([*kinds], [*kinds.values()])[0]
        self.counts[kind] = self.counts.get(kind, 0) + 1
        await getattr(self, kind)()

    async def good(self) -> None:
        state = changed(self.state, self.dice)
        self.write(state)
        same = state == self.state and self.reloading.last.ok
        assert await self.look() is not same
        if not same:
            self.begins(state)

    async def broken(self) -> None:
        """A slip somewhere; somebody mends it a little later."""
        text = self.text(self.state)
        at = self.dice.choice([i for i in range(len(text)) if text.startswith("\n    overlap", i)])
        put(self.file, f"{text[:at]}\n    {self.dice.choice(CUTS)}{text[at:]}")
        await self.refused()

    async def cut(self) -> None:
        """Another state, of which only the beginning is there yet; it is seen, and then the rest comes."""
        state = changed(self.state, self.dice)
        self.write(state)
        text = self.text(state)
        size = self.dice.randrange(len(text))
        self.file.write_text(text[:size])
        with suppress(*REFUSALS):
            load([self.file])
            size = 0  # a beginning that is whole by chance would be another configuration
        self.file.write_text(text[:size])
        await self.refused()
        self.file.write_text(text)
        assert await self.look()
        self.begins(state)

    async def touched(self) -> None:
        """Nothing is read."""
        os.utime(self.file, (self.dice.random() * 1e9,) * 2)
        before = self.reloading.last
        await self.look()
        assert self.reloading.last is before

    async def roster(self) -> None:
        """A roster that can't be read, and is there again."""
        name = self.dice.choice([*self.state])
        wrong = self.dice.choice(["", "id;name\np0;p0\n", "id,name\np0\n"])
        (self.rig.folder / f"{name}.csv").write_text(wrong)
        await self.refused()

    async def refused(self) -> None:
        """The last good configuration is in force, and everybody is told so."""
        before = self.daemon.config
        assert not await self.look()
        assert not self.reloading.last.ok
        assert self.daemon.config is before
        assert self.daemon.config.schedules.keys() == self.state.keys()


def put(path: Path, text: str) -> None:
    path.with_suffix(".new").write_text(text)
    path.with_suffix(".new").replace(path)


# --- what must hold --------------------------------------------------------------------------------


def assert_nothing_lost_or_repeated(morning: Morning) -> None:
    records, now = morning.rig.records(), morning.rig.clock.now()
    must = [expected(each.rules, each.start, min(each.end, now)) for each in morning.stretches]
    may = [expected(each.rules, each.start, min(each.end, now) + 960) for each in morning.stretches]
    assert {key for each in must for key in each} - records.keys() == set(), "lost without a row"
    assert records.keys() - {key for each in may for key in each} == set(), "promised by nobody"
    assert {str(each.stage) for each in records.values()} <= {"ended", "skipped", "cancelled"}
    rooms = morning.rig.rooms_by_mark()
    assert all(len(each) == 1 for each in rooms.values()), "made twice"
    assert {each.mark for each in records.values() if each.stage == "ended"} == rooms.keys()


def assert_every_end_is_explained(morning: Morning) -> None:
    """What was taken back or skipped was not to be kept by the configuration of that moment."""
    with Snapshot.open(morning.rig.place) as snapshot:
        stories = list(snapshot.stories())
    for key, story in stories:
        for told in story:
            if isinstance(told.fact, Cancelled | Skipped):
                rules = next(s.rules for s in morning.stretches if s.start <= told.at < s.end)
                still = expected(rules, told.at, told.at + DAY_S).get(key)
                assert still is None or still.skip is not None, f"{key} was closed though it was promised"


async def lived(seed: int, edits: int, folder: Path) -> Morning:
    """A morning with so many edits, to its end."""
    dice = random.Random(seed)
    async with straight(folder, Plan(concurrent=1000), MONDAY) as rig, AsyncExitStack() as stack:
        morning = Morning(rig, None, None, dice, {"coach": terms(dice), "pitch": terms(dice)})  # type: ignore[arg-type]
        morning.write(morning.state)
        config = load([morning.file])
        channels = await stack.enter_async_context(open_channels(rig.clock.now, Telemetry(), Redaction()))
        await channels.use(config)
        rig.channels = channels.by_name
        async with rig.open(config) as daemon:
            args = ([morning.file], config, daemon, Telemetry(), Notifier(None), channels)
            morning.daemon, morning.reloading = daemon, Reloading(*args, rig.clock.now)
            morning.seen = content([morning.file]).digest
            await rig.quiet(daemon)
            morning.begins(morning.state)
            for n in range(edits):
                await rig.until(daemon, MONDAY + (n + dice.random()) * 3.5 * HOUR / edits)
                await morning.edit()
            morning.write(morning.state)
            await morning.look()
            await rig.until(daemon, MONDAY + 6 * HOUR)
        invariants.check(rig)
    return morning


async def edited(seed: int, edits: int, folder: Path) -> Morning:
    morning = await lived(seed, edits, folder)
    assert_nothing_lost_or_repeated(morning)
    assert_every_end_is_explained(morning)
    assert sum(morning.counts.values()) == edits
    return morning


@pytest.mark.parametrize("seed", range(3))
async def test_sixty_edits_of_a_busy_morning(tmp_path: Path, seed: int) -> None:
    morning = await edited(seed, 60, tmp_path)
    assert len(morning.rig.sandbox.rooms) > 10


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 110))
async def test_three_hundred_edits_of_a_busy_morning(tmp_path: Path, seed: int) -> None:
    morning = await edited(seed, 300, tmp_path)
    stages = Counter(str(each.stage) for each in morning.rig.records().values())
    print(f"seed {seed}: {morning.counts}, {len(morning.stretches)} in force, {dict(stages)}")
