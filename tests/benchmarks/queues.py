"""Who carries claimed steps to the workers of several machines: pgqueuer, or the ledger's own rows?

Both on one PostgreSQL of this part's own, with two workers (`queue_workers`); a leader puts its records and
the jobs in one transaction. Skipped where Debian's `postgresql`, psycopg or pgqueuer is absent:

    apt-get install postgresql
    pip install pytest 'psycopg[binary]>=3.2' 'pgqueuer[asyncpg]==1.6.0'
"""

from __future__ import annotations

import asyncio
import importlib.metadata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import TYPE_CHECKING

from tests.benchmarks import bench
from tests.benchmarks.figure import Figure, short

if TYPE_CHECKING:
    from tests.benchmarks.queue_scenes import Seen
    from tests.benchmarks.queue_world import World

    Play = Callable[[Callable[[World], Seen], str], Seen]

WAYS = {"rows": "own rows", "pgqueuer": "pgqueuer"}
ROUNDS = 5


async def figures() -> list[Figure]:
    try:
        import asyncpg  # noqa: F401
        import pgqueuer  # noqa: F401

        from tests.postgres import Missing
    except ImportError as absent:
        return [_skipped(absent)]
    try:
        return await asyncio.to_thread(_figures)
    except Missing as absent:
        return [_skipped(absent)]


def _skipped(absent: Exception) -> Figure:
    return Figure(f"pgqueuer against the ledger's own rows ({absent})", "not installed")


def _figures() -> list[Figure]:
    from tests.benchmarks import queue_scenes as scenes

    held = f"{scenes.HELD} jobs of a worker"
    parts = (
        (f"{scenes.JOBS:,} jobs that do nothing, median of {ROUNDS}", scenes.burst, ROUNDS),
        (f"a lone job, {scenes.ALONE} times", scenes.alone, 1),
        (f"{held} that is killed", scenes.killed, 1),
        (f"{held} that is stopped for {scenes.STOPPED_S:g} s", scenes.stopped, 1),
        (f"the server away for {scenes.AWAY_S:g} s, {scenes.HELD} jobs in hand", scenes.restarted, 1),
        (f"nothing to do for {scenes.IDLE_S:g} s", scenes.idle, 1),
    )
    with _playing() as play:
        return [
            _versions(),
            *(each for what, scene, rounds in parts for each in _told(what, scene, rounds, play)),
        ]


@contextmanager
def _playing() -> Iterator[Play]:
    """Plays a scene in one way, each time in a fresh database."""
    from tests.benchmarks.queue_world import world
    from tests.postgres import running

    with running() as server, bench.folder() as at:

        def play(scene: Callable[[World], Seen], way: str) -> Seen:
            with world(server, way, at) as made:
                return scene(made)

        yield play


def _told(what: str, scene: Callable[[World], Seen], rounds: int, play: Play) -> Iterator[Figure]:
    """A scene's figures, a line for each, both ways beside each other."""
    seen: dict[str, list[Seen]] = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way in WAYS:
            seen[way].append(play(scene, way))
    for name in seen["rows"][0]:
        middle = {way: median(each[name] for each in found) for way, found in seen.items()}
        both = ", ".join(f"{called} {short(middle[way])}" for way, called in WAYS.items())
        yield Figure(f"{what}: {name}" if what else name, both)
        what = ""


def _versions() -> Figure:
    names = ("psycopg", "pgqueuer", "asyncpg")
    found = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)
    return Figure("PostgreSQL of this part's own, its defaults (fsync)", found)
