"""The rate limit, measured at the server: how long N creations take, and the most that it saw in a second.

The server is a referee of its own; its answers take a moment, and in the last round one to three seconds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from jobs.channels.log import LogChannel
from jobs.perform import Hands
from jobs.tavus.client import connect
from scheduler.clock import Clock
from scheduler.model import Rate
from tests.benchmarks import bench, referee
from tests.benchmarks.figure import Figure

QUICK_S, SLOW_S = (0.05,), (1.0, 3.0, 1.5, 2.0, 2.5, 1.2)
ROUNDS = ((20, 200, QUICK_S), (100, 1_000, QUICK_S), (400, 3_200, QUICK_S), (100, 2_000, SLOW_S))
"""Requests a second, how many creations, and what their answers take in turns."""


async def figures() -> list[Figure]:
    found: list[Figure] = []
    with bench.logged():
        for per_s, number, answers_s in ROUNDS:
            found += await _limited(per_s, number, answers_s)
    return found


async def _limited(per_s: int, number: int, answers_s: Sequence[float]) -> list[Figure]:
    clock = Clock()
    async with referee.watching(answers_s) as target:
        using = bench.config(bench.opening_in(3, number), target.base_url, Rate(per_s, 1.0))
        with bench.folder() as at:
            async with connect(target.base_url, "bench-key") as tavus:
                hands = Hands(tavus, {"log": LogChannel()})
                async with bench.opened(at, hands.perform, clock, using) as (daemon, ledger):
                    took_s = await bench.run_until(daemon, ledger, clock, number, 60.0)
        creates = await target.creates()
    assert len(creates) == number
    allowed_s = 1.03 * number / per_s + max(answers_s)
    what = f"{number:,} creations at {per_s} a second"
    if len(answers_s) > 1:
        what += f", answers of {min(answers_s):g} to {max(answers_s):g} s"
    return [
        Figure(
            f"{what}: all created and delivered",
            f"{took_s:.2f} s",
            f"at most 1.03 N/R and one answer: {allowed_s:.2f} s",
            took_s <= allowed_s,
        ),
        _most(what, creates, per_s),
    ]


def _most(what: str, creates: Sequence[referee.Arrival], per_s: int) -> Figure:
    """Judged by when requests came; when they were read also holds what this machine did meanwhile."""
    came, read = (most_in((each[n] for each in creates), 1.0) for n in (0, 1))
    return Figure(
        f"{what}: the most that came to the server in any second (and that it read)",
        f"{came} ({read}) requests",
        f"at most {per_s} requests",
        came <= per_s,
    )


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
