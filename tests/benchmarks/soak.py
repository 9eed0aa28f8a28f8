"""Eight hours of load in virtual time: does memory, do tasks, do descriptors grow?

200 people with a slot every quarter of an hour: created, delivered, asked after, ended. The service is a few
lines here, so that what grows can only be the house.
"""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from dataclasses import replace
from pathlib import Path

from jobs.model import (
    Create,
    Created,
    Deliver,
    Delivered,
    Ended,
    EndReason,
    Outcome,
    Page,
    Properties,
    Sent,
    Step,
    Survey,
)
from scheduler.model import Every, Schedule, When
from tests.benchmarks import bench
from tests.benchmarks.figure import Figure

PEOPLE = 200
HOURS = 8
HOUR_S = 3600.0


async def figures() -> list[Figure]:
    clock = bench.BenchClock(bench.OPENS_AT)
    made = 0

    async def perform(step: Step, sent: Sent) -> Outcome:
        nonlocal made
        sent()
        match step:
            case Create():
                made += 1
                return Created(f"c{made}", f"https://example.com/c{made}", clock.now())
            case Deliver():
                return Delivered(step.address)
            case Survey():
                return Page((), 0)
            case _:
                return Ended(EndReason.LEFT, clock.now())

    tracemalloc.start()
    readings: list[tuple[float, int, int]] = []
    with bench.logged(), bench.folder() as at:
        async with bench.opened(at, perform, clock, bench.config(_load(), "http://127.0.0.1:1")) as (
            daemon,
            _,
        ):
            for hour in range(1, HOURS + 1):
                await _until(daemon, clock, bench.OPENS_AT + hour * HOUR_S)
                readings.append(_reading())
            daemon.stop()
    grown = [readings[-1][n] - readings[1][n] for n in range(3)]
    load = f"{HOURS} hours of {PEOPLE} people every 15 minutes ({made:,} conversations)"
    what = f"{load}, from hour 2 to the last"
    return [
        Figure.at_most(f"{what}: memory grown", grown[0], 1.0, "MB"),
        Figure.at_most("tasks grown", grown[1], 0, ""),
        Figure.at_most("descriptors grown", grown[2], 0, ""),
    ]


def _load() -> Schedule:
    request = replace(
        bench.REQUEST, properties=Properties(max_call_duration=300, participant_absent_timeout=120)
    )
    when = (When(Every(900), "UTC"),)
    return Schedule(name="load", when=when, participants=bench.people(PEOPLE), request=request)


async def _until(daemon: bench.Daemon, clock: bench.BenchClock, end: float) -> None:
    while True:
        await daemon.turn()
        await daemon.settled()
        if daemon.bell.take():
            continue
        at_next = daemon.next_turn() or end
        if at_next > end:
            clock.set(end)
            return
        clock.set(max(at_next, clock.now()))


def _reading() -> tuple[float, int, int]:
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    return held / 2**20, len(asyncio.all_tasks()), len(list(Path("/proc/self/fd").iterdir()))
