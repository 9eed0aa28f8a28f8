"""Mail: a directory instead of a server."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.channels.mail import Sink
from jobs.errors import Reason
from jobs.model import Address, Deliver

from .mail_office import LINK, delivered, failed, letter, step


def inside(directory: Path) -> list[Path]:
    return list(directory.iterdir())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_a_letter_becomes_a_file_for_the_owner_alone(tmp_path: Path) -> None:
    there = tmp_path / "outbox" / "today"
    await delivered(Sink(there), step(7))
    (file,) = inside(there)
    assert file.name.startswith("team_09_00_2026-11-22_p7-")
    assert file.suffix == ".eml"
    assert file.read_bytes() == letter(7)
    assert (mode(file), mode(there)) == (0o600, 0o700)


async def test_the_same_letter_again_is_the_same_file_and_another_is_another(tmp_path: Path) -> None:
    sink = Sink(tmp_path)
    for what in (step(1), step(1), step(1, message=letter(2)), step(1, to="ben@example.com")):
        await delivered(sink, what)
    assert len(inside(tmp_path)) == 3


@pytest.mark.parametrize(
    "key",
    [
        "../../etc/passwd",
        "/etc/passwd",
        "..",
        ".",
        ".hidden",
        "\x00\r\n",
        "é" * 300,
        "a" * 5000,
        "-rf",
        "C:\\x",
        "",
    ],
)
async def test_no_key_leads_out_of_the_directory(key: str, tmp_path: Path) -> None:
    there = tmp_path / "a" / "b"
    await delivered(Sink(there), replace(step(), key=key))
    (file,) = inside(there)
    assert inside(tmp_path) == [there.parent]
    assert inside(there.parent) == [there]
    assert file.suffix == ".eml"
    assert not file.name.startswith(".")
    assert len(os.fsencode(file.name)) < 200


async def test_a_file_where_the_directory_should_be(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("")
    assert (await failed(Sink(taken))).reason is Reason.BUSY
    assert taken.read_text() == ""


async def test_a_name_that_is_taken_leaves_nothing_half_written(tmp_path: Path) -> None:
    sink = Sink(tmp_path)
    await delivered(sink)
    (file,) = inside(tmp_path)
    file.unlink()
    file.mkdir()
    assert (await failed(sink)).reason is Reason.BUSY
    assert inside(tmp_path) == [file]


async def test_without_a_letter_there_is_nothing_to_write(tmp_path: Path) -> None:
    bare = Deliver("k", None, Address("mail", "ana@example.com"), LINK, 0.0)
    assert (await failed(Sink(tmp_path), bare)).reason is Reason.REFUSED
