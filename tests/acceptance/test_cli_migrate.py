"""`callboard ledger migrate`: the schema first, then the workers."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from scheduler.ledger import Ledger
from tests.acceptance.conftest import Run

CONFIGS = Path(__file__).parents[2] / "configs"
BASE_URL = "https://tavusapi.com"
BIRTH = 1_772_632_800.0


def has_version(path: Path) -> int:
    found: int = sqlite3.connect(path).execute("PRAGMA user_version").fetchone()[0]
    return found


def test_an_empty_place_becomes_a_ledger_and_twice_does_no_harm(callboard: Run, tmp_path: Path) -> None:
    words = ("ledger", "migrate", CONFIGS / "sales-coach.yaml", "--ledger", tmp_path / "new.db")
    done = callboard(*words)
    assert (done.returncode, done.stderr) == (0, "")
    version = has_version(tmp_path / "new.db")
    assert done.stdout == f"{tmp_path / 'new.db'}: had version 0, has version {version}\n"
    again = callboard(*words, "--json")
    assert json.loads(again.stdout) == {"ledger": str(tmp_path / "new.db"), "had": version, "has": version}


def test_a_newer_ledger_is_left_alone(callboard: Run, tmp_path: Path) -> None:
    path = tmp_path / "callboard.db"
    Ledger.open(path, BASE_URL, BIRTH).close()
    version = has_version(path)
    with sqlite3.connect(path) as newer:
        newer.execute(f"PRAGMA user_version = {version + 1}")
    done = callboard("ledger", "migrate", CONFIGS / "sales-coach.yaml", "--ledger", path)
    assert done.returncode == 78
    assert "run the newer callboard" in done.stderr
    assert has_version(path) == version + 1


def test_a_file_that_is_written_is_left_to_its_daemon(callboard: Run, tmp_path: Path) -> None:
    path = tmp_path / "callboard.db"
    held = Ledger.open(path, BASE_URL, BIRTH)
    try:
        done = callboard("ledger", "migrate", CONFIGS / "sales-coach.yaml", "--ledger", path)
    finally:
        held.close()
    assert done.returncode == 75


def test_a_bad_configuration_is_told(callboard: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("version: 1\nschedules: {}\nodd: 1\n")
    done = callboard("ledger", "migrate", "bad.yaml", "--ledger", "new.db")
    assert done.returncode == 78 and "odd" in done.stderr
    assert not (tmp_path / "new.db").exists()
