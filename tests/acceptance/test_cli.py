"""The command line's manners: words, help, versions, streams, exit codes, signals."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import jsonschema
import pytest

COMMAND = Path(sys.executable).with_name("callboard")
Run = Callable[..., "subprocess.CompletedProcess[str]"]

COMMANDS = [
    "demo",
    "init",
    "run",
    "check",
    "plan",
    "ls",
    "explain",
    "audit",
    "prune",
    "ledger",
    "doctor",
    "status",
    "pause",
    "resume",
    "skip",
    "make-up",
    "end",
    "resend",
    "retry",
    "resume-account",
    "reload",
    "mail",
    "schema",
    "sandbox",
]
GROUPS = {"mail": ("preview", "test"), "ledger": ("copy", "migrate")}
WHOLE = [[word] for word in COMMANDS if word not in GROUPS]
WHOLE += [[group, word] for group, words in GROUPS.items() for word in words]
SCHEDULE = """\
version: 1
rosters:
  team:
    - {id: ana, name: Ana Ruiz, timezone: America/New_York}
    - {id: ben, name: Ben Ode, timezone: America/Chicago}
account: {concurrent_conversations: 2}
schedules:
  coach:
    when: {days: daily, at: "09:00", timezone: participant}
    participants: [team]
    conversation: {persona_id: p1, replica_id: r1}
"""


@pytest.fixture
def schedule(tmp_path: Path) -> Path:
    file = tmp_path / "callboard.yaml"
    file.write_text(SCHEDULE, "utf-8")
    return file


def test_help_names_every_command(callboard: Run) -> None:
    done = callboard("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.findall(r"^  ([a-z][a-z-]+)  ", done.stdout, re.MULTILINE) == COMMANDS
    assert callboard().stdout == done.stdout


@pytest.mark.parametrize("command", WHOLE, ids=" ".join)
def test_every_command_has_help_json_and_no_color(callboard: Run, command: list[str]) -> None:
    done = callboard(*command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "--json" in done.stdout
    assert "--no-color" in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= 80


def test_help_imports_nothing_heavy() -> None:
    """What keeps `--help` within its 0.2 s: rooms that cost are imported by the commands that need them."""
    heavy = {
        "aiohttp",
        "apscheduler",
        "asyncio",
        "jinja2",
        "pydantic",
        "rich",
        "sqlite3",
        "structlog",
        "yaml",
    }
    code = f"import sys, scheduler.cli; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "[]\n"


def test_the_version_says_what_answers_depend_on(callboard: Run) -> None:
    done = callboard("--version")
    expected = r"callboard \d+\.\d+\.\d+\S*, time zones 20\d\d[a-z], Python 3\.\d+\.\S+, SQLite 3\.\d+\.\d+\n"
    assert re.fullmatch(expected, done.stdout)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "suggestion"),
    [
        (["plam"], "'plan'"),
        (["audt"], "'audit'"),
        (["plan", "--dais", "3"], "--days"),
        (["check", "--jsn"], "--json"),
    ],
)
def test_a_mistyped_word_gets_a_suggestion(callboard: Run, words: list[str], suggestion: str) -> None:
    done = callboard(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"Did you mean {suggestion}" in done.stderr.replace("Did you mean '--", "Did you mean --")


@pytest.mark.parametrize("command", ["check", "plan", "run"])
def test_without_a_path_it_says_where_it_looked(callboard: Run, command: str) -> None:
    done = callboard(command)
    assert (done.returncode, done.stdout) == (2, "")
    assert "CALLBOARD_CONFIG is not set, and there is no ./callboard.yaml" in done.stderr


def test_the_default_path_is_callboard_yaml_or_what_the_environment_names(
    callboard: Run, schedule: Path, tmp_path: Path
) -> None:
    assert callboard("check").returncode == 0
    moved = schedule.rename(tmp_path / "elsewhere.yaml")
    assert callboard("check").returncode == 2
    assert callboard("check", CALLBOARD_CONFIG=str(moved)).returncode == 0


def test_a_bad_environment_is_a_usage_error(callboard: Run) -> None:
    done = callboard("plan", CALLBOARD_LOG="loud")
    assert (done.returncode, done.stdout) == (2, "")
    assert "CALLBOARD_LOG is 'loud'; it can be console or json" in done.stderr


def test_the_schema_is_draft_07_and_knows_the_schedule(callboard: Run) -> None:
    done = callboard("schema")
    schema = json.loads(done.stdout)
    jsonschema.Draft7Validator.check_schema(schema)
    assert (done.returncode, done.stderr) == (0, "")
    assert {"version", "schedules", "rosters", "account"} <= set(schema["properties"])
    assert callboard("schema", "--json").stdout == done.stdout


def test_a_reader_that_leaves_early_is_no_error(schedule: Path) -> None:
    """`callboard plan | head -1`: nothing on stderr."""
    pipe = f"'{COMMAND}' plan --days 3000 '{schedule}' | head -1"
    done = subprocess.run(["bash", "-c", pipe], capture_output=True, text=True, timeout=60)
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


def test_ctrl_c_is_130_without_a_traceback(schedule: Path) -> None:
    words = [COMMAND, "plan", "--json", "--days", "3660", schedule]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        assert "Traceback" not in process.stderr.read()
    assert process.returncode == 130


def on_a_terminal(*words: object, **environment: str) -> str:
    """What the command writes to a terminal."""
    clean = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    ours, theirs = pty.openpty()
    env = clean | {"TERM": "xterm-256color"} | environment
    with subprocess.Popen([COMMAND, *map(str, words)], stdout=theirs, stdin=subprocess.DEVNULL, env=env):
        os.close(theirs)
        shown = b""
        # Reading a terminal whose last writer is gone is an error on Linux.
        with suppress(OSError):
            while chunk := os.read(ours, 65536):
                shown += chunk
    os.close(ours)
    return shown.decode()


def test_colours_are_for_terminals_and_can_be_refused(callboard: Run, schedule: Path) -> None:
    assert "\x1b[" not in callboard("plan", schedule).stdout
    assert "\x1b[" in on_a_terminal("plan", schedule)
    assert "\x1b[" not in on_a_terminal("plan", "--no-color", schedule)
    assert "\x1b[" not in on_a_terminal("plan", schedule, NO_COLOR="anything")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_are_told_how_to_complete(callboard: Run, shell: str) -> None:
    done = callboard(_CALLBOARD_COMPLETE=f"{shell}_source")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"_CALLBOARD_COMPLETE={shell}_complete" in done.stdout
    found = callboard(
        _CALLBOARD_COMPLETE=f"{shell}_complete",
        COMP_WORDS="callboard ch",
        COMP_CWORD="ch" if shell == "fish" else "1",
    )
    assert "check" in found.stdout
