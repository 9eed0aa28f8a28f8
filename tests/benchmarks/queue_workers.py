"""The workers that `queues` compares: `python -m tests.benchmarks.queue_workers WAY URL NAME EVENTS HOLD_S`.

Both do the same for a job: note durably that it is begun, act (here: say so, HOLD_S later), note that it is
done; both may have CAP jobs in hand, write their notes in batches and wait out a server that is away. What
happens goes to the file EVENTS, one line each, with the machine's monotonic time.

`rows` takes jobs from the ledger's own rows: taking is the note that it is begun, and a job that was taken
by a worker whose lease is over goes to `unknown`, never to another worker. `pgqueuer` is what pgqueuer makes
of the same, with its own supervisor.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import psycopg

LEASE_S, RENEW_S, AGAIN_S = 5.0, 1.0, 0.2
BATCH, CAP = 200, 800
"""The best for pgqueuer of 10 to 1,000; jobs that are asked for, and in hand, at most."""

JOBS = """
CREATE TABLE records (id bigint PRIMARY KEY, stage text NOT NULL, begun int NOT NULL DEFAULT 0);
CREATE TABLE workers (name text PRIMARY KEY, lease_until timestamptz NOT NULL);
CREATE TABLE jobs (id bigint PRIMARY KEY, worker text, taken_at timestamptz);
CREATE INDEX jobs_waiting ON jobs (id) WHERE worker IS NULL;
"""
TAKE = """
UPDATE jobs SET worker = %s, taken_at = now() WHERE id IN
    (SELECT id FROM jobs WHERE worker IS NULL ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED) RETURNING id"""
RENEW = """
INSERT INTO workers VALUES (%s, now() + %s * interval '1 second')
ON CONFLICT (name) DO UPDATE SET lease_until = excluded.lease_until RETURNING name"""
REAP = """
WITH lost AS (
    DELETE FROM jobs USING workers WHERE jobs.worker = workers.name AND lease_until < now() RETURNING id)
UPDATE records SET stage = 'unknown' FROM lost WHERE records.id = lost.id RETURNING records.id"""
ROW_DONE = """
WITH gone AS (DELETE FROM jobs WHERE id = ANY(%s) AND worker = %s RETURNING id)
UPDATE records SET stage = 'done' FROM gone WHERE records.id = gone.id RETURNING records.id"""
BEGUN = "UPDATE records SET begun = begun + 1 WHERE id = ANY(%s) RETURNING id"
DONE = "UPDATE records SET stage = 'done' WHERE id = ANY(%s) RETURNING id"


class Events:
    """What this worker did, for the one that measures."""

    def __init__(self, path: str, name: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._name = name

    def tell(self, what: str, job: int = 0) -> None:
        os.write(self._file, f"{what} {job} {self._name} {time.monotonic()}\n".encode())


class Line:
    """A connection that comes back: a statement is a transaction, tried until the server answers."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.AsyncConnection | None = None

    async def ids(self, statement: str, *values: object) -> list[Any]:
        while True:
            try:
                cursor = await (await self.open()).execute(statement, values)
                return [row[0] for row in await cursor.fetchall()]
            except psycopg.OperationalError:
                await self._lost()

    async def open(self) -> psycopg.AsyncConnection:
        if self._connection is None:
            self._connection = await psycopg.AsyncConnection.connect(self._url, autocommit=True)
        return self._connection

    async def rung(self) -> AsyncIterator[None]:
        """Each time that something may have come."""
        while True:
            try:
                connection = await self.open()
                await connection.execute("LISTEN jobs")
                yield
                async for _ in connection.notifies():
                    yield
            except psycopg.OperationalError:
                pass
            await self._lost()

    async def _lost(self) -> None:
        if self._connection is not None:
            await self._connection.close()
        self._connection = None
        await asyncio.sleep(AGAIN_S)


class Notes:
    """Notes of one kind: all that wait are written in one transaction."""

    def __init__(self, url: str, statement: str, *values: object) -> None:
        self._line, self._statement, self._values = Line(url), statement, values
        self._waiting: list[tuple[int, asyncio.Future[bool]]] = []
        self._bell = asyncio.Event()

    async def write(self, job: int) -> bool:
        """Whether the note counts: it doesn't when the job is no longer ours."""
        written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((job, written))
        self._bell.set()
        return await written

    async def run(self) -> None:
        while True:
            await self._bell.wait()
            self._bell.clear()
            batch, self._waiting = self._waiting, []
            jobs = [job for job, _ in batch]
            counted = set(await self._line.ids(self._statement, jobs, *self._values))
            for job, written in batch:
                written.set_result(job in counted)


class Rows:
    """Takes from the ledger's own rows."""

    def __init__(self, url: str, name: str, events: Events, hold_s: float) -> None:
        self._name, self._events, self._hold_s = name, events, hold_s
        self._taking, self._renewing, self._listening = Line(url), Line(url), Line(url)
        self._done = Notes(url, ROW_DONE, name)
        self._bell, self._in_hand, self._lease_until = asyncio.Event(), 0, 0.0

    async def run(self) -> None:
        await self._renew()
        async with asyncio.TaskGroup() as group:
            for each in (self._done.run(), self._listen(), self._keep()):
                group.create_task(each)
            self._events.tell("ready")
            while True:
                self._bell.clear()
                if not await self._take(group):
                    await self._bell.wait()

    async def _take(self, group: asyncio.TaskGroup) -> bool:
        room = min(BATCH, CAP - self._in_hand)
        jobs = sorted(await self._taking.ids(TAKE, self._name, room)) if room else []
        for job in jobs:
            self._in_hand += 1
            group.create_task(self._work(job))
        return bool(jobs)

    async def _work(self, job: int) -> None:
        self._events.tell("begun", job)
        await asyncio.sleep(self._hold_s)
        held = time.monotonic() < self._lease_until
        self._events.tell("acted" if held else "refused", job)
        counted = await self._done.write(job)
        self._events.tell("done" if counted else "stale", job)
        self._in_hand -= 1
        self._bell.set()

    async def _listen(self) -> None:
        async for _ in self._listening.rung():
            self._bell.set()

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(RENEW_S)
            await self._renew()
            for job in await self._renewing.ids(REAP):
                self._events.tell("unknown", job)
            self._bell.set()

    async def _renew(self) -> None:
        asked_at = time.monotonic()
        await self._renewing.ids(RENEW, self._name, LEASE_S)
        self._lease_until = asked_at + LEASE_S


class Pgqueuer:
    """The same work as an entrypoint of pgqueuer, tuned: one asyncpg connection, as its guide advises,
    and without its scheduler, whose end would cancel the work in hand."""

    def __init__(self, url: str, events: Events, hold_s: float) -> None:
        self._url, self._events, self._hold_s = url, events, hold_s
        self._begun, self._done = Notes(url, BEGUN), Notes(url, DONE)

    async def run(self) -> None:
        import pgqueuer

        async with asyncio.TaskGroup() as group:
            for each in (self._begun.run(), self._done.run()):
                group.create_task(each)
            await pgqueuer.run(
                self._opened,
                dequeue_timeout=timedelta(seconds=RENEW_S),
                batch_size=BATCH,
                max_concurrent_tasks=CAP,
                heartbeat_timeout=timedelta(seconds=LEASE_S),
                restart_on_failure=True,
                restart_delay=timedelta(seconds=AGAIN_S),
                shutdown=asyncio.Event(),
            )

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[Any]:
        import asyncpg
        from pgqueuer import AsyncpgDriver, Job, Queries, QueueManager

        connection = await asyncpg.connect(self._url)
        queue = QueueManager(Queries(AsyncpgDriver(connection)))

        @queue.entrypoint("work")
        async def work(job: Job) -> None:
            await self._work(int(job.payload or b""))

        self._events.tell("ready")
        try:
            yield queue
        finally:
            await connection.close()

    async def _work(self, job: int) -> None:
        await self._begun.write(job)
        self._events.tell("begun", job)
        await asyncio.sleep(self._hold_s)
        self._events.tell("acted", job)
        await self._done.write(job)
        self._events.tell("done", job)


def main() -> None:
    way, url, name, path, hold_s = sys.argv[1:]
    events = Events(path, name)
    worker = Rows(url, name, events, float(hold_s)) if way == "rows" else Pgqueuer(url, events, float(hold_s))
    asyncio.run(worker.run())


if __name__ == "__main__":
    main()
