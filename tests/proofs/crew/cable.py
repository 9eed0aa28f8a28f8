"""One worker's cable to the database: bytes that go through, and the ways in which they don't.

It knows one word of PostgreSQL's protocol, the COMMIT of a transaction, so that a connection can be lost
exactly there, on either side of it. A silent cut holds back what comes; a loud one closes connections.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"
AT_ONCE = 65_536


class Spoilt(StrEnum):
    """What becomes of a COMMIT: the server never hears it, or nobody hears that it was done."""

    UNSAID = "unsaid"
    UNANSWERED = "unanswered"


@dataclass(eq=False)
class Pair:
    """One connection: both its sides; a `mute` one ends with the server's next word."""

    ours: asyncio.StreamWriter
    theirs: asyncio.StreamWriter
    mute: bool = False

    def lose(self) -> None:
        for writer in (self.ours, self.theirs):
            writer.transport.abort()


class Cable:
    """Between one worker and the server's socket."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._pairs: set[Pair] = set()
        self._whole = asyncio.Event()
        self._whole.set()
        self._closed = False
        self._spoil: Spoilt | None = None
        self.on_commit: Callable[[], None] | None = None
        self.spoilt = 0

    def cut(self, *, silent: bool) -> None:
        """From now on nothing passes: a silent cable swallows, a loud one hangs up."""
        self._whole.clear()
        self._closed = not silent
        if not silent:
            self._lose()

    def mend(self, *, lost: bool) -> None:
        """Bytes pass again; `lost`: the connections that were silent are gone."""
        if lost:
            self._lose()
        self._closed = False
        self._whole.set()

    def spoil(self, how: Spoilt) -> None:
        """Lose the connection of the next COMMIT."""
        self._spoil = how

    def unspoil(self) -> None:
        """As if `spoil` had not been called."""
        self._spoil = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[int]:
        """The port at which the worker finds the database."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            self._whole.set()
            self._lose()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self._closed:
                raise ConnectionResetError
            from_server, to_server = await asyncio.open_unix_connection(str(self._socket))
        except OSError:
            writer.transport.abort()
            return
        pair = Pair(writer, to_server)
        self._pairs.add(pair)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._there(pair, reader))
                group.create_task(self._back(pair, from_server))
        except* OSError:
            pair.lose()
        self._pairs.discard(pair)

    async def _there(self, pair: Pair, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(AT_ONCE):
            await self._whole.wait()
            if COMMIT in data and self._commits(pair):
                return
            pair.theirs.write(data)
        pair.lose()

    async def _back(self, pair: Pair, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(AT_ONCE):
            await self._whole.wait()
            if pair.mute:
                break
            pair.ours.write(data)
        pair.lose()

    def _commits(self, pair: Pair) -> bool:
        """A COMMIT is about to pass: whether it doesn't."""
        if self.on_commit is not None:
            hook, self.on_commit = self.on_commit, None
            hook()
        how, self._spoil = self._spoil, None
        if how is None:
            return False
        self.spoilt += 1
        if how is Spoilt.UNANSWERED:
            pair.mute = True
            return False
        pair.lose()
        return True

    def _lose(self) -> None:
        for pair in list(self._pairs):
            pair.lose()
