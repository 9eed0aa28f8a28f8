"""The seam below the ledger: three verbs over one connection, and SQLite behind them.

`execute`, `fetch` and `transaction` are all that the ledger asks of a database; its meaning and its
SQL stand above. The connection belongs to one thread at a time. Here trouble gets its name: full,
read-only and busy are `LedgerUnavailable`, a broken file is `LedgerDamaged`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from scheduler.ledger.errors import LedgerDamaged, LedgerError, LedgerUnavailable

Params = Mapping[str, Any] | Sequence[Any]

BUSY_MS = 2_000
"""How long a statement waits for another connection's lock before it is `LedgerUnavailable`."""

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT)


class Driver(Protocol):
    """What the ledger asks of a database."""

    def execute(self, sql: str, params: Params = ()) -> int:
        """Run one statement; the number of rows it changed."""

    def execute_many(self, sql: str, rows: Iterable[Params]) -> int:
        """Run one statement for each of the rows; the number of rows changed in all."""

    def fetch(self, sql: str, params: Params = ()) -> list[Any]:
        """Run one statement; its rows, by position and by name."""

    def transaction(self) -> Any:
        """A context: all of it is committed at its end, or nothing when it is left by an exception."""

    def close(self) -> None:
        """Let go of the connection."""


class SqliteDriver:
    """SQLite in WAL mode; a commit is on the disk when it returns (`synchronous=FULL`)."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._path = path
        with self._named():
            mode = "ro" if read_only else "rwc"
            self._connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode={mode}",
                uri=True,
                isolation_level=None,
                check_same_thread=False,
                timeout=BUSY_MS / 1000,
            )
            self._connection.row_factory = sqlite3.Row
            if not read_only:
                self._connection.execute("PRAGMA journal_mode=WAL")
                self._connection.execute("PRAGMA synchronous=FULL")

    def execute(self, sql: str, params: Params = ()) -> int:
        """Run one statement; the number of rows it changed."""
        with self._named():
            return self._connection.execute(sql, params).rowcount

    def execute_many(self, sql: str, rows: Iterable[Params]) -> int:
        """Run one statement for each of the rows; the number of rows changed in all."""
        with self._named():
            return self._connection.executemany(sql, rows).rowcount

    def fetch(self, sql: str, params: Params = ()) -> list[Any]:
        """Run one statement; its rows, by position and by name."""
        with self._named():
            return self._connection.execute(sql, params).fetchall()

    def stream(self, sql: str, params: Params = ()) -> Iterator[Any]:
        """Run one statement; its rows one by one, for results that need not fit in memory."""
        with self._named():
            yield from self._connection.execute(sql, params)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it is committed at its end, or nothing when it is left by an exception."""
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError as error:
            raise LedgerError(f"{self._path}: {error}") from None
        except sqlite3.DatabaseError as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            sort = LedgerDamaged if code in _DAMAGED else LedgerUnavailable
            raise sort(f"{self._path}: {error}") from None
