"""HTTP at its worst: every fault at every endpoint, alone and mixed by seed; safety always, and liveness once
the faults stop (S12-S16).

A history is a busy hour: people with several slots, a fault every few seconds for three quarters of it, then
quiet, and one more slot for everybody that must be kept as if nothing had been. It is named by its seed.
"""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import time
from pathlib import Path

import pytest

from jobs.tavus.sandbox import Fault, Plan
from tests.house.conftest import MONDAY
from tests.house.teams import team
from tests.proofs import invariants
from tests.proofs.oracle import Rule, expected
from tests.proofs.proxy import Trouble
from tests.proofs.world import World, world

MINUTE, HOUR = 60.0, 3600.0
SLOT = MONDAY + HOUR
CALM = SLOT + 45 * MINUTE
LAST_SLOT = SLOT + HOUR
DONE = LAST_SLOT + HOUR
PATIENCE_S, CALM_PATIENCE_S = 0.12, 30.0
"""How long the client waits for an answer, in real time; the house's own clock stands still meanwhile. On a
busy machine the first is a fault of its own, so the calm has another."""

OPERATIONS = ("create", "list", "get", "end")
QUICK, LONG, BLOCK = 60, 600, 30


def server_faults(operation: str) -> list[Fault]:
    """All that the sandbox can do wrong at this endpoint."""
    lost = [Fault(kind="status", operation=operation, status=s, when=w)
            for s in (500, 502, 503, 504) for w in ("before", "after")]  # fmt: skip
    storms = [Fault(kind="status", operation=operation, status=429, retry_after=after, count=4)
              for after in (None, "3", "Mon, 30 Nov 2026 08:10:00 GMT", "-5", "86400", "soon")]  # fmt: skip
    broken = [
        Fault(kind="truncated", operation=operation),
        Fault(kind="html", operation=operation),
        Fault(kind="html", operation=operation, when="before"),
        Fault(kind="status", operation=operation, status=200, body="{nope", when="after"),
        Fault(kind="wrong_json", operation=operation, wrong="types"),
        Fault(kind="wrong_json", operation=operation, wrong="array"),
        Fault(kind="wrong_json", operation=operation, wrong="null"),
        Fault(kind="wrong_json", operation=operation, wrong="no_id"),
        Fault(kind="wrong_json", operation=operation, wrong="no_url"),
        Fault(kind="huge", operation=operation, size_bytes=3_000_000),
        Fault(kind="gzip_bomb", operation=operation, size_bytes=50_000_000),
        Fault(kind="redirect", operation=operation),
        Fault(kind="drop", operation=operation, when="before"),
        Fault(kind="drop", operation=operation, when="after"),
        Fault(kind="skewed", operation=operation, seconds=7200, count=5),
        Fault(kind="skewed", operation=operation, seconds=-7200, count=5),
    ]
    refusals = [Fault(kind="status", operation=operation, status=s) for s in (401, 402, 403, 408)]
    return [*lost, *storms, *broken, *refusals]


SPECIAL = {
    "create": [Fault(kind="full", count=3)],
    "list": [
        Fault(kind="list_lag", count=6, seconds=20),
        Fault(kind="list_lag", count=6, seconds=100),
        Fault(kind="list_order", count=6, order="oldest"),
        Fault(kind="list_order", count=6, order="shuffled"),
    ],
    "get": [Fault(kind="status", operation="get", status=400, body='{"error": "Invalid conversation_id"}')],
    "end": [Fault(kind="status", operation="end", status=400, count=2)],
}


@dataclass(frozen=True)
class Scene:
    """What is drawn before a history begins."""

    people: int
    extra: str
    body: str
    rate: int
    cap: int
    plan: Plan
    rows: int | None

    @staticmethod
    def drawn(dice: random.Random) -> Scene:
        cap = dice.choice([2, 4, 8, 50])
        there = dice.choice([cap, cap, max(1, cap - 1)])
        plan = Plan(concurrent=there, release_lag_s=dice.choice([0.0, 6.0]))
        extra = dice.choice(["", "", "overlap: allow", "start_window: 4m", "spread: 2m", "lead: 60s"])
        body = dice.choice(["", "", "", "require_auth: true", "test_mode: true"])
        rows = dice.choice([None, None, 2, 5])
        return Scene(dice.randint(2, 6), extra, body, dice.choice([2, 10, 100]), cap, plan, rows)

    @property
    def account(self) -> str:
        return f"requests: {self.rate}/s, concurrent_conversations: {self.cap}"

    @property
    def text(self) -> str:
        slots = ", ".join(f'"{at:%H:%M}"' for at in SLOTS)
        clocks = "max_call_duration: 8m, participant_left_timeout: 60s, participant_absent_timeout: 3m"
        return team(self.people, at=f"[{slots}]", extra=self.extra, body=self.body, properties=clocks)

    @property
    def rule(self) -> Rule:
        people = {f"p{n:03}": "UTC" for n in range(self.people)}
        lead_s = 60.0 if "lead" in self.extra else 30.0
        return Rule("practice", {f"{at:%H:%M}": at for at in SLOTS}, people, zone="UTC", lead_s=lead_s)


SLOTS = (time(8), time(8, 12), time(8, 24), time(8, 36), time(9))


async def history(seed: int, folder: Path) -> Counter[str]:
    """One history; what struck in it. Raises AssertionError when an invariant doesn't hold."""
    dice = random.Random(seed)
    scene = Scene.drawn(dice)
    async with world(folder, scene.plan, total_s=PATIENCE_S) as w:
        w.proxy.rows = scene.rows
        config = w.config(scene.text, scene.account)
        async with w.open(config) as daemon:
            await w.until(daemon, SLOT - MINUTE)
            while w.clock.now() < CALM:
                _trouble(w, dice)
                _people(w, dice)
                await w.proxy.pump()
                await w.until(daemon, min(CALM, w.clock.now() + dice.choice([1.0, 5.0, 15.0, 40.0])))
        w.sandbox.faults.clear()
        w.proxy.clear()
        w.total_s = CALM_PATIENCE_S
        async with w.open(config) as daemon:  # as a person does who has bought credits (S14)
            while w.clock.now() < DONE:
                await w.proxy.pump()
                await w.until(daemon, w.clock.now() + 5 * MINUTE)
        _judge(w, scene)
        return Counter(w.proxy.struck)


def _trouble(w: World, dice: random.Random) -> None:
    """Nothing, a fault of the server's, or one of the network's."""
    operation = dice.choice(OPERATIONS)
    chance = dice.random()
    if chance < 0.3:
        fault = dice.choice([*server_faults(operation), *SPECIAL[operation]])
        w.sandbox.faults.add(fault)
        w.proxy.struck.append(f"{fault.kind} armed at {operation}")
    elif chance < 0.6:
        delay_s = dice.choice([0.0, 3.0, 20.0, 50.0, 150.0])
        w.proxy.add(dice.choice([*Trouble]), operation, dice.choice([1, 1, 3]), delay_s)


def _people(w: World, dice: random.Random) -> None:
    """Somebody comes, somebody goes."""
    active = [room for room in w.sandbox.rooms.values() if room.status == "active"]
    if active and dice.random() < 0.4:
        room = dice.choice(active)
        (w.sandbox.leave if room.life.present else w.sandbox.join)(room.conversation_id)


def _judge(w: World, scene: Scene) -> None:
    invariants.check(w)
    invariants.assert_discreet(w.lines)
    invariants.assert_rate([each.at for each in w.proxy.requests], scene.rate, 1.0)
    plan = expected([scene.rule], MONDAY, DONE)
    assert plan.keys() == w.records().keys()
    if "spread" not in scene.extra:  # whose seconds are the house's own (S8)
        invariants.assert_expected(w, plan)
    kept = [r for r in w.records().values() if r.slot == "09:00"]
    reasons = {(str(r.stage), r.reason) for r in kept}
    if scene.cap > scene.people and scene.plan.concurrent > scene.people:
        assert reasons <= {("ended", "absent"), ("ended", "test_mode")}, reasons
        assert all(r.lateness_s == 0.0 for r in kept)
    assert reasons <= {("ended", "absent"), ("ended", "test_mode"), ("missed", "no_capacity")}, reasons


@pytest.mark.parametrize("kind", ["huge", "gzip_bomb"])
async def test_two_hundred_megabytes_are_no_answer(tmp_path: Path, kind: str) -> None:
    """The body is dropped at its first mebibyte, and the conversation is found as if nothing had been."""
    async with world(tmp_path, Plan(), total_s=CALM_PATIENCE_S) as w:
        w.sandbox.faults.add(Fault(kind=kind, operation="create", size_bytes=200_000_000))
        async with w.open(w.config(team(1))) as daemon:
            await w.until(daemon, SLOT + 10 * MINUTE)
        invariants.check(w)
        assert [(r.stage, r.reason, r.attempt) for r in w.records().values()] == [("ended", "absent", 1)]


async def histories(seeds: range) -> Counter[str]:
    """Many; a failure names its seed and how it is repeated."""
    struck: Counter[str] = Counter()
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            try:
                struck += await history(seed, Path(folder))
            except BaseException as error:
                error.add_note(f"seed {seed}; again: {again(seed)}")
                raise
    return struck


def again(seed: int) -> str:
    return (
        "python -c 'import asyncio; from tests.proofs.test_http_faults import histories; "
        f"asyncio.run(histories(range({seed}, {seed + 1})))'"
    )


@pytest.mark.parametrize("first", range(0, QUICK, 20))
async def test_histories(first: int) -> None:
    struck = await histories(range(first, first + 20))
    assert len(struck) > 20, "hardly anything went wrong"


@pytest.mark.long
@pytest.mark.parametrize("first", range(1000, 1000 + LONG, BLOCK))
async def test_many_histories(first: int) -> None:
    await histories(range(first, first + BLOCK))
