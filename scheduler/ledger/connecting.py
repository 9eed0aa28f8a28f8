"""From a place to its driver: the one room that knows both.

PostgreSQL's is imported only where a ledger is there, since psycopg is an extra.
"""

from __future__ import annotations

import logging
import os
from contextlib import nullcontext
from pathlib import Path

from scheduler.ledger.driver import Around, Driver
from scheduler.ledger.errors import LedgerDamaged, LedgerError, LedgerMissing, LedgerUnavailable
from scheduler.ledger.place import Database, Place
from scheduler.ledger.sqlite import SqliteDriver

NONE = "no ledger there (it is made by the first `callboard run`)"
INSTALL = "pip install 'callboard[postgres]'"


def connect(place: Place, around: Around = nullcontext) -> Driver:
    """Whoever writes there; raises LedgerUnavailable where that can't be now."""
    return _database(place, around) if isinstance(place, Database) else SqliteDriver(place, around=around)


def reader(place: Place) -> Driver:
    """Whoever only reads there, in a single `reading`; it makes nothing. Raises LedgerError where there is
    nothing to be read."""
    if isinstance(place, Database):
        return _database(place, nullcontext, reads=True)
    if not os.path.isfile(place):
        raise LedgerMissing(f"{place}: {NONE}")
    return _file(place)


def nothing(place: Place) -> LedgerError:
    """What is there is empty: for a database that is how it begins, and no file begins like that."""
    if isinstance(place, Database):
        return LedgerMissing(f"{place}: {NONE}")
    return LedgerDamaged(f"{place}: not a callboard ledger")


def uninstalled(database: Database, error: ImportError) -> LedgerError:
    """The extra that a database needs isn't there."""
    return LedgerError(f"{database}: {error.name or 'psycopg'} isn't installed; {INSTALL}")


def _file(path: Path) -> Driver:
    try:
        driver = SqliteDriver(path, "mode=ro")
        try:
            driver.version()
        except BaseException:
            driver.close()
            raise
    except LedgerUnavailable:
        # In WAL mode even a reader makes a file beside the ledger. Where it may not, a ledger that was closed
        # can be read without: nothing of it stands elsewhere, and here nobody can begin to write.
        if os.path.exists(f"{path}-wal"):
            raise
        return SqliteDriver(path, "mode=ro&immutable=1")
    return driver


def _database(database: Database, around: Around, *, reads: bool = False) -> Driver:
    try:
        from scheduler.ledger import postgresql
    except ImportError as error:
        raise uninstalled(database, error) from None
    # It warns of what follows from an error that it raises; that one is told by whoever gets it.
    logging.getLogger("psycopg").setLevel(logging.ERROR)
    idle_s = postgresql.READER_IDLE_S if reads else postgresql.WRITER_IDLE_S
    return postgresql.PostgresqlDriver(database, around, idle_s)
