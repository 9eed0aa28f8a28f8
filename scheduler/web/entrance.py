"""Signing in and out: a token and a name once, then a cookie that no script sees and no other site sends.

What a session is, and how slow a wrong token is, is `sessions`'.
"""

from __future__ import annotations

from aiohttp import web

from scheduler.web.forms import read_form, signed_form
from scheduler.web.routes import Site
from scheduler.web.sessions import COOKIE, LASTS_S, Sessions, TooMany, name_of
from scheduler.web.visitors import is_private, needs_tls

PLAIN = (
    "Signing in over plain HTTP would show the token to the network between. Put a proxy with TLS before "
    "callboard, or come from its own machine (ssh -L)."
)


class Entrance:
    """The way in and the way out; without `sessions` there is neither."""

    def __init__(self, site: Site, sessions: Sessions) -> None:
        self._site = site
        self._sessions = sessions

    async def door(self, request: web.Request) -> web.StreamResponse:
        """The form; who is inside already goes on."""
        next_ = _next(request.query.get("next", ""))
        if self._site.visitors.of(request).session is not None:
            raise web.HTTPSeeOther(next_)
        return _door(self._site, request, next_)

    async def sign_in(self, request: web.Request) -> web.StreamResponse:
        """A name and a token become a cookie: always a new one, whatever came with the form."""
        form = await read_form(request)
        name, next_ = name_of(form.get("name", "")), _next(form.get("next", ""))
        if not is_private(request):
            return _door(self._site, request, next_, PLAIN, 403)
        if name is None:
            return _door(self._site, request, next_, "Your name is missing, or is no name.", 400)
        id_ = await self._tried(form.get("token", ""), name)
        if id_ is None:
            return _door(self._site, request, next_, "This is not the token.", 403, name)
        self._sessions.sign_out(request.cookies.get(COOKIE))
        raise _with_cookie(web.HTTPSeeOther(next_), id_, secure=needs_tls(request))

    async def sign_out(self, request: web.Request) -> web.StreamResponse:
        """The session ends, here and in the browser."""
        await signed_form(self._site, request)
        self._sessions.sign_out(request.cookies.get(COOKIE))
        answer = web.HTTPSeeOther("/sign-in")
        answer.del_cookie(COOKIE, path="/")
        raise answer

    async def _tried(self, token: str, name: str) -> str | None:
        try:
            return await self._sessions.sign_in(token, name)
        except TooMany:
            raise web.HTTPTooManyRequests(headers={"Retry-After": "2"}) from None


def entrance_routes(site: Site, sessions: Sessions | None) -> list[web.RouteDef]:
    """`/sign-in` and `/sign-out`, where there is a token."""
    if sessions is None:
        return []
    entrance = Entrance(site, sessions)
    return [
        web.get("/sign-in", entrance.door),
        web.post("/sign-in", entrance.sign_in),
        web.post("/sign-out", entrance.sign_out),
    ]


def _with_cookie(answer: web.HTTPException, id_: str, *, secure: bool) -> web.HTTPException:
    kept = {"max_age": int(LASTS_S), "path": "/", "httponly": True, "samesite": "Strict"}
    answer.set_cookie(COOKIE, id_, secure=secure, **kept)  # type: ignore[arg-type]
    return answer


def _door(
    site: Site, request: web.Request, next_: str, said: str = "", status: int = 200, name: str = ""
) -> web.Response:
    page = site.page("Sign in", "sign_in", said=said, next=next_, name=name)
    return site.framed(request, page, status=status)


def _next(asked: str) -> str:
    """Where to go afterwards: an address of ours, or the first page."""
    ours = asked.startswith("/") and not asked.startswith("//") and "\\" not in asked and asked.isprintable()
    return asked if ours else "/"
