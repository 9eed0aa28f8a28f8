"""Bad input: a clear line, the right exit code, nothing lost."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.acceptance.processes import KEY, PERSONA, Sandbox, environment, heard, rest, running, sandbox

Run = Callable[..., "subprocess.CompletedProcess[str]"]

UNPRIVILEGED = """\
import os, sys
from scheduler.cli import callboard
good, *words = sys.argv[1:]
callboard(["run", good, "--sandbox", "--once"])
print("-" * 8, flush=True)
if os.geteuid() == 0:
    os.setegid(65534)
    os.seteuid(65534)
sys.exit(callboard(words))
"""
"""Root may read and write everything: the command as nobody, with all of its modules read before."""

CONFIG = f"""\
version: 1
account: {{concurrent_conversations: 5}}
rosters:
  team: {{file: team.csv}}
schedules:
  coach:
    when: {{every: 1s, timezone: UTC}}
    lead: 0s
    overlap: allow
    participants: [team]
    {PERSONA}
"""
TEAM = "id,name,email,timezone\nana,Ana Ruiz,ana@example.com,America/New_York\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "team.csv").write_text(TEAM)
    (tmp_path / "callboard.yaml").write_text(CONFIG)
    return tmp_path / "callboard.yaml"


def refused(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    """It left with this code and one line on stderr that says all of this."""
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert all(word in done.stderr for word in words), done.stderr


# --- files -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("none.yaml", None, "can't be read: no such file or directory"),
        ("empty.yaml", "", "empty"),
        ("comment.yaml", "# later\n", "empty"),
        ("list.yaml", "- a\n- b\n", "error"),
        ("broken.yaml", "version: 1\nschedules: {\n", "error"),
        ("binary.yaml", "version: 1\x00\n", "error"),
        ("folder", None, "error"),
    ],
)
def test_a_path_without_schedules_is_named(
    callboard: Run, tmp_path: Path, name: str, text: str | None, said: str
) -> None:
    (tmp_path / "folder").mkdir()
    if text is not None:
        (tmp_path / name).write_text(text)
    checked = callboard("check", tmp_path / name)
    assert (checked.returncode, checked.stderr) == (1, "")
    assert str(tmp_path / name) in checked.stdout
    assert said in checked.stdout
    run = callboard("run", tmp_path / name, TAVUS_API_KEY=KEY)
    assert (run.returncode, run.stdout) == (78, "")
    assert said in run.stderr


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("ben,Ben\nben,Benjamin\n", "team.csv:4"),
        (",Nobody\n", "team.csv:3"),
        ("ben,Ben,ben.example.com\n", "team.csv:3"),
        ("ben,Ben,ben@example.com,EST\n", "team.csv:3"),
    ],
)
def test_a_bad_row_of_a_roster_is_named_by_its_number(
    callboard: Run, file: Path, rows: str, said: str
) -> None:
    with file.with_name("team.csv").open("a") as roster:
        roster.write(rows)
    checked = callboard("check", file)
    assert checked.returncode == 1
    assert said in checked.stdout


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        ("team: {file: team.csv}", "team: {file: teem.csv}", "teem.csv"),
        ("[team]", "[tema]", 'did you mean "team"?'),
        ("[team]", "[team, {id: ana, name: Another}]", "ana"),
    ],
)
def test_people_who_are_not_there_or_twice_are_named(
    callboard: Run, file: Path, wrong: str, right: str, said: str
) -> None:
    file.write_text(CONFIG.replace(wrong, right))
    checked = callboard("check", file)
    assert checked.returncode == 1
    assert said in checked.stdout


# --- the key -----------------------------------------------------------------------------------------------


def test_without_a_usable_key_it_does_not_start(callboard: Run, file: Path, tmp_path: Path) -> None:
    refused(callboard("run", file), 78, "TAVUS_API_KEY is not set")
    refused(callboard("run", file, TAVUS_API_KEY=""), 78, "TAVUS_API_KEY is empty")
    refused(callboard("run", file, TAVUS_API_KEY="two words-of-it"), 78, "TAVUS_API_KEY holds a blank")
    refused(callboard("run", file, TAVUS_API_KEY_FILE=str(tmp_path / "none")), 78, "none can't be read")
    assert not list(tmp_path.glob("*.db*"))


def test_a_literal_key_in_yaml_is_refused_without_repeating_it(callboard: Run, file: Path) -> None:
    file.write_text(CONFIG.replace("account: {", "account: {api_key: tvs-1234567890abcdef, "))
    checked = callboard("check", file)
    assert checked.returncode == 1
    assert "tvs-1234567890abcdef" not in checked.stdout + checked.stderr


@pytest.fixture
def tavus() -> Iterator[Sandbox]:
    with sandbox() as running_sandbox:
        yield running_sandbox


def at(tavus: Sandbox, file: Path) -> Path:
    file.write_text(CONFIG.replace("account: {", f'account: {{base_url: "{tavus.base_url}", '))
    return file


@pytest.mark.parametrize(("status", "reason"), [(401, "denied"), (402, "spent")])
def test_a_refused_account_is_held_with_one_alert_and_nothing_is_lost(
    callboard: Run, tavus: Sandbox, file: Path, status: int, reason: str
) -> None:
    tavus.arm(kind="status", operation="create", status=status, count=None)
    with running(at(tavus, file), "--for", "3s") as house:
        held = heard(house, "held")
        after = rest(house)
        assert house.wait() == 0
    assert (held["level"], held["reason"]) == ("warning", reason)
    assert "held" not in [line["event"] for line in after]
    assert tavus.conversations() == []
    told = callboard("ls", "--json", CALLBOARD_CONFIG=str(file))
    assert f"hold: {reason} since" in told.stderr
    assert {json.loads(line)["stage"] for line in told.stdout.splitlines()} == {"planned"}
    tavus.mend()
    if reason == "spent":  # a start is what lifts it
        with running(file) as house:
            assert heard(house, "created")


# --- the ledger --------------------------------------------------------------------------------------------


def test_a_ledger_without_a_directory_is_one_line(callboard: Run, file: Path, tmp_path: Path) -> None:
    done = callboard("run", file, TAVUS_API_KEY=KEY, CALLBOARD_LEDGER=str(tmp_path / "none" / "a.db"))
    refused(done, 75, "there is no directory", "make it first")
    refused(callboard("run", file, TAVUS_API_KEY=KEY, CALLBOARD_LEDGER=str(tmp_path)), 75, "is a directory")


def test_what_may_not_be_read_or_written_is_named(file: Path) -> None:
    with TemporaryDirectory() as folder:
        public = Path(folder)
        public.chmod(0o755)
        good = shutil.copy(file, public)
        shutil.copy(file.with_name("team.csv"), public)
        unreadable = Path(shutil.copy(file, public / "secret.yaml"))
        unreadable.chmod(0)
        (public / "closed").mkdir(mode=0o555)
        ledger = {"CALLBOARD_LEDGER": str(public / "closed" / "a.db"), "TAVUS_API_KEY": KEY}
        for words, code, said in (
            (["check", unreadable], 1, "secret.yaml: error: can't be read: permission denied"),
            (["run", unreadable], 78, "secret.yaml: error: can't be read: permission denied"),
            (["run", good], 77, "a.db.lock: Permission denied"),
        ):
            done = subprocess.run(
                [sys.executable, "-c", UNPRIVILEGED, good, *words],
                env=environment(**ledger),
                capture_output=True,
                text=True,
                timeout=60,
            )
            shown = done.stdout.split("-" * 8)[-1] + done.stderr
            assert (done.returncode, "Traceback" in shown) == (code, False), shown
            assert said in shown


def test_a_strangers_or_damaged_file_is_left_as_it_is(callboard: Run, file: Path, tmp_path: Path) -> None:
    ledger = tmp_path / "callboard.db"
    ledger.write_bytes(b"Dear diary, this is not a database. " * 100)
    refused(callboard("run", file, TAVUS_API_KEY=KEY), 78, "callboard.db")
    assert ledger.read_bytes().startswith(b"Dear diary")
    ledger.unlink()
    with closing(sqlite3.connect(ledger)) as other:
        other.execute("CREATE TABLE recipes (name)")
        other.commit()
    refused(callboard("run", file, TAVUS_API_KEY=KEY), 78, "callboard.db")


def test_a_newer_ledger_and_another_account_are_refused(callboard: Run, tavus: Sandbox, file: Path) -> None:
    """The same ledger for another base URL, and then as if a later version had written it."""
    with running(at(tavus, file), "--for", "1s") as house:
        assert rest(house)[-1]["event"] == "stopped"
    file.write_text(CONFIG)
    refused(callboard("run", file, TAVUS_API_KEY=KEY), 78, tavus.base_url)
    at(tavus, file)
    with closing(sqlite3.connect(file.with_name("callboard.db"))) as ledger:
        (version,) = ledger.execute("PRAGMA user_version").fetchone()
        ledger.execute(f"PRAGMA user_version = {version + 1}")
        ledger.commit()
    refused(callboard("run", file, TAVUS_API_KEY=KEY), 78, "newer")
    refused(callboard("ls", CALLBOARD_CONFIG=str(file)), 1, "newer")


def test_a_tavus_that_is_not_there_loses_nothing(callboard: Run, file: Path) -> None:
    """Nobody listens at the port: each create is turned away, waits, and is tried again."""
    with sandbox() as gone:
        at(gone, file)
    with running(file, "--for", "3s") as house:
        assert heard(house, "failed")["reason"] == "busy"
        rest(house)
        assert house.wait() == 0
    stages = {
        json.loads(line)["stage"]
        for line in callboard("ls", "--json", CALLBOARD_CONFIG=str(file)).stdout.splitlines()
    }
    assert stages == {"planned"}
