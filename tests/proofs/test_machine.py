"""A state machine over reloads, crashes, time, clock steps and faults, all at once. Model = system (S1-S16).

The model (`model`) says which promises must have a row and which may, and nothing of how one is kept. When
the steps are done, everything is well again and two hours have passed: then every promise has come to its one
end, and what opened in those quiet hours was kept, in time.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from datetime import time
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from jobs.tavus.sandbox import Fault, Plan
from scheduler.daemon import Daemon
from tests.house.conftest import Crash
from tests.house.teams import team
from tests.proofs import invariants
from tests.proofs.actor import Actor
from tests.proofs.model import Model
from tests.proofs.oracle import Promise, Rule, expected
from tests.proofs.proxy import Trouble
from tests.proofs.test_http_faults import CALM_PATIENCE_S, OPERATIONS, PATIENCE_S, SPECIAL, server_faults
from tests.proofs.world import Fuse, World, world

T = TypeVar("T")
MINUTE, HOUR = 60.0, 3600.0
RATE, CAP, PEOPLE = 50, 40, 3
EVERY_MIN = (15, 20, 30, 60)
CLOCKS = "max_call_duration: 6m, participant_left_timeout: 60s, participant_absent_timeout: 3m"
FAULTS = [fault for each in OPERATIONS for fault in (*server_faults(each), *SPECIAL[each])]
"""All that can be armed; a refused key or spent credit is one of them."""


def slots(every_min: int) -> list[str]:
    return [f"{n // 60:02}:{n % 60:02}" for n in range(0, 24 * 60, every_min)]


def rule_of(people: int, every_min: int) -> Rule:
    named = {slot: time.fromisoformat(slot) for slot in slots(every_min)}
    everybody = {f"p{n:03}": "UTC" for n in range(people)}
    return Rule("practice", named, everybody, zone="UTC", window_s=8 * MINUTE)


def text(people: int, every_min: int) -> str:
    at = ", ".join(f'"{slot}"' for slot in slots(every_min))
    return team(people, at=f"[{at}]", properties=CLOCKS, extra="overlap: allow\nstart_window: 8m")


class House(RuleBasedStateMachine):
    """One house, its world, and the model of what it promised."""

    def __init__(self) -> None:
        super().__init__()
        self.actor = Actor()
        self.stack = AsyncExitStack()
        self.folder = tempfile.TemporaryDirectory()
        self.fuse = Fuse()
        self.open_stack: AsyncExitStack | None = None
        self.segments: list[int] = [0]
        self.terms = (PEOPLE, EVERY_MIN[0])

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.actor.run(work)

    def teardown(self) -> None:
        try:
            if hasattr(self, "w"):
                self.run(self.end())
        finally:
            self.run(self.close())
            self.actor.close()
            self.folder.cleanup()

    # --- the house ---

    @initialize()
    def begin(self) -> None:
        self.run(self.built())

    async def built(self) -> None:
        place = world(Path(self.folder.name), Plan(concurrent=CAP), total_s=PATIENCE_S)
        self.w: World = await self.stack.enter_async_context(place)
        self.w.wrap = self.fuse.wrap()
        self.model = Model(self.w.clock.now)
        self.model.begins(rule_of(*self.terms))
        await self.start()

    async def start(self) -> None:
        self.fuse.left, self.fuse.burnt = None, False
        self.open_stack = AsyncExitStack()
        config = self.w.config(text(*self.terms), f"requests: {RATE}/s, concurrent_conversations: {CAP}")
        self.daemon: Daemon = await self.open_stack.enter_async_context(self.w.open(config))

    async def die(self, of: BaseException | None = None) -> None:
        """As the process does: nothing is drained, the next start finds what was written. With None it is
        stopped in peace, and may die of its last steps."""
        stack, self.open_stack = self.open_stack, None
        assert stack is not None
        try:
            await stack.__aexit__(type(of) if of else None, of, None)
        except (Crash, BaseExceptionGroup) as error:
            assert isinstance(error, Crash) or error.split(Crash)[1] is None, error

    async def close(self) -> None:
        if self.open_stack is not None:
            await self.open_stack.aclose()
        await self.stack.aclose()

    async def pass_time(self, length_s: float) -> None:
        """Time goes on; if the fuse burns, the house falls and is opened again a little later."""
        end = self.w.clock.now() + length_s
        while self.w.clock.now() < end:
            await self.w.proxy.pump()
            try:
                await self.w.until(self.daemon, min(end, self.w.clock.now() + MINUTE))
                await asyncio.sleep(0)  # a step that died last of all is heard of now
            except asyncio.CancelledError as error:  # by its TaskGroup, in which a step died
                if not self.fuse.burnt:
                    raise
                await self.die(error)
                self.w.clock.move((down_at := self.w.clock.now()) + 3.0)
                self.model.restarts(down_at)
                await self.start()

    # --- what happens ---

    @rule(length_s=st.sampled_from([1.0, 7.0, 33.0, 100.0, 300.0, 900.0]))
    def later(self, length_s: float) -> None:
        self.run(self.pass_time(length_s))

    @rule(fault=st.sampled_from(FAULTS))
    def server_fails(self, fault: Fault) -> None:
        self.w.sandbox.faults.add(fault)

    @rule(
        trouble=st.sampled_from(Trouble),
        operation=st.sampled_from(OPERATIONS),
        count=st.integers(1, 3),
        delay_s=st.sampled_from([0.0, 20.0, 100.0]),
    )
    def network_fails(self, trouble: Trouble, operation: str, count: int, delay_s: float) -> None:
        self.w.proxy.add(trouble, operation, count, delay_s)

    @rule()
    def all_is_well(self) -> None:
        self.w.sandbox.faults.clear()
        self.w.proxy.clear()

    @rule(people=st.integers(1, 5), every_min=st.sampled_from(EVERY_MIN))
    def reload(self, people: int, every_min: int) -> None:
        self.terms = (people, every_min)
        self.run(self.reloaded())

    async def reloaded(self) -> None:
        self.model.begins(rule_of(*self.terms))
        self.daemon.reload(
            self.w.config(text(*self.terms), f"requests: {RATE}/s, concurrent_conversations: {CAP}")
        )
        await self.pass_time(0.5)

    @rule(n=st.integers(1, 6), before=st.booleans())
    def light(self, n: int, before: bool) -> None:
        self.fuse.left, self.fuse.before = n, before

    @rule(away_s=st.sampled_from([1.0, 45.0, 400.0, 2000.0]), killed=st.booleans())
    def restart(self, away_s: float, killed: bool) -> None:
        self.run(self.restarted(away_s, Crash() if killed else None))

    async def restarted(self, away_s: float, of: Crash | None) -> None:
        await self.die(of)
        self.w.clock.move((down_at := self.w.clock.now()) + away_s)
        self.model.restarts(down_at)
        await self.start()
        await self.pass_time(0.5)

    @rule(by_s=st.sampled_from([-1.0, 1.0, -40.0, 40.0, -HOUR, HOUR, -4 * HOUR, 4 * HOUR]))
    def clock_is_set(self, by_s: float) -> None:
        self.segments.append(len(self.w.proxy.requests))
        self.model.jumps(self.w.clock.now() + by_s)
        self.w.clock.set_wall(self.w.clock.now() + by_s)
        self.run(self.pass_time(0.5))

    @rule(which=st.integers(0, 9))
    def somebody_comes_or_goes(self, which: int) -> None:
        active = [room for room in self.w.sandbox.rooms.values() if room.status == "active"]
        if which < len(active):
            room = active[which]
            (self.w.sandbox.leave if room.life.present else self.w.sandbox.join)(room.conversation_id)

    # --- what must hold ---

    async def end(self) -> None:
        """Everything is well again, and an hour later everything must have come to its end."""
        self.all_is_well()
        self.w.total_s = CALM_PATIENCE_S
        await self.restarted(1.0, None)
        self.terms = (PEOPLE, 20)
        await self.reloaded()
        await self.pass_time(12 * MINUTE)  # clocks are believed again, penalties and holds are over
        calm = self.w.clock.now()
        # After the clock went back some were kept or closed before: nothing is reconsidered (S1, S4).
        begun = {key for key, record in self.w.records().items() if record.stage != "planned"}
        await self.pass_time(40 * MINUTE)
        opened = expected([rule_of(*self.terms)], calm, calm + 40 * MINUTE)
        kept = {key: promise for key, promise in opened.items() if key not in begun}
        over = self.w.clock.now()
        self.terms = (PEOPLE, 24 * 60)
        await self.reloaded()
        await self.pass_time(30 * MINUTE)
        self.judge(kept, over)

    def judge(self, kept: dict[str, Promise], over: float) -> None:
        invariants.assert_safe(self.w)
        invariants.assert_discreet(self.w.lines)
        records = self.w.records()
        lost = self.model.must().keys() - records.keys()
        assert not lost, f"lost without a row: {sorted(lost)}"
        may = self.model.may()
        assert records.keys() - may.keys() == set(), "promised by no configuration"
        assert all(record.due == may[key].due for key, record in records.items())
        for first, beyond in zip(self.segments, [*self.segments[1:], None], strict=True):
            times = [each.at for each in self.w.proxy.requests[first:beyond]]
            invariants.assert_rate(times, RATE, 1.0)
        for key, promise in kept.items():
            assert key in records, f"{key} was lost"
            record = records[key]
            assert (record.stage, record.reason) == ("ended", "absent"), (key, record.stage, record.reason)
            assert record.due == promise.due
            assert record.lateness_s == 0.0
        past = {r.mark: r for r in records.values() if r.shuts < over}
        late = [(r.key, str(r.stage)) for r in past.values() if r.stage in ("planned", "creating", "live")]
        assert not late, late
        rooms = invariants.by_attempt(r for r in self.w.sandbox.rooms.values() if r.status == "active")
        assert not (still := [past[mark].key for mark in rooms if mark in past]), still


def play(runs: int, steps: int, number: int) -> None:
    """So many runs, drawn by this number. Nothing is made smaller when it fails: a run takes seconds."""
    print(f"again: python -c 'from tests.proofs.test_machine import play; play({runs}, {steps}, {number})'")
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        seed(number)(House),
        settings=settings(
            max_examples=runs,
            stateful_step_count=steps,
            phases=[Phase.generate],
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_any_thirty_steps() -> None:
    play(20, 30, 1)


@pytest.mark.long
def test_any_fifty_steps() -> None:
    play(200, 50, 2)
