"""What is served beside the turns: `/metrics` over 100,000 records, asked by one and by fifty at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median

import aiohttp

from scheduler.app.observing import new_metrics
from scheduler.model import Listen
from scheduler.vitals import Reload
from scheduler.web import Numbers, application, numbers_routes, serving
from tests.benchmarks import bench
from tests.benchmarks.figure import Figure
from tests.benchmarks.status import DAY_S, DAYS, PEOPLE

ROUNDS, BROWSERS = 50, 50


async def figures() -> list[Figure]:
    clock = bench.BenchClock(bench.OPENS_AT - 1800.0)
    using = bench.config(replace(bench.schedule(PEOPLE), enabled=False), "http://127.0.0.1:1")
    with bench.logged(), bench.folder() as at:
        async with bench.opened(at, bench.nothing, clock, using) as (daemon, _):
            for day in range(DAYS):
                clock.set(bench.OPENS_AT - 600.0 + day * DAY_S)
                await daemon.turn()
            async with _served(daemon, clock, at / "ledger.db") as url, aiohttp.ClientSession() as client:
                alone = [await _asked(client, url, clock) for _ in range(ROUNDS)]
                async with bench.Stalls() as stalls:
                    for _ in range(ROUNDS):
                        await _asked(client, url, clock)
                async with asyncio.TaskGroup() as group:
                    began = time.perf_counter()
                    tasks = [group.create_task(_asked(client, url)) for _ in range(BROWSERS)]
                together = time.perf_counter() - began
            daemon.stop()
    assert all(task.result() > 0 for task in tasks)
    what = f"`/metrics` over {PEOPLE * DAYS:,} records"
    return [
        Figure.at_most(f"{what}, median of {ROUNDS}", median(alone) * 1e3, 20, "ms"),
        Figure.told("the slowest of them", max(alone) * 1e3, "ms"),
        Figure.at_most("longest stall of the loop meanwhile", stalls.longest_s * 1e3, 25, "ms"),
        Figure.told(f"{BROWSERS} who ask at once, until the last has it", together * 1e3, "ms"),
    ]


@asynccontextmanager
async def _served(daemon: bench.Daemon, clock: bench.BenchClock, ledger: Path) -> AsyncIterator[str]:
    reload = Reload(ok=True, at=clock.now())
    numbers = Numbers(new_metrics(), ledger, clock, daemon.checkup.vitals, lambda: reload)
    app = application(print, local=True)
    app.add_routes(numbers_routes(numbers))
    async with serving(app, Listen("127.0.0.1", 0)) as url:
        yield f"{url}/metrics"


async def _asked(client: aiohttp.ClientSession, url: str, clock: bench.BenchClock | None = None) -> float:
    """How long an answer takes; with a clock, one that nobody has been given yet."""
    if clock is not None:
        clock.set(clock.now() + 2.0)
    began = time.perf_counter()
    async with client.get(url) as answer:
        assert answer.status == 200 and b"callboard_conversations_held" in await answer.read()
    return time.perf_counter() - began
