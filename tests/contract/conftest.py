"""A server of raw sockets, for what no well-behaved server does, and a client of it with a key to be kept."""

from __future__ import annotations

import asyncio
import json
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest

from jobs.errors import StepFailed
from jobs.model import ConversationRequest, Survey
from jobs.tavus.client import TavusClient, connect

Script = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class RawServer:
    """Plays one script for each request (the last one again and again) and keeps what it was sent."""

    scripts: list[Script] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    base_url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):  # the client went away
            while not writer.is_closing():
                await self._take(reader)
                script = self.scripts[min(len(self.heads), len(self.scripts)) - 1]
                await script(writer)
                await writer.drain()

    async def _take(self, reader: asyncio.StreamReader) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lengths = [
            line.split(":")[1] for line in head.lower().split("\r\n") if line.startswith("content-length:")
        ]
        self.heads.append(head)
        self.bodies.append(await reader.readexactly(int(lengths[0]) if lengths else 0))


def answer(status: int, body: object = b"", *headers: str) -> Script:
    """A whole answer; a body that isn't bytes goes as JSON."""

    async def play(writer: asyncio.StreamWriter) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(raw)}", *headers]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + raw)

    return play


def says(raw: bytes, *, then: str = "close") -> Script:
    """These bytes, and then the connection is closed, reset, or its sending half shut."""

    async def play(writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()
        match then:
            case "reset":
                writer.transport.abort()
            case "half":
                writer.write_eof()
            case "close":
                writer.close()
            case "nothing":
                pass

    return play


@asynccontextmanager
async def listening(handler: Callable[..., Awaitable[None]]) -> AsyncIterator[int]:
    """A loopback server for as long as the block lasts; gives its port. Clients leave before it does."""
    busy: list[asyncio.Task[None]] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        busy.append(task)
        with suppress(ConnectionError):
            await handler(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, backlog=512)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        async with asyncio.timeout(5):
            for task in busy:
                await task


@pytest.fixture
async def raw() -> AsyncIterator[RawServer]:
    server = RawServer()
    async with listening(server.serve) as port:
        server.base_url = f"http://127.0.0.1:{port}"
        yield server


# --- a client ---

KEY = "canary-key-0123456789"
ROOM = {
    "conversation_id": "c1",
    "conversation_url": "https://tavus.daily.co/c1",
    "status": "active",
    "created_at": "2026-11-22T09:00:00Z",
}
REQUEST = ConversationRequest(persona_id="p1", conversation_name="Practice")
Verb = Callable[[TavusClient, Callable[[], None]], Awaitable[object]]

VERBS: dict[str, Verb] = {
    "create": lambda client, sent: client.create(REQUEST, sent),
    "survey": lambda client, sent: client.survey(Survey("active"), sent),
    "inspect": lambda client, sent: client.inspect("c1", sent),
    "end": lambda client, sent: client.end("c1", sent),
    "persona": lambda client, sent: client.persona("p1", sent),
    "replica": lambda client, sent: client.replica("r1", sent),
}


class Tally:
    """Counts how often `sent` rang."""

    def __init__(self) -> None:
        self.rings = 0

    def __call__(self) -> None:
        self.rings += 1


@pytest.fixture(params=VERBS)
def verb(request: pytest.FixtureRequest) -> Verb:
    return VERBS[request.param]


@pytest.fixture
async def client(raw: RawServer) -> AsyncIterator[TavusClient]:
    async with connect(raw.base_url, KEY, total_s=5.0) as made:
        yield made


async def failure(call: Awaitable[object]) -> StepFailed:
    """The call's failure, which shows the key nowhere and drags no other exception along."""
    with pytest.raises(StepFailed) as caught:
        await call
    failed = caught.value
    assert failed.__context__ is None
    assert failed.__cause__ is None
    assert KEY not in repr(failed) + str(failed) + failed.detail
    assert KEY not in "".join(traceback.format_exception(failed))
    return failed
