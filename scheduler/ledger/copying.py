"""A ledger copied from one place to another, row for row: from a file to a database, or back.

Nobody writes either of them while it lasts. All of it is committed at once, after the copy was counted and
audited, or nothing. Who works on a ledger and what they have in hand are worth a moment only, and stay
behind: what was in hand is a claim without an end, as after a crash. What rows mean is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import Final

from scheduler.ledger.audit import audit
from scheduler.ledger.connecting import NONE, connect, nothing
from scheduler.ledger.driver import Driver
from scheduler.ledger.errors import LedgerError, LedgerHeld, LedgerMismatch, LedgerMissing
from scheduler.ledger.files import Lock, prepare
from scheduler.ledger.migrate import build, check
from scheduler.ledger.place import Place
from scheduler.ledger.rows import LISTED, listed
from scheduler.ledger.shared.workers import NOW
from scheduler.ledger.snapshot import Snapshot

DURABLE: Final = (
    *("meta", "generations", "records", "deliveries", "strays", "messages", "facts", "holds"),
    *("tallies", "pruned", "pauses", "skips"),
)
"""The tables that are copied."""

MOMENTARY: Final = ("workers", "lead", "jobs")
"""Those that stay behind."""

ROWS_AT_ONCE = 1_000

_OURS = "name NOT IN ('version', 'programs')"
"""Of `meta`, what isn't said of the tables themselves."""

_COLUMNS: Final = {
    "sqlite": "SELECT name FROM pragma_table_info(?)",
    "postgresql": "SELECT column_name FROM information_schema.columns "
    "WHERE table_schema = current_schema() AND table_name = ?",
}
_PATIENCE = "SET LOCAL idle_in_transaction_session_timeout = '10min'"
"""One waits while the other is written or audited."""

_WORKERS = f"SELECT name FROM workers WHERE until > {NOW}"  # noqa: S608
_NUMBERED = f"""
SELECT table_name, column_name FROM information_schema.columns
WHERE table_schema = current_schema() AND is_identity = 'YES' AND table_name IN {LISTED}
"""  # noqa: S608

Tell = Callable[[str, int, int], None]
"""Called with a table's name, how many of its rows are copied, and how many there are."""


def copy(source: Place, target: Place, tell: Tell) -> Mapping[str, int]:
    """Copy a ledger to a place where none is; how many rows each table has.

    Raises LedgerError, of which LedgerHeld and LedgerUnavailable mean that trying later may help; then
    nothing of it is at `target`.
    """
    if _same(source, target):
        raise LedgerError(f"{target}: is the ledger itself; name another place for the copy")
    with _read(source) as old, _made(target) as new:
        if old.version() != new.version():
            versions = f"{source} has version {old.version()}, {target} has {new.version()}"
            raise LedgerMismatch(f"{versions}; `callboard ledger migrate` brings the older one up")
        there = {table: _count(old, table) for table in DURABLE}
        new.execute(f"DELETE FROM meta WHERE {_OURS}")  # noqa: S608
        for table, rows in there.items():
            for done in _moved(old, new, table):
                tell(table, done, rows)
        _settle(new)
        _verify(source, new, there)
    return there


def _same(source: Place, target: Place) -> bool:
    if isinstance(source, Path) and isinstance(target, Path):
        return source.resolve() == target.resolve()
    return source == target


@contextmanager
def _read(place: Place) -> Iterator[Driver]:
    """Where it comes from: locked against writers, and changed by nobody."""
    with ExitStack() as stack:
        if isinstance(place, Path):
            if not place.is_file():
                raise LedgerMissing(f"{place}: {NONE}")
            stack.callback(Lock(place).release)
        driver = connect(place)
        stack.callback(driver.close)
        if driver.version() == 0:
            raise nothing(place)
        try:
            check(driver)
        except LedgerMismatch as error:
            fix = "`callboard ledger migrate` brings an older one up"
            raise LedgerMismatch(f"{place}: {error}; {fix}") from None
        stack.enter_context(driver.transaction())
        if driver.dialect == "postgresql":
            driver.execute(_PATIENCE)
            _check_idle(driver, place)
        yield driver


def _check_idle(driver: Driver, place: Place) -> None:
    if works := driver.fetch(_WORKERS):
        names = ", ".join(row[0] for row in works)
        raise LedgerHeld(f"{place}: workers are at it ({names}); stop them first")


@contextmanager
def _made(place: Place) -> Iterator[Driver]:
    """Where it goes to: a new ledger, or one in which nothing was ever promised. What is written is committed
    when the block is left, and is all gone when it is left by an exception."""
    with ExitStack() as stack:
        if isinstance(place, Path):
            stack.callback(Lock(place).release)
            if not place.exists():
                stack.enter_context(_gone_when_it_fails(place))
            prepare(place)
        driver = connect(place)
        stack.callback(driver.close)
        driver.prepare()
        stack.enter_context(driver.transaction())
        if driver.dialect == "postgresql":
            driver.execute(_PATIENCE)
        build(driver)
        if not _is_empty(driver):
            fix = "name a file that isn't there yet, or another database (createdb makes one)"
            raise LedgerError(f"{place}: there is a ledger already, which nothing is copied over; {fix}")
        yield driver


@contextmanager
def _gone_when_it_fails(path: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        for name in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
            name.unlink(missing_ok=True)
        raise


def _is_empty(driver: Driver) -> bool:
    """Whether nothing was ever promised or noted there; its birth alone is worth nothing."""
    return not any(driver.fetch(f"SELECT 1 FROM {table} LIMIT 1") for table in DURABLE if table != "meta")  # noqa: S608


def _moved(old: Driver, new: Driver, table: str) -> Iterator[int]:
    """Copy a table, a thousand rows at a time; how many there are so far."""
    names = _columns(new, table)
    if set(names) != set(_columns(old, table)):
        raise LedgerMismatch(f"{table} has other columns in the one place than in the other")
    columns, marks = ", ".join(names), ", ".join("?" * len(names))
    insert = f"INSERT INTO {table} ({columns}) VALUES ({marks})"  # noqa: S608
    rows, done = old.stream(f"SELECT {columns} FROM {_rows_of(table)}"), 0  # noqa: S608
    while batch := list(islice(rows, ROWS_AT_ONCE)):
        new.execute_many(insert, batch)
        done += len(batch)
        yield done


def _columns(driver: Driver, table: str) -> list[str]:
    names = [str(row[0]) for row in driver.fetch(_COLUMNS[driver.dialect], (table,))]
    # SQLite doesn't list its own; in which order promises were written goes along, too.
    return [*names, "rowid"] if table == "records" and "rowid" not in names else names


def _settle(new: Driver) -> None:
    """What comes next is numbered on from what is there, which whoever plans queries is told of."""
    if new.dialect != "postgresql":
        return
    for table, column in new.fetch(_NUMBERED, (listed(DURABLE),)):
        newest = new.fetch(f"SELECT max({column}) FROM {table}")[0][0]  # noqa: S608
        if newest is not None:
            new.fetch("SELECT setval(pg_get_serial_sequence(?, ?), ?)", (table, column, newest))
    for table in DURABLE:
        new.execute(f"ANALYZE {table}")


def _verify(source: Place, new: Driver, there: Mapping[str, int]) -> None:
    for table, rows in there.items():
        if (found := _count(new, table)) != rows:
            raise LedgerError(
                f"{table}: {rows:,} rows in {source}, {found:,} in the copy; nothing was copied"
            )
    if faults := audit(Snapshot(new, ExitStack())).faults:
        more = f"; {len(faults):,} in all" if faults[1:] else ""
        fix = "`callboard audit` tells whether the original has it, too"
        raise LedgerError(f"the copy does not add up ({faults[0]}{more}), and is not kept; {fix}")


def _count(driver: Driver, table: str) -> int:
    return int(driver.fetch(f"SELECT count(*) FROM {_rows_of(table)}")[0][0])  # noqa: S608


def _rows_of(table: str) -> str:
    return f"meta WHERE {_OURS}" if table == "meta" else table
