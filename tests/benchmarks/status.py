"""A status query over 100,000 rows, while the house turns: how long its turns take beside it."""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import replace
from pathlib import Path

from tests.benchmarks import bench
from tests.benchmarks.figure import Figure

PEOPLE = 10_000
DAYS = 10
DAY_S = 86_400.0
ROUNDS = 200


async def figures() -> list[Figure]:
    clock = bench.BenchClock(bench.OPENS_AT - 1800.0)
    using = bench.config(replace(bench.schedule(PEOPLE), enabled=False), "http://127.0.0.1:1")
    with bench.logged(), bench.folder() as at:
        async with bench.opened(at, bench.nothing, clock, using) as (daemon, _):
            for day in range(DAYS):
                clock.set(bench.OPENS_AT - 600.0 + day * DAY_S)
                await daemon.turn()
            alone = await _turns(daemon)
            process = await _listing(at / "ledger.db")
            began = time.perf_counter()
            beside: list[float] = []
            while process.returncode is None:
                beside += await _turns(daemon, rounds=1)
                await asyncio.sleep(0.005)
            query_s = time.perf_counter() - began
            rows = int((await process.communicate())[0])
            daemon.stop()
    assert rows == PEOPLE * DAYS, rows
    return [
        Figure.told(f"`callboard ls --json` of {rows:,} records", query_s, "s"),
        Figure.told("a turn over the same ledger, longest of 200", max(alone) * 1e3, "ms"),
        Figure.at_most(
            "the longest turn meanwhile", max(beside) * 1e3, max(50.0, 3 * max(alone) * 1e3), "ms"
        ),
    ]


async def _turns(daemon: bench.Daemon, rounds: int = ROUNDS) -> list[float]:
    took_s = []
    for _ in range(rounds):
        began = time.perf_counter()
        await daemon.turn()
        took_s.append(time.perf_counter() - began)
    return took_s


async def _listing(path: Path) -> asyncio.subprocess.Process:
    command = f"{sys.executable} -m scheduler ls --json --ledger {path} | wc -l"
    return await asyncio.create_subprocess_shell(command, stdout=asyncio.subprocess.PIPE)
