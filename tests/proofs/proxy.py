"""A proxy between client and sandbox that does what networks do: the faults that no server can play.

Raw asyncio, one request for each connection. Nobody sleeps in it: whoever is left without an answer waits for
the client to hang up, and what is held back goes on when `pump` is called at its time. What the sandbox can
play itself (wrong bodies, statuses, lists in another order) stands there.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

LORIS_S = 0.02
"""Between two bytes of an answer that never gets done within the client's time."""


class Trouble(StrEnum):
    """What becomes of a request; `_before` means that the server never sees it."""

    RESET_BEFORE = "reset_before"
    RESET_AFTER = "reset_after"
    HALF_CLOSE_BEFORE = "half_close_before"
    HALF_CLOSE_AFTER = "half_close_after"
    HALF_AN_ANSWER = "half_an_answer"
    SILENT_BEFORE = "silent_before"
    SILENT_AFTER = "silent_after"
    SLOW_LORIS = "slow_loris"
    LATE = "late"
    """Held back until the client has hung up, and `delay_s` more: a success after our time-out."""
    REPLAYED = "replayed"
    """A create is answered with an earlier one's answer: its name, id and link."""
    ROWS_TWICE = "rows_twice"
    """A list has each of its rows twice."""


_BEFORE = (Trouble.RESET_BEFORE, Trouble.HALF_CLOSE_BEFORE, Trouble.SILENT_BEFORE, Trouble.LATE)


@dataclass(slots=True)
class Armed:
    trouble: Trouble
    operation: str
    left: int
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Passed:
    """One request as it came in."""

    at: float
    operation: str


class Proxy:
    """Passes requests on, but for those that are in trouble. `rows` shortens every page of a list."""

    def __init__(self, target: str, now: Callable[[], float]) -> None:
        self._host, port = target.removeprefix("http://").split(":")
        self._port = int(port)
        self._now = now
        self._armed: list[Armed] = []
        self._held_back: list[tuple[float, bytes]] = []
        self._earlier = b""
        self._open: set[asyncio.StreamWriter] = set()
        self._idle = asyncio.Event()
        self.requests: list[Passed] = []
        self.struck: list[str] = []
        self.rows: int | None = None

    def add(self, trouble: Trouble, operation: str = "any", count: int = 1, delay_s: float = 0.0) -> None:
        self._armed.append(Armed(trouble, operation, count, delay_s))

    def clear(self) -> None:
        """No more trouble; what is held back still comes."""
        self._armed.clear()

    async def pump(self) -> None:
        """What was held back goes on, if its time has come; nobody hears the answer."""
        due = [raw for at, raw in self._held_back if at <= self._now()]
        self._held_back = [each for each in self._held_back if each[0] > self._now()]
        for raw in due:
            await self._ask(raw)

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        self._idle.clear()
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._serve(reader, writer)
        finally:
            writer.close()
            self._open.remove(writer)
            if not self._open:
                self._idle.set()

    async def closed(self) -> None:
        """Until the last connection is over; clients have hung up by now."""
        if self._open:
            await self._idle.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raw = await _request(reader)
        operation = _operation(raw)
        self.requests.append(Passed(self._now(), operation))
        if self.rows is not None:
            raw = raw.replace(b"limit=100", f"limit={self.rows}".encode(), 1)
        armed = self._draw(operation)
        if armed is None:
            writer.write(await self._ask(raw))
        else:
            self.struck.append(f"{armed.trouble} at {operation}")
            await self._spoil(armed, raw, reader, writer)

    def _draw(self, operation: str) -> Armed | None:
        for armed in self._armed:
            if armed.operation in (operation, "any") and _fits(armed.trouble, operation):
                armed.left -= 1
                self._armed = [each for each in self._armed if each.left]
                return armed
        return None

    async def _spoil(
        self, armed: Armed, raw: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        trouble = armed.trouble
        answer = b"" if trouble in _BEFORE else await self._ask(raw)
        match trouble:
            case Trouble.RESET_BEFORE | Trouble.RESET_AFTER:
                _reset(writer)
                return
            case Trouble.HALF_CLOSE_BEFORE | Trouble.HALF_CLOSE_AFTER:
                writer.write_eof()
            case Trouble.HALF_AN_ANSWER:
                writer.write(answer[: len(answer) // 2])
                writer.write_eof()
            case Trouble.SLOW_LORIS:
                await _drip(answer, writer)
            case Trouble.REPLAYED:
                writer.write(self._replayed(answer))
            case Trouble.ROWS_TWICE:
                writer.write(_changed(answer, _twice))
        await reader.read()  # until the client hangs up
        if trouble is Trouble.LATE:
            self._held_back.append((self._now() + armed.delay_s, raw))

    async def _ask(self, raw: bytes) -> bytes:
        """The server's own answer; empty when it hangs up."""
        reader, writer = await asyncio.open_connection(self._host, self._port)
        line, _, rest = raw.partition(b"\r\n")
        writer.write(line + b"\r\nConnection: close\r\n" + rest)
        answer = b""
        with suppress(ConnectionError):
            answer = await reader.read()
        writer.close()
        return answer

    def _replayed(self, answer: bytes) -> bytes:
        """The answer to an earlier create that succeeded, if there was one; then this one is what comes next.
        A refusal stays one: a server that refuses and creates all the same can't be survived."""
        if not answer.startswith(b"HTTP/1.1 200 "):
            return answer
        earlier, self._earlier = self._earlier or answer, answer
        return earlier


@asynccontextmanager
async def proxied(target: str, now: Callable[[], float]) -> AsyncIterator[tuple[Proxy, str]]:
    """A proxy before `target`, and its own base URL."""
    proxy = Proxy(target, now)
    server = await asyncio.start_server(proxy.connected, "127.0.0.1", 0)
    try:
        yield proxy, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await proxy.closed()


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return head + (await reader.readexactly(int(length[1])) if length else b"")


def _operation(raw: bytes) -> str:
    method, path = raw.split(b" ", 2)[:2]
    if method == b"POST":
        return "end" if path.endswith(b"/end") else "create"
    return "list" if path.partition(b"?")[0].endswith(b"/conversations") else "get"


def _fits(trouble: Trouble, operation: str) -> bool:
    only = {Trouble.REPLAYED: "create", Trouble.ROWS_TWICE: "list"}
    return only.get(trouble, operation) == operation


def _reset(writer: asyncio.StreamWriter) -> None:
    """RST, not FIN: whatever is on its way is thrown away."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _drip(answer: bytes, writer: asyncio.StreamWriter) -> None:
    for at in range(len(answer)):
        writer.write(answer[at : at + 1])
        await writer.drain()
        await asyncio.sleep(LORIS_S)


def _changed(answer: bytes, change: Callable[[dict[str, Any]], dict[str, Any]]) -> bytes:
    """A success with another body; what is no whole success stays as it is."""
    head, _, body = answer.partition(b"\r\n\r\n")
    try:
        told = json.loads(body)
    except ValueError:
        return answer
    if b" 200 " not in head.split(b"\r\n", 1)[0] or not isinstance(told, dict):
        return answer
    body = json.dumps(change(told)).encode()
    return re.sub(rb"(?i)content-length: *\d+", b"Content-Length: %d" % len(body), head) + b"\r\n\r\n" + body


def _twice(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "data": [row for row in (body.get("data") or []) for _ in (0, 1)]}
