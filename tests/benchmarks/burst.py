"""10,000 promises due in one second: how long until each is durably claimed and handed to `perform`."""

from __future__ import annotations

import asyncio
import time

from jobs.model import Create, Created, Deliver, Delivered, Outcome, Page, Sent, Step, StillLive, Survey
from scheduler.ledger.snapshot import Snapshot
from tests.benchmarks import bench
from tests.benchmarks.figure import Figure

PEOPLE = 10_000
SLOTS = 700


class Hands:
    """Takes every Create and answers none until it is let go."""

    def __init__(self) -> None:
        self.handed_at: list[float] = []
        self.go = asyncio.Event()
        self.all_handed = asyncio.Event()
        self.delivered = 0
        self.all_delivered = asyncio.Event()

    async def perform(self, step: Step, sent: Sent) -> Outcome:
        match step:
            case Create():
                self.handed_at.append(time.perf_counter())
                if len(self.handed_at) == PEOPLE:
                    self.all_handed.set()
                sent()
                await self.go.wait()
                return Created(f"c-{step.key}", f"https://example.com/{step.key}", bench.OPENS_AT)
            case Deliver():
                self.delivered += 1
                if self.delivered == PEOPLE:
                    self.all_delivered.set()
                return Delivered(step.address)
            case Survey():
                sent()
                return Page((), 0)
            case _:
                sent()
                return StillLive()


async def figures() -> list[Figure]:
    with bench.logged():
        return [*await _all_at_once(), *await _limited()]


async def _all_at_once() -> list[Figure]:
    hands, clock = Hands(), bench.BenchClock(bench.OPENS_AT - 7200.0)
    using = bench.config(bench.schedule(PEOPLE), "http://127.0.0.1:1")
    with bench.folder() as at:
        async with bench.opened(at, hands.perform, clock, using) as (daemon, _):
            await bench.promised(daemon, clock)
            async with bench.Stalls() as stalls:
                began = time.perf_counter()
                await daemon.turn()
                await hands.all_handed.wait()
            claimed_s = hands.handed_at[-1] - began
            async with bench.Stalls() as later:
                began = time.perf_counter()
                hands.go.set()
                await bench.run_up_to(daemon, hands.all_delivered)
            noted_s = time.perf_counter() - began
    first_to_last_s = hands.handed_at[-1] - hands.handed_at[0]
    what = f"{PEOPLE:,} due in one second, each durably claimed and handed to `perform`"
    return [
        Figure.at_most(f"{what}, from the first to the last", first_to_last_s, 0.25, goal="0.15"),
        Figure.told("the same, from the turn's begin to the last", claimed_s, "s"),
        Figure.at_most("longest stall of the loop meanwhile", stalls.longest_s * 1e3, 25, "ms"),
        Figure.told(
            f"then {PEOPLE:,} answers at once: conversations noted, links logged, both durable", noted_s, "s"
        ),
        Figure.told("longest stall of the loop meanwhile", later.longest_s * 1e3, "ms"),
    ]


async def _limited() -> list[Figure]:
    hands, clock = Hands(), bench.BenchClock(bench.OPENS_AT - 7200.0)
    using = bench.config(bench.schedule(PEOPLE), "http://127.0.0.1:1", slots=SLOTS)
    with bench.folder() as at:
        async with bench.opened(at, hands.perform, clock, using) as (daemon, _):
            await bench.promised(daemon, clock)
            most = 0
            for _ in range(5):
                await daemon.turn()
                await asyncio.sleep(0.05)
                with Snapshot.open(at / "ledger.db") as snapshot:
                    stages = next(iter(snapshot.counts().values()))
                most = max(most, stages.get("creating", 0))
            hands.go.set()
            await daemon.settled()
            daemon.stop()
    handed = len(hands.handed_at)
    return [
        Figure(
            f"the same with {SLOTS} slots: most that were `creating` in the ledger, and handed over",
            f"{most} and {handed}",
            f"{SLOTS}",
            most == handed == SLOTS,
        )
    ]
