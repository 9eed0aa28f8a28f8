"""What holds for every route: who may ask, how large and how slow a body may be, what no answer shows.

Without a token nothing is for other machines: a request whose `Host` is not this machine is refused, or
else any web page could have a browser read this one under a name of its own (DNS rebinding). No answer
names the software, and none shows a traceback. Signing in is not done here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from jobs.loopback import is_loopback
from scheduler.runner import place

LARGEST_BODY = 64 << 10
"""Bytes; forms of ours are far smaller."""
BODY_S = 10.0

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""In every answer, unless its route says otherwise."""

Faulty = Callable[[str], None]
"""Told where an unexpected exception arose, never its text."""


def application(faulty: Faulty, *, local: bool, body_s: float = BODY_S) -> web.Application:
    """An application without routes, guarded; `local` lets in only who asks by a name of this machine.

    A route gets its body whole, within `body_s`, and may take its time over it: a stream ends when it likes.
    """
    guards = [_fence(faulty), _asked_by_name(local=local), _whole_body(body_s)]
    app = web.Application(middlewares=guards, client_max_size=LARGEST_BODY)
    app.on_response_prepare.append(_dress)
    return app


def is_this_machine(host: str) -> bool:
    """Whether a `Host` header names this machine, at whatever port (a tunnel has one of its own)."""
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return is_loopback(name)


def _fence(faulty: Faulty) -> Middleware:
    @web.middleware
    async def fenced(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except (web.HTTPException, ConnectionError):
            raise
        except Exception as error:  # a page that can't be made; the house lives on
            faulty(place(error))
            raise web.HTTPInternalServerError from None

    return fenced


def _asked_by_name(*, local: bool) -> Middleware:
    @web.middleware
    async def named(request: web.Request, handler: Handler) -> web.StreamResponse:
        hosts = request.headers.getall(hdrs.HOST, [])
        if len(hosts) != 1:
            raise web.HTTPBadRequest(text="exactly one Host, please\n")
        if local and not is_this_machine(hosts[0]):
            told = "this is for its own machine alone; service.admin_token opens it to others\n"
            raise web.HTTPMisdirectedRequest(text=told)
        return await handler(request)

    return named


def _whole_body(within_s: float) -> Middleware:
    @web.middleware
    async def bounded(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            async with asyncio.timeout(within_s):
                await request.read()
        except TimeoutError:
            raise web.HTTPRequestTimeout from None
        return await handler(request)

    return bounded


async def _dress(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.pop(hdrs.SERVER, None)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
