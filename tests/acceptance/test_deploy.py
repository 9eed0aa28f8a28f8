"""The deployment files say what the program does, and the unit is as closed as it is said to be."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from scheduler.alarm import TICK_S
from scheduler.cli import commands
from scheduler.cli.run import BAD_CONFIG, NO_PERMISSION
from scheduler.model import Account
from scheduler.policy import STEP_BOX_S

DEPLOY = Path(__file__).parents[2] / "configs" / "deploy"
UNIT = (DEPLOY / "callboard.service").read_text("utf-8")
CONTAINER = (DEPLOY / "Containerfile").read_text("utf-8").replace("\\\n", "")
README = (DEPLOY / "README.md").read_text("utf-8")
MOST_EXPOSED = 20
"""Tenths, as systemd-analyze counts."""

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze here (Debian: systemd)"
)


def unit(name: str) -> list[str]:
    """The values of one setting of the unit."""
    return re.findall(rf"^{name}=(.*)$", UNIT, re.MULTILINE)


def layer(word: str) -> list[str]:
    """What follows one instruction of the container file."""
    return re.findall(rf"^{word} (.*)$", CONTAINER, re.MULTILINE)


def analyzed(path: Path) -> int:
    return subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--no-pager", f"--threshold={MOST_EXPOSED}", path],
        capture_output=True,
        timeout=60,
    ).returncode


@needs_systemd
def test_the_unit_is_closed() -> None:
    assert analyzed(DEPLOY / "callboard.service") == 0


@needs_systemd
def test_an_open_unit_is_seen(tmp_path: Path) -> None:
    lines = [line for line in UNIT.splitlines() if not re.match("Protect|Private|SystemCall|Restrict", line)]
    (tmp_path / "callboard.service").write_text("\n".join(lines))
    assert analyzed(tmp_path / "callboard.service") != 0


@needs_systemd
def test_systemd_understands_every_line(tmp_path: Path) -> None:
    """But for the program, which isn't installed at that place here."""
    path = tmp_path / "callboard.service"
    path.write_text(UNIT.replace("/opt/callboard/bin/callboard", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", path], capture_output=True, text=True, timeout=60)
    assert [line for line in done.stderr.splitlines() if "callboard.service" in line] == []


def test_the_unit_starts_what_there_is_and_hears_from_it() -> None:
    ((program, command, *words),) = map(str.split, unit("ExecStart"))
    commands.commands[command].make_context(command, words)
    assert program.startswith("/opt/callboard/")
    assert unit("Type") == ["notify"]
    assert float(unit("WatchdogSec")[0]) >= 3 * TICK_S
    assert float(unit("TimeoutStopSec")[0]) > STEP_BOX_S


def test_what_a_person_has_to_put_right_is_not_tried_again() -> None:
    assert sorted(map(int, unit("RestartPreventExitStatus")[0].split())) == [NO_PERMISSION, BAD_CONFIG]
    assert {str(code) for code in (NO_PERMISSION, BAD_CONFIG)} <= set(
        re.findall(r"^\| (\d+) \|", README, re.M)
    )


def test_the_credential_has_the_name_that_is_looked_for() -> None:
    name, path = unit("LoadCredential")[0].split(":")
    assert name == Account().api_key.name
    assert path in README


def test_the_state_directory_is_where_the_ledger_stands() -> None:
    (environment,) = unit("Environment")
    assert f"CALLBOARD_LEDGER=%S/{unit('StateDirectory')[0]}/callboard.db" in shlex.split(environment)


def test_the_container_is_nobody_and_process_1() -> None:
    user, _, group = layer("USER")[0].partition(":")
    assert user.isdigit() and group.isdigit() and 0 not in (int(user), int(group))
    assert f"--uid {user}" in CONTAINER
    (entry,), (command,) = layer("ENTRYPOINT"), layer("CMD")
    assert json.loads(entry) == ["callboard"]
    commands.commands[json.loads(command)[0]].make_context("run", [])
    assert layer("STOPSIGNAL") == ["SIGTERM"]


def test_the_containers_health_is_a_command() -> None:
    words = layer("HEALTHCHECK")[0].partition("CMD ")[2]
    assert json.loads(words) == ["callboard", "status", "--quiet"]


def test_all_that_the_container_writes_is_its_volume() -> None:
    (volume,) = layer("VOLUME")
    (environment,) = layer("ENV")
    assert f"CALLBOARD_LEDGER={volume}/callboard.db" in environment.split()


@pytest.mark.parametrize("path", sorted(DEPLOY.iterdir()), ids=lambda path: path.name)
def test_every_file_is_listed(path: Path) -> None:
    """But for the two folders that are made beside compose.yaml, and belong to whoever made them."""
    name = f"{path.name}/" if path.is_dir() else path.name
    assert name in ("README.md", "secrets/", "team/") or f"| `{name}` |" in README
