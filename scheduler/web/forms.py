"""Forms as they arrive: read, and signed by whoever has signed in. What they ask for is not known here."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from aiohttp import web

from scheduler.web.routes import Site, to_sign_in
from scheduler.web.sessions import Session

NOBODY = "Nothing can be done here without service.admin_token: set it, and sign in.\n"
FORM = "application/x-www-form-urlencoded"


async def read_form(request: web.Request) -> Mapping[str, str]:
    """The fields of a form; raises HTTPUnsupportedMediaType for anything else."""
    if request.content_type != FORM:
        raise web.HTTPUnsupportedMediaType
    return {name: value for name, value in (await request.post()).items() if isinstance(value, str)}


def signed_in(site: Site, request: web.Request) -> Session:
    """The session of whoever asks. Raises the way to the sign-in for strangers, HTTPForbidden where nobody
    can sign in."""
    visitors = site.visitors
    if visitors.sessions is None:
        raise web.HTTPForbidden(text=NOBODY)
    session = visitors.of(request).session
    if session is None:
        raise to_sign_in(request)
    return session


async def signed_form(site: Site, request: web.Request) -> tuple[Session, Mapping[str, str]]:
    """Who sent this form, and its fields. Raises as `signed_in` does, and HTTPForbidden for a form that isn't
    signed with the session's own token."""
    session = signed_in(site, request)
    form = await read_form(request)
    if not hmac.compare_digest(form.get("csrf", "").encode(), session.csrf.encode()):
        raise web.HTTPForbidden
    return session, form
