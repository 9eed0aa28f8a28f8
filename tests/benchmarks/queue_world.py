"""A leader, workers and their queue in a fresh database, for one scenario of `queues`."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.queue_counters import cpu_s, until
from tests.benchmarks.queue_workers import JOBS
from tests.postgres import Server

SETTLED_S = 1.5
"""From a worker's word that it is ready until it surely listens."""
RECORDS = "INSERT INTO records (id, stage) SELECT id, 'creating' FROM unnest(%s::bigint[]) id"
TABLES = """
SELECT relname, pg_total_relation_size(oid) FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'records'"""


class Event(NamedTuple):
    """What a worker said."""

    what: str
    job: int
    worker: str
    at: float


class World:
    """One way to carry jobs. `leader` is the connection whose transactions hold records and jobs."""

    def __init__(self, server: Server, way: str, at: Path) -> None:
        self.server, self.way = server, way
        self._path = at / f"{way}-{time.monotonic_ns()}"
        self._path.touch()
        self._last = 0
        self.workers: list[subprocess.Popen[bytes]] = []
        self.leader = server.connect()
        self.leader.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public;" + JOBS)
        if way == "pgqueuer":
            asyncio.run(_install(server.url()))

    def enqueue(self, number: int, undo: bool = False) -> float:
        """Records and their jobs in one transaction; when its COMMIT was sent."""
        jobs = list(range(self._last + 1, self._last + number + 1))
        self._last = jobs[-1]
        with self.leader.transaction(force_rollback=undo):
            self.leader.execute(RECORDS, (jobs,))
            self._put(jobs)
            return time.monotonic()

    def _put(self, jobs: list[int]) -> None:
        if self.way == "rows":
            self.leader.execute("INSERT INTO jobs (id) SELECT unnest(%s::bigint[])", (jobs,))
            self.leader.execute("NOTIFY jobs")
            return
        from pgqueuer.db import SyncPsycopgDriver
        from pgqueuer.queries import SyncQueries

        payloads: list[bytes | None] = [str(job).encode() for job in jobs]
        queue = SyncQueries(SyncPsycopgDriver(self.leader))
        queue.enqueue(["work"] * len(jobs), payloads, [0] * len(jobs))

    @contextmanager
    def working(self, number: int = 2, hold_s: float = 0.0) -> Iterator[None]:
        command = [sys.executable, "-m", "tests.benchmarks.queue_workers", self.way, self.server.url()]
        self.workers = [
            subprocess.Popen([*command, f"w{n}", str(self._path), str(hold_s)], stderr=subprocess.DEVNULL)
            for n in range(number)
        ]
        try:
            until(lambda: len(self.told("ready")) == number, 30.0)
            time.sleep(SETTLED_S)
            yield
        finally:
            for worker in self.workers:
                worker.kill()
                worker.wait()

    def told(self, what: str) -> list[Event]:
        rows = (line.split() for line in self._path.read_text().splitlines())
        return [Event(row[0], int(row[1]), row[2], float(row[3])) for row in rows if row[0] == what]

    def wait_for(self, what: str, number: int, most_s: float = 60.0) -> list[Event]:
        """The first so many words of this kind."""
        until(lambda: len(self.told(what)) >= number, most_s)
        return self.told(what)

    def emptied(self, most_s: float = 60.0) -> None:
        """Wait until the queue holds nothing."""
        until(lambda: not self.in_queue, most_s)

    def one(self, statement: str) -> int:
        row = self.leader.execute(statement).fetchone()
        assert row is not None
        return int(row[0])

    @property
    def table(self) -> str:
        return "jobs" if self.way == "rows" else "pgqueuer"

    @property
    def workers_cpu_s(self) -> float:
        return sum(cpu_s(worker.pid) for worker in self.workers)

    @property
    def in_queue(self) -> int:
        return self.one(f"SELECT count(*) FROM {self.table}")

    def left(self) -> tuple[int, int]:
        """Rows and bytes of all tables but the records."""
        found = self.leader.execute(TABLES).fetchall()
        return sum(self.one(f"SELECT count(*) FROM {name}") for name, _ in found), sum(
            each[1] for each in found
        )

    def reconnect(self) -> None:
        self.leader = self.server.connect()


@contextmanager
def world(server: Server, way: str, at: Path) -> Iterator[World]:
    made = World(server, way, at)
    try:
        yield made
    finally:
        made.leader.close()


async def _install(url: str) -> None:
    """As its guide for throughput says: its log unlogged, its vacuum tuned."""
    import asyncpg
    from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment
    from pgqueuer.db import AsyncpgDriver
    from pgqueuer.domain.settings import DBSettings, Durability
    from pgqueuer.queries import Queries

    connection = await asyncpg.connect(url)
    settings = DBSettings().model_copy(update={"durability": Durability.balanced})
    queries = Queries(AsyncpgDriver(connection), qbe=QueryBuilderEnvironment(settings))
    await queries.install()
    await queries.optimize_autovacuum()
    await connection.close()
