"""Every driver that the ledger knows passes the same suite: a new one is a word in `DIALECTS`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scheduler.ledger import Ledger, Place, place_of
from scheduler.ledger.connecting import connect
from scheduler.ledger.driver import Driver
from scheduler.ledger.snapshot import Snapshot
from tests.contract.ledger.world import BASE_URL, BIRTH, Watched

DIALECTS = ("sqlite", "postgresql")


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "callboard.db"


@pytest.fixture
def place(dialect: str, path: Path, request: pytest.FixtureRequest) -> Place:
    """Where the ledger of this test is: a file, or a database of its own."""
    return path if dialect == "sqlite" else place_of(request.getfixturevalue("postgres").new())


@pytest.fixture
def watched() -> list[Watched]:
    """The drivers that the ledger of this test was given; the last one is in use."""
    return []


@pytest.fixture
def opened(place: Place, watched: list[Watched]) -> Iterator[Callable[[], Ledger]]:
    """Opens the ledger, again and again if asked; what is open in the end is closed."""
    ledgers: list[Ledger] = []

    def wrapped(place: Place) -> Driver:
        watched.append(Watched(connect(place)))
        return watched[-1]

    def open_() -> Ledger:
        while ledgers:
            ledgers.pop().close()
        ledgers.append(Ledger.open(place, BASE_URL, BIRTH, wrapped))
        return ledgers[-1]

    yield open_
    while ledgers:
        ledgers.pop().close()


@pytest.fixture
def ledger(opened: Callable[[], Ledger]) -> Ledger:
    return opened()


@pytest.fixture
def driver(ledger: Ledger, watched: list[Watched]) -> Watched:
    """The driver under `ledger`."""
    return watched[-1]


@pytest.fixture
def snapshot(place: Place) -> Callable[[], Snapshot]:
    return lambda: Snapshot.open(place)


@pytest.fixture
def raw(place: Place) -> Iterator[Callable[..., list[tuple[object, ...]]]]:
    """Plain SQL on it, beside the ledger: for looking at rows and for planting damage."""
    drivers: list[Driver] = []

    def run(sql: str, *params: object) -> list[tuple[object, ...]]:
        if not drivers:
            drivers.append(connect(place))
        if sql.startswith(("SELECT", "PRAGMA")):
            return drivers[0].fetch(sql, params)
        drivers[0].execute(sql, params)
        return []

    yield run
    for each in drivers:
        each.close()


@pytest.fixture
def unprivileged() -> Callable[[Path], object]:
    """A block without the super-user's rights, for whom no file is closed; `path` is theirs."""

    @contextmanager
    def dropped(path: Path) -> Iterator[None]:
        if os.geteuid() != 0:
            yield
            return
        os.chown(path, 65534, 65534)
        os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(0)

    return dropped


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A directory that everybody can reach, as the temporary one of a super-user's tests isn't."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
