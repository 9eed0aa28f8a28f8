"""What the doctor says of a ledger's database: a real one, one that isn't there, all that one can be like."""

from __future__ import annotations

from pathlib import Path

import pytest

from scheduler.app.doctor.database import database, judged
from scheduler.app.doctor.finding import Finding
from scheduler.app.doctor.place import place
from scheduler.clock import Clock
from scheduler.config import load
from scheduler.ledger import Database, Ledger, place_of
from scheduler.ledger.server import Server as Asked
from scheduler.model import Config
from scheduler.settings import Secret
from tests.postgres import Server

BASE_URL = "https://tavus.example"
WELL = Asked(
    version="15.9",
    number=150_009,
    answer_s=0.001,
    ahead_s=0.0,
    standby=False,
    read_only=False,
    durable=True,
    may_create=True,
    may_write=True,
)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "callboard.yaml").write_text(f"version: 1\naccount: {{base_url: {BASE_URL}}}\n")
    return load([tmp_path / "callboard.yaml"])


def at(url: str, password: Secret | None = None) -> Database:
    found = place_of(url, password)
    assert isinstance(found, Database)
    return found


def verdicts(found: list[Finding] | tuple[Finding, ...]) -> list[str]:
    assert all(each.fix for each in found if each.verdict in ("failed", "warning"))
    return [str(each.verdict) for each in found]


def test_a_database_before_and_after_there_is_a_ledger(postgres: Server, config: Config) -> None:
    there = at(postgres.new())
    before = list(place(config, there, Clock()))
    assert verdicts(before) == ["ok"] * 4
    assert "none yet" in before[-1].said and "PostgreSQL" in before[0].said
    Ledger.open(there, BASE_URL, 0.0).close()
    after = list(place(config, there, Clock()))
    assert [each.check for each in after][3:] == ["ledger", "ledger's counts"]
    assert verdicts(after) == ["ok"] * 5


def test_another_accounts_ledger(postgres: Server, config: Config) -> None:
    there = at(postgres.new())
    Ledger.open(there, "https://other.example", 0.0).close()
    assert verdicts(list(place(config, there, Clock())))[3] == "failed"


def test_a_user_without_rights_is_told(postgres: Server) -> None:
    url = postgres.new()
    Ledger.open(at(url), BASE_URL, 0.0).close()
    with postgres.connect() as owner:
        owner.execute("DROP ROLE IF EXISTS guest")
        owner.execute("CREATE ROLE guest LOGIN")
    (answers, _, rights) = database(at(url.replace("//postgres@", "//guest@")), Clock())
    assert (answers.verdict, rights.verdict) == ("ok", "failed")


def test_a_database_that_may_only_be_read_is_told(postgres: Server) -> None:
    url = f"{postgres.new()}%20-cdefault_transaction_read_only%3Don"
    (answers, _, rights) = database(at(url), Clock())
    assert (answers.verdict, rights.verdict) == ("ok", "failed") and "only read" in rights.said


def test_where_nobody_answers_nothing_else_is_asked() -> None:
    password = Secret("s3cr3t", "/run/pw", "/run/pw can be read by everybody; chmod 600 it")
    told = list(database(at("postgresql://me@127.0.0.1:1/x", password), Clock()))
    assert verdicts(told) == ["warning", "failed"] and "s3cr3t" not in repr(told)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, ["ok", "ok", "ok"]),
        ({"number": 130_020}, ["failed", "ok", "ok"]),
        ({"answer_s": 0.05}, ["warning", "ok", "ok"]),
        ({"answer_s": 0.5}, ["failed", "ok", "ok"]),
        ({"durable": False}, ["warning", "ok", "ok"]),
        ({"ahead_s": -1.5}, ["ok", "warning", "ok"]),
        ({"ahead_s": 45.0}, ["ok", "failed", "ok"]),
        ({"standby": True, "may_write": False}, ["ok", "ok", "failed"]),
        ({"read_only": True}, ["ok", "ok", "failed"]),
        ({"may_write": False}, ["ok", "ok", "failed"]),
        ({"may_create": False}, ["ok", "ok", "failed"]),
    ],
)
def test_what_a_server_can_be_like(change: dict[str, object], expected: list[str]) -> None:
    found = tuple(judged(WELL._replace(**change)))
    assert verdicts(found) == expected
    assert change.get("ahead_s") != -1.5 or found[1].said == "1.5 s behind this machine's"
