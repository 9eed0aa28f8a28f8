"""The page at `conversation_url`: a person looks, joins and leaves with an ordinary browser.

Looking counts for nothing (mail scanners follow links); the Join button's POST is a participant. A closed
tab is not noticed: only Leave leaves. Everything works without JavaScript, which merely makes the seconds
run.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from jobs.model import Instant
from jobs.tavus.sandbox.account import Account, RoomClosed
from jobs.tavus.sandbox.life import Shutdown, ending
from jobs.tavus.sandbox.room import Room, token_expires_at
from jobs.tavus.sandbox.stock import Persona, Replica

WHY: Mapping[str, str] = MappingProxyType(
    {
        Shutdown.MAX_CALL_DURATION: "It reached its longest duration.",
        Shutdown.LEFT: "Everybody had left.",
        Shutdown.ABSENT: "Nobody joined in time.",
        Shutdown.END_CALLED: "It was ended through the API.",
        Shutdown.ROOM_DELETED: "Its room was deleted.",
    }
)

AHEAD: Mapping[str, str] = MappingProxyType(
    {
        Shutdown.MAX_CALL_DURATION: "left of the longest duration",
        Shutdown.LEFT: "until it ends, unless somebody comes back",
        Shutdown.ABSENT: "until it ends, unless somebody joins",
    }
)


class JoinPage:
    """Looking, joining and leaving. `personas` and `replicas` give the people in it their names."""

    def __init__(
        self,
        now: Callable[[], Instant],
        account: Account,
        personas: Mapping[str, Persona],
        replicas: Mapping[str, Replica],
    ) -> None:
        self._now = now
        self._account = account
        self._personas = personas
        self._replicas = replicas
        self._pages = Environment(
            loader=PackageLoader(__package__, ""), autoescape=True, undefined=StrictUndefined
        )

    def routes(self) -> list[web.RouteDef]:
        """The page, and the two things that can be done on it."""
        return [
            web.get("/join/{id}", self.show),
            web.post("/join/{id}/enter", self.enter),
            web.post("/join/{id}/leave", self.leave),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """The page as things stand; never a change."""
        return self._page(request)

    async def enter(self, request: web.Request) -> web.Response:
        """Somebody joins, and is sent back to the page as themselves."""
        room, now = self._settled(request)
        who = request.query.get("me") or secrets.token_hex(8)
        if room is None or not _may_enter(room, request, now):
            return self._page(request)
        try:
            self._account.enter(room, who, now)
        except RoomClosed as closed:
            return self._page(request, status=409, notice=f"You can't join: {closed}.")
        return _back(request, me=who)

    async def leave(self, request: web.Request) -> web.Response:
        """Somebody leaves."""
        room, now = self._settled(request)
        if room is not None:
            self._account.leave(room, request.query.get("me", ""), now)
        return _back(request)

    def _settled(self, request: web.Request) -> tuple[Room | None, Instant]:
        now = self._now()
        self._account.settle(now)
        return self._account.find(request.match_info["id"]), now

    def _page(self, request: web.Request, status: int = 200, notice: str = "") -> web.Response:
        room, now = self._settled(request)
        if room is None:
            return self._render(404, state="unknown", notice="", title="No such conversation")
        if not (room.ended or _may_enter(room, request, now)):
            return self._render(403, state="private", notice="", title="This room is private")
        shown = self._shown(room, request.query.get("me", ""), now)
        return self._render(status, notice=notice, query=request.query_string, **shown)

    def _shown(self, room: Room, me: str, now: Instant) -> dict[str, Any]:
        end = ending(room.life)
        title, label = _titled(room.body.get("conversation_name", ""))
        inside = len(room.life.present)
        return {
            "state": "ended" if room.ended else "inside" if me in room.life.present else "open",
            "title": title,
            "label": label,
            "path": f"/join/{room.conversation_id}",
            "coach": self._coach(room),
            "greeting": room.body.get("custom_greeting", "Hello, shall we begin?"),
            "inside": inside,
            "left_s": max(0, round(end.at - now)),
            "why": WHY.get(end.reason or "", end.reason or "It was made in test mode and never ran."),
            "ahead": AHEAD.get(end.reason or "", ""),
        }

    def _coach(self, room: Room) -> dict[str, str]:
        persona = self._personas.get(room.ids.get("persona_id") or room.ids.get("pal_id") or "")
        replica = self._replicas.get(room.replica_id or "")
        return {"persona": persona.name if persona else "", "replica": replica.name if replica else ""}

    def _render(self, status: int, **shown: Any) -> web.Response:
        nonce = secrets.token_urlsafe(12)
        policy = (
            f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; form-action 'self'"
        )
        headers = {
            "Content-Security-Policy": f"{policy}; base-uri 'none'; frame-ancestors 'none'",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        }
        text = self._pages.get_template("join.html").render(nonce=nonce, **shown)
        return web.Response(text=text, status=status, content_type="text/html", headers=headers)


def _titled(name: str) -> tuple[str, str]:
    """A name, and the label in brackets that it may end in: for programs, so it is shown small."""
    found = re.fullmatch(r"(.*\S)\s+(\[[^\[\]]+\])", name, re.DOTALL)
    return (found[1], found[2]) if found else (name or "Conversation", "")


def _may_enter(room: Room, request: web.Request, now: Instant) -> bool:
    """A private room opens with its token, while that lives; who is in stays in."""
    if room.token is None or request.query.get("me", "") in room.life.present:
        return True
    given = request.query.get("t", "").encode(errors="surrogateescape")
    return hmac.compare_digest(given, room.token.encode()) and now < token_expires_at(room.life)


def _back(request: web.Request, **more: str) -> web.Response:
    """See the page again, so that a reload repeats nothing (303)."""
    kept = {name: value for name, value in request.query.items() if name == "t"}
    page = request.rel_url.with_path(f"/join/{request.match_info['id']}").with_query({**kept, **more})
    return web.Response(status=303, headers={"Location": str(page)})
