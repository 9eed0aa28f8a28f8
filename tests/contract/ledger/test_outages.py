"""A database that goes away, comes back, stands by, or is somebody else's: told, and never guessed at."""

from __future__ import annotations

import signal
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from scheduler.ledger import (
    Database,
    Ledger,
    LedgerDamaged,
    LedgerError,
    LedgerMismatch,
    LedgerUnavailable,
    place_of,
)
from scheduler.ledger.connecting import connect
from scheduler.ledger.errors import LedgerAway
from scheduler.ledger.outages import named
from scheduler.ledger.postgresql import PostgresqlDriver
from scheduler.ledger.snapshot import Snapshot
from scheduler.settings import Secret
from tests.contract.ledger.gate import Gate, gated
from tests.contract.ledger.world import (
    BASE_URL,
    BIRTH,
    DUE,
    claimed,
    made_live,
    occurrence,
    outcome,
    promised,
)
from tests.postgres import Server, served

LOCKS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


@pytest.fixture(scope="module")
def own() -> Iterator[Server]:
    """A server of this file's, that may be stopped."""
    with served() as server:
        yield server


def database(url: str, password: str | None = None) -> Database:
    place = place_of(url, None if password is None else Secret(password, "PGPASSWORD"))
    assert isinstance(place, Database)
    return place


@pytest.fixture
def place(own: Server) -> Database:
    return database(own.new())


@pytest.fixture
async def ledger(place: Database) -> AsyncIterator[Ledger]:
    ledger = Ledger.open(place, BASE_URL, BIRTH)
    yield ledger
    ledger.close()


# --- away ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["stopped", "power-cut"])
async def test_a_server_that_stops_and_comes_back(own: Server, ledger: Ledger, how: signal.Signals) -> None:
    (ana,) = await made_live(ledger, "ana")
    own.stop(how)
    try:
        for verb in (ledger.live(), ledger.planned(), ledger.newest_fact_at(), ledger.hold("denied", DUE)):
            with pytest.raises(LedgerUnavailable):
                await verb
    finally:
        own.start()
    assert [record.key for record in await ledger.live()] == [ana]
    assert await promised(ledger, occurrence("ben"))
    assert len(await ledger.planned()) == 1


async def test_a_connection_that_was_cut_meanwhile_is_made_anew(own: Server, ledger: Ledger) -> None:
    keys = await promised(ledger, occurrence("ana"), occurrence("ben"))
    own.cut()
    assert [waiting.key for waiting in await ledger.planned()] == keys
    own.cut()
    assert await claimed(ledger, 1) == keys[:1]


def test_what_was_written_before_a_cut_is_undone(own: Server, place: Database) -> None:
    Ledger.open(place, BASE_URL, BIRTH).close()
    driver = connect(place)
    with pytest.raises(LedgerAway), driver.transaction():
        driver.execute("INSERT INTO holds VALUES ('denied', 0.0)")
        own.cut()
        driver.fetch("SELECT 1")
    with driver.reading():
        assert driver.fetch("SELECT * FROM holds") == []
    driver.close()


@pytest.mark.parametrize("rows", [1, 2], ids=["a-statement", "a-pipeline"])
def test_who_stops_inside_a_transaction_loses_it_and_the_lock(place: Database, rows: int) -> None:
    """Behind a pipeline the server itself counts no idle time."""
    Ledger.open(place, BASE_URL, BIRTH).close()
    stopped, other = (PostgresqlDriver(place, idle_s=1, patience_s=2) for _ in range(2))
    with pytest.raises(LedgerAway), stopped.transaction():
        stopped.execute_many("INSERT INTO holds VALUES (?, 0.0)", [("denied",), ("spent",)][:rows])
        with other.transaction():
            assert other.fetch("SELECT * FROM holds") == []
        stopped.execute("INSERT INTO holds VALUES ('clock_held', 0.0)")
    stopped.close()
    other.close()


@pytest.fixture
def gate(own: Server) -> Iterator[Gate]:
    with gated(own.folder) as gate:
        yield gate


async def test_a_commit_whose_answer_is_lost_is_asked_after(own: Server, gate: Gate) -> None:
    ledger = Ledger.open(database(gate.through(own.new())), BASE_URL, BIRTH)
    gate.swallows = "answer"
    assert await ledger.hold("denied", DUE) is True
    assert await ledger.hold("denied", DUE) is False
    gate.swallows = "commit"
    assert isinstance(await outcome(ledger.hold("spent", DUE)), LedgerAway)
    assert await ledger.hold("spent", DUE) is True
    assert gate.swallowed == ["answer", "commit"]
    ledger.close()


# --- several at once -------------------------------------------------------------------------------


def test_many_who_start_at_once_make_one_ledger(place: Database) -> None:
    with ThreadPoolExecutor(6) as pool:
        ledgers = list(pool.map(lambda _: Ledger.open(place, BASE_URL, BIRTH), range(6)))
    assert len({ledger._secret for ledger in ledgers}) == 1
    for ledger in ledgers:
        ledger.close()


def test_one_writes_at_a_time_and_readers_wait_for_nobody(own: Server, place: Database) -> None:
    Ledger.open(place, BASE_URL, BIRTH).close()
    first, second, reader = connect(place), connect(place), connect(place)
    order = []

    def write() -> None:
        with second.transaction():
            order.append("second")

    with own.connect() as watch, first.transaction():
        waiting = threading.Thread(target=write)
        waiting.start()
        while watch.execute(LOCKS).fetchone() != (1,):
            assert waiting.is_alive()
        first.execute("INSERT INTO holds VALUES ('denied', 0.0)")
        with reader.reading():
            assert reader.fetch("SELECT * FROM holds") == []
        order.append("first")
    waiting.join()
    assert order == ["first", "second"]
    for driver in (first, second, reader):
        driver.close()


# --- refused ---------------------------------------------------------------------------------------


def refused(place: Database, sort: type[LedgerError]) -> str:
    """The one line with which it is refused."""
    with pytest.raises(LedgerError) as told:
        Ledger.open(place, BASE_URL, BIRTH)
    assert isinstance(told.value, sort)
    assert "\n" not in str(told.value)
    return str(told.value)


def test_a_password_that_is_wrong_or_missing_is_told_and_never_shown(own: Server) -> None:
    own.demand_password("guarded", "right-one")
    url = own.new().replace("postgres@", "guarded@")
    for password in ("wrong-one", None):
        line = refused(database(url, password), LedgerUnavailable)
        assert "PGPASSWORD_FILE" in line
        assert "wrong-one" not in line
    assert "must own" in refused(database(url, "right-one"), LedgerUnavailable)


def test_what_is_not_there_is_told_with_the_way_out(own: Server, tmp_path: object) -> None:
    assert "createdb" in refused(database(own.url("nowhere")), LedgerUnavailable)
    assert "createuser" in refused(database(own.url().replace("postgres@", "nobody@")), LedgerUnavailable)
    refused(database(f"postgresql:///callboard?host={tmp_path}"), LedgerUnavailable)
    nobody = refused(database("postgresql://127.0.0.1:1/callboard"), LedgerUnavailable)
    assert "callboard: connection to server" in nobody and "refused; Is the server running" in nobody
    both = refused(database("postgresql://127.0.0.1:1,127.0.0.1:2/callboard"), LedgerUnavailable)
    assert both.count("port 1 failed") == both.count("port 2 failed") == 1 and "host:" not in both
    with pytest.raises(LedgerError, match="whatever") as told:
        connect(database(f"{own.url()}&whatever=1"))
    assert type(told.value) is LedgerError


def test_a_standby_is_refused(own: Server) -> None:
    url = f"{own.new()}%20-cdefault_transaction_read_only%3Don"
    assert "standby" in refused(database(url), LedgerUnavailable)


@pytest.mark.parametrize("table", ["notes (id int)", "meta (id int)", "meta (name text, value text)"])
def test_another_programs_tables_are_refused_and_left_as_they_were(own: Server, table: str) -> None:
    place = database(own.new())
    with psycopg.connect(place.url, autocommit=True) as connection:
        connection.execute(f"CREATE TABLE {table}")
        assert "other program" in refused(place, LedgerDamaged)
        with pytest.raises(LedgerDamaged):
            Snapshot.open(place)
        tables = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()"
        assert connection.execute(tables).fetchone() == (1,)


def test_a_database_that_can_not_hold_every_text_is_refused(own: Server) -> None:
    with own.connect() as connection:
        connection.execute("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    assert "LATIN1" in refused(database(own.url("latin")), LedgerMismatch)


def test_where_no_ledger_is_none_is_made(own: Server, place: Database) -> None:
    with pytest.raises(LedgerError, match="no ledger there"):
        Snapshot.open(place)
    with psycopg.connect(place.url) as connection:
        found = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()")
        assert found.fetchone() == (0,)


PASSES = (
    *(psycopg.errors.DiskFull, psycopg.errors.ReadOnlySqlTransaction, psycopg.errors.DeadlockDetected),
    *(psycopg.errors.SerializationFailure, psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled),
    *(psycopg.errors.AdminShutdown, psycopg.errors.TooManyConnections, psycopg.errors.OutOfMemory),
    *(psycopg.errors.InsufficientPrivilege, psycopg.errors.IoError, psycopg.OperationalError),
)
DAMAGED = (psycopg.errors.DataCorrupted, psycopg.errors.IndexCorrupted)
NEVER_WORKS = (psycopg.errors.UniqueViolation, psycopg.errors.UndefinedColumn, psycopg.errors.SyntaxError)


@pytest.mark.parametrize(
    ("errors", "sort"), [(PASSES, LedgerUnavailable), (DAMAGED, LedgerDamaged), (NEVER_WORKS, LedgerError)]
)
def test_what_may_pass_is_told_from_what_never_works(
    errors: tuple[type[psycopg.Error], ...], sort: type[LedgerError]
) -> None:
    assert {type(named("there", error("said\nso"), away=False)) for error in errors} == {sort}
    assert str(named("there", errors[0]("said\nso"), away=False)) == "there: said; so"
