"""A house with nothing to do, and the commands that should be there at once."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from tests.benchmarks import bench
from tests.benchmarks.figure import Figure

CONFIGS = Path(__file__).parents[2] / "configs"
ROUNDS = 5
WATCHED_S = 20.0
HOUR_S = 3600.0
COMMAND = (sys.executable, "-m", "scheduler")


async def figures() -> list[Figure]:
    found = [Figure.at_most("`callboard --help`, best of five", _fastest(["--help"]), 0.2)]
    for path in sorted(CONFIGS.glob("*.yaml")):
        found.append(
            Figure.at_most(f"`callboard check configs/{path.name}`", _fastest(["check", str(path)]), 0.5)
        )
    with bench.folder() as at:
        found += await asyncio.to_thread(_idle, at)
    return [*found, Figure.at_most("turns of an idle house in an hour", await _turns(), 12, "turns")]


def _fastest(arguments: list[str]) -> float:
    took_s = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        subprocess.run(
            [*COMMAND, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
        )
        took_s.append(time.perf_counter() - began)
    return min(took_s)


def _idle(at: Path) -> list[Figure]:
    """A daemon of the installed command, whose next slot is hours away."""
    path = at / "team.yaml"
    people = ", ".join(f"{{id: p{n}, name: Person {n}}}" for n in range(50))
    path.write_text(
        "version: 1\ndefaults: {timezone: UTC}\nschedules:\n  practice:\n"
        "    when: {on: ['2037-01-05T09:00']}\n"
        f"    participants: [{people}]\n    conversation: {{persona_id: pdced222244b}}\n"
    )
    began = time.perf_counter()
    environment = {**os.environ, "TAVUS_API_KEY": "bench-key", "CALLBOARD_LOG": "json"}
    with subprocess.Popen(
        [*COMMAND, "run", str(path)], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        while json.loads(process.stdout.readline())["event"] != "ready":
            pass
        ready_s = time.perf_counter() - began
        time.sleep(1.0)
        before_s = _cpu_s(process.pid)
        time.sleep(WATCHED_S)
        busy = (_cpu_s(process.pid) - before_s) / WATCHED_S
        memory = memory_mb(process.pid)
        process.terminate()
    return [
        Figure.at_most("`callboard run` until it says ready", ready_s, 2.0),
        Figure.at_most("an idle house's CPU", busy * 100, 0.5, "%"),
        Figure.at_most("its memory", memory, 70, "MB"),
    ]


async def _turns() -> int:
    """Driven by the clock alone: every turn that the house asks for within an hour."""

    clock = bench.BenchClock(bench.OPENS_AT + 2 * HOUR_S)
    using = bench.config(bench.schedule(50), "http://127.0.0.1:1")
    with bench.logged(), bench.folder() as at:
        async with bench.opened(at, bench.nothing, clock, using) as (daemon, _):
            await daemon.turn()
            end, before = clock.now() + HOUR_S, daemon.turns
            while (at_next := daemon.next_turn()) is not None and at_next < end:
                clock.set(at_next)
                await daemon.turn()
            daemon.stop()
    return daemon.turns - before


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int) -> float:
    line = next(each for each in Path(f"/proc/{pid}/status").read_text().splitlines() if "VmRSS" in each)
    return int(line.split()[1]) / 1024
