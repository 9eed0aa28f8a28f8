"""The pages over HTTP: each view's answer in its frame, the assets, and errors as people read them.

A page is read in a thread and kept while nothing changes (`reading`); only its frame, which names who is
signed in, is made for each request. Signing in and acting are `entrance`'s and `actions`'.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources import files
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from scheduler.clock import Clock
from scheduler.ledger import LedgerError, Place
from scheduler.ledger.snapshot import Snapshot
from scheduler.model import Config
from scheduler.vitals import Reload, Vitals
from scheduler.web.events import Changes
from scheduler.web.pages import Pages
from scheduler.web.pages.environment import NAVIGATION
from scheduler.web.reading import Reading
from scheduler.web.views import VIEWS, NotFound, Page, Plans, Seen, Show, View
from scheduler.web.visitors import Visitors, is_ours

CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": CSP,
    # Of our own forms the browser must tell the origin; with no-referrer it says "null".
    "Referrer-Policy": "same-origin",
    hdrs.VARY: "Cookie, X-Part",
}
TYPES: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}

_SAID: Final[Mapping[int, tuple[str, str]]] = {
    400: ("That can't be read", "The request is not one that this page understands."),
    401: ("Sign in first", "This is for who has signed in."),
    403: ("Not from here", "This form was not sent by a page of this house, or it is too old."),
    404: ("Not found", "There is no page at this address."),
    405: ("Not like that", "This address can't be asked in that way."),
    408: ("Too slow", "The request took too long to arrive."),
    413: ("Too much", "The request is larger than any form here."),
    415: ("Not a form", "Only forms are taken here."),
    421: (
        "Not for this name",
        "This page is for its own machine alone; service.admin_token opens it to others.",
    ),
    429: ("Too many tries", "Too many wrong tokens are being tried; wait a moment."),
    500: (
        "Something went wrong",
        "The page could not be made. The house goes on; its log says where it was.",
    ),
    503: ("Not now", "The ledger can't be read now. The house goes on; try again in a moment."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What pages ask of the house, all of it at once and from memory."""

    ledger: Place
    clock: Clock
    config: Callable[[], Config]
    vitals: Callable[[], Vitals]
    reload: Callable[[], Reload]


class Site:
    """The pages of one house, and what they keep."""

    def __init__(self, house: House, visitors: Visitors, changes: Changes) -> None:
        self.house = house
        self.visitors = visitors
        self.changes = changes
        self.reading = Reading(house.ledger, house.clock, changes)
        self._files = {f.name: f.read_bytes() for f in (files("scheduler.web") / "static").iterdir()}
        self.pages = Pages({name: f"/static/{name}?{_digest(data)}" for name, data in self._files.items()})
        self.plans = Plans()

    def routes(self) -> list[web.RouteDef]:
        """Every page, and the assets."""
        shown = [web.get(path, self._shown(path, view)) for path, view in VIEWS.items()]
        return [*shown, web.get("/static/{name}", self._asset)]

    def seen(self, *, may_act: bool) -> Seen:
        """The house as it is now."""
        house = self.house
        return Seen(
            now=house.clock.now(),
            config=house.config(),
            vitals=house.vitals(),
            reload=house.reload(),
            may_act=may_act,
        )

    def framed(
        self, request: web.Request, page: Page, *, status: int = 200, live: bool = False
    ) -> web.Response:
        """A whole page for this visitor."""
        visitor = self.visitors.of(request)
        text = self.pages.frame(
            *page,
            here=request.path,
            inside=visitor.may_read,
            visitor=visitor.session.by if visitor.session else None,
            csrf=visitor.session.csrf if visitor.session else "",
            live=self.changes.number if live else None,
        )
        return web.Response(text=text, status=status, content_type="text/html", headers=HEADERS)

    def page(self, title: str, template: str, /, **values: Any) -> Page:
        """A page that needs no ledger."""
        return Page(title, self.pages.main(template, **values))

    def problem(
        self, request: web.Request, status: int, said: str | None = None, near: Sequence[tuple[str, str]] = ()
    ) -> web.Response:
        """What is wrong, and where to go from here."""
        heading, usual = _SAID.get(status, ("Not possible", "This can't be done."))
        page = self.page(heading, "problem", heading=heading, said=said or usual, near=near)
        return self.framed(request, page, status=status)

    def _shown(self, path: str, view: View) -> Handler:
        async def show(request: web.Request) -> web.StreamResponse:
            visitor = self.visitors.of(request)
            if not visitor.may_read:
                raise to_sign_in(request)
            seen = self.seen(may_act=visitor.session is not None)
            try:
                page = await self._read(path, view, request, seen)
            except NotFound as error:
                return self.problem(request, 404, str(error), error.near)
            if request.headers.get("X-Part") == "main":
                return web.Response(text=page.main, content_type="text/html", headers=HEADERS)
            return self.framed(request, page, live=True)

        return show

    async def _read(self, path: str, view: View, request: web.Request, seen: Seen) -> Page:
        def read(snapshot: Snapshot) -> Page:
            return view(Show(self.pages, self.plans, seen), snapshot, dict(request.query))

        about = (path, request.query_string, seen.may_act, id(seen.config), seen.reload)
        try:
            return await self.reading.ask(about, read)
        except LedgerError:
            raise web.HTTPServiceUnavailable from None

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        data = self._files.get(request.match_info["name"])
        if data is None:
            raise web.HTTPNotFound
        kind = TYPES[request.match_info["name"].rpartition(".")[2]]
        headers = {hdrs.CACHE_CONTROL: "public, max-age=31536000, immutable"}
        return web.Response(body=data, content_type=kind, charset="utf-8", headers=headers)

    @property
    def manners(self) -> Middleware:
        """Errors as pages, for those who read pages; and no form from elsewhere."""

        @web.middleware
        async def minded(request: web.Request, handler: Handler) -> web.StreamResponse:
            try:
                if request.method not in (hdrs.METH_GET, hdrs.METH_HEAD) and not is_ours(request):
                    raise web.HTTPForbidden
                return await handler(request)
            except web.HTTPException as error:
                if error.status < 400 or "text/html" not in request.headers.get(hdrs.ACCEPT, ""):
                    raise
                near = _near(request.path) if error.status == 404 else ()
                answer = self.problem(request, error.status, _own_words(error), near)
                answer.headers.update({name: error.headers[name] for name in _KEPT if name in error.headers})
                return answer

        return minded


def _own_words(error: web.HTTPException) -> str | None:
    """What the error says beyond its status, if it does."""
    usual = f"{error.status}: {error.reason}"
    return None if error.text in (None, usual) else error.text


_KEPT: Final = (hdrs.ALLOW, hdrs.RETRY_AFTER)


def to_sign_in(request: web.Request) -> web.HTTPException:
    """Sign in first, and come back here; who asks for a part only is told."""
    if request.headers.get("X-Part"):
        return web.HTTPUnauthorized(text="sign in first\n")
    wanted = request.path_qs if request.method == hdrs.METH_GET and request.path != "/" else ""
    return web.HTTPSeeOther(f"/sign-in?{urlencode({'next': wanted})}" if wanted else "/sign-in")


def _near(path: str) -> list[tuple[str, str]]:
    known = dict(NAVIGATION)
    return [(href, known[href]) for href in get_close_matches(path[:100], [*known], n=3, cutoff=0.4)]


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]
