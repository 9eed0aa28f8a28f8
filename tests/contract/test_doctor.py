"""What the doctor says of the machine, the secrets, the ledger and the schedules, each ill in its own way."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jobs.model import Address
from scheduler.app.doctor import Case, Finding, examine
from scheduler.app.doctor.machine import python, time_zones
from scheduler.app.doctor.place import place
from scheduler.app.doctor.schedules import hosts, plan
from scheduler.app.doctor.secret import secrets
from scheduler.clock import Clock
from scheduler.config import load, read
from scheduler.ledger import Ledger
from scheduler.model import Config, SecretRef

from .test_zones import system

NOW = datetime(2026, 11, 23, tzinfo=UTC).timestamp()
BASE_URL = "https://tavus.example"
Told = list[tuple[str, str]]


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "key").write_text("sesame-123")
    (tmp_path / "key").chmod(0o600)
    people = ", ".join(f"{{id: p{n}, name: P}}" for n in range(5))
    (tmp_path / "callboard.yaml").write_text(f"""\
version: 1
account: {{base_url: "{BASE_URL}", api_key: {{file: {tmp_path}/key}}, concurrent_conversations: 5}}
schedules:
  coach:
    when: {{days: mon-fri, at: "09:00", timezone: America/Vancouver}}
    participants: [{people}]
    conversation: {{persona_id: p1, properties: {{max_call_duration: 30m}}}}
""")
    return load([tmp_path / "callboard.yaml"])


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    Ledger.open(tmp_path / "callboard.db", BASE_URL, NOW).close()
    return tmp_path / "callboard.db"


def told(found: Iterable[Finding]) -> Told:
    found = list(found)
    assert all(each.fix for each in found if each.verdict in ("failed", "warning"))
    assert "sesame" not in repr(found)
    return [(each.check, str(each.verdict)) for each in found]


# --- the machine -----------------------------------------------------------------------------------


def test_this_python_will_do() -> None:
    assert told([python()]) == [("Python", "ok")]


def test_old_time_zone_data_is_told(config: Config) -> None:
    assert time_zones(config, NOW).verdict in ("ok", "warning")
    old = time_zones(config, datetime(2040, 1, 1, tzinfo=UTC).timestamp())
    assert (old.verdict, "more than half a year old" in old.said) == ("warning", True)


ASK = """
import sys
from pathlib import Path
from scheduler.app.doctor.door import port
from scheduler.app.doctor.machine import time_zones
from scheduler.config import load
print(time_zones(load([Path(sys.argv[1])]), float(sys.argv[2])).said)
"""


def test_a_system_that_reads_our_zones_otherwise_is_told(config: Config, tmp_path: Path) -> None:
    """In a process of its own, whose system has Vancouver on Tokyo's time."""
    done = subprocess.run(
        [sys.executable, "-c", ASK, tmp_path / "callboard.yaml", str(NOW)],
        env={**os.environ, "PYTHONTZPATH": str(system(tmp_path / "tz", "# version 2025b\n"))},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "the two disagree on America/Vancouver from 2026-11-23 on" in done.stdout, done.stderr


# --- the secrets -----------------------------------------------------------------------------------


def test_a_secret_is_where_it_is_looked_for(config: Config) -> None:
    assert told(secrets(config)) == [("API key", "ok")]


def test_a_missing_key_and_one_for_all_eyes(config: Config, tmp_path: Path) -> None:
    (tmp_path / "key").chmod(0o644)
    (open_,) = secrets(config)
    assert (open_.verdict, open_.fix) == ("warning", "chmod 600 it")
    (tmp_path / "key").unlink()
    assert told(secrets(config)) == [("API key", "failed")]


def test_other_secrets_are_looked_at_too(config: Config, tmp_path: Path) -> None:
    there, lost = SecretRef("file", str(tmp_path / "key")), SecretRef("env", "NO_SUCH_SECRET")
    more = replace(config, webhook_secrets={"https://a.example/x": there})
    assert told(secrets(more)) == [("API key", "ok"), ("other secrets", "ok")]
    more = replace(config, webhook_secrets={"https://a.example/x": there, "https://b.example/y": lost})
    assert told(secrets(more)) == [("API key", "ok"), ("other secrets", "failed")]


# --- the ledger ------------------------------------------------------------------------------------

PRESENT = [("ledger", "ok"), ("ledger's counts", "ok"), ("disk", "ok")]


def looked(config: Config, ledger: Path) -> Told:
    return [each if each[0] != "disk" else ("disk", "ok") for each in told(place(config, ledger, Clock()))]


def test_a_ledger_at_its_place(config: Config, ledger: Path) -> None:
    assert looked(config, ledger) == PRESENT


def test_no_ledger_yet_is_no_failure_but_no_directory_is(config: Config, tmp_path: Path) -> None:
    assert looked(config, tmp_path / "new.db") == [("ledger", "ok"), ("disk", "ok")]
    assert looked(config, tmp_path / "lost" / "new.db") == [("ledger", "failed")]


def test_a_ledger_in_use_can_be_looked_at(config: Config, ledger: Path) -> None:
    held = Ledger.open(ledger, BASE_URL, NOW)
    assert looked(config, ledger) == PRESENT
    held.close()


def test_a_ledger_for_all_eyes(config: Config, ledger: Path) -> None:
    ledger.chmod(0o644)
    assert looked(config, ledger)[0] == ("ledger", "failed")


def test_a_ledger_of_another_account(config: Config, ledger: Path) -> None:
    other = replace(config, account=replace(config.account, base_url="https://other.example"))
    assert looked(other, ledger)[0] == ("ledger", "failed")


DAMAGE = {
    "no ledger": ("PRAGMA application_id = 7", [("ledger", "failed")]),
    "of a newer program": ("PRAGMA user_version = 99", [("ledger", "warning")]),
    "a promise is gone": (
        "INSERT INTO tallies (schedule, date, promised) VALUES ('coach', '2026-03-04', 3)",
        [("ledger", "ok"), ("ledger's counts", "failed")],
    ),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_ledger_that_is_not_right(config: Config, ledger: Path, what: str) -> None:
    statement, expected = DAMAGE[what]
    with sqlite3.connect(ledger) as connection:
        connection.execute(statement)
    connection.close()
    assert looked(config, ledger)[:-1] == expected


# --- the schedules ---------------------------------------------------------------------------------


def test_a_week_that_fits(config: Config) -> None:
    found = plan(config, NOW)
    assert (found.verdict, found.said.split(",")[:3]) == (
        "ok",
        ["25 promises in 7 days", " at most 5 at once", " 5 places; the longest wait is 0 s"],
    )


def test_a_week_that_does_not(config: Config) -> None:
    few = replace(config, account=replace(config.account, concurrent_conversations=4, reserve=1))
    found = plan(few, NOW)
    assert (found.verdict, "10 miss, the first coach/09:00/2026-11-23/p" in found.said) == ("failed", True)
    assert "(Mon 09:00)" in found.said
    assert found.fix


def test_nothing_promised_is_no_failure(config: Config) -> None:
    assert plan(replace(config, schedules={}), NOW).verdict == "ok"


async def test_hosts_are_resolved_and_their_urls_kept(config: Config) -> None:
    assert told(await hosts(config)) == [("webhook hosts", "skipped")]
    coach = config.schedules["coach"]
    urls = ("http://localhost:1/sesame-1", "https://callboard.invalid/sesame-2")
    posts = tuple(Address("webhook", url) for url in urls)
    hooked = replace(config, schedules={"coach": replace(coach, deliver=posts)})
    (found,) = await hosts(hooked)
    assert told([found]) == [("webhook hosts", "failed")]
    assert found.said.startswith("callboard.invalid: ")
    local = replace(config, schedules={"coach": replace(coach, deliver=posts[:1])})
    assert told(await hosts(local)) == [("webhook hosts", "ok")]


# --- what the service needs ------------------------------------------------------------------------


async def test_what_the_service_needs_is_looked_at_too(config: Config) -> None:
    token = SecretRef("env", "NO_SUCH_TOKEN")
    beating = replace(config.service, admin_token=token, heartbeat="https://callboard.invalid/sesame-3")
    assert told(secrets(replace(config, service=beating))) == [("API key", "ok"), ("other secrets", "failed")]
    assert told(await hosts(replace(config, service=beating))) == [("webhook hosts", "failed")]


# --- all of it -------------------------------------------------------------------------------------

ORDER = ["Python", "time zones", "configuration", "API key", "base URL", "personas"]
MORE = ["plan", "ledger", "disk", "mail", "webhook hosts", "port"]


async def examined(case: Case) -> list[Finding]:
    found: list[Finding] = []
    await examine(case, Clock(), found.append)
    return found


@pytest.fixture
async def threads() -> AsyncIterator[None]:
    """What checks compute in is gone when their test is."""
    yield
    await asyncio.get_running_loop().shutdown_default_executor()


@pytest.mark.usefixtures("threads")
async def test_the_order_is_always_the_same(config: Config, tmp_path: Path) -> None:
    """Nobody listens at the address: its line waits, and those after it come after it."""
    nobody = replace(config, account=replace(config.account, base_url="http://127.0.0.1:1"))
    found = await examined(Case(nobody, (), tmp_path / "new.db"))
    assert [each.check for each in found] == ORDER + MORE
    assert [str(each.verdict) for each in found[4:6]] == ["failed", "skipped"]
    asked = await examined(Case(nobody, (), tmp_path / "new.db", create_test=True))
    assert [each.check for each in asked] == [*ORDER, *MORE, "test conversation"]


@pytest.mark.usefixtures("threads")
async def test_without_a_configuration_the_machine_is_still_looked_at(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("version: 1\nschedule: {}\n")
    config, problems = read([tmp_path / "bad.yaml"])
    found = await examined(Case(config, problems))
    assert told(found)[2] == ("configuration", "failed")
    assert [each.check for each in found] == ORDER[:3]


async def test_who_stops_listening_ends_it_without_a_fault_of_its_own(config: Config) -> None:
    def gone(_: Finding) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        await examine(Case(config, ()), Clock(), gone)
