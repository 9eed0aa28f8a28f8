"""Several workers on one ledger in PostgreSQL: a full second, the rate as the server sees it, what they cost
while there is nothing to do, and how long nobody leads when the leader dies.

Each worker is a process with a whole house, and PostgreSQL is this part's own (its defaults, fsync). Skipped
where Debian's `postgresql` or psycopg is absent.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from scheduler.ledger import Database, place_of
from tests.benchmarks import bench, burst, referee
from tests.benchmarks.figure import Figure, short
from tests.benchmarks.idle import memory_mb
from tests.benchmarks.rate import most_in

if TYPE_CHECKING:
    from tests.benchmarks.fleet import Fleet
    from tests.postgres import Server

PEOPLE, ALL_AT_ONCE = 10_000, 100_000
LIMITED, PER_S = 200, 20
ANSWER_S = 0.05
HANDED_S = 3.0
SELDOM_S = 0.5
IDLE_S, SETTLED_S = 30.0, 4.0
ROUNDS = 5
TAKEOVER_S = 6.0
"""A lease, and a sign of life."""
LATER_S = 3600.0


async def figures() -> list[Figure]:
    try:
        from tests.postgres import Missing, running
    except ImportError as absent:
        return [_skipped(absent)]
    try:
        with running() as server:
            return [_versions(), *await _measured(server)]
    except Missing as absent:
        return [_skipped(absent)]


async def _measured(server: Server) -> list[Figure]:
    return [
        *await _all_at_once(server),
        *await _limited(server),
        *await asyncio.to_thread(_idle, server),
        *await asyncio.to_thread(_takeovers, server),
        *await _embedded(server),
    ]


def _skipped(absent: Exception) -> Figure:
    return Figure(f"workers on PostgreSQL ({absent})", "not installed")


def _versions() -> Figure:
    found = f"psycopg {importlib.metadata.version('psycopg')}; load {os.getloadavg()[0]:.1f} before it began"
    return Figure("PostgreSQL of this part's own, its defaults (fsync)", found)


@contextmanager
def _fleet(server: Server, base_url: str) -> Iterator[Fleet]:
    from tests.benchmarks.fleet import fleet

    with bench.folder() as at, fleet(server, at, base_url) as made:
        yield made


# --- a full second ---


async def _all_at_once(server: Server) -> list[Figure]:
    two_s, two_sent_s = await _handed_over(server, 2)
    one_s, one_sent_s = await _handed_over(server, 1)
    what = f"{PEOPLE:,} due in one second, limits that admit them all, two workers"
    return [
        Figure.at_most(f"{what}: claimed and all taken, from when they were due", two_s, HANDED_S),
        Figure.told("the same until the last POST was sent", two_sent_s, "s"),
        Figure(
            "both with one worker, which holds 5,000 at a time",
            f"{short(one_s)} s, {short(one_sent_s)} s: {short(one_s / two_s)} and "
            f"{short(one_sent_s / two_sent_s)} times as long",
        ),
    ]


async def _handed_over(server: Server, workers: int) -> tuple[float, float]:
    """Seconds until the last was taken, and until the last was posted."""
    async with referee.watching([ANSWER_S]) as target:

        def play() -> tuple[float, float]:
            with _fleet(server, target.base_url) as fleet:
                fleet.plan(PEOPLE, ALL_AT_ONCE, 14.0)
                fleet.start(workers)
                fleet.promised(PEOPLE)
                taken_s = fleet.since_open(lambda: fleet.all_taken(PEOPLE))
                fleet.since_open(lambda: fleet.live >= PEOPLE, SELDOM_S)
                return fleet.opens, taken_s

        opens, taken_s = await asyncio.to_thread(play)
        creates = await target.creates()
    assert len(creates) == PEOPLE
    return taken_s, max(each.at for each in creates) - opens


# --- the rate ---


async def _limited(server: Server) -> list[Figure]:
    async with referee.watching([ANSWER_S]) as target:

        def play() -> float:
            with _fleet(server, target.base_url) as fleet:
                fleet.plan(LIMITED, PER_S, 8.0)
                fleet.start(3)
                fleet.promised(LIMITED)
                return fleet.since_open(lambda: fleet.live >= LIMITED)

        took_s = await asyncio.to_thread(play)
        creates = [each.at for each in await target.creates()]
    assert len(creates) == LIMITED
    what, allowed_s = f"{LIMITED} due, {PER_S} requests a second, three workers", 1.05 * LIMITED / PER_S
    most = most_in(creates, 1.0)
    return [
        Figure(
            f"{what}: all created",
            f"{took_s:.2f} s",
            f"at most 1.05 N/R: {allowed_s:.2f} s",
            took_s <= allowed_s,
        ),
        Figure(
            f"{what}: the most that came to the server in any second",
            f"{most} requests",
            f"at most {PER_S} requests",
            most <= PER_S,
        ),
    ]


# --- nothing to do ---


def _idle(server: Server) -> list[Figure]:
    with _fleet(server, "http://127.0.0.1:1") as fleet:
        fleet.plan(50, PER_S, LATER_S)
        fleet.start(1)
        alone = _watched(server, fleet)
        fleet.start(1)
        both = _watched(server, fleet)
        memory = [memory_mb(worker.pid) for worker in fleet.workers]
    return [
        Figure(
            f"nothing to do for {IDLE_S:.0f} s, CPU of the worker that leads, and of another one",
            f"{both[0]:.2f} %, {both[1]:.2f} %",
        ),
        Figure("their memory", f"{memory[0]:.1f} MB, {memory[1]:.1f} MB"),
        Figure(
            "transactions a second at the server with one worker, and with two",
            f"{alone[-1]:.1f}, {both[-1]:.1f}",
        ),
        Figure.told("the server's CPU with both", both[-2], "%"),
    ]


def _watched(server: Server, fleet: Fleet) -> tuple[float, ...]:
    """The CPU of each worker and of the server in per cent, and its transactions a second."""
    from tests.benchmarks.queue_counters import counted, cpu_s

    time.sleep(SETTLED_S)
    before, at = [cpu_s(worker.pid) for worker in fleet.workers], counted(server)
    time.sleep(IDLE_S)
    done = counted(server).since(at)
    used = [cpu_s(worker.pid) - then for worker, then in zip(fleet.workers, before, strict=True)]
    return (*(each / IDLE_S * 100 for each in used), done.cpu_s / IDLE_S * 100, done.commits / IDLE_S)


# --- nobody leads ---


def _takeovers(server: Server) -> list[Figure]:
    with _fleet(server, "http://127.0.0.1:1") as fleet:
        fleet.plan(50, PER_S, LATER_S)
        fleet.start(2)
        killed = [fleet.succeeded(signal.SIGKILL) for _ in range(ROUNDS)]
        stopped = [fleet.succeeded(signal.SIGTERM) for _ in range(ROUNDS)]
    what = f"until another worker leads, median of {ROUNDS}"
    return [
        Figure.at_most(f"{what}: the leader is killed (SIGKILL)", median(killed), TAKEOVER_S),
        Figure.told("the worst", max(killed), "s"),
        Figure.told(f"{what}: the leader is stopped (SIGTERM)", median(stopped), "s"),
    ]


# --- one process ---


async def _embedded(server: Server) -> list[Figure]:
    """The engine of one process, on either ledger."""
    with bench.logged(), bench.folder() as at:
        there = place_of(server.new())
        assert isinstance(there, Database)
        file, database = await _burst(at), await _burst(there)
    both = [
        f"{short(a)} s, {short(b)} s: {short(b / a)} times as long"
        for a, b in zip(file, database, strict=True)
    ]
    what = f"one process, its ledger a file, and in PostgreSQL: {PEOPLE:,} claimed and handed to `perform`"
    return [
        Figure(what, both[0]),
        Figure("then as many answers at once, noted and delivered", both[1]),
    ]


async def _burst(at: Path | Database) -> tuple[float, float]:
    hands, clock = burst.Hands(), bench.BenchClock(bench.OPENS_AT - 7200.0)
    using = bench.config(bench.schedule(PEOPLE), "http://127.0.0.1:1")
    async with bench.opened(at, hands.perform, clock, using) as (daemon, _):
        await bench.promised(daemon, clock)
        began = time.perf_counter()
        await daemon.turn()
        await hands.all_handed.wait()
        handed = time.perf_counter()
        hands.go.set()
        await bench.run_up_to(daemon, hands.all_delivered)
        return handed - began, time.perf_counter() - handed
