"""Who looks: may they read, may they act, and do their forms come from our own pages?

Without a token whoever is let in may read and nobody may act; with one, both need a session. What a form
asks for is done elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from scheduler.web.guards import is_this_machine
from scheduler.web.sessions import COOKIE, Session, Sessions


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody at a page; without a `session` they can't act."""

    session: Session | None
    may_read: bool


class Visitors:
    """Knows visitors by their cookie; `sessions` is `None` where there is no token."""

    def __init__(self, sessions: Sessions | None) -> None:
        self.sessions = sessions

    def of(self, request: web.Request) -> Visitor:
        """Who sent this request."""
        if self.sessions is None:
            return Visitor(None, may_read=True)
        session = self.sessions.find(request.cookies.get(COOKIE))
        return Visitor(session, may_read=session is not None)

    def may_read(self, request: web.Request) -> bool:
        """Whether whoever sent this may read pages."""
        return self.of(request).may_read


def is_ours(request: web.Request) -> bool:
    """Whether a browser says that a page of ours sent this form.

    Every browser of today sends Origin with a POST; who sends neither that nor Sec-Fetch-Site is none.
    """
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is None:
        return request.headers.get("Sec-Fetch-Site") == "same-origin"
    return _netloc(origin) == request.host.lower()


def is_private(request: web.Request) -> bool:
    """Whether nobody between can read it: TLS, as the browser saw it, or it never leaves this machine."""
    return urlsplit(request.headers.get(hdrs.ORIGIN, "")).scheme == "https" or is_this_machine(request.host)


def needs_tls(request: web.Request) -> bool:
    """Whether a cookie may only ever travel inside TLS: everywhere but on this machine."""
    return not is_this_machine(request.host)


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""
