"""The newer tz data is taken, the system's or the package's (S3), in a process of its own for each path."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
import tzdata

ASK = """
from datetime import datetime
from scheduler.zones import is_zone, tz_version, zone
at_noon = datetime(2026, 12, 1, 12, tzinfo=zone("America/Vancouver"))
print(tz_version(), at_noon.utcoffset(), is_zone("Mars/Olympus"), is_zone("Asia/Tokyo"))
"""


def asked(path: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        env={**os.environ, "PYTHONTZPATH": str(path)},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def system(path: Path, first_line: str) -> Path:
    """A system's tz data in which Vancouver keeps Tokyo's time, and Mars has a zone."""
    tokyo = Path(str(files("tzdata"))) / "zoneinfo" / "Asia" / "Tokyo"
    for name in ("America/Vancouver", "Mars/Olympus"):
        (path / name).parent.mkdir(parents=True)
        shutil.copy(tokyo, path / name)
    (path / "tzdata.zi").write_text(first_line, "utf-8")
    return path


def test_a_newer_system_is_read_and_the_package_fills_its_gaps(tmp_path: Path) -> None:
    assert asked(system(tmp_path, "# version 2099a\n")) == ["2099a", "9:00:00", "True", "True"]


@pytest.mark.parametrize("first_line", ["# version 2025b\n", "no version here\n", ""])
def test_an_older_system_or_one_without_a_version_is_not_read(tmp_path: Path, first_line: str) -> None:
    answer = asked(system(tmp_path, first_line))
    assert answer == [tzdata.IANA_VERSION, "-1", "day,", "17:00:00", "False", "True"]


def test_no_system_at_all_is_enough(tmp_path: Path) -> None:
    assert asked(tmp_path / "nothing")[0] == tzdata.IANA_VERSION
