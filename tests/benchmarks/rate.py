"""The rate limit, measured at the server: how long N creations take, and the most that it saw in a second."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from jobs.channels.log import LogChannel
from jobs.perform import Hands
from jobs.tavus.client import connect
from scheduler.clock import Clock
from scheduler.model import Rate
from tests.benchmarks import bench, server
from tests.benchmarks.figure import Figure

ANSWER_S = 0.05
ROUNDS = ((20, 200), (100, 1_000), (400, 3_200))
"""Requests a second, and how many creations."""


async def figures() -> list[Figure]:
    found: list[Figure] = []
    with bench.logged():
        for per_s, number in ROUNDS:
            found += await _limited(per_s, number)
    return found


async def _limited(per_s: int, number: int) -> list[Figure]:
    clock = Clock()
    async with server.running(ANSWER_S) as target:
        using = bench.config(bench.opening_in(3, number), target.base_url, Rate(per_s, 1.0))
        with bench.folder() as at:
            async with connect(target.base_url, "bench-key") as tavus:
                hands = Hands(tavus, {"log": LogChannel()})
                async with bench.opened(at, hands.perform, clock, using) as (daemon, ledger):
                    took_s = await bench.run_until(daemon, ledger, clock, number, 60.0)
        arrivals = await target.arrivals("create")
    assert len(arrivals) == number
    most, allowed_s = most_in(arrivals, 1.0), 1.03 * number / per_s + ANSWER_S
    what = f"{number:,} creations at {per_s} a second"
    return [
        Figure(
            f"{what}: all created and delivered",
            f"{took_s:.2f} s",
            f"at most 1.03 N/R and one answer: {allowed_s:.2f} s",
            took_s <= allowed_s,
        ),
        Figure.at_most(f"{what}: the most that the server saw in any second", most, per_s, "requests"),
    ]


def most_in(arrivals: Iterable[float], length_s: float) -> int:
    """The most arrivals in any half-open window of this length."""
    window: deque[float] = deque()
    most = 0
    for at in sorted(arrivals):
        window.append(at)
        while window[0] <= at - length_s:
            window.popleft()
        most = max(most, len(window))
    return most
