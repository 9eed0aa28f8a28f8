"""Every command on a ledger in PostgreSQL, named by its URL: as on a file, and no password in any of it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.model import Address, Created
from scheduler.config import freeze, load
from scheduler.ledger import Database, Ledger, Note, Place, place_of
from scheduler.ledger.connecting import connect
from scheduler.model import Occurrence
from tests.acceptance.processes import KEY, sandbox
from tests.postgres import Server

Run = Callable[..., "subprocess.CompletedProcess[str]"]

BASE_URL = "https://tavus.example"
DUE = 4_070_000_000.0
"""2098-12-21T17:46:40Z: it is long until then."""
KEYS = [f"coach/17:46:40/2098-12-21/{who}" for who in ("ana", "ben")]
TEAM = f"""\
version: 1
service: {{ledger: "URL"}}
mail: {{from: coach@example.com, sink: letters}}
account: {{base_url: "{BASE_URL}", concurrent_conversations: 5}}
schedules:
  coach:
    when: {{days: daily, at: "17:46:40", timezone: UTC}}
    participants: [{{id: ana, name: Ana, email: a@b.example}}, {{id: ben, name: Ben, email: b@b.example}}]
    conversation: {{persona_id: p1, replica_id: r1}}
"""


@pytest.fixture
def url(postgres: Server) -> str:
    return postgres.new()


@pytest.fixture
async def team(url: str, tmp_path: Path) -> Path:
    """ana is live, ben waits; the configuration names the database."""
    file = tmp_path / "callboard.yaml"
    file.write_text(TEAM.replace("URL", url))
    schedules = load([file]).schedules
    ledger = Ledger.open(place_of(url), BASE_URL, DUE - 3600)
    both = [
        Occurrence("coach", "17:46:40", "2098-12-21", who, DUE, DUE - 30, DUE + 600, 0, "UTC")
        for who in ("ana", "ben")
    ]
    await ledger.promise(both, schedules, DUE - 900, DUE)
    generation = await ledger.generation(freeze(schedules), DUE - 900)
    (claimed,) = await ledger.claim(DUE - 30, 1, generation)
    made = Created("c1", "https://tavus.example/secret-room", DUE)
    await ledger.note(Note(claimed.key, made, DUE, (Address("log"),)))
    ledger.close()
    return file


def done(run: subprocess.CompletedProcess[str], code: int = 0) -> str:
    assert run.returncode == code, run.stdout + run.stderr
    return run.stdout


async def test_commands_that_read(callboard: Run, team: Path, url: str, tmp_path: Path) -> None:
    assert [json.loads(line)["key"] for line in done(callboard("ls", "--json")).splitlines()] == KEYS
    assert done(callboard("ls", "--ledger", url)) == done(callboard("ls", CALLBOARD_LEDGER=url))
    assert "ok: 2 promises" in done(callboard("audit"))
    assert json.loads(done(callboard("explain", KEYS[0], "--json")))["key"] == KEYS[0]
    assert "would forget 0 records" in done(callboard("prune", "--older", "180d", "--dry-run"))
    assert "forgot 0 records" in done(callboard("prune", "--older", "180d"))
    assert "live" in done(callboard("status"), 3)
    assert json.loads(done(callboard("status", "--json"), 3))["ledger"] == url
    assert done(callboard("plan", "--days", "1"))
    assert "Ben" in done(callboard("mail", "preview", KEYS[1]))
    assert done(callboard("check")).endswith("UTC\n")


async def test_a_ledger_that_is_not_made_yet(callboard: Run, url: str, tmp_path: Path) -> None:
    (tmp_path / "callboard.yaml").write_text(TEAM.replace("URL", url))
    assert "no ledger there" in callboard("ls").stderr
    assert json.loads(done(callboard("explain", "coach/17:46:40/2098-12-21/ana", "--json")))
    assert done(callboard("mail", "preview", "coach"))
    assert f"{url}: had version 0" in done(callboard("ledger", "migrate"))
    assert done(callboard("ls", "--json")) == ""


async def test_steering_without_a_daemon(callboard: Run, team: Path, url: str) -> None:
    assert "paused" in done(callboard("pause", "--all", "--reason", "holidays"))
    assert "everything" in done(callboard("status"), 3)
    assert done(callboard("resume", "--all"))
    assert KEYS[1] in done(callboard("skip", KEYS[1]))
    refused = callboard("end", KEYS[0])
    assert (refused.returncode, "no daemon runs" in refused.stderr) == (1, True)


async def test_steering_where_others_work(callboard: Run, team: Path, url: str) -> None:
    with_worker(place_of(url))
    assert KEYS[0] in done(callboard("end", KEYS[0]))
    assert "being ended already" in done(callboard("end", KEYS[0]))
    refused = callboard("reload")
    assert (refused.returncode, "db-host:77" in refused.stderr) == (1, True)
    held = callboard("ledger", "copy", url, "copy.db")
    assert (held.returncode, "db-host:77" in held.stderr) == (75, True)


def with_worker(place: Place) -> None:
    assert isinstance(place, Database)
    driver = connect(place)
    with driver.transaction():
        hour = "extract(epoch FROM clock_timestamp()) + 3600"
        driver.execute(f"INSERT INTO workers VALUES ('1', 'db-host:77', '1.0', 0, {hour}, 0)")
    driver.close()


async def test_a_ledger_is_copied_to_a_file_and_back(
    callboard: Run, team: Path, url: str, postgres: Server
) -> None:
    first = callboard("ledger", "copy", url, "copy.db", "--json")
    assert json.loads(done(first))["rows"]["records"] == 2
    assert "run copy.db alone" in first.stderr
    again = callboard("ledger", "copy", url, "copy.db")
    assert (again.returncode, "there is a ledger already" in again.stderr) == (1, True)
    back = postgres.new()
    assert "all accounted for" in done(callboard("ledger", "copy", "copy.db", back))
    listed = [done(callboard("ls", "--json", "--links", "--ledger", each)) for each in (url, "copy.db", back)]
    assert listed[0] == listed[1] == listed[2]


async def test_doctor_looks_at_the_database(callboard: Run, team: Path, url: str) -> None:
    told = json.loads(callboard("doctor", "--json", TAVUS_API_KEY=KEY).stdout)["findings"]
    verdicts = {each["check"]: each["verdict"] for each in told}
    assert [verdicts[name] for name in ("database", "database's clock", "rights there", "ledger")] == [
        "ok"
    ] * 4
    assert "disk" not in verdicts


SECRET = "s3cr3t"
WITH_PASSWORD = f"postgresql://me:{SECRET}@db.example/x"


@pytest.mark.parametrize(
    "words",
    [
        ["ls"],
        ["explain", "a/b/2026-03-04/c"],
        ["audit"],
        ["prune", "--older", "180d"],
        ["status"],
        ["mail", "preview", "coach"],
        ["doctor"],
        ["pause", "--all"],
        ["ledger", "migrate"],
    ],
    ids=" ".join,
)
def test_a_password_in_a_url_is_refused_everywhere(callboard: Run, words: list[str], tmp_path: Path) -> None:
    (tmp_path / "callboard.yaml").write_text(TEAM.replace("URL", "x.db"))
    typed = callboard(*words, "--ledger", WITH_PASSWORD)
    assert (typed.returncode, "holds a password" in typed.stderr) == (2, True)
    named = callboard(*words, CALLBOARD_LEDGER=WITH_PASSWORD)
    assert named.returncode in (1, 2) and "holds a password" in named.stderr
    assert SECRET not in typed.stdout + typed.stderr + named.stdout + named.stderr


def test_other_commands_refuse_it_too(callboard: Run, tmp_path: Path) -> None:
    (tmp_path / "callboard.yaml").write_text(TEAM.replace("URL", "x.db"))
    for done_, code in (
        (callboard("run", CALLBOARD_LEDGER=WITH_PASSWORD, TAVUS_API_KEY=KEY), 78),
        (callboard("ledger", "copy", WITH_PASSWORD, "y.db"), 2),
        (callboard("ledger", "copy", "x.db", WITH_PASSWORD), 2),
    ):
        assert done_.returncode == code and "holds a password" in done_.stderr
        assert SECRET not in done_.stdout + done_.stderr


def test_the_extra_that_is_missing_is_told(callboard: Run, tmp_path: Path) -> None:
    """A psycopg that can't be imported stands before the real one."""
    (tmp_path / "lost").mkdir()
    (tmp_path / "lost" / "psycopg.py").write_text("raise ImportError('no pq wrapper available')\n")
    (tmp_path / "callboard.yaml").write_text(TEAM.replace("URL", "postgresql://db.example/x"))
    told = callboard("check", PYTHONPATH=str(tmp_path / "lost"))
    assert (told.returncode, "pip install 'callboard[postgres]'" in told.stdout) == (1, True)
    assert "callboard.yaml:2:19: error" in told.stdout
    done_ = callboard("run", TAVUS_API_KEY=KEY, PYTHONPATH=str(tmp_path / "lost"))
    assert done_.returncode == 78 and "pip install 'callboard[postgres]'" in done_.stderr
    (tmp_path / "callboard.yaml").write_text(TEAM.replace("URL", "x.db"))
    there = ["--ledger", "postgresql://db.example/x"]
    for words in (
        ["ls", *there],
        ["status", *there],
        ["pause", "--all", *there],
        ["end", "a/b/2099-01-01/c", *there],
    ):
        done_ = callboard(*words, TAVUS_API_KEY=KEY, PYTHONPATH=str(tmp_path / "lost"))
        assert done_.returncode != 0 and "pip install 'callboard[postgres]'" in done_.stderr
        assert "Traceback" not in done_.stderr


async def test_a_password_from_the_environment_is_used_and_not_shown(callboard: Run, tmp_path: Path) -> None:
    """Nobody listens there: what is tried is told without it."""
    (tmp_path / "callboard.yaml").write_text(TEAM.replace("URL", "postgresql://me@127.0.0.1:1/x"))
    for env in ({"PGPASSWORD": SECRET}, {"PGPASSWORD_FILE": str(tmp_path / "none")}):
        told = callboard("ls", **env)
        assert told.returncode == 1 and SECRET not in told.stderr
    assert "PGPASSWORD_FILE: " in told.stderr and "none can't be read" in told.stderr
    left = callboard("run", PGPASSWORD=SECRET, TAVUS_API_KEY=KEY)
    assert left.returncode == 75 and SECRET not in left.stdout + left.stderr


async def test_run_works_on_a_database(callboard: Run, url: str, tmp_path: Path) -> None:
    with sandbox() as tavus:
        soon = TEAM.replace(BASE_URL, tavus.base_url).replace("URL", url)
        soon = soon.replace('{days: daily, at: "17:46:40", timezone: UTC}', "{every: 60s}")
        (tmp_path / "callboard.yaml").write_text(
            soon.replace("conversation:", "start_window: 5m\n    conversation:")
        )
        done(callboard("run", "--for", "2s", "--json", TAVUS_API_KEY=KEY))
        done(callboard("run", "--once", "--json", TAVUS_API_KEY=KEY))
        assert "fault" not in done(callboard("audit"))
