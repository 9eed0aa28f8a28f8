"""The ledger's files: private, held by one process, and told apart from what is no ledger."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from scheduler.ledger import (
    Ledger,
    LedgerDamaged,
    LedgerError,
    LedgerHeld,
    LedgerMismatch,
    LedgerUnavailable,
)
from scheduler.ledger.files import control_socket
from tests.contract.ledger.world import (
    BASE_URL,
    BIRTH,
    DUE,
    OPENS,
    SCHEDULES,
    claimed,
    created,
    made_live,
    occurrence,
    only_sqlite,
    outcome,
    promised,
)

Unprivileged = Callable[[Path], AbstractContextManager[None]]
HOLDER = """
import sys
from pathlib import Path
from scheduler.ledger import Ledger
ledger = Ledger.open(Path(sys.argv[1]), sys.argv[2], 0.0)
print("held", flush=True)
sys.stdin.read()
"""


def refused(path: Path, sort: type[LedgerError]) -> str:
    """The one line with which this path is refused; nothing is left open or held."""
    for _ in range(2):
        with pytest.raises(LedgerError) as told:
            Ledger.open(path, BASE_URL, BIRTH)
        assert type(told.value) is sort
    line = str(told.value)
    assert "\n" not in line
    assert path.name in line
    return line


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# --- one owner, one process ---


@only_sqlite
async def test_all_its_files_are_the_owners_alone(path: Path, ledger: Ledger) -> None:
    await promised(ledger, occurrence("ana"))
    files = sorted(path.parent.iterdir())
    assert [each.name.removeprefix("callboard.db") for each in files] == ["", "-shm", "-wal", ".lock"]
    assert {mode(each) for each in files} == {0o600}


def test_a_ledger_that_was_opened_up_is_closed_again(path: Path) -> None:
    Ledger.open(path, BASE_URL, BIRTH).close()
    path.chmod(0o644)
    ledger = Ledger.open(path, BASE_URL, BIRTH)
    assert (mode(path), mode(path.with_name("callboard.db-wal"))) == (0o600, 0o600)
    ledger.close()


@pytest.fixture
def holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the ledger open."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path), BASE_URL],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_second_to_open_it_is_told_who_holds_it(path: Path, holder: subprocess.Popen[str]) -> None:
    assert f"process {holder.pid})" in refused(path, LedgerHeld)
    assert holder.poll() is None


def test_the_hold_goes_with_the_process_however_it_ends(path: Path, holder: subprocess.Popen[str]) -> None:
    refused(path, LedgerHeld)
    holder.kill()
    holder.wait(10)
    Ledger.open(path, BASE_URL, BIRTH).close()


def test_a_ledger_by_another_name_has_the_same_lock(path: Path) -> None:
    alias = path.with_name("alias.db")
    alias.symlink_to(path)
    ledger = Ledger.open(alias, BASE_URL, BIRTH)
    refused(path, LedgerHeld)
    ledger.close()
    ledger = Ledger.open(path, BASE_URL, BIRTH)
    refused(alias, LedgerHeld)
    ledger.close()
    assert control_socket(alias) == control_socket(path)


def test_a_holder_within_the_same_process_counts(path: Path) -> None:
    ledger = Ledger.open(path, BASE_URL, BIRTH)
    refused(path, LedgerHeld)
    ledger.close()
    Ledger.open(path, BASE_URL, BIRTH).close()


# --- what is no ledger, or not this one ---


def test_a_newer_ledger_is_refused_and_left_alone(path: Path) -> None:
    Ledger.open(path, BASE_URL, BIRTH).close()
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA user_version = 9999")
    raw.close()
    with pytest.raises(LedgerMismatch, match="version 9999"):
        Ledger.open(path, BASE_URL, BIRTH)


def test_another_programs_database_is_refused_and_left_as_it_was(path: Path) -> None:
    with sqlite3.connect(path) as raw:
        raw.execute("CREATE TABLE notes (text)")
    raw.close()
    path.chmod(0o644)
    before = path.read_bytes()
    assert "other program" in refused(path, LedgerDamaged)
    assert (path.read_bytes(), mode(path)) == (before, 0o644)


@pytest.mark.parametrize("content", [b"hello, this is no database\n" * 200, b"hi", b"SQLite format 3\x00"])
def test_a_file_that_is_no_database_is_refused_and_left_as_it_was(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o644)
    refused(path, LedgerDamaged)
    assert (path.read_bytes(), mode(path)) == (content, 0o644)


@pytest.fixture
async def written(path: Path) -> Path:
    """A closed ledger of some pages."""
    ledger = Ledger.open(path, BASE_URL, BIRTH)
    await made_live(ledger, *(f"p{n}" for n in range(200)))
    ledger.close()
    return path


@pytest.mark.parametrize("size", [30, 99, 1000, 5000])
def test_a_ledger_that_was_cut_off_is_damaged(written: Path, size: int) -> None:
    written.write_bytes(written.read_bytes()[:size])
    refused(written, LedgerDamaged)


def test_damaged_pages_are_found_when_it_is_opened(written: Path) -> None:
    whole = bytearray(written.read_bytes())
    assert len(whole) > 20 * 4096
    for page in range(3, 20):
        whole[page * 4096 : page * 4096 + 200] = bytes(200)
    written.write_bytes(whole)
    refused(written, LedgerDamaged)


def test_an_empty_file_becomes_a_ledger(path: Path) -> None:
    path.touch()
    Ledger.open(path, BASE_URL, BIRTH).close()


# --- where it can't be ---


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    line = refused(tmp_path / "nowhere" / "callboard.db", LedgerUnavailable)
    assert f"there is no directory {tmp_path / 'nowhere'}" in line


def test_a_path_that_is_a_directory(tmp_path: Path) -> None:
    (tmp_path / "dir.db").mkdir()
    assert "is a directory" in refused(tmp_path / "dir.db", LedgerUnavailable)
    assert [each.name for each in tmp_path.iterdir()] == ["dir.db"]


def test_a_directory_that_may_not_be_written(open_folder: Path, unprivileged: Unprivileged) -> None:
    open_folder.chmod(0o555)
    with unprivileged(open_folder):
        assert "Permission denied" in refused(open_folder / "callboard.db", LedgerUnavailable)


def test_a_file_that_may_not_be_written(open_folder: Path, unprivileged: Unprivileged) -> None:
    path = open_folder / "callboard.db"
    with unprivileged(open_folder):
        Ledger.open(path, BASE_URL, BIRTH).close()
        path.chmod(0o400)
        assert "Permission denied" in refused(path, LedgerUnavailable)


# --- a full disk ---


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no file system may be mounted here: {type(error).__name__}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def fill(disk: Path) -> Path:
    """Take all the space that is left."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (65536, 4096, 512):
            try:
                while file.write(bytes(size)):
                    pass
            except OSError:
                continue
    return ballast


async def test_a_full_disk_keeps_what_is_written_and_works_again_with_space(small_disk: Path) -> None:
    ledger = Ledger.open(small_disk / "callboard.db", BASE_URL, BIRTH)
    keys = await promised(ledger, *(occurrence(f"p{n}") for n in range(3)))
    assert await claimed(ledger, 2) == keys[:2]
    ballast = fill(small_disk)
    crowd = [occurrence(f"crowd-{n:04}") for n in range(2000)]
    full = await outcome(ledger.promise(crowd, SCHEDULES, BIRTH, OPENS))
    assert isinstance(full, LedgerUnavailable)
    assert "full" in str(full)
    assert [key for key, *_ in await ledger.planned()] == keys[2:]
    assert await ledger.promised_until() == BIRTH
    ballast.unlink()
    await ledger.note(created(keys[0]))
    assert [record.key for record in await ledger.live()] == keys[:1]
    ledger.close()
    Ledger.open(small_disk / "callboard.db", BASE_URL, DUE).close()


def test_a_disk_that_is_full_from_the_start(small_disk: Path) -> None:
    ballast = fill(small_disk)
    refused(small_disk / "callboard.db", LedgerUnavailable)
    ballast.unlink()
    Ledger.open(small_disk / "callboard.db", BASE_URL, BIRTH).close()
