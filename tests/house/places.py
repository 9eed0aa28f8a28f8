"""Where a house's ledger is in a test: a file, or a database of its own."""

from __future__ import annotations

import pytest

from scheduler.ledger import Database, Place
from scheduler.ledger.postgresql import PostgresqlDriver
from scheduler.ledger.sqlite import SqliteDriver

on_both = pytest.mark.parametrize("place", ["sqlite", "postgresql"], indirect=True)
"""A test that says so runs on both; every other one on a file."""


def driver_of(place: Place) -> type[SqliteDriver] | type[PostgresqlDriver]:
    """What opens it, to be made to fail or to die."""
    return PostgresqlDriver if isinstance(place, Database) else SqliteDriver
