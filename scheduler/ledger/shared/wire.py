"""The wire between the workers of one ledger: each listens on one connection, and speaks and renews its lease
on another, beside the ledger's own.

A call is a hint to look, or word of what a request has come to; one that is lost does no harm, since all that
must be known stands in rows. Leases are kept by the database's clock. A connection that breaks is made anew.
What calls mean is not known here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final, NamedTuple

import psycopg
from psycopg import AsyncConnection

from jobs.model import Instant
from scheduler.ledger.errors import LedgerError, LedgerUnavailable
from scheduler.ledger.outages import named
from scheduler.ledger.place import Database
from scheduler.ledger.postgresql import LOCKED, WRITER_IDLE_S, ties
from scheduler.ledger.shared.workers import LEASE_MAX_S, LEASE_S, NOW

PATIENCE_S: Final = 8.0
"""Longer than a stopped process may keep the writers' lock, whom a new leader waits for."""

CALL_BYTES: Final = 7_500
"""What one call may hold: PostgreSQL allows 8,000 bytes."""

_CHANNEL = "SELECT 'callboard_' || 'records'::regclass::oid::text"
_JOIN = f"""
INSERT INTO workers (id, name, version, started_at, until, in_hand)
SELECT %(id)s, %(name)s, %(version)s, t.now, t.now + {LEASE_S}, 0 FROM (SELECT {NOW} AS now) AS t
"""  # noqa: S608
_RUNS = f"until BETWEEN t.now AND t.now + {LEASE_MAX_S}"
_BEAT = f"""
WITH t AS (SELECT {NOW} AS now),
me AS (
  UPDATE workers SET until = t.now + {LEASE_S}, in_hand = %(in_hand)s
  FROM t WHERE id = %(id)s RETURNING 1
), mine AS (
  UPDATE lead SET until = t.now + {LEASE_S} FROM t WHERE worker = %(id)s AND epoch = %(epoch)s RETURNING 1
)
SELECT t.now, EXISTS (SELECT 1 FROM me), EXISTS (SELECT 1 FROM mine), NOT l.{_RUNS},
  (SELECT count(*) FROM workers WHERE id != %(id)s AND {_RUNS}),
  (SELECT count(*) FROM workers WHERE id != %(id)s AND NOT {_RUNS})
FROM t CROSS JOIN lead AS l
"""  # noqa: S608
_LEAD = f"""
UPDATE lead SET epoch = epoch + 1, worker = %(id)s, since = {NOW}, until = {NOW} + {LEASE_S}
WHERE until NOT BETWEEN {NOW} AND {NOW} + {LEASE_MAX_S}
AND EXISTS (SELECT 1 FROM workers WHERE id = %(id)s AND until >= {NOW}) RETURNING epoch
"""  # noqa: S608
_CALL = "SELECT count(pg_notify(%s, word)) FROM unnest(%s::text[]) AS word"
_MANNERS = f"""
SET synchronous_commit = off; SET idle_in_transaction_session_timeout = '{WRITER_IDLE_S}s'
"""
"""A sign of life that is lost with the server is none: it needs no disk. And whoever stops while it takes the
lead keeps nobody else from it."""
_RESIGN = "UPDATE lead SET until = 0 WHERE worker = %(id)s AND epoch = %(epoch)s"


async def time_of(database: Database) -> Instant:
    """What the database's clock shows. Raises LedgerUnavailable."""
    try:
        async with await AsyncConnection.connect(**ties(database)) as connection:
            found = await (await connection.execute(f"SELECT {NOW}")).fetchone()
    except psycopg.Error as error:
        raise named(database, error, away=True) from None
    return 0.0 if found is None else float(found[0])


class Beat(NamedTuple):
    """What a sign of life was answered: the database's time, whether this worker was still on the list,
    whether it still leads, whether nobody does, and how many others live and are taken for dead."""

    now: float
    listed: bool
    leads: bool
    vacant: bool
    others: int
    lapsed: int


class Wire:
    """One worker's wire; `hear` is called with each call of another's (or of its own), and with `None` after
    any may have been lost. Verbs raise LedgerUnavailable."""

    def __init__(self, database: Database, hear: Callable[[str | None], None]) -> None:
        self._database = database
        self._hear = hear
        self._speaker: AsyncConnection | None = None
        self._one = asyncio.Lock()
        self._channel = ""

    async def join(self, worker: str, name: str, version: str) -> None:
        """Onto the list of workers."""
        await self._run(_JOIN, {"id": worker, "name": name, "version": version})

    async def beat(self, worker: str, epoch: int, in_hand: int) -> Beat:
        """A sign of life, and of the lead if this worker has it in this epoch."""
        said = {"id": worker, "epoch": epoch, "in_hand": in_hand}
        return Beat(*await self._run(_BEAT, said))

    async def lead(self, worker: str) -> int:
        """Take the lead if nobody has it, while nobody writes; the epoch, or 0."""
        async with self._speaking() as connection, connection.transaction():
            await connection.execute(LOCKED)
            found = await (await connection.execute(_LEAD, {"id": worker})).fetchone()
        return 0 if found is None else int(found[0])

    async def resign(self, worker: str, epoch: int) -> None:
        """Let another one lead at once."""
        await self._run(_RESIGN, {"id": worker, "epoch": epoch})

    async def leave(self, worker: str) -> None:
        """Off the list: what this worker had taken is given up."""
        await self._run("DELETE FROM workers WHERE id = %(id)s", {"id": worker})

    async def call(self, words: Iterable[str]) -> None:
        """Call all workers, once for each of these, at most `CALL_BYTES` each."""
        async with self._speaking() as connection:
            await connection.execute(_CALL, (self._channel, list(words)))

    async def listen(self) -> None:
        """Hear until the connection breaks, which is LedgerUnavailable."""
        try:
            async with AsyncExitStack() as stack:
                connection = await AsyncConnection.connect(**ties(self._database))
                stack.push_async_callback(connection.close)
                await connection.execute(f"LISTEN {await self._named_channel(connection)}")
                self._hear(None)
                async for notice in connection.notifies():
                    self._hear(notice.payload)
        except psycopg.Error as error:
            raise self._named(error) from None
        raise LedgerUnavailable(f"{self._database}: the connection was closed")

    async def close(self) -> None:
        """Let go of what speaks."""
        if self._speaker is not None:
            await self._speaker.close()

    async def _run(self, sql: str, said: dict[str, object]) -> tuple[Any, ...]:
        async with self._speaking() as connection:
            cursor = await connection.execute(sql, said)
            return (await cursor.fetchone() or ()) if cursor.description else ()

    @asynccontextmanager
    async def _speaking(self) -> AsyncIterator[AsyncConnection]:
        """What speaks, for one who speaks at a time; a server that says nothing is as good as away."""
        async with self._one:
            try:
                async with asyncio.timeout(PATIENCE_S):
                    yield await self._connected()
            except psycopg.Error as error:
                raise self._named(error) from None
            except TimeoutError:
                await self.close()
                raise LedgerUnavailable(f"{self._database}: no answer within {PATIENCE_S:.0f} s") from None

    async def _connected(self) -> AsyncConnection:
        if self._speaker is None or self._speaker.closed:
            self._speaker = await AsyncConnection.connect(**ties(self._database))
            await self._speaker.execute(_MANNERS)
            self._channel = await self._named_channel(self._speaker)
        return self._speaker

    async def _named_channel(self, connection: AsyncConnection) -> str:
        found = await (await connection.execute(_CHANNEL)).fetchone()
        return "" if found is None else str(found[0])

    def _named(self, error: psycopg.Error) -> LedgerError:
        return named(self._database, error, away=True)
