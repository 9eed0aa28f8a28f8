"""`run`, `demo` and `sandbox` as a user meets them: what they print, and how they leave."""

from __future__ import annotations

import json
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from scheduler.ledger import Ledger
from tests.acceptance.processes import started

Run = Callable[..., "subprocess.CompletedProcess[str]"]

SCHEDULE = """\
version: 1
account: {concurrent_conversations: 5}
schedules:
  coach:
    when: {every: 2s, timezone: UTC}
    lead: 0s
    conversation: {persona_id: pdced222244b, replica_id: rfe12d8b9597}
"""


@pytest.fixture
def schedule(tmp_path: Path) -> Path:
    (tmp_path / "callboard.yaml").write_text(SCHEDULE, "utf-8")
    return tmp_path / "callboard.yaml"


def test_run_against_a_sandbox_creates_and_tells_links(callboard: Run, schedule: Path) -> None:
    done = callboard("run", schedule, "--sandbox", "--for", "3s", "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stderr
    assert lines[0]["event"] == "ready"
    links = [line for line in lines if line["event"] == "link"]
    assert links
    assert len({line["key"] for line in links}) == len(links)
    assert not list(schedule.parent.glob("*.db*")), "a rehearsal leaves no ledger behind"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_run_drains_when_it_is_told_to_stop(schedule: Path, number: signal.Signals) -> None:
    with started("run", schedule, "--sandbox", "--json") as process:
        assert process.stdout
        assert json.loads(process.stdout.readline())["event"] == "ready"
        process.send_signal(number)
        assert [json.loads(line)["event"] for line in process.stdout][-1] == "stopped"
        assert process.wait(10) == 0


def test_what_keeps_it_from_starting_is_one_line_and_a_code(callboard: Run, schedule: Path) -> None:
    no_key = callboard("run", schedule)
    assert (no_key.returncode, no_key.stdout, no_key.stderr.count("\n")) == (78, "", 1)
    assert "TAVUS_API_KEY is not set" in no_key.stderr
    style = callboard("run", TAVUS_API_KEY="k-123456", CALLBOARD_LOG="loud")
    assert (style.returncode, style.stdout, style.stderr.count("\n")) == (78, "", 1)
    schedule.write_text(SCHEDULE.replace("coach", "a coach"))
    bad = callboard("run", schedule, TAVUS_API_KEY="k-123456")
    assert (bad.returncode, bad.stdout) == (78, "")
    assert "error" in bad.stderr


def test_a_ledger_that_another_holds_is_75(callboard: Run, schedule: Path) -> None:
    held = Ledger.open(schedule.with_name("callboard.db"), "https://tavusapi.com", 0.0)
    try:
        done = callboard("run", schedule, "--once", TAVUS_API_KEY="k-123456")
    finally:
        held.close()
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (75, "", 1)
    assert "another callboard" in done.stderr


def test_a_ledger_of_another_account_is_78(callboard: Run, schedule: Path) -> None:
    Ledger.open(schedule.with_name("callboard.db"), "https://another.example", 0.0).close()
    done = callboard("run", schedule, "--once", TAVUS_API_KEY="k-123456")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (78, "", 1)


@pytest.mark.parametrize("words", [["--for", "soon"], ["--for", "3x"], ["--once", "--for", "3s"]])
def test_words_that_mean_nothing_are_usage_errors(callboard: Run, schedule: Path, words: list[str]) -> None:
    assert callboard("run", schedule, *words).returncode == 2


def asked(url: str, key: str) -> int:
    request = urllib.request.Request(f"{url}/v2/conversations", headers={"x-api-key": key})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_sandbox_serves_any_client_until_it_is_stopped(number: signal.Signals) -> None:
    with started("sandbox", "--port", "0", "--key", "sesame", "--json") as process:
        assert process.stdout
        url = json.loads(process.stdout.readline())["base_url"]
        assert (asked(url, "sesame"), asked(url, "another")) == (200, 401)
        process.send_signal(number)
        assert process.wait(10) == 0


def test_a_port_that_is_taken_is_one_clear_line(callboard: Run) -> None:
    with started("sandbox", "--port", "0", "--json") as process:
        assert process.stdout
        url = json.loads(process.stdout.readline())["base_url"]
        done = callboard("sandbox", "--port", url.rsplit(":", 1)[1])
    assert (done.returncode, done.stdout) == (1, "")
    assert "--port 0 takes a free one" in done.stderr


def test_check_online_asks_for_each_persona_and_replica(callboard: Run, schedule: Path) -> None:
    with started("sandbox", "--port", "0", "--key", "sesame", "--json") as process:
        assert process.stdout
        url = json.loads(process.stdout.readline())["base_url"]
        online = SCHEDULE.replace("account: {", f"account: {{base_url: '{url}', ")
        schedule.write_text(online)
        assert callboard("check", schedule, "--online", TAVUS_API_KEY="sesame").returncode == 0
        assert callboard("check", schedule, "--online", TAVUS_API_KEY="another").returncode == 1
        schedule.write_text(online.replace("pdced222244b", "p-nobody"))
        done = callboard("check", schedule, "--online", TAVUS_API_KEY="sesame")
    assert done.returncode == 1
    assert "p-nobody is not known to the service" in done.stdout
    assert callboard("check", schedule).returncode == 0


def test_a_file_of_the_environments_never_wins_over_a_database(callboard: Run, schedule: Path) -> None:
    """Several workers that each fell back to a file of their own would each call everybody."""
    shared = "service: {ledger: postgresql://team@db.example/callboard}\n"
    schedule.write_text(SCHEDULE.replace("schedules:", f"{shared}schedules:"), "utf-8")
    own = {"CALLBOARD_LEDGER": str(schedule.with_name("own.db")), "TAVUS_API_KEY": "a-key-of-a-test"}
    done = callboard("run", schedule, **own)
    assert done.returncode == 78
    assert "CALLBOARD_LEDGER names a file" in done.stderr
    assert "unset the one, or change the other" in done.stderr
    assert not schedule.with_name("own.db").exists()
