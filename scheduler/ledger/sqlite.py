"""The ledger's driver for SQLite: a file, and one process that writes it (`files` sees to that).

A commit is on the disk when it returns. What the statements mean is not known here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Literal

from scheduler.ledger.driver import Around, Params
from scheduler.ledger.errors import LedgerDamaged, LedgerError, LedgerUnavailable
from scheduler.ledger.files import make_private

Access = Literal["mode=rw", "mode=ro", "mode=ro&immutable=1"]
"""How a file is opened; `immutable` promises that nobody writes it, and needs no files beside it."""

APPLICATION_ID = 0x63616C6C
"""Stands in the file's header (`call`), so that no other program's file is taken for a ledger."""

BUSY_MS = 2_000
"""How long a statement waits for another connection's lock before it is `LedgerUnavailable`."""

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT)
_PASSING = (
    *(sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED),
    *(sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH),
    *(sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_INTERRUPT),
)


class SqliteDriver:
    """A connection to SQLite. Opening it changes nothing, so that a stranger's file can be told first."""

    dialect = "sqlite"

    def __init__(self, path: Path, access: Access = "mode=rw", around: Around = nullcontext) -> None:
        self._path = path
        self._around = around
        try:
            self._connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?{access}",
                uri=True,
                isolation_level=None,
                check_same_thread=False,
                timeout=BUSY_MS / 1000,
            )
            self._connection.execute("PRAGMA synchronous=FULL")
        except sqlite3.Error as error:
            raise self._named(error) from None

    def prepare(self) -> None:
        """Make ready for writing an empty file or a whole ledger; raises LedgerDamaged for anything else."""
        self.version()
        *_, trouble = self.fetch("PRAGMA quick_check(1)")[0][0].splitlines()
        if trouble != "ok":
            raise LedgerDamaged(
                f"{self._path}: the ledger is damaged ({trouble}); restore a copy, or start with a new one"
            )
        # Only now, since it would change a stranger's file for good.
        self.execute("PRAGMA journal_mode=WAL")
        make_private(self._path)

    def version(self) -> int:
        """The number of the newest migration; 0 for an empty file. Raises LedgerDamaged for a stranger's."""
        if self.fetch("PRAGMA application_id")[0][0] == APPLICATION_ID:
            return int(self.fetch("PRAGMA user_version")[0][0])
        if self.fetch("SELECT 1 FROM sqlite_master LIMIT 1"):
            raise LedgerDamaged(f"{self._path}: this is some other program's database, not a ledger")
        return 0

    def migrated(self, number: int) -> None:
        """From now on `version` is this."""
        self.execute(f"PRAGMA user_version = {number}")

    def script(self, sql: str) -> None:
        """Run any number of statements, one behind the other, inside a transaction."""
        for statement in _statements(sql):
            self.execute(statement)

    def execute(self, sql: str, params: Params = ()) -> int:
        """Run one statement; the number of rows it changed."""
        try:
            return self._connection.execute(sql, params).rowcount
        except sqlite3.Error as error:
            raise self._named(error) from None

    def execute_many(self, sql: str, rows: Iterable[Params]) -> int:
        """Run one statement for each of the rows; the number of rows changed in all."""
        try:
            return self._connection.executemany(sql, rows).rowcount
        except sqlite3.Error as error:
            raise self._named(error) from None

    def fetch(self, sql: str, params: Params = ()) -> list[tuple[Any, ...]]:
        """Run one statement; its rows, by position."""
        try:
            return self._connection.execute(sql, params).fetchall()
        except sqlite3.Error as error:
            raise self._named(error) from None

    def stream(self, sql: str, params: Params = ()) -> Iterator[tuple[Any, ...]]:
        """Run one statement; its rows one by one, for results that need not fit in memory."""
        try:
            yield from self._connection.execute(sql, params)
        except sqlite3.Error as error:
            raise self._named(error) from None

    voice = ""

    def announce(self, word: str) -> None:
        """Nobody else listens: one process has the file."""

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it is committed at its end, or nothing when it is left by an exception."""
        with self._around(), self._between("BEGIN IMMEDIATE"):
            yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Only reads, of one moment; nobody waits for it."""
        with self._between("BEGIN"):
            yield

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    @contextmanager
    def _between(self, begin: str) -> Iterator[None]:
        self.execute(begin)
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _named(self, error: sqlite3.Error) -> LedgerError:
        return _sort(error)(f"{self._path}: {error}")


def _sort(error: sqlite3.Error) -> type[LedgerError]:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _DAMAGED:
        return LedgerDamaged
    return LedgerUnavailable if code in _PASSING else LedgerError


def _statements(sql: str) -> Iterator[str]:
    buffer = ""
    for line in sql.splitlines(keepends=True):
        buffer += line
        if sqlite3.complete_statement(buffer):
            yield buffer
            buffer = ""
