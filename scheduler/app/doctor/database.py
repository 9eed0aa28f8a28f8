"""The ledger's database: does it answer, is it one for us, may we work there, and what time is it?

It is asked as a worker would ask it, through the same driver and with the same password; nothing is written.
What stands in the ledger is looked at by `place`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scheduler.app.doctor.finding import Finding, failed, ok, warning
from scheduler.clock import Clock
from scheduler.ledger.errors import LedgerError
from scheduler.ledger.place import Database
from scheduler.ledger.server import Server, ask

PASSWORD, DATABASE, CLOCK, RIGHTS = "password", "database", "database's clock", "rights there"
OLDEST = 140_000
"""The first version of PostgreSQL that will do, as its servers count."""
SLOW_S, TOO_SLOW_S = 0.02, 0.2
"""A conversation costs a few transactions of a few round trips, one worker's behind the other's."""
SKEW_WARNED_S, SKEW_S = 1.0, 30.0
"""Workers go by the database's clock."""

_REACH = "start it, or look at the URL, PGPASSWORD, and its pg_hba.conf"
_SYNC = "let both machines keep their clocks by NTP: timedatectl set-ntp true"


def database(place: Database, clock: Clock) -> Iterator[Finding]:
    """A password for all eyes; the server, its clock, our rights: of these only the first where it doesn't
    answer."""
    if place.password is not None and place.password.warning:
        said, _, fix = place.password.warning.partition("; ")
        yield warning(PASSWORD, said, fix)
    try:
        server = ask(place, clock)
    except LedgerError as error:
        yield failed(DATABASE, str(error), _REACH)
        return
    yield from judged(server)


def judged(server: Server) -> Sequence[Finding]:
    """What its answers mean for a ledger."""
    return (_answers(server), _clock(server), _rights(server))


def _answers(server: Server) -> Finding:
    said = f"PostgreSQL {server.version} answers in {server.answer_s * 1000:.1f} ms"
    if server.number < OLDEST:
        return failed(DATABASE, f"{said}, and is too old", f"use version {OLDEST // 10_000} or newer")
    if server.answer_s > TOO_SLOW_S:
        return failed(DATABASE, f"{said}: too slow for a ledger", "run callboard near its database")
    if server.answer_s > SLOW_S:
        return warning(DATABASE, f"{said}: few promises a second", "run callboard near its database")
    if not server.durable:
        fix = "set synchronous_commit = on for this database: a lost claim may make a second conversation"
        return warning(DATABASE, f"{said}, but forgets its last commits in a crash", fix)
    return ok(DATABASE, said)


def _clock(server: Server) -> Finding:
    away = abs(server.ahead_s)
    which = "before" if server.ahead_s > 0 else "behind"
    said = f"{away:.1f} s {which} this machine's"
    if away > SKEW_S:
        return failed(CLOCK, said, _SYNC)
    return warning(CLOCK, said, _SYNC) if away > SKEW_WARNED_S else ok(CLOCK, "as this machine's")


def _rights(server: Server) -> Finding:
    if server.standby:
        fix = "name the primary: `?target_session_attrs=read-write` finds it among several hosts"
        return failed(RIGHTS, "this server is a standby, and can't be written", fix)
    if server.read_only:
        fix = "ALTER DATABASE (or ROLE) ... RESET default_transaction_read_only, or take it out of the URL"
        return failed(RIGHTS, "transactions there may only read", fix)
    if not server.may_write:
        return failed(RIGHTS, "the ledger's tables can't be written", "connect as the user who owns them")
    if not server.may_create:
        fix = "make this user the database's owner, or GRANT CREATE ON SCHEMA public TO it"
        return failed(RIGHTS, "tables can't be made there", fix)
    return ok(RIGHTS, "tables can be made and written")
