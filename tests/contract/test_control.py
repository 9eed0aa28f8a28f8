"""The control socket: one owner, one form of asking, and an answer to whatever comes."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from scheduler.desk import Answer, Asker, Effect, Refused
from scheduler.desk.wishes import ANSWER, ToReload, ToSkip, Wish, written
from scheduler.ledger import LedgerUnavailable
from scheduler.ledger.files import ADDRESS_BYTES, control_socket
from scheduler.web.control import controlled

OPS = Asker("ops")
SKIP = ToSkip(key="a/b/c/d", asker=OPS)


class Clerk:
    """A desk that knows one answer."""

    def __init__(self) -> None:
        self.asked: list[object] = []
        self.trouble: Exception | None = None

    async def skip(self, key: str, asker: Asker) -> Answer:
        self.asked.append((key, asker))
        if self.trouble is not None:
            raise self.trouble
        return Answer(Effect.DONE, ("done",), (key,))

    async def status(self) -> object:
        raise LedgerUnavailable("the disk is full")


@asynccontextmanager
async def _open(path: Path, clerk: Clerk) -> AsyncIterator[tuple[aiohttp.ClientSession, list[str]]]:
    faults: list[str] = []
    door = controlled(clerk, path, faults.append)  # type: ignore[arg-type]
    async with door, aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path))) as session:
        yield session, faults


async def _post(session: aiohttp.ClientSession, verb: str, body: bytes | Wish) -> tuple[int, str]:
    data = written(body) if isinstance(body, Wish) else body
    async with session.post(f"http://localhost/{verb}", data=data) as answer:
        return answer.status, await answer.text()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return control_socket(tmp_path / "c.db")


async def test_a_wish_is_asked_of_the_desk(path: Path) -> None:
    clerk = Clerk()
    async with _open(path, clerk) as (session, _):
        status, text = await _post(session, "skip", SKIP)
    assert (status, ANSWER.validate_json(text)) == (200, Answer(Effect.DONE, ("done",), ("a/b/c/d",)))
    assert clerk.asked == [("a/b/c/d", OPS)]


async def test_it_is_its_owners_and_goes_with_the_house(path: Path) -> None:
    async with _open(path, Clerk()):
        assert _mode(path) == 0o600
    assert _mode(path) is None


def _mode(path: Path) -> int | None:
    return stat.S_IMODE(path.stat().st_mode) if path.exists() else None


async def test_of_two_workers_on_one_machine_the_younger_is_asked_and_the_older_leaves_that_alone(
    path: Path,
) -> None:
    older, younger = Clerk(), Clerk()
    async with AsyncExitStack() as stack:
        door = _open(path, older)
        await door.__aenter__()
        session, _ = await stack.enter_async_context(_open(path, younger))
        await door.__aexit__(None, None, None)
        assert (await _post(session, "skip", SKIP))[0] == 200
    assert (len(older.asked), len(younger.asked), _mode(path)) == (0, 1, None)


async def test_what_a_dead_house_left_behind_goes(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(os.fspath(path))
    async with _open(path, Clerk()) as (session, _):
        assert (await _post(session, "skip", SKIP))[0] == 200


@pytest.fixture
def taken(path: Path) -> Path:
    """The same path, with somebody's file."""
    path.write_text("mine")
    return path


async def test_what_is_no_socket_is_left_alone(taken: Path) -> None:
    with pytest.raises(OSError, match="in use"):
        async with _open(taken, Clerk()):
            pass
    assert _mode(taken) is not None


@pytest.mark.parametrize(
    ("trouble", "status", "said"),
    [
        (
            Refused("no such key", ["a.yaml:1:1: no"]),
            409,
            '{"refused": "no such key", "details": ["a.yaml:1:1: no"]}',
        ),
        (LedgerUnavailable("the disk is full"), 503, '{"unavailable": "the disk is full"}'),
    ],
)
async def test_what_goes_wrong_is_told(path: Path, trouble: Exception, status: int, said: str) -> None:
    clerk = Clerk()
    clerk.trouble = trouble
    async with _open(path, clerk) as (session, faults):
        assert await _post(session, "skip", SKIP) == (status, said)
    assert faults == []


@pytest.mark.parametrize(
    ("words", "said"), [((), "Error: not ready: the disk is full\n"), (("--quiet",), "")]
)
async def test_a_ledger_that_does_not_answer_is_no_health(
    path: Path, words: Sequence[str], said: str
) -> None:
    async with _open(path, Clerk()):
        told = await asyncio.to_thread(_status, path.with_suffix(""), *words)
    assert (told.returncode, told.stderr) == (1, said)


def _status(ledger: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scheduler", "status", "--ledger", str(ledger), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


async def test_a_fault_of_ours_shows_no_traceback(path: Path) -> None:
    clerk = Clerk()
    clerk.trouble = ZeroDivisionError("https://tavus.example/secret-room")
    async with _open(path, clerk) as (session, faults):
        status, text = await _post(session, "skip", SKIP)
        assert (status, "secret" in text, "Traceback" in text) == (500, False, False)
        assert (await _post(session, "skip", b"{}"))[0] == 400
    assert len(faults) == 1 and "secret" not in faults[0]


async def test_only_wishes_and_only_so_much(path: Path) -> None:
    clerk = Clerk()
    async with _open(path, clerk) as (session, _):
        assert (await _post(session, "prune", SKIP))[0] == 404
        assert (await _post(session, "skip", ToReload(asker=OPS)))[0] == 400
        assert (await _post(session, "skip", b"x" * 100_000))[0] == 413
        async with session.get("http://localhost/skip") as answer:
            assert answer.status == 405
        async with session.get("http://localhost/status") as answer:
            assert answer.status == 503
        async with session.get("http://evil.example/status") as answer:
            assert answer.status == 421
    assert clerk.asked == []


def test_it_stands_beside_the_ledger_as_long_as_that_fits(tmp_path: Path) -> None:
    assert control_socket(Path("/var/lib/callboard.db")) == Path("/var/lib/callboard.db.sock")
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    (deep / "callboard.db").touch()
    found = control_socket(deep / "callboard.db")
    assert len(os.fsencode(found)) <= ADDRESS_BYTES
    assert stat.S_IMODE(found.parent.stat().st_mode) == 0o700
    assert found == control_socket(deep / "callboard.db")
    (deep / "other.db").touch()
    assert found != control_socket(deep / "other.db")


def test_a_ledger_that_is_not_there_has_no_far_door(tmp_path: Path) -> None:
    with pytest.raises(LedgerUnavailable):
        control_socket(tmp_path / ("d" * 100) / "callboard.db")
