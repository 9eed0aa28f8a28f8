"""A ledger copied between its kinds of places, there and back: row for row, whole or not at all."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from jobs.errors import Reason
from jobs.model import Address, Delivered, Ended, EndReason
from scheduler.desk import Asker, Scope
from scheduler.facts import Failed, StepKind, StrayFound
from scheduler.ledger import (
    Database,
    Ledger,
    LedgerError,
    LedgerHeld,
    LedgerMismatch,
    Note,
    Place,
    place_of,
)
from scheduler.ledger.audit import audit
from scheduler.ledger.connecting import connect
from scheduler.ledger.copying import DURABLE, MOMENTARY, copy
from scheduler.ledger.errors import LedgerMissing
from scheduler.ledger.snapshot import Snapshot
from tests.contract.ledger.world import (
    BASE_URL,
    BIRTH,
    DUE,
    LOG,
    SCHEDULES,
    claimed,
    created,
    occurrence,
    promised,
)

HOSTILE = "Zoë \N{PILE OF POO} \0 \\u0000 '\"; DROP TABLE records; -- %s %(x)s ? :name \ufdd0 \x7f\n"
MAIL = Address("mail", "o'brien+%s@example.com")
KEYS = [f"coach/09:00/2026-03-04/{who}" for who in ("ana", "ben", "cai", "dee")]
ASKER = Asker(HOSTILE, HOSTILE)
WAYS = [
    ("sqlite", "postgresql"),
    ("postgresql", "sqlite"),
    ("sqlite", "sqlite"),
    ("postgresql", "postgresql"),
]

both_ways = pytest.mark.parametrize(("there", "here"), WAYS)
New = Callable[[str], Place]
LivedIn = Callable[[str], Awaitable[Place]]


@pytest.fixture
def new(tmp_path: Path, request: pytest.FixtureRequest) -> New:
    """A place of this kind where nothing is."""
    number = itertools.count()

    def place(dialect: str) -> Place:
        if dialect == "sqlite":
            return tmp_path / f"{next(number)}.db"
        return place_of(request.getfixturevalue("postgres").new())

    return place


@pytest.fixture
def lived_in(new: New) -> LivedIn:
    """A ledger with rows in every table that lasts, its texts as odd as people's and services' can be."""

    async def make(dialect: str) -> Place:
        place = new(dialect)
        ledger = Ledger.open(place, BASE_URL, BIRTH)
        await live_in(ledger)
        ledger.close()
        plant(place, "INSERT INTO pruned VALUES ('coach', '2026-03-04', 'ended', 1)")
        plant(place, "UPDATE tallies SET promised = promised + 1")
        return place

    return make


async def live_in(ledger: Ledger) -> None:
    await promised(ledger, *(occurrence(who, rank=n) for n, who in enumerate(("ana", "ben", "cai", "dee"))))
    await claimed(ledger, 3)
    ana, ben, cai, _ = KEYS
    await ledger.note(
        created(ana, to=(LOG, MAIL))._replace(messages={MAIL: bytes(range(256))}),
        Note(ana, StrayFound("c9"), DUE),
        Note(ana, Delivered(LOG), DUE),
        Note(ben, Failed(StepKind.CREATE, Reason.LOST, HOSTILE), DUE),
        created(cai),
        Note(cai, Ended(EndReason.LEFT), DUE + 60),
    )
    await ledger.steering.pause(Scope(), None, ASKER, DUE)
    await ledger.steering.skip_ahead(occurrence("eve"), ASKER, BIRTH)
    await ledger.hold("spent", DUE)


def plant(place: Place, sql: str) -> None:
    with closing(connect(place)) as driver, driver.transaction():
        driver.execute(sql)


def rows(place: Place) -> dict[str, list[tuple[object, ...]]]:
    """All that lasts, in the order in which it was written where there is one."""
    with Snapshot.open(place) as seen:
        found = {
            table: seen.driver.fetch(f"SELECT * FROM {table}") for table in DURABLE if table != "records"
        }
        found["order"] = seen.driver.fetch("SELECT rowid, key FROM records ORDER BY rowid")
        found["records"] = [tuple(record) for record in seen.records()]
        found["line"] = seen.driver.fetch("SELECT key, party, overlap, rank FROM records")
    found["meta"] = [row for row in found["meta"] if row[0] not in ("version", "programs")]
    return {table: sorted(each, key=repr) for table, each in found.items()}


def silent(table: str, done: int, rows: int) -> None:
    assert 0 < done <= rows, table


def nothing_at(place: Place) -> bool:
    if isinstance(place, Path):
        return not any(each.name != f"{place.name}.lock" for each in place.parent.glob(f"{place.name}*"))
    with closing(connect(place)) as driver:
        return driver.version() == 0


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
async def test_every_table_is_copied_or_known_to_stay(lived_in: LivedIn, dialect: str) -> None:
    place = await lived_in(dialect)
    listed = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
        "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()",
    }
    with Snapshot.open(place) as seen:
        there = {row[0] for row in seen.driver.fetch(listed[dialect])}
        assert there == {*DURABLE, *MOMENTARY}
        assert all(seen.driver.fetch(f"SELECT 1 FROM {table}") for table in DURABLE)


@both_ways
async def test_a_copy_is_the_same_row_for_row(lived_in: LivedIn, new: New, there: str, here: str) -> None:
    source, target, back = await lived_in(there), new(here), new(there)
    before = rows(source)
    counts = copy(source, target, silent)
    assert rows(target) == before
    assert counts == {table: len(before[table]) for table in DURABLE}
    assert copy(target, back, silent) == counts
    assert rows(back) == before == rows(source)
    with Snapshot.open(source) as one, Snapshot.open(back) as other:
        assert [one.story(key) for key in KEYS] == [other.story(key) for key in KEYS]
        assert audit(other).faults == []
        assert other.message(KEYS[0], MAIL) == bytes(range(256))


@both_ways
async def test_a_copy_goes_on_where_the_ledger_was(
    lived_in: LivedIn, new: New, there: str, here: str
) -> None:
    target = new(here)
    copy(await lived_in(there), target, silent)
    ledger = Ledger.open(target, BASE_URL, DUE)
    assert await ledger.promise([occurrence("ana")], SCHEDULES, DUE, None) == 0
    await promised(ledger, occurrence("fay"), now=DUE)
    await ledger.note(Note(KEYS[0], Delivered(MAIL), DUE + 1))
    await ledger.steering.pause(Scope(name="x"), None, ASKER, DUE)
    ledger.close()
    with Snapshot.open(target) as seen:
        assert [row[0] for row in seen.driver.fetch("SELECT key FROM records ORDER BY rowid")][-1].endswith(
            "fay"
        )
        assert seen.story(KEYS[0])[-1].fact == Delivered(MAIL)
        assert audit(seen).faults == []


@both_ways
async def test_nothing_is_copied_over_a_ledger(lived_in: LivedIn, there: str, here: str) -> None:
    source, target = await lived_in(there), await lived_in(here)
    before = rows(target)
    with pytest.raises(LedgerError, match=r"there is a ledger already, .* another database"):
        copy(source, target, silent)
    assert rows(target) == before


@both_ways
async def test_a_ledger_that_was_only_born_is_none(
    lived_in: LivedIn, new: New, there: str, here: str
) -> None:
    source, target = await lived_in(there), new(here)
    Ledger.open(target, "https://other.example", DUE).close()
    copy(source, target, silent)
    assert rows(target) == rows(source)


@both_ways
async def test_what_does_not_add_up_is_not_copied(lived_in: LivedIn, new: New, there: str, here: str) -> None:
    source, target = await lived_in(there), new(here)
    plant(source, "UPDATE tallies SET promised = 99")
    with pytest.raises(LedgerError, match=r"does not add up .*99 promised"):
        copy(source, target, silent)
    assert nothing_at(target)


@both_ways
async def test_when_it_is_broken_off_nothing_is_left(
    lived_in: LivedIn, new: New, there: str, here: str
) -> None:
    source, target = await lived_in(there), new(here)

    def interrupt(table: str, done: int, rows: int) -> None:
        if table == "facts":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy(source, target, interrupt)
    assert nothing_at(target)
    copy(source, target, silent)


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
async def test_what_is_no_ledger_or_an_older_one_is_not_copied(
    lived_in: LivedIn, new: New, dialect: str
) -> None:
    with pytest.raises(LedgerMissing, match="no ledger there"):
        copy(new(dialect), new("sqlite"), silent)
    source = await lived_in(dialect)
    with pytest.raises(LedgerError, match="is the ledger itself"):
        copy(source, source, silent)
    with closing(connect(source)) as driver, driver.transaction():
        driver.migrated(5)
    target = new("sqlite")
    with pytest.raises(LedgerMismatch, match=r"has version 5.*`callboard ledger migrate`"):
        copy(source, target, silent)
    assert nothing_at(target)


async def test_a_file_that_is_written_is_not_copied(lived_in: LivedIn, new: New) -> None:
    source = await lived_in("sqlite")
    held = Ledger.open(source, BASE_URL, DUE)
    with pytest.raises(LedgerHeld):
        copy(source, new("sqlite"), silent)
    held.close()
    copy(source, new("sqlite"), silent)


async def test_a_database_at_which_somebody_works_is_not_copied(lived_in: LivedIn, new: New) -> None:
    source = await lived_in("postgresql")
    assert isinstance(source, Database)
    until = "(SELECT extract(epoch FROM clock_timestamp()) {})"
    worker = "INSERT INTO workers VALUES ('1', 'db-host:77', '1.0', 0, {}, 0)"
    plant(source, worker.format(until.format("+ 5")))
    with pytest.raises(LedgerHeld, match="db-host:77"):
        copy(source, new("sqlite"), silent)
    plant(source, f"UPDATE workers SET until = {until.format('- 1')}")
    target = new("sqlite")
    copy(source, target, silent)
    with Snapshot.open(target) as seen:
        assert seen.driver.fetch("SELECT * FROM workers") == []
