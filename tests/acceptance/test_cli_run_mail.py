"""`run` with letters, as a user meets it: what it needs to start, and what a rehearsal doesn't send."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]

SCHEDULE = """\
version: 1
account: {concurrent_conversations: 5}
mail:
  from: Practice <practice@example.com>
  smtp: {host: 127.0.0.1, port: 9, security: none, username: practice, password: {env: TEST_SMTP_PASSWORD}}
rosters:
  team: [{id: ana, name: Ana Ruiz, email: ana@example.com}]
schedules:
  coach:
    when: {every: 2s, timezone: UTC}
    lead: 0s
    overlap: allow
    participants: [team]
    deliver: [mail, {slack: 'https://hooks.example/T0/canary'}]
    conversation: {persona_id: pdced222244b, replica_id: rfe12d8b9597}
"""


@pytest.fixture
def schedule(tmp_path: Path) -> Path:
    (tmp_path / "callboard.yaml").write_text(SCHEDULE, "utf-8")
    return tmp_path / "callboard.yaml"


def test_a_password_that_is_missing_is_told_with_its_key_before_anything_starts(
    callboard: Run, schedule: Path
) -> None:
    done = callboard("run", schedule, TAVUS_API_KEY="a-key-of-tavus")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (78, "", 1)
    assert "mail.smtp: TEST_SMTP_PASSWORD is not set" in done.stderr
    assert not list(schedule.parent.glob("*.db"))


def test_a_rehearsal_needs_no_password_and_sends_nothing(callboard: Run, schedule: Path) -> None:
    done = callboard("run", schedule, "--sandbox", "--for", "3s", "--json")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[0]["event"] == "ready"
    assert lines[0]["letters"].endswith("letters")
    told = {line["channel"] for line in lines if line["event"] == "delivered"}
    assert told == {"mail", "slack"}
    assert "canary" not in done.stdout
    assert "/join/" not in done.stdout
