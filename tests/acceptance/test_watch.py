"""`service.reload: watch`: files are read again when they change, as editors and ConfigMaps change them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.processes import KEY, PERSONA, Sandbox, environment, heard, rest, running, sandbox

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def tavus() -> Iterator[Sandbox]:
    with sandbox("--concurrent", 50) as running_sandbox:
        yield running_sandbox


def config(base_url: str, schedule: str, ledger: Path) -> str:
    """A schedule that is due whenever it is looked at; its ledger stands elsewhere."""
    return f"""\
version: 1
service: {{reload: watch, ledger: "{ledger}"}}
account: {{base_url: "{base_url}", concurrent_conversations: 50, requests: 100/s}}
rosters:
  team: {{file: team.csv}}
schedules:
  {schedule}:
    when: {{every: 1s, timezone: UTC}}
    participants: [team]
    start_window: 10s
    lead: 0s
    overlap: allow
    {PERSONA}
"""


def put(folder: Path, tavus: Sandbox, schedule: str, people: str, ledger: Path) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "callboard.yaml").write_text(config(tavus.base_url, schedule, ledger))
    (folder / "team.csv").write_text("id,name\n" + "".join(f"{each},{each}\n" for each in people))


def stopped(house: subprocess.Popen[str]) -> list[str]:
    """What it still said."""
    house.send_signal(signal.SIGTERM)
    events = [line["event"] for line in rest(house)]
    assert house.wait() == 0
    return events


def test_an_edit_is_read_and_a_touch_is_not(callboard: Run, tmp_path: Path, tavus: Sandbox) -> None:
    folder, ledger = tmp_path / "conf", tmp_path / "callboard.db"
    put(folder, tavus, "coach", "a", ledger)
    file = folder / "callboard.yaml"
    with running(file) as house:
        heard(house, "created")
        os.utime(file)
        (folder / "notes.txt").write_text("nothing of ours")
        file.write_text(config(tavus.base_url, "coach", ledger).replace("overlap: allow", "overlap: alow"))
        first = heard(house, "reload_refused")["first"]
        assert first.startswith(f"{file}:") and "alow" in first
        told = json.loads(callboard("status", "--json", CALLBOARD_LEDGER=str(ledger)).stdout)["reload"]
        assert (told["ok"], told["errors"]) == (False, [first])
        assert f"refused        {first}\n" in callboard("status", CALLBOARD_LEDGER=str(ledger)).stdout
        put(folder, tavus, "trainer", "a", ledger)
        heard(house, "reloaded")
        assert heard(house, "created")["schedule"] == "trainer"
        told = json.loads(callboard("status", "--json", CALLBOARD_LEDGER=str(ledger)).stdout)["reload"]
        assert (told["ok"], told["errors"]) == (True, [])
        assert told["today"]["removed"] + told["later"]["removed"] > 1000
        assert "today" in told["said"] or "after" in told["said"]
        assert "reloaded" not in stopped(house)


def test_a_roster_beside_it_counts(tmp_path: Path, tavus: Sandbox) -> None:
    folder, ledger = tmp_path / "conf", tmp_path / "callboard.db"
    put(folder, tavus, "coach", "a", ledger)
    with running(folder) as house:
        heard(house, "created")
        (folder / "new.csv").write_text("id,name\nb,b\n")
        (folder / "new.csv").replace(folder / "team.csv")
        heard(house, "reloaded")
        assert heard(house, "created")["participant"] == "b"
        stopped(house)


def test_a_config_map_is_switched(tmp_path: Path, tavus: Sandbox) -> None:
    """`callboard.yaml -> ..data/callboard.yaml`, `..data -> ..one`; the links of the files never change."""
    folder, ledger = tmp_path / "mount", tmp_path / "callboard.db"
    folder.mkdir()
    put(folder / "..one", tavus, "coach", "a", ledger)
    (folder / "..data").symlink_to("..one")
    for name in ("callboard.yaml", "team.csv"):
        (folder / name).symlink_to(f"..data/{name}")
    with running(folder / "callboard.yaml") as house:
        heard(house, "created")
        for name, schedule in (("..two", "trainer"), ("..three", "mentor")):
            put(folder / name, tavus, schedule, "a", ledger)
            (folder / "..data_tmp").symlink_to(name)
            (folder / "..data_tmp").replace(folder / "..data")
            heard(house, "reloaded")
            assert heard(house, "created")["schedule"] == schedule
        stopped(house)


def test_without_the_extra_a_start_says_how_to_get_it(tmp_path: Path, tavus: Sandbox) -> None:
    put(tmp_path, tavus, "coach", "a", tmp_path / "callboard.db")
    hidden = "import sys; sys.modules['watchfiles'] = None; from scheduler.__main__ import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", hidden, "run", str(tmp_path / "callboard.yaml"), "--json"],
        env=environment(TAVUS_API_KEY=KEY),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 78
    assert "pip install 'callboard[watch]'" in done.stderr
    assert "ready" not in [json.loads(line)["event"] for line in done.stdout.splitlines()]


def test_check_takes_it(callboard: Run, tmp_path: Path, tavus: Sandbox) -> None:
    put(tmp_path, tavus, "coach", "a", tmp_path / "callboard.db")
    assert callboard("check", tmp_path / "callboard.yaml").returncode == 0
