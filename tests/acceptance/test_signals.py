"""Signals, as a supervisor or a person at a terminal sends them: drain, force, reload."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.processes import PERSONA, Sandbox, heard, rest, running, sandbox, soon

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def config(base_url: str, when: str = "{every: 1h, timezone: UTC}", start_window: str = "1h") -> str:
    """A slot that is due whenever it is looked at."""
    return f"""\
version: 1
account: {{base_url: "{base_url}", concurrent_conversations: 50, requests: 100/s}}
schedules:
  coach:
    when: {when}
    lead: 0s
    start_window: {start_window}
    overlap: allow
    {PERSONA}
"""


@pytest.fixture
def tavus() -> Iterator[Sandbox]:
    with sandbox("--concurrent", 50) as running_sandbox:
        yield running_sandbox


@pytest.fixture
def file(tmp_path: Path, tavus: Sandbox) -> Path:
    (tmp_path / "callboard.yaml").write_text(config(tavus.base_url, "{every: 1s}", "10s"))
    return tmp_path / "callboard.yaml"


def records(callboard: Run, file: Path) -> list[dict[str, object]]:
    listed = callboard("ls", "--json", CALLBOARD_CONFIG=str(file)).stdout
    return [row for row in map(json.loads, listed.splitlines()) if row["stage"] != "planned"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_drain_waits_for_what_is_on_the_wire(
    callboard: Run, tavus: Sandbox, file: Path, number: signal.Signals
) -> None:
    """Slow answers: the room is there, its answer isn't yet. It is waited for, and written down."""
    tavus.arm(kind="slow", operation="create", seconds=1.5, when="after", count=None)
    with running(file) as house:
        soon(tavus.conversations)
        house.send_signal(number)
        draining = heard(house, "draining")
        after = [line["event"] for line in rest(house)]
        assert house.wait() == 0
    assert draining["in_hand"] >= 1
    assert after.count("created") >= draining["in_hand"]
    assert after[-1] == "stopped"
    known = records(callboard, file)
    assert {row["stage"] for row in known} == {"live"}
    assert {row["conversation_id"] for row in known} == {
        row["conversation_id"] for row in tavus.conversations()
    }


def test_a_second_signal_forces_and_the_next_start_finds_what_was_left(
    callboard: Run, tavus: Sandbox, file: Path
) -> None:
    """The answer never comes; forced out, nothing is lost: the room is looked for and adopted."""
    tavus.arm(kind="hang", operation="create", when="after")
    with running(file) as house:
        soon(tavus.conversations)
        house.send_signal(signal.SIGTERM)
        heard(house, "draining")
        house.send_signal(signal.SIGTERM)
        assert heard(house, "forced")["in_hand"] >= 1
        assert house.wait() == 130
    (hung,) = [row["key"] for row in records(callboard, file) if row["stage"] == "creating"]
    with running(file) as house:
        found = heard(house, "found")
    assert found["key"] == hung
    names = [row["conversation_name"] for row in tavus.conversations()]
    assert len(set(names)) == len(names)


def test_sighup_reads_the_files_again_and_a_bad_one_changes_nothing(tavus: Sandbox, file: Path) -> None:
    with running(file) as house:
        heard(house, "created")
        good = file.read_text()
        file.write_text(good.replace("overlap: allow", "overlap: allways"))
        house.send_signal(signal.SIGHUP)
        refused = heard(house, "reload_refused")
        assert refused["level"] == "warning"
        assert f"{file}:8:14" in json.dumps(refused)
        assert heard(house, "created")["schedule"] == "coach"
        file.write_text(good.replace("coach:", "trainer:"))
        house.send_signal(signal.SIGHUP)
        heard(house, "reloaded")
        assert heard(house, "created")["schedule"] == "trainer"
        house.send_signal(signal.SIGTERM)
        assert rest(house)[-1]["event"] == "stopped"
        assert house.wait() == 0


def test_a_second_run_on_the_same_ledger_leaves_with_75(callboard: Run, file: Path) -> None:
    with running(file) as house:
        heard(house, "ready")
        done = callboard("run", file, TAVUS_API_KEY="k-123456")
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (75, "", 1)
        assert f"another callboard (process {house.pid}) writes this ledger" in done.stderr
        assert heard(house, "created")


def test_once_does_what_is_due_and_leaves_for_a_while_leaves_after_it(callboard: Run, file: Path) -> None:
    first = callboard("run", file, "--for", "2s", "--json", TAVUS_API_KEY="sesame-123")
    assert first.returncode == 0
    assert '"event": "created"' in first.stdout
    again = callboard("run", file, "--once", "--json", TAVUS_API_KEY="sesame-123")
    assert again.returncode == 0
    assert json.loads(again.stdout.splitlines()[-1])["event"] == "stopped"
