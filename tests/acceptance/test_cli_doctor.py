"""`callboard doctor` as a person meets it: one line each, the fix below, and an exit code for scripts."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.processes import KEY, PERSONA, sandbox

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def team(tmp_path: Path) -> Callable[[str], Path]:
    def write(base_url: str) -> Path:
        path = tmp_path / "team.yaml"
        path.write_text(f"""\
version: 1
account: {{base_url: "{base_url}", concurrent_conversations: 5}}
schedules:
  coach:
    when: {{days: daily, at: "09:00", timezone: UTC}}
    {PERSONA}
""")
        return path

    return write


def test_a_healthy_house_and_a_free_test(callboard: Run, team: Callable[[str], Path]) -> None:
    with sandbox() as tavus:
        file = team(tavus.base_url)
        done = callboard("doctor", file, "--create-test", TAVUS_API_KEY=KEY)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        assert KEY not in done.stdout
        (made,) = tavus.conversations()
        assert made["status"] == "ended"
        assert made["conversation_id"] in done.stdout
        assert done.stdout.splitlines()[-1].startswith("0 failures, ")

        told = json.loads(callboard("doctor", file, "--json", TAVUS_API_KEY=KEY).stdout)
        assert told["ok"] is True
        assert {each["verdict"] for each in told["findings"]} <= {"ok", "skipped", "warning"}
        assert len(tavus.conversations()) == 1


def test_each_failure_has_its_fix_below(callboard: Run, team: Callable[[str], Path]) -> None:
    with sandbox() as tavus:
        done = callboard("doctor", team(tavus.base_url), TAVUS_API_KEY="sesame-456")
    assert done.returncode == 1
    assert "sesame-456" not in done.stdout + done.stderr
    lines = done.stdout.splitlines()
    (at,) = [n for n, line in enumerate(lines) if line.startswith("failed")]
    assert lines[at].split()[1:3] == ["key", "accepted"]
    assert lines[at + 1].strip().startswith("fix: make a new key")
    assert lines[-1].startswith("1 failure, ")


def test_every_line_fits_the_terminal(callboard: Run, team: Callable[[str], Path]) -> None:
    done = callboard("doctor", team("http://127.0.0.1:1"), TAVUS_API_KEY=KEY, COLUMNS="80")
    long = [line for line in done.stdout.splitlines() if len(line) > 80]
    assert all(len(line.split()) <= 4 for line in long), long  # a word that is longer than a line


def test_a_bad_file_is_a_failure_that_names_its_place(callboard: Run, tmp_path: Path) -> None:
    (tmp_path / "callboard.yaml").write_text("version: 1\nschedule: {}\n")
    done = callboard("doctor")
    assert done.returncode == 1
    assert "callboard.yaml:2: unknown key" in done.stdout
    told = json.loads(callboard("doctor", "--json").stdout)
    assert told["ok"] is False
    assert [each["check"] for each in told["findings"] if each["verdict"] == "failed"] == ["configuration"]
