"""Where a ledger is: what counts as a database's URL, and that a password never gets into one."""

from __future__ import annotations

from pathlib import Path

import pytest

from scheduler.ledger import Database, LedgerError, place_of
from scheduler.ledger.files import ADDRESS_BYTES, control_socket
from scheduler.settings import Secret

URL = "postgresql://me@db.example:5432/callboard"


def test_what_is_no_url_is_a_path() -> None:
    assert place_of("state/callboard.db") == Path("state/callboard.db")


@pytest.mark.parametrize(
    "url",
    [
        URL,
        "postgres://db/callboard",
        "postgresql:///callboard?host=/run/postgresql",
        "postgresql://me@[::1]:5433/callboard?sslmode=require",
        "postgresql://[::1]/callboard",
        "postgresql://a:5432,b:5433/callboard?target_session_attrs=read-write",
        "postgresql://me%40office@host/callboard",
    ],
)
def test_a_url_is_a_database_and_shows_itself(url: str) -> None:
    place = place_of(url)
    assert isinstance(place, Database)
    assert str(place) == url


def test_a_password_beside_a_url_is_shown_nowhere() -> None:
    place = place_of(URL, Secret("hunter-two", "PGPASSWORD"))
    assert isinstance(place, Database)
    assert place.password is not None
    assert place.password.reveal() == "hunter-two"
    assert "hunter-two" not in f"{place} {place!r}"
    assert place == place_of(URL)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:hunter2@host/db",
        "postgresql://me:@host/db",
        "postgresql://me:hunter2/x@host/db",
        "postgresql://me:hunter2?x@host/db",
        "postgresql://me:1234/hunter2@host/db",
        "postgresql://me:a@hunter2@host/db",
        "postgresql://me@host/db?password=hunter2",
        "postgresql://me@host/db?sslmode=require&pass%77ord=hunter2",
        "postgresql://me@host:hunter2/db",
    ],
)
def test_a_password_in_a_url_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(LedgerError, match="PGPASSWORD_FILE") as refused:
        place_of(url)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    ["mysql://me:hunter2@host/db", "POSTGRESQL://host/db", "sqlite:///x.db", "postgresql:me:hunter2@host/db"],
)
def test_every_other_url_is_refused(url: str) -> None:
    with pytest.raises(LedgerError, match="a file, or a database of PostgreSQL's") as refused:
        place_of(url)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["postgresql://host", "postgresql://me@host/", "postgresql://me@host/?x=1", "postgres://"]
)
def test_a_url_names_a_database(url: str) -> None:
    with pytest.raises(LedgerError, match="names no database"):
        place_of(url)


@pytest.mark.parametrize("port", ["0", "65536", "-1", "5432x", "٣", ""])
def test_a_port_is_a_port(port: str) -> None:
    with pytest.raises(LedgerError, match="no number from 1 to 65535"):
        place_of(f"postgresql://me@host:{port}/db")


def test_the_control_socket_of_a_database_is_this_users_own() -> None:
    here, there = control_socket(place_of(URL)), control_socket(place_of(f"{URL}2"))
    assert here != there
    assert here == control_socket(place_of(URL))
    assert len(str(here)) <= ADDRESS_BYTES
