"""The control socket: the desk for commands on this machine, as JSON over HTTP on a Unix socket.

Whoever may write the socket's file may ask, which is the ledger's owner and nobody else. It is opened by the
process that holds the ledger's lock, so a file that is left there is nobody's any more and may go; of several
workers on one machine, the youngest is asked. What is asked is `scheduler.desk.wishes`'; what is done about
it, the desk's.
"""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from scheduler.desk import Desk, Refused
from scheduler.desk.wishes import ANSWER, STATUS, WISHES, read
from scheduler.ledger import LedgerError
from scheduler.web.guards import application

PRIVATE = 0o600
BACKLOG = 16
SHUTDOWN_S = 1.0

Faulty = Callable[[str], None]


@asynccontextmanager
async def controlled(desk: Desk, path: Path, faulty: Faulty) -> AsyncIterator[None]:
    """Answer at this path while the block lasts. Raises OSError where no socket can stand."""
    app = application(faulty, local=True)
    app.add_routes(control_routes(desk))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    own: os.stat_result | None = None
    try:
        door, own = _bound(path)
        await web.SockSite(runner, door, backlog=BACKLOG).start()
        yield
    finally:
        await runner.cleanup()
        if own is not None:
            _leave(path, own)


def control_routes(desk: Desk) -> list[web.RouteDef]:
    """`GET /status`, and `POST` for every wish: 200 with what came of it, 409 where it is refused, 503 while
    the ledger can't be written, 400 for what is no wish."""

    async def status(_: web.Request) -> web.Response:
        try:
            return _json(STATUS.dump_json(await desk.status()))
        except LedgerError as error:
            return web.json_response({"unavailable": str(error)}, status=503)

    async def wished(request: web.Request) -> web.Response:
        try:
            wish = read(request.match_info["verb"], await request.read())
        except ValueError as error:
            return web.json_response({"unreadable": str(error)}, status=400)
        try:
            return _json(ANSWER.dump_json(await wish.ask(desk)))
        except Refused as refused:
            told = {"refused": str(refused), "details": refused.details}
            return web.json_response(told, status=409)
        except LedgerError as error:
            return web.json_response({"unavailable": str(error)}, status=503)

    verbs = "|".join(WISHES)
    return [web.get("/status", status), web.post(f"/{{verb:{verbs}}}", wished)]


def _json(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="application/json")


def _bound(path: Path) -> tuple[socket.socket, os.stat_result]:
    """A socket at this path that is private before anybody can reach it: nobody gets in until it listens;
    and which file it is."""
    _remove(path)
    door = socket.socket(socket.AF_UNIX)
    try:
        door.bind(os.fspath(path))
        path.chmod(PRIVATE)
        return door, path.stat()
    except BaseException:
        door.close()
        raise


def _leave(path: Path, own: os.stat_result) -> None:
    """Remove our own file; of two workers on one machine the younger one has put its own there."""
    if path.exists() and os.path.samestat(path.stat(), own):
        path.unlink()


def _remove(path: Path) -> None:
    if path.is_socket():
        path.unlink()
