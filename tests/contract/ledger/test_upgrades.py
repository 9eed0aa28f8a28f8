"""Replaced one by one: a program works on a ledger that the next version has migrated, if it says so."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from importlib.resources import as_file
from pathlib import Path

import pytest

from scheduler.ledger import Ledger, LedgerMismatch, Place
from scheduler.ledger.connecting import connect
from scheduler.ledger.migrate import ADDITIVE, check, migrate, own
from scheduler.ledger.snapshot import Snapshot
from tests.contract.ledger.world import BASE_URL, BIRTH, have, occurrence, promised

Plant = Callable[[str], int]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The program's own migrations, to which a later one's may be added."""
    with as_file(own()) as known:
        shutil.copytree(known, tmp_path / "migrations")
    return tmp_path / "migrations"


@pytest.fixture
def plant(folder: Path, place: Place, dialect: str) -> Plant:
    """Add a migration, and have the program that comes with it open the ledger; its version."""
    Ledger.open(place, BASE_URL, BIRTH).close()

    def planted(sql: str) -> int:
        number = max(int(file.name[:4]) for file in (folder / dialect).iterdir()) + 1
        (folder / dialect / f"{number:04}_later.sql").write_text(sql)
        with closing(connect(place)) as driver:
            migrate(driver, folder)
            check(driver, folder)
        return number

    return planted


async def test_the_version_before_goes_on_working_on_what_was_only_added(plant: Plant, place: Place) -> None:
    number = plant(f"{ADDITIVE}\nCREATE TABLE later (x INTEGER);\nINSERT INTO later VALUES (1);\n")
    ledger = Ledger.open(place, BASE_URL, BIRTH)
    (key,) = await promised(ledger, occurrence("ana"))
    assert (await have(ledger, key)).stage == "planned"
    ledger.close()
    with Snapshot.open(place) as seen:
        assert [record.key for record in seen.records()] == [key]
        assert seen.driver.version() == number
        assert seen.driver.fetch("SELECT x FROM later") == [(1,)]


@pytest.mark.parametrize("changes", [("",), (ADDITIVE, ADDITIVE), ("", ADDITIVE)])
def test_any_other_newer_ledger_is_refused(plant: Plant, place: Place, changes: tuple[str, ...]) -> None:
    for n, first in enumerate(changes):
        number = plant(f"{first}\nCREATE TABLE later_{n} (x INTEGER);\n")
    for opening in (lambda: Ledger.open(place, BASE_URL, BIRTH), lambda: Snapshot.open(place)):
        with pytest.raises(LedgerMismatch, match=f"version {number}") as told:
            opening()
        assert str(place) in str(told.value)


def test_a_migration_that_fails_changes_nothing(plant: Plant, place: Place) -> None:
    Ledger.open(place, BASE_URL, BIRTH).close()
    with pytest.raises(Exception, match="nonsense"):
        plant("CREATE TABLE later (x INTEGER);\nINSERT INTO nonsense VALUES (1);\n")
    Ledger.open(place, BASE_URL, BIRTH).close()
    with Snapshot.open(place) as seen, pytest.raises(Exception, match="later"):
        seen.driver.fetch("SELECT * FROM later")


def test_a_number_means_the_same_on_every_database() -> None:
    with as_file(own()) as known:
        numbers = {d.name: sorted(int(file.name[:4]) for file in d.glob("*.sql")) for d in known.iterdir()}
    assert set(numbers) == {"sqlite", "postgresql"}
    for each in numbers.values():
        assert each == list(range(each[0], each[-1] + 1))
    assert len({each[-1] for each in numbers.values()}) == 1
