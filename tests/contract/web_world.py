"""A door with whatever routes a test wants, and ways to come to it that no well-behaved client has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from scheduler.model import Listen
from scheduler.web import application, serving


@dataclass
class Door:
    """Where it stands, and the faults that were told."""

    url: str
    faults: list[str] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    async def raw(self, sent: bytes, *, closing: bool = False) -> bytes:
        """What these very bytes are answered, until the other side hangs up."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(sent)
        if closing:
            writer.write_eof()
        try:
            async with asyncio.timeout(20):
                return await reader.read()
        except ConnectionResetError:
            return b""
        finally:
            writer.close()


@asynccontextmanager
async def door(
    *routes: web.RouteDef, local: bool = True, head_s: float = 15.0, body_s: float = 10.0
) -> AsyncIterator[Door]:
    """Open on a free port of loopback."""
    faults: list[str] = []
    app = application(faults.append, local=local, body_s=body_s)
    app.add_routes(routes)
    async with serving(app, Listen("127.0.0.1", 0), head_s=head_s) as url:
        yield Door(url, faults)
