"""What a database's server says of itself and of us: for whoever wants to know before a ledger is there.

It is asked on a connection of its own, and nothing is written. What is good enough is not judged here.
"""

from __future__ import annotations

from contextlib import closing
from typing import Final, NamedTuple

from scheduler.clock import Clock
from scheduler.ledger.connecting import reader
from scheduler.ledger.driver import Driver
from scheduler.ledger.place import Database
from scheduler.ledger.shared.workers import NOW

ASKED = 5
"""Times, of which the middle counts."""

_NOW: Final = f"SELECT {NOW}"
_SETTINGS: Final = """
SELECT current_setting('server_version'), CAST(current_setting('server_version_num') AS INTEGER),
  current_setting('synchronous_commit'), pg_is_in_recovery(),
  (SELECT reset_val = 'on' FROM pg_settings WHERE name = 'default_transaction_read_only')
"""
_MAY_CREATE: Final = "SELECT coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)"
_MAY_WRITE: Final = """
SELECT coalesce(bool_and(has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')
  AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE')), true)
FROM pg_class WHERE relnamespace = to_regnamespace(quote_ident(current_schema())) AND relkind IN ('r', 'p')
"""


class Server(NamedTuple):
    """One moment of a server. `answer_s` is one round trip, `ahead_s` how far its clock is before ours, give
    or take half a round trip; a `standby` can't be written, nor what a setting makes `read_only`; `durable`
    says that a commit is on the disk when it is answered, `may_write` that we may write all tables that are
    there."""

    version: str
    number: int
    answer_s: float
    ahead_s: float
    standby: bool
    read_only: bool
    durable: bool
    may_create: bool
    may_write: bool


def ask(database: Database, clock: Clock) -> Server:
    """What it says now; raises LedgerError where it doesn't answer."""
    with closing(reader(database)) as driver:
        rounds = sorted(_round(driver, clock) for _ in range(ASKED))
        version, number, commits, standby, read_only = driver.fetch(_SETTINGS)[0]
        return Server(
            version=str(version).split()[0],
            number=number,
            answer_s=rounds[ASKED // 2][0],
            ahead_s=rounds[0][1],
            standby=standby,
            read_only=read_only,
            durable=commits != "off",
            may_create=_yes(driver, _MAY_CREATE),
            may_write=_yes(driver, _MAY_WRITE),
        )


def _round(driver: Driver, clock: Clock) -> tuple[float, float]:
    """How long it took, and how far its clock is before ours."""
    before, boot = clock.now(), clock.boot()
    there = driver.fetch(_NOW)[0][0]
    took_s = clock.boot() - boot
    return took_s, there - (before + took_s / 2)


def _yes(driver: Driver, sql: str) -> bool:
    return bool(driver.fetch(sql)[0][0])
