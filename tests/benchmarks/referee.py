"""A server that only notes when requests come: `python -m tests.benchmarks.referee SECONDS [SECONDS ...]`.

The sandbox notes a request when its handler gets its turn; in a burst on new connections, or on a busy
machine, that is its own slowness, not the haste of the client. Here the kernel tells when the first bytes of
each request were there (SO_TIMESTAMPNS, Linux); when they were read is noted beside it. Answers to creates
take the SECONDS in turns, lists are empty. Prints its base URL; GET /_bench/seen tells what was noted.
"""

from __future__ import annotations

import asyncio
import heapq
import json
import selectors
import socket
import struct
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count, cycle
from typing import NamedTuple

import aiohttp

from tests.benchmarks.server import SEEN

SO_TIMESTAMPNS = 35
"""Not in the standard library; a `struct timespec` comes beside what is read."""
MOST_WAITING = 4_096
"""Connections that may wait to be accepted."""

Payload = Mapping[str, object]


class Arrival(NamedTuple):
    """One create: when its first bytes were there, and when they were read."""

    at: float
    read_at: float


class Referee:
    """The running referee as a part sees it."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    async def creates(self) -> list[Arrival]:
        """Every create that came in."""
        async with aiohttp.ClientSession() as session, session.get(self.base_url + SEEN) as answer:
            return [Arrival(*each) for each in (await answer.json())["seen"]]


@asynccontextmanager
async def watching(answers_s: Sequence[float]) -> AsyncIterator[Referee]:
    """A referee for as long as the block lasts."""
    command = (sys.executable, "-m", "tests.benchmarks.referee", *map(str, answers_s))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield Referee((await process.stdout.readline()).decode().strip())
    finally:
        process.terminate()
        await process.wait()


class _Connection:
    """One kept connection, on which a client waits for each answer before it asks again."""

    def __init__(self, own: socket.socket) -> None:
        self.own = own
        self._read = b""
        self._first = Arrival(0.0, 0.0)

    def request(self) -> tuple[Arrival, bytes, bytes] | None:
        """A whole request (when it came, head, body), if it is there by now. Raises EOFError at the end."""
        data, beside, *_ = self.own.recvmsg(65_536, 256)
        if not data:
            raise EOFError
        if not self._read:
            self._first = Arrival(_stamp(beside), time.time())
        self._read += data
        head, end, body = self._read.partition(b"\r\n\r\n")
        if not end or len(body) < _length(head):
            return None
        self._read = b""
        return self._first, head, body

    def answer(self, payload: Payload) -> None:
        body = json.dumps(payload).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self.own.sendall(head.encode() + body)


class _Loop:
    """Accepts, reads, notes and answers, in one thread and without a framework's turns in between."""

    def __init__(self, door: socket.socket, answers_s: Iterator[float]) -> None:
        self._door, self._answers_s = door, answers_s
        self._seen: list[Arrival] = []
        self._due: list[tuple[float, int, _Connection, Payload]] = []
        self._order = count()
        self._selector = selectors.DefaultSelector()
        self._selector.register(door, selectors.EVENT_READ)

    def run(self) -> None:
        while True:
            wait_s = max(0.0, self._due[0][0] - time.time()) if self._due else None
            for key, _ in self._selector.select(wait_s):
                if key.data is None:
                    self._accept()
                else:
                    self._take(key.data)
            while self._due and self._due[0][0] <= time.time():
                _, _, connection, payload = heapq.heappop(self._due)
                connection.answer(payload)

    def _accept(self) -> None:
        own, _ = self._door.accept()
        own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(own, selectors.EVENT_READ, _Connection(own))

    def _take(self, connection: _Connection) -> None:
        try:
            request = connection.request()
        except (EOFError, ConnectionError):
            self._selector.unregister(connection.own)
            connection.own.close()
            return
        if request is None:
            return
        arrival, head, body = request
        if head.startswith(b"POST /v2/conversations HTTP"):
            self._seen.append(arrival)
            self._answer_later(connection, json.loads(body)["conversation_name"])
        else:
            connection.answer({"seen": self._seen, "data": [], "total_count": 0})

    def _answer_later(self, connection: _Connection, name: str) -> None:
        made = f"c{len(self._seen)}"
        payload = {
            "conversation_id": made,
            "conversation_name": name,
            "conversation_url": f"https://example.com/{made}",
            "status": "active",
            "created_at": "2026-11-30T09:00:00Z",
        }
        at = time.time() + next(self._answers_s)
        heapq.heappush(self._due, (at, next(self._order), connection, payload))


def _stamp(beside: Sequence[tuple[int, int, bytes]]) -> float:
    whole_s, rest_ns = next(
        struct.unpack("qq", data[:16]) for _, kind, data in beside if kind == SO_TIMESTAMPNS
    )
    return float(whole_s) + float(rest_ns) / 1e9


def _length(head: bytes) -> int:
    lines = (line.lower() for line in head.split(b"\r\n"))
    return next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")), 0)


def _serve(answers_s: Sequence[float]) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=MOST_WAITING) as door:
        # What is accepted inherits it, so that no first bytes come unstamped.
        door.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        print(f"http://127.0.0.1:{door.getsockname()[1]}", flush=True)
        _Loop(door, cycle(answers_s)).run()


if __name__ == "__main__":
    _serve([float(each) for each in sys.argv[1:]])
