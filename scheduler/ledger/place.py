"""Where a ledger is: a file, or a database of PostgreSQL's. One value, that all who open ledgers pass on.

A database is written as the URL that libpq reads, and its password never stands in it: a URL is written down,
logged and shown. Nothing is opened or looked up here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias
from urllib.parse import parse_qsl

from scheduler.ledger.errors import LedgerError
from scheduler.settings import Secret

SCHEMES = ("postgresql://", "postgres://")
"""How a database's URL begins."""

PORT_MAX = 65_535

_HOST = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(:(?P<port>[0-9]{1,5}))?")
_SECRET_WORDS = frozenset({"password", "sslpassword"})
_WAY_OUT = "set PGPASSWORD or PGPASSWORD_FILE, or use ~/.pgpass"


@dataclass(frozen=True, slots=True)
class Database:
    """A database of PostgreSQL's. `url` holds no password, and is what `str()` shows; where `password` is
    `None`, libpq looks into its own `~/.pgpass`."""

    url: str
    password: Secret | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return self.url


Place: TypeAlias = Path | Database


def is_database(text: str) -> bool:
    """Whether this is a database's URL; everything else is a path."""
    return text.startswith(SCHEMES)


def place_of(text: str, password: Secret | None = None) -> Place:
    """The place that a person wrote: a database's URL, else a path.

    Raises LedgerError where a URL can't be one or holds a password; its text never shows the URL, since what
    stands in the wrong place there may be the password.
    """
    if not is_database(text):
        return Path(text)
    _check(text)
    return Database(text, password)


def _check(url: str) -> None:
    authority, _, rest = url.partition("://")[2].partition("/")
    name, _, query = rest.partition("?")
    user, at, hosts = authority.rpartition("@")
    words = {word for word, _ in parse_qsl(query, keep_blank_values=True)}
    if (at and ":" in user) or words & _SECRET_WORDS:
        raise LedgerError(f"the ledger's URL holds a password; take it out, and {_WAY_OUT}")
    if "@" in rest or "?" in authority or not all(map(_is_host, hosts.split(","))):
        raise LedgerError(
            "the ledger's URL is not postgresql://user@host:port/database (a special character in it is "
            f"written as %40 and the like; a password has no place in it: {_WAY_OUT})"
        )
    if not name:
        raise LedgerError("the ledger's URL names no database: postgresql://user@host:port/database")


def _is_host(text: str) -> bool:
    found = _HOST.fullmatch(text)
    return found is not None and 0 < int(found["port"] or 1) <= PORT_MAX
