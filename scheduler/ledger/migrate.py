"""Numbered SQL files, applied in order, each in one transaction with the version that it makes.

A ledger newer than this program is refused, never guessed at. There is no way down: keep a copy.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from sqlite3 import complete_statement

from scheduler.ledger.driver import Driver
from scheduler.ledger.errors import LedgerMismatch, LedgerUnavailable


def migrations() -> list[tuple[int, str]]:
    """All migrations that this program knows, as (number, SQL), in order; raises LedgerUnavailable when they
    can't be read now (no descriptor is left, say)."""
    folder = files("scheduler.ledger") / "migrations"
    try:
        found = [(int(f.name[:4]), f.read_text()) for f in folder.iterdir() if f.name.endswith(".sql")]
    except OSError as error:
        raise LedgerUnavailable(f"{folder}: {error.strerror or error}") from None
    return sorted(found)


def migrate(driver: Driver) -> None:
    """Bring the ledger to this program's version; raises LedgerMismatch when it is newer."""
    have = version(driver)
    known = migrations()
    if have > known[-1][0]:
        raise LedgerMismatch(
            f"the ledger has version {have}, this callboard knows up to {known[-1][0]}: "
            "run the newer callboard that wrote it"
        )
    for number, sql in known:
        if number > have:
            with driver.transaction():
                for statement in _statements(sql):
                    driver.execute(statement)
                driver.execute(f"PRAGMA user_version = {number}")


def version(driver: Driver) -> int:
    """The number of the newest migration that the ledger has; 0 for an empty file."""
    return int(driver.fetch("PRAGMA user_version")[0][0])


def _statements(sql: str) -> Iterator[str]:
    buffer = ""
    for line in sql.splitlines(keepends=True):
        buffer += line
        if complete_statement(buffer):
            yield buffer
            buffer = ""
