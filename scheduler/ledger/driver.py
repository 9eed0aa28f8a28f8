"""The seam below the ledger: three verbs over one connection, and SQLite behind them.

`execute`, `fetch` and `transaction` are all that the ledger asks of a database; its meaning and its
SQL stand above. The connection belongs to one thread at a time. Here trouble gets its name: what may
pass (full, read-only, busy) is `LedgerUnavailable`, a broken file is `LedgerDamaged`, and a statement
that could never work is a plain `LedgerError`, so that nobody tries it again for ever.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, Protocol

from scheduler.ledger.errors import LedgerDamaged, LedgerError, LedgerUnavailable

Params = Mapping[str, Any] | Sequence[Any]

Access = Literal["mode=rw", "mode=ro", "mode=ro&immutable=1"]
"""How a file is opened; `immutable` promises that nobody writes it, and needs no files beside it."""

BUSY_MS = 2_000
"""How long a statement waits for another connection's lock before it is `LedgerUnavailable`."""

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT)
_PASSING = (
    *(sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED),
    *(sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH),
    *(sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_INTERRUPT),
)


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
    """A connection to SQLite; a commit is on the disk when it returns. Opening it changes nothing, so that
    a stranger's file can be told first."""

    def __init__(self, path: Path, access: Access = "mode=rw") -> None:
        self._path = path
        try:
            self._connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?{access}",
                uri=True,
                isolation_level=None,
                check_same_thread=False,
                timeout=BUSY_MS / 1000,
            )
            self._connection.row_factory = sqlite3.Row
            self._connection.execute("PRAGMA synchronous=FULL")
        except sqlite3.Error as error:
            raise self._named(error) from None

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

    def fetch(self, sql: str, params: Params = ()) -> list[Any]:
        """Run one statement; its rows, by position and by name."""
        try:
            return self._connection.execute(sql, params).fetchall()
        except sqlite3.Error as error:
            raise self._named(error) from None

    def stream(self, sql: str, params: Params = ()) -> Iterator[Any]:
        """Run one statement; its rows one by one, for results that need not fit in memory."""
        try:
            yield from self._connection.execute(sql, params)
        except sqlite3.Error as error:
            raise self._named(error) from None

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

    def _named(self, error: sqlite3.Error) -> LedgerError:
        return _sort(error)(f"{self._path}: {error}")


def _sort(error: sqlite3.Error) -> type[LedgerError]:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _DAMAGED:
        return LedgerDamaged
    return LedgerUnavailable if code in _PASSING else LedgerError
