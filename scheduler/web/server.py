"""The door: an address is listened on for as long as a block lasts, and nobody keeps it blocked.

Connections, the size of a request's head and the time that it may take are bounded; what can't be read as
HTTP gets one line and the door shut. Which routes there are, and who may ask, is said in `guards` and by
whoever puts the application together.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, Final, cast

from aiohttp import hdrs, web

from scheduler.model import Listen

MOST_CONNECTIONS = 256
"""Fifty browsers with a stream and a page each, and room for machines."""

LIMITS: Final[dict[str, Any]] = {
    "access_log": None,
    "lingering_time": 1.0,
    "max_line_size": 4096,
    "max_field_size": 8190,
    "max_headers": 64,
    "auto_decompress": False,  # a small body must not become a large one
}
HEAD_S = 15.0
"""How long a request's head may take, and how long a connection may be idle."""
SHUTDOWN_S = 3.0


class ListenError(Exception):
    """The address can't be listened on; `number` is errno's. The text is one line for people."""

    def __init__(self, listen: Listen, error: OSError) -> None:
        self.number = error.errno
        at = f"{_host(listen.host)}:{listen.port}"
        super().__init__(f"service.listen: {at} {_WHY.get(error.errno or 0, f'can not be used: {error}')}")


_WHY: Final = {
    errno.EADDRINUSE: "is in use: another callboard, or another program; end it, or write another port",
    errno.EACCES: "needs more rights than this user has: write a port above 1023",
    errno.EADDRNOTAVAIL: "is no address of this machine: write 127.0.0.1, or one that it has",
}


@asynccontextmanager
async def serving(app: web.Application, listen: Listen, *, head_s: float = HEAD_S) -> AsyncIterator[str]:
    """Serve the application while the block lasts; yields its URL. Raises ListenError.

    When the block is left nobody new is let in, and whoever is inside has a moment to finish.
    """
    loop, runner = asyncio.get_running_loop(), web.AppRunner(app, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    server = cast(web.Server, runner.server)  # `setup` made it
    try:
        door = await loop.create_server(lambda: _Visit(server, head_s), listen.host, listen.port)
    except OSError as error:
        await runner.cleanup()
        raise ListenError(listen, error) from None
    try:
        yield f"http://{_host(listen.host)}:{door.sockets[0].getsockname()[1]}"
    finally:
        door.close()
        await runner.cleanup()


def _host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


class _Visit(web.RequestHandler):
    """One connection. What is no HTTP, or comes when the house is full, is told nothing of ours."""

    __slots__ = ("_server",)

    def __init__(self, server: web.Server, head_s: float) -> None:
        super().__init__(server, loop=asyncio.get_running_loop(), keepalive_timeout=head_s, **LIMITS)
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody came; when too many are here already, they leave."""
        super().connection_made(transport)
        if len(self._server.connections) > MOST_CONNECTIONS:
            self.force_close()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """One line, and the end of the connection; what the library would tell is not for strangers."""
        if request.writer.output_size:
            raise ConnectionError("an answer that was begun can't become another one")
        text = f"{status}: {HTTPStatus(status).phrase}\n"
        answer = web.Response(status=status, text=text, headers={hdrs.SERVER: ""})
        answer.force_close()
        return answer

    def log_exception(self, *_: Any, **__: Any) -> None:
        """Strangers write no tracebacks into our log; faults of ours are told by the fence."""
