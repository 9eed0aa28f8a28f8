"""`callboard init`: what it writes is right at once, and whatever is there already stays as it was."""

from __future__ import annotations

import json
import shlex
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from scheduler.settings import SettingsError, read_secret

Run = Callable[..., "subprocess.CompletedProcess[str]"]
NAMES = ["callboard.env", "callboard.yaml", "team.csv"]


def shell(line: str, done: Run) -> subprocess.CompletedProcess[str]:
    """One of the commands that `init` names, without the shell around it."""
    command, *words = shlex.split(line.rpartition(";")[2].split("#")[0])
    assert command == "callboard"
    return done(*words)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("folder", [".", "team", "new/place/with blanks"])
def test_what_it_writes_checks_clean_and_its_next_commands_work(
    callboard: Run, tmp_path: Path, folder: str
) -> None:
    done = callboard("init", *([] if folder == "." else [folder]), "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert names(tmp_path / folder) == NAMES
    told = json.loads(done.stdout)
    assert sorted(Path(each).name for each in told["written"]) == NAMES
    assert all((tmp_path / each).is_file() for each in told["written"])
    check, plan, rehearsal, earnest = told["next"]
    checked = shell(f"{check} --strict", callboard)
    assert (checked.returncode, "3 participants" in checked.stdout) == (0, True), checked.stdout
    assert "practice/morning/" in shell(plan, callboard).stdout
    assert shell(f"{rehearsal} --for 0s", callboard).returncode == 0
    refused = shell(earnest, callboard)
    assert (refused.returncode, "TAVUS_API_KEY is not set" in refused.stderr) == (78, True)


def test_the_page_that_it_has_prepared_too(callboard: Run, tmp_path: Path) -> None:
    callboard("init")
    file = tmp_path / "callboard.yaml"
    file.write_text(file.read_text().replace("#listen:", "listen:").replace("#admin_token:", "admin_token:"))
    (tmp_path / "admin-token").write_text("0123456789abcdef0123456789abcdef")
    (tmp_path / "admin-token").chmod(0o600)
    done = callboard("check", "--strict", file)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "8710" in callboard("doctor", file).stdout


def test_the_mail_that_it_has_prepared_needs_only_its_marks_of_comment_taken_away(
    callboard: Run, tmp_path: Path
) -> None:
    callboard("init")
    file = tmp_path / "callboard.yaml"
    lines = file.read_text().replace("deliver: [log]", "deliver: [mail]").splitlines()
    begin = lines.index("#mail:")
    lines[begin : begin + 3] = [line.removeprefix("#") for line in lines[begin : begin + 3]]
    file.write_text("\n".join(lines))
    done = callboard("check", "--strict", file)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "password: {env: SMTP_PASSWORD}" in lines[begin + 2]
    assert "#SMTP_PASSWORD=" in (tmp_path / "callboard.env").read_text().splitlines()


def test_it_tells_what_it_wrote_and_what_comes_next(callboard: Run) -> None:
    done = callboard("init")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert [line.split()[1] for line in lines[:3]] == ["callboard.yaml", "team.csv", "callboard.env"]
    assert lines[4] == "Next:"
    assert [line.split()[:2] for line in lines[5:8]] == [["callboard", w] for w in ("check", "plan", "run")]


@pytest.mark.parametrize("there", [["team.csv"], NAMES])
def test_it_never_overwrites(callboard: Run, tmp_path: Path, there: list[str]) -> None:
    for name in there:
        (tmp_path / name).write_text("mine")
    done = callboard("init")
    assert (done.returncode, done.stdout) == (1, "")
    assert all(name in done.stderr for name in there)
    assert "nothing was written" in done.stderr
    assert names(tmp_path) == sorted(there)
    assert {(tmp_path / name).read_text() for name in there} == {"mine"}
    told = json.loads(callboard("init", "--json").stdout)
    assert (told["ok"], told["written"], sorted(told["there"])) == (False, [], sorted(there))


def test_a_link_that_leads_nowhere_is_there_too(callboard: Run, tmp_path: Path) -> None:
    (tmp_path / "callboard.env").symlink_to(tmp_path / "elsewhere")
    assert callboard("init").returncode == 1
    assert names(tmp_path) == ["callboard.env"]


def test_nothing_half_written_stays(callboard: Run, tmp_path: Path) -> None:
    """The second directory can't be made, so the first goes again."""
    too_long = tmp_path / "new" / ("x" * 300)
    done = callboard("init", too_long)
    assert (done.returncode, done.stdout) == (1, "")
    assert "nothing was written" in done.stderr
    assert "Traceback" not in done.stderr
    assert names(tmp_path) == []


def test_a_file_is_no_directory(callboard: Run, tmp_path: Path) -> None:
    (tmp_path / "team").write_text("mine")
    done = callboard("init", "team")
    assert (done.returncode, "nothing was written" in done.stderr) == (1, True)
    assert (tmp_path / "team").read_text() == "mine"


def test_the_environment_is_its_owners_alone_and_holds_no_key_yet(callboard: Run, tmp_path: Path) -> None:
    callboard("init")
    path = tmp_path / "callboard.env"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    assert lines == ["TAVUS_API_KEY="]
    with pytest.raises(SettingsError, match="is empty"):
        read_secret("env", "TAVUS_API_KEY", dict(line.split("=") for line in lines))
