"""500 of 10,000 answers are lost: the list requests that it costs to find them all, and none is doubled."""

from __future__ import annotations

from jobs.channels.log import LogChannel
from jobs.perform import Hands
from jobs.tavus.client import connect
from scheduler.clock import Clock
from scheduler.ledger.snapshot import Snapshot
from scheduler.model import Rate
from tests.benchmarks import bench, server
from tests.benchmarks.figure import Figure

PEOPLE = 10_000
LOST = 500


async def figures() -> list[Figure]:
    clock = Clock()
    with bench.logged(), bench.folder() as at:
        async with server.running() as target:
            await target.arm(
                kind="drop", when="after", operation="create", count=LOST, probability=LOST / PEOPLE, seed=7
            )
            using = bench.config(bench.opening_in(4, PEOPLE), target.base_url, Rate(1_000, 1.0))
            async with connect(target.base_url, "bench-key") as tavus:
                hands = Hands(tavus, {"log": LogChannel()})
                async with bench.opened(at, hands.perform, clock, using) as (daemon, ledger):
                    took_s = await bench.run_until(daemon, ledger, clock, PEOPLE, 120.0)
            marks, lists = await target.marks(), len(await target.arrivals("list"))
        with Snapshot.open(at / "ledger.db") as snapshot:
            lost = sum(any(told.kind == "found" for told in story) for _, story in snapshot.stories())
    what = f"{PEOPLE:,} creations at 1,000 a second, {lost} answers lost"
    return [
        Figure(
            f"{what}: conversations doubled, missing",
            f"{len(marks) - len(set(marks))}, {PEOPLE - len(set(marks))}",
            "0, 0",
            len(marks) == len(set(marks)) == PEOPLE,
        ),
        Figure.at_most(f"{what}: list requests until all were found", lists, 200, "requests"),
        Figure.told("until all were live", took_s, "s"),
    ]
