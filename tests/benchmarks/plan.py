"""Planning and catching up: a month for 10,000 people, 100,000 occurrences as a stream, a week away."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from scheduler.planner import occurrences
from tests.benchmarks import bench
from tests.benchmarks.figure import Figure

PEOPLE = 10_000
DAY_S = 86_400.0
MONTH_S, WEEK_S = 30 * DAY_S, 7 * DAY_S
STREAMED = 100_000

RUN = "import sys; from scheduler.__main__ import main; sys.argv = ['callboard', *sys.argv[1:]]\n"
PEAK = "print(open('/proc/self/status').read().partition('VmHWM:')[2].split()[0], file=sys.stderr)"
"""Kilobytes. (`ru_maxrss` would also count what the parent had.)"""


async def figures() -> list[Figure]:
    with bench.logged(), bench.folder() as at:
        return [_month(), *await _streamed(at), *await _caught_up(at)]


def _month() -> Figure:
    weekdays = bench.schedule(PEOPLE, weekdays=range(5))
    began = time.perf_counter()
    number = sum(1 for _ in occurrences([weekdays], bench.OPENS_AT - DAY_S, bench.OPENS_AT - DAY_S + MONTH_S))
    took_s = time.perf_counter() - began
    return Figure.at_most(
        f"planning a month of weekdays for {PEOPLE:,} people ({number:,} promises)", took_s, 1.0
    )


async def _streamed(at: Path) -> list[Figure]:
    few, many = _team(at / "few.yaml", 10), _team(at / "many.yaml", 10)
    small = await _plan(few, "1")
    began = time.perf_counter()
    large = await _plan(many, str(STREAMED // 10 // 24))
    took_s = time.perf_counter() - began
    assert large[0] > STREAMED * 0.99, large
    return [
        Figure.at_most(
            f"`callboard plan --json` of {large[0]:,} promises: memory above one of {small[0]:,}",
            (large[1] - small[1]) / 1024,
            40,
            "MB",
        ),
        Figure.told("the same command, from start to end", took_s, "s"),
    ]


def _team(path: Path, number: int) -> Path:
    """So many people with a slot every hour."""
    people = ", ".join(f"{{id: p{n}, name: Person {n}}}" for n in range(number))
    path.write_text(
        f"version: 1\ndefaults: {{timezone: UTC}}\nschedules:\n  hourly:\n    when: {{every: 1h}}\n"
        f"    participants: [{people}]\n    conversation: {{persona_id: pdced222244b}}\n"
    )
    return path


async def _plan(path: Path, days: str) -> tuple[int, int]:
    """Rows printed, and the most memory held."""
    source = f"{RUN}try:\n    main()\nexcept SystemExit:\n    {PEAK}"
    arguments: Sequence[str] = ("plan", str(path), "--from", "2026-11-30", "--days", days, "--json")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", source, *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None and process.stderr is not None
    rows = 0
    async for _ in process.stdout:
        rows += 1
    peak = (await process.stderr.read()).split()[-1]
    await process.wait()
    return rows - 1, int(peak)


async def _caught_up(at: Path) -> list[Figure]:
    clock, using = (
        bench.BenchClock(bench.OPENS_AT - 1800.0),
        bench.config(bench.schedule(PEOPLE), "http://127.0.0.1:1"),
    )
    async with _opened(at, clock, using):
        clock.set(clock.now() + 60.0)
    clock.set(bench.OPENS_AT - 1800.0 + WEEK_S - 120.0)
    began = time.perf_counter()
    async with _opened(at, clock, using):
        took_s = time.perf_counter() - began
    what = f"catching up after 7 days with {PEOPLE:,} people ({7 * PEOPLE:,} promises written as missed)"
    return [Figure.at_most(what, took_s, 1.0)]


@asynccontextmanager
async def _opened(at: Path, clock: bench.BenchClock, using: bench.Config) -> AsyncIterator[None]:
    async with bench.opened(at, bench.nothing, clock, using) as (daemon, _):
        await daemon.turn()
        yield
        daemon.stop()
