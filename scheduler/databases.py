"""What text names a database: a URL of PostgreSQL's, as libpq reads it, and never with a password in it.

A URL is written down, logged and shown, so a password in one is refused wherever it is typed; and what is
said of a bad one repeats none of it, since what stands in the wrong place may be the password. Nothing is
opened or looked up here, and what is no URL is a path, of which nothing is said.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

SCHEMES = ("postgresql://", "postgres://")
"""How a database's URL begins."""

LAST_PORT = 65_535
FORM = "postgresql://user@host:5432/database"
WAY_OUT = "set PGPASSWORD or PGPASSWORD_FILE, or use ~/.pgpass"

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://|(postgres(?:ql)?):", re.IGNORECASE)
_HOST = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(:(?P<port>[0-9]{1,5}))?")
_SECRET_WORDS = frozenset({"password", "sslpassword"})


class BadUrl(ValueError):
    """A URL that names no database for us: what is wrong, and the way out. Neither shows any of the URL."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(f"{message}: {hint}")
        self.message, self.hint = message, hint


def is_database(text: str) -> bool:
    """Whether this is a database's URL; everything else is a path."""
    return text.startswith(SCHEMES)


def check_url(text: str) -> str:
    """The text as it is, a path or a database's URL. Raises BadUrl for every other URL."""
    if is_database(text):
        _check(text)
    elif _SCHEME.match(text):
        fix = (
            "write the file's path alone" if text.startswith("sqlite") else f"write {FORM}, or a file's path"
        )
        raise BadUrl("a ledger is a file, or a database of PostgreSQL's", fix)
    return text


def _check(url: str) -> None:
    authority, _, rest = url.partition("://")[2].partition("/")
    name, _, query = rest.partition("?")
    user, at, hosts = authority.rpartition("@")
    words = {word for word, _ in parse_qsl(query, keep_blank_values=True)}
    if (at and ":" in user) or words & _SECRET_WORDS:
        raise BadUrl("the ledger's URL holds a password", f"take it out, and {WAY_OUT}")
    if "@" in rest or "?" in authority or not url.isprintable() or " " in url:
        odd = f"a special character is written as %40; a password has no place in it: {WAY_OUT}"
        raise BadUrl(f"the ledger's URL is not {FORM}", odd)
    if not all(map(_is_host, hosts.split(","))):
        told = f"the ledger's URL names a port that is no number from 1 to {LAST_PORT}"
        raise BadUrl(told, f"write {FORM}; a password has no place in it: {WAY_OUT}")
    if not name:
        raise BadUrl("the ledger's URL names no database", f"write {FORM}")


def _is_host(text: str) -> bool:
    found = _HOST.fullmatch(text)
    return found is not None and 0 < int(found["port"] or 1) <= LAST_PORT
