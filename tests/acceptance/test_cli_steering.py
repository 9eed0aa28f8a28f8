"""Every steering command, against a daemon that runs and, where that is safe, without one."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.acceptance.processes import (
    COMMAND,
    Sandbox,
    environment,
    heard,
    rest,
    running,
    sandbox,
    soon,
    started,
)

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Said = Callable[..., dict[str, Any]]

DATE = "2099-01-01"


def config(base_url: str, *, every: str = "2s", people: str = "ana", more: str = "") -> str:
    """Somebody is called all the time; tomorrow is a thing that can be planned."""
    roster = ", ".join(f"{{id: {who}, name: {who.title()}}}" for who in people.split())
    return f"""\
version: 1
account: {{base_url: "{base_url}", concurrent_conversations: 50, requests: 100/s}}
schedules:
  coach:
    when: {{every: {every}, timezone: UTC}}
    participants: [{roster}]
    lead: 0s
    start_window: 10m
    overlap: allow
    conversation: {{persona_id: pdced222244b, replica_id: rfe12d8b9597}}
{more}"""


@pytest.fixture
def tavus() -> Iterator[Sandbox]:
    with sandbox("--concurrent", 50) as running_sandbox:
        yield running_sandbox


@pytest.fixture
def file(tmp_path: Path, tavus: Sandbox) -> Path:
    (tmp_path / "callboard.yaml").write_text(config(tavus.base_url))
    return tmp_path / "callboard.yaml"


@pytest.fixture
def house(file: Path) -> Iterator[subprocess.Popen[str]]:
    with running(file) as process:
        heard(process, "ready")
        reader = Thread(target=rest, args=(process,))  # or its pipe is full, and it waits
        reader.start()
        yield process
        process.kill()
        reader.join()


@pytest.fixture
def told(callboard: Run) -> Said:
    """What a command answers in JSON, having done it."""

    def ask(*words: object) -> dict[str, Any]:
        done = callboard(*words, "--json")
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))

    return ask


@pytest.fixture
def first(callboard: Run) -> Callable[..., str]:
    """The key of the first record that comes to this stage and reason."""

    def find(stage: str, reason: str | None = None) -> str:
        def found() -> str | None:
            rows = map(json.loads, callboard("ls", "--stage", stage, "--json").stdout.splitlines())
            return next((row["key"] for row in rows if reason in (None, row["reason"])), None)

        return str(soon(found))

    return find


# --- with a daemon ---------------------------------------------------------------------------------


def test_a_pause_and_its_end(house, told, first, callboard) -> None:
    done = told("pause", "coach", "--until", "1h", "--reason", "a holiday")
    assert done["effect"] == "done"
    assert first("skipped", "paused")
    (pause,) = told("status")["pauses"]
    assert (pause["breadth"], pause["name"], pause["why"]) == ("schedule", "coach", "a holiday")
    assert told("resume", "coach")["effect"] == "done"
    assert told("resume", "coach")["effect"] == "already"
    assert first("live")


def test_skip_end_resend_and_make_up(house, told, first, callboard) -> None:
    assert told("skip", _last_planned(callboard))["effect"] == "done"
    key = first("live")
    assert told("resend", key, "--channel", "log")["effect"] == "done"
    assert told("end", key, "--reason", "the fire alarm")["effect"] == "done"
    soon(lambda: key in callboard("ls", "--stage", "ended").stdout)
    assert told("end", key)["effect"] == "already"
    refused = callboard("make-up", key, "--on", DATE)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "took place (ended by_us)" in refused.stderr
    story = callboard("explain", key).stdout
    assert "the fire alarm" in story


def _last_planned(callboard: Run) -> str:
    """A quarter of an hour ahead: nothing comes of it in the meantime."""
    return str(json.loads(callboard("ls", "--stage", "planned", "--json").stdout.splitlines()[-1])["key"])


def test_a_make_up_is_shown_before_it_is_done(house, told, first, callboard, tomorrow) -> None:
    told("pause", "--all")
    key = first("skipped", "paused")
    words = ("make-up", key, "--on", tomorrow, "--at", "10:00")
    shown = callboard(*words)
    assert shown.returncode == 1
    assert "would promise coach/make-up:" in shown.stderr
    assert "--yes" in shown.stderr
    would = told(*words, "--dry-run")
    assert would["effect"] == "would"
    assert told(*words, "--yes")["keys"] == would["keys"]
    assert told(*words, "--yes") | {"said": []} == {
        "effect": "already",
        "said": [],
        "keys": would["keys"],
        "numbers": {},
    }


def test_a_failure_that_was_put_right_is_tried_again(house, tavus, told, first) -> None:
    tavus.arm(kind="status", operation="create", status=422, count=None)
    first("failed", "refused")
    tavus.mend()
    key = first("failed", "refused")
    assert told("retry", key)["effect"] in ("done", "already")
    assert first("live")


def test_credits_that_were_bought(house, tavus, told, first) -> None:
    tavus.arm(kind="status", operation="create", status=402, count=1)
    soon(lambda: told("status")["holds"])
    assert told("resume-account")["effect"] == "done"
    assert told("status")["holds"] == []
    assert first("live")


def test_a_reload_tells_what_it_changes_and_what_is_wrong(house, tavus, file, told, callboard) -> None:
    assert told("reload")["numbers"] == {"added": 0, "removed": 0, "moved": 0}
    file.write_text(config(tavus.base_url, people="ana ben"))
    numbers = told("reload")["numbers"]
    assert (numbers["removed"], numbers["moved"]) == (0, 0)
    soon(lambda: "/ben" in callboard("ls", "--stage", "planned").stdout)
    file.write_text(config(tavus.base_url, every="1x"))
    refused = callboard("reload")
    assert refused.returncode == 78
    assert "callboard.yaml:5:19: expected a duration" in refused.stderr
    assert callboard("status").returncode == 0, "a broken file keeps nobody from the house"


def test_who_is_not_there_is_suggested(house, callboard, first) -> None:
    for words, hint in [
        (("pause", "coash"), "coach"),
        (("pause", "--participant", "anna"), "ana"),
        (("end", first("live")[:-1] + "e"), "did you mean coach/"),
    ]:
        refused = callboard(*words)
        assert refused.returncode == 1
        assert hint in refused.stderr


def test_the_door_is_its_owners_alone(house, file, tmp_path) -> None:
    door = tmp_path / "callboard.db.sock"
    assert stat.S_IMODE(door.stat().st_mode) == 0o600
    house.send_signal(signal.SIGTERM)
    assert house.wait() == 0
    assert not door.exists()


def test_two_who_ask_at_once(house, file, told) -> None:
    words = [COMMAND, "pause", "--all", "--json"]
    both = [
        subprocess.Popen(words, cwd=file.parent, env=environment(), stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    effects = sorted(json.loads(each.communicate(timeout=60)[0])["effect"] for each in both)
    assert effects == ["already", "done"]
    assert len(told("status")["pauses"]) == 1


# --- without one -----------------------------------------------------------------------------------


def test_a_house_that_was_killed_leaves_a_door_that_nobody_answers(house, file, callboard, told) -> None:
    house.send_signal(signal.SIGKILL)
    house.wait()
    status = callboard("status")
    assert (status.returncode, status.stdout.splitlines()[0].split(":")[0]) == (3, "not running")
    assert (callboard("status", "--quiet").stdout, callboard("status", "--quiet").returncode) == ("", 3)
    assert told("pause", "--all")["effect"] == "done"
    assert told("pause", "--all")["effect"] == "already"
    with running(file) as again:
        heard(again, "ready")
        assert [pause["breadth"] for pause in told("status")["pauses"]] == ["all"]
        assert told("resume", "--all")["effect"] == "done"


def test_one_that_dies_while_it_is_asked(house, file, callboard) -> None:
    house.send_signal(signal.SIGSTOP)
    with started("pause", "--all", "--ledger", file.parent / "callboard.db") as asking:
        soon(lambda: _connected(file.parent / "callboard.db.sock"))
        house.send_signal(signal.SIGKILL)
        house.wait()
        assert asking.wait() in (1, 75)


def _connected(door: Path) -> bool:
    """Whether somebody waits at the door."""
    lines = Path("/proc/net/unix").read_text().splitlines()
    return sum(line.endswith(str(door)) for line in lines) > 1


def test_what_is_safe_is_done_by_the_ledger_alone(house, file, told, callboard, first, tomorrow) -> None:
    told("pause", "--all")
    key = first("skipped", "paused")
    house.send_signal(signal.SIGTERM)
    house.wait()
    assert told("resume", "--all")["effect"] == "done"
    assert told("pause", "--participant", "ana", "--until", "90m")["effect"] == "done"
    assert told("make-up", key, "--on", tomorrow, "--at", "10:00", "--yes")["effect"] == "done"
    assert told("resume-account")["effect"] == "already"
    ahead = f"coach/10:00Z/{tomorrow}/ana"
    assert told("skip", ahead)["effect"] == "done"
    for words in (("end", key), ("resend", key), ("retry", key), ("reload",)):
        refused = callboard(*words)
        assert refused.returncode == 1
        assert "no daemon runs" in refused.stderr
    assert callboard("audit").returncode == 0


def test_where_there_is_no_ledger(file, callboard) -> None:
    assert callboard("status").returncode == 3
    assert callboard("status", "--quiet").stderr == ""
    refused = callboard("pause", "--all")
    assert refused.returncode == 1
    assert "no ledger there" in refused.stderr


def test_words_that_make_no_sense(file, callboard) -> None:
    for words in (("pause",), ("pause", "coach", "--all"), ("make-up", "--on", DATE), ("skip",)):
        assert callboard(*words).returncode == 2
    assert callboard("pause", "--all", "--until", "soon").returncode == 2
    assert callboard("make-up", "--missed", "yesterday", "--on", DATE).returncode == 2


@pytest.fixture
def tomorrow() -> str:
    """A date on which everywhere there is still time to come, and nothing is a year away."""
    done = subprocess.run(["date", "-u", "-d", "+2 days", "+%F"], capture_output=True, text=True, check=True)
    return done.stdout.strip()
