"""The ledger's driver for PostgreSQL: any number of processes, and one that writes at a time.

A writing transaction begins with a lock that all writers of this ledger take, as SQLite's does, so that every
verb means the same on both. A connection that breaks is made anew by the next transaction. What statements
mean is not known here, and neither is who leads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from itertools import count, islice
from secrets import token_hex
from typing import Any, Final

import psycopg
from psycopg import Connection, Cursor, pq

from scheduler.ledger import texts
from scheduler.ledger.driver import Around, Params
from scheduler.ledger.errors import LedgerAway, LedgerDamaged, LedgerError, LedgerMismatch, LedgerUnavailable
from scheduler.ledger.outages import named
from scheduler.ledger.place import Database
from scheduler.ledger.placeholders import given, spelled

LOCK: Final = 0x63616C6C
"""The first half of the key of a ledger's advisory lock (`call`); the other is its table of records."""

WRITER_IDLE_S = 3
"""A process that stops inside a transaction loses it after this, and with it the lock."""

READER_IDLE_S = 600
"""The same for whoever reads in pages, and may show each to somebody."""

LOCK_PATIENCE_S = 5
"""How long a transaction waits for the others' lock, before it looks who has it."""

ROWS_AT_ONCE = 500

_PARAMETERS: Final = {
    "application_name": "callboard",
    "client_encoding": "UTF8",
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""A server that is gone is noticed within about ten seconds."""

_KEY: Final = "coalesce((to_regclass('records')::oid::bigint & 2147483647)::int, 0)"
LOCKED: Final = f"SELECT {_KEY}, pg_advisory_xact_lock({LOCK}, {_KEY}), pg_current_xact_id()::text"
"""What a writing transaction begins with."""

_WRITE: Final = f"BEGIN ISOLATION LEVEL READ COMMITTED; {LOCKED}"
_READ: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_TABLES: Final = """
SELECT relname FROM pg_class
WHERE relnamespace = to_regnamespace(quote_ident(current_schema())) AND relkind IN ('r', 'p')
"""
_DURABLE: Final = """
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'
"""
"""What was answered must be on the disk: a claim that is lost makes a second conversation (S11)."""

_FREE: Final = f"""
SELECT pg_terminate_backend(l.pid) FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid
JOIN pg_database AS d ON d.oid = l.database AND d.datname = current_database()
WHERE l.locktype = 'advisory' AND l.granted AND l.classid::bigint = {LOCK} AND l.objid::bigint = {_KEY}
AND a.wait_event_type = 'Client' AND a.state_change < now() - {{idle_s}} * interval '1 s'
"""  # noqa: S608
"""Whoever holds the lock and has not said or taken a word for so long is a process that has stopped. The
server counts no idle time of its own behind a pipeline, nor while an answer waits to be taken."""

_BROKEN: Final = (pq.TransactionStatus.ACTIVE, pq.TransactionStatus.UNKNOWN)


def ties(database: Database) -> dict[str, Any]:
    """What psycopg's `connect` needs to reach it, blocking or not."""
    password = {} if database.password is None else {"password": database.password.reveal()}
    return {"conninfo": database.url, "autocommit": True, **_PARAMETERS, **password}


class PostgresqlDriver:
    """A connection to PostgreSQL. Raises LedgerUnavailable where none is to be had."""

    dialect = "postgresql"

    def __init__(
        self,
        database: Database,
        around: Around = nullcontext,
        idle_s: int = WRITER_IDLE_S,
        patience_s: int = LOCK_PATIENCE_S,
    ) -> None:
        self._database = database
        self._around = around
        self._idle_s = idle_s
        self._patience_s = patience_s
        self._portals = count()
        self.voice = token_hex(4)
        self._connection = self._connected()

    def prepare(self) -> None:
        """Raises LedgerDamaged where another program's tables are, and LedgerMismatch where some texts can't
        be stored."""
        encoding = self.fetch("SHOW server_encoding")[0][0]
        if encoding != "UTF8":
            way_out = "make a database for it with UTF8 (createdb -E UTF8 -T template0)"
            raise LedgerMismatch(f"{self._database}: its encoding is {encoding}; {way_out}")
        self.version()

    def version(self) -> int:
        """The number of the newest migration; 0 where there are no tables. LedgerDamaged where others are."""
        tables = {row[0] for row in self.fetch(_TABLES)}
        if not tables:
            return 0
        try:
            found = self.fetch("SELECT value FROM meta WHERE name = 'version'") if "meta" in tables else []
            return int(found[0][0])
        except LedgerUnavailable:
            raise
        except (LedgerError, ValueError, IndexError):
            raise LedgerDamaged(
                f"{self._database}: these are some other program's tables, not a ledger; "
                "give the ledger a database of its own"
            ) from None

    def migrated(self, number: int) -> None:
        """From now on `version` is this."""
        self.execute(
            "INSERT INTO meta VALUES ('version', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (str(number),),
        )

    def script(self, sql: str) -> None:
        """Run any number of statements, one behind the other, inside a transaction."""
        self._say(sql)

    def execute(self, sql: str, params: Params = ()) -> int:
        """Run one statement; the number of rows it changed."""
        return self._one(sql, given(sql, params))

    def execute_many(self, sql: str, rows: Iterable[Params]) -> int:
        """Run one statement for each of the rows; the number of rows changed in all."""
        each, changed = iter(rows), 0
        # In parts: whoever makes the rows may take longer than a transaction may be idle.
        while part := [given(sql, params) for params in islice(each, ROWS_AT_ONCE)]:
            changed += self._many(sql, part) if len(part) > 1 else self._one(sql, part[0])
        return changed

    def fetch(self, sql: str, params: Params = ()) -> list[tuple[Any, ...]]:
        """Run one statement; its rows, by position."""
        with self._naming():
            return self._connection.execute(spelled(sql), given(sql, params)).fetchall()

    def stream(self, sql: str, params: Params = ()) -> Iterator[tuple[Any, ...]]:
        """Run one statement inside `reading`; its rows one by one."""
        with self._naming(), self._connection.cursor(f"rows_{next(self._portals)}") as cursor:
            cursor.itersize = ROWS_AT_ONCE
            yield from cursor.execute(spelled(sql), given(sql, params))

    def announce(self, word: str) -> None:
        """Tell whoever listens on this ledger, as soon as the transaction is committed."""
        call = f"{word} {self.voice}"
        self.execute("SELECT pg_notify('callboard_' || 'records'::regclass::oid::text, ?)", (call,))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Alone among all writers of this ledger; all of it is committed at its end, or nothing."""
        with self._around(), self._begun(_WRITE) as told:
            number = self._locked(told)
            yield
            self._commit(number)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Only reads, of one moment; waits for nobody."""
        with self._begun(_READ):
            yield
            with suppress(LedgerAway):  # what was read is read
                self._say("COMMIT")

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    @contextmanager
    def _begun(self, begin: str) -> Iterator[Cursor[tuple[Any, ...]]]:
        try:
            yield self._first(begin)
        except BaseException:
            self._undo()
            raise

    def _one(self, sql: str, params: Params) -> int:
        with self._naming():
            return self._connection.execute(spelled(sql), params).rowcount

    def _many(self, sql: str, rows: Sequence[Params]) -> int:
        with self._naming(), self._connection.cursor() as cursor:
            cursor.executemany(spelled(sql), rows)
            return cursor.rowcount

    def _first(self, begin: str) -> Cursor[tuple[Any, ...]]:
        """Begin, on a new connection where the last one is gone: nothing that was said on it is lost. Where
        nobody gives the lock back, whoever has stopped with it loses it."""
        try:
            if not self._connection.closed:
                return self._say(begin)
        except LedgerAway:
            pass
        except LedgerUnavailable:
            self._undo()
            self.fetch(_FREE.format(idle_s=self._idle_s))
            return self._say(begin)
        self._connection = self._connected()
        return self._say(begin)

    def _locked(self, told: Cursor[tuple[Any, ...]]) -> str:
        """The number of this transaction, which nobody else writes beside. Before there are records the lock
        is everybody's, and who waited for it may find that there are some now."""
        told.nextset()
        ((key, _, number),) = told.fetchall()
        if key == 0:
            self.fetch(LOCKED)
        return str(number)

    def _commit(self, number: str) -> None:
        try:
            done = self._connection.execute("COMMIT", prepare=False).statusmessage
        except psycopg.Error as error:
            trouble = self._named(error)
            if not isinstance(trouble, LedgerAway) or not self._was_committed(number):
                raise trouble from None
            return
        if done != "COMMIT":
            raise LedgerError(f"{self._database}: a transaction went on after one of its statements failed")

    def _was_committed(self, number: str) -> bool:
        """Whether a transaction whose end nobody told us was committed. Its lock is taken first, since a
        server that doesn't know yet that we are gone may still be at it."""
        with suppress(LedgerError), self._begun(_WRITE) as told:
            self._locked(told)
            status = self.fetch("SELECT pg_xact_status(?::text::xid8)", (number,))[0][0]
            self._say("ROLLBACK")
            return bool(status == "committed")
        return False

    def _undo(self) -> None:
        if self._connection.info.transaction_status not in _BROKEN:
            with suppress(psycopg.Error):
                self._connection.execute("ROLLBACK")
                return
        self._connection.close()

    def _say(self, sql: str) -> Cursor[tuple[Any, ...]]:
        with self._naming():
            return self._connection.execute(sql, prepare=False)

    def _connected(self) -> Connection[tuple[Any, ...]]:
        try:
            connection = psycopg.connect(**ties(self._database))
            texts.adapt(connection)
            connection.execute(
                f"SET idle_in_transaction_session_timeout = '{self._idle_s}s'; "
                f"SET lock_timeout = '{self._patience_s}s'; {_DURABLE}"
            )
        except psycopg.Error as error:
            raise named(self._database, error, away=isinstance(error, psycopg.OperationalError)) from None
        return connection

    @contextmanager
    def _naming(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            raise self._named(error) from None

    def _named(self, error: psycopg.Error) -> LedgerError:
        return named(self._database, error, away=self._connection.closed)
