"""What PostgreSQL's trouble is called here, and the way out, in one line for people; never with a password.

libpq tells why it could not connect in words alone, and so they are looked at; all other trouble has a code.
Nothing is tried again here.
"""

from __future__ import annotations

import re

import psycopg

from scheduler.ledger.errors import LedgerAway, LedgerDamaged, LedgerError, LedgerUnavailable

_PASSING = ("08", "25", "28", "3D", "3F", "40", "42501", "53", "54", "55", "57", "58", "F0")
"""How the codes of what may pass begin: away, read-only, refused, deadlock, no rights, full, shut down."""

_DAMAGED = "XX"

_EACH_HOST = "All failures were:"
_PREFIX = re.compile("(- host: .*?: )?connection failed: ")

_RIGHTS = "the user of service.ledger must own the ledger's tables and be allowed to make them"
_WAYS_OUT = {
    "password authentication failed": "set PGPASSWORD or PGPASSWORD_FILE, or look at ~/.pgpass",
    "no password supplied": "set PGPASSWORD or PGPASSWORD_FILE, or use ~/.pgpass",
    "does not exist": "make it (createuser, createdb), or correct service.ledger",
    "no pg_hba.conf entry": "the server lets nobody in like this; its pg_hba.conf says who may",
    "permission denied": _RIGHTS,
    "no schema has been selected": _RIGHTS,
    "read-only transaction": "this server is a standby, and service.ledger must name the one that writes; "
    "or default_transaction_read_only is set for this database or user",
    "during recovery": "this server is a standby; service.ledger must name the one that writes",
    "No space left": "make room on the server's disk",
}


def named(place: object, error: psycopg.Error, *, away: bool) -> LedgerError:
    """The ledger's own error for this one; `away` says that the connection is gone with it."""
    said = _in_one_line(str(error.diag.message_primary or error))
    way_out = next((f" ({what})" for sign, what in _WAYS_OUT.items() if sign in said), "")
    sort = LedgerAway if away else _sort(error)
    return sort(f"{place}: {said}{way_out}")


def _in_one_line(told: str) -> str:
    """Of several hosts psycopg tells the last one's trouble first, and then every one's."""
    each = told.partition(_EACH_HOST)[2] or told
    return "; ".join(filter(None, (_PREFIX.sub("", line.strip()) for line in each.splitlines())))


def _sort(error: psycopg.Error) -> type[LedgerError]:
    code = error.sqlstate or ""
    if code.startswith(_DAMAGED):
        return LedgerDamaged
    passing = code.startswith(_PASSING) if code else isinstance(error, psycopg.OperationalError)
    return LedgerUnavailable if passing else LedgerError
