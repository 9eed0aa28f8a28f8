"""Numbered SQL files, applied in order, each in one transaction with the version that it makes.

Each database has files of its own; a number means the same in all of them, and the first file of a database
may stand for all that came before. A ledger newer than this program is refused, never guessed at, unless it
says that a program as old as this may work on it: so it is after a file that begins with `-- additive`, while
processes are replaced one by one. There is no way down: keep a copy.
"""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable

from scheduler.ledger.driver import Driver
from scheduler.ledger.errors import LedgerMismatch, LedgerUnavailable

ADDITIVE = "-- additive"
"""The first line of a migration that the program one version older may go on working on."""

_PROGRAMS = """
INSERT INTO meta VALUES ('programs', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""
"""The versions whose programs may work on it, `6-7`, the last of which is its own."""


def own() -> Traversable:
    """The migrations that come with this program: a folder for each dialect."""
    return files("scheduler.ledger") / "migrations"


def migrate(driver: Driver, folder: Traversable | None = None) -> None:
    """Bring the ledger to this program's version; raises LedgerMismatch when it can't be worked on."""
    have = driver.version()
    for number, sql in _migrations(folder or own(), driver.dialect):
        if number > have:
            with driver.transaction():
                if number > driver.version():  # nobody else did it meanwhile
                    _apply(driver, number, sql)
    check(driver, folder)


def build(driver: Driver) -> None:
    """As `migrate` where nothing is yet, inside the caller's transaction."""
    if driver.version() == 0:
        for number, sql in _migrations(own(), driver.dialect):
            _apply(driver, number, sql)


def check(driver: Driver, folder: Traversable | None = None) -> None:
    """Raise LedgerMismatch unless this program may work on this ledger as it is."""
    have, known = driver.version(), _migrations(folder or own(), driver.dialect)[-1][0]
    if have < known:
        raise LedgerMismatch(f"has version {have}, this callboard reads version {known}")
    if have > known and known < _oldest(driver, have):
        raise LedgerMismatch(
            f"the ledger has version {have}, this callboard knows up to {known}: "
            "run the newer callboard that wrote it"
        )


def _apply(driver: Driver, number: int, sql: str) -> None:
    driver.script(sql)
    driver.migrated(number)
    oldest = number - 1 if sql.startswith(ADDITIVE) else number
    driver.execute(_PROGRAMS, (f"{oldest}-{number}",))


def _oldest(driver: Driver, have: int) -> int:
    """The oldest version whose program may work on it."""
    found = driver.fetch("SELECT value FROM meta WHERE name = 'programs'")
    oldest, _, newest = found[0][0].partition("-") if found else ("", "", "")
    return int(oldest) if newest == str(have) else have


def _migrations(folder: Traversable, dialect: str) -> list[tuple[int, str]]:
    """All that are there, as (number, SQL), in order; raises LedgerUnavailable when they can't be read now
    (no descriptor is left, say)."""
    try:
        each = [f for f in (folder / dialect).iterdir() if f.name.endswith(".sql")]
        return sorted((int(f.name[:4]), f.read_text()) for f in each)
    except OSError as error:
        raise LedgerUnavailable(f"{folder}: {error.strerror or error}") from None
