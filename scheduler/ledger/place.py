"""Where a ledger is: a file, or a database of PostgreSQL's. One value, that all who open ledgers pass on.

Which URLs name a database is `scheduler.databases`' to say; nothing is opened or looked up here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from scheduler.databases import BadUrl, check_url, is_database
from scheduler.ledger.errors import LedgerError
from scheduler.settings import Secret


@dataclass(frozen=True, slots=True)
class Database:
    """A database of PostgreSQL's. `url` holds no password, and is what `str()` shows; where `password` is
    `None`, libpq looks into its own `~/.pgpass`."""

    url: str
    password: Secret | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return self.url


Place: TypeAlias = Path | Database


def place_of(text: str, password: Secret | None = None) -> Place:
    """The place that a person wrote: a database's URL, else a path.

    Raises LedgerError where a URL can't be one or holds a password (`scheduler.databases`).
    """
    try:
        check_url(text)
    except BadUrl as bad:
        raise LedgerError(str(bad)) from None
    return Database(text, password) if is_database(text) else Path(text)
