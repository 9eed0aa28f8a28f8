"""What a person can do from a page: a form that says what will happen, and a POST that asks the desk for it.

A GET never acts. Who asks is who has signed in; why stands beside it in the ledger. What is possible and what
comes of it is the desk's to say; here its sentences are shown.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date as local_date
from datetime import datetime, time
from types import MappingProxyType
from typing import Final, TypeVar

from aiohttp import web

from scheduler.desk import Answer, Asker, Breadth, Desk, Missed, Refused, Scope, reason
from scheduler.ledger import LedgerError
from scheduler.web.forms import signed_form, signed_in
from scheduler.web.pages import occurrence_url, person_url
from scheduler.web.pages.roster import Roster
from scheduler.web.routes import Site
from scheduler.zones import zone

Form = Mapping[str, str]
Wall = TypeVar("Wall", datetime, time)


@dataclass(frozen=True, slots=True)
class Request:
    """One form: its fields, who sent it, and the zone in which its times are written."""

    form: Form
    asker: Asker
    timezone: str

    def scope(self) -> Scope:
        """What a pause is for."""
        try:
            breadth = Breadth(self.form.get("breadth", ""))
        except ValueError:
            raise Refused("a pause is for everything, for one schedule or for one person") from None
        return Scope(breadth, "" if breadth is Breadth.ALL else self.form.get("name", ""))

    def until(self) -> float | None:
        """When a pause ends; raises Refused for what is no time."""
        text = self.form.get("until", "")
        if not text:
            return None
        try:
            return _without_zone(datetime.fromisoformat(text)).replace(tzinfo=zone(self.timezone)).timestamp()
        except ValueError:
            raise Refused(f"“{text}” is no date and time, such as 2026-12-01T09:00") from None

    def on(self) -> local_date:
        """On which date something is made up."""
        text = self.form.get("on", "")
        try:
            return local_date.fromisoformat(text)
        except ValueError:
            raise Refused(f"“{text}” is no date, such as 2026-12-01") from None

    def at(self) -> time | None:
        """At which local time; `None` is the slot's own."""
        text = self.form.get("at", "")
        try:
            return _without_zone(time.fromisoformat(text)) if text else None
        except ValueError:
            raise Refused(f"“{text}” is no time of day, such as 09:00") from None


def _without_zone(written: Wall) -> Wall:
    """A time of the wall; raises ValueError for one that brings a zone of its own."""
    if written.tzinfo is not None:
        raise ValueError
    return written


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that can be done: what its form says, and what is asked of the desk. `rehearsed` is asked
    first and shown, before it is done."""

    title: str
    said: str
    button: str
    do: Callable[[Desk, Request], Awaitable[Answer]]
    fields: str = ""
    grave: bool = False
    rehearsed: Callable[[Desk, Request], Awaitable[Answer]] | None = None


def _make_up(desk: Desk, asked: Request, *, dry_run: bool) -> Awaitable[Answer]:
    of = asked.form.get("key") or Missed()
    return desk.make_up(of, asked.on(), asked.at(), asked.asker, dry_run=dry_run)


DEEDS: Final[Mapping[str, Deed]] = MappingProxyType(
    {
        "pause": Deed(
            "Pause",
            "What opens from now on is skipped, and is not made up for when the pause ends. "
            "Conversations that run go on.",
            "Pause",
            lambda desk, asked: desk.pause(asked.scope(), asked.until(), asked.asker),
            fields="until",
        ),
        "resume": Deed(
            "Resume",
            "What opens from now on is kept again. What was skipped meanwhile stays skipped.",
            "Resume",
            lambda desk, asked: desk.resume(asked.scope(), asked.asker),
        ),
        "skip": Deed(
            "Skip",
            "This promise is taken back. It can be made up later.",
            "Skip it",
            lambda desk, asked: desk.skip(asked.form.get("key", ""), asked.asker),
        ),
        "end": Deed(
            "End the conversation",
            "The conversation is ended now, for everybody in it. This can’t be undone.",
            "End it now",
            lambda desk, asked: desk.end(asked.form.get("key", ""), asked.asker),
            grave=True,
        ),
        "resend": Deed(
            "Resend the link",
            "The link of the running conversation is handed over once more.",
            "Resend it",
            lambda desk, asked: desk.resend(
                asked.form.get("key", ""), asked.form.get("channel") or None, asked.asker
            ),
            fields="channel",
        ),
        "retry": Deed(
            "Retry",
            "It is put back into line while its window is open. A new conversation costs what it costs.",
            "Retry",
            lambda desk, asked: desk.retry(asked.form.get("key", ""), asked.asker),
        ),
        "make-up": Deed(
            "Make up",
            "A new promise, linked to what came to nothing. A new conversation costs what it costs; "
            "what it would do is shown first.",
            "Make it up",
            lambda desk, asked: _make_up(desk, asked, dry_run=False),
            fields="on",
            rehearsed=lambda desk, asked: _make_up(desk, asked, dry_run=True),
        ),
        "resume-account": Deed(
            "Resume the account",
            "The holds that a person may lift are lifted, and what waits is tried again.",
            "Resume",
            lambda desk, asked: desk.resume_account(asked.asker),
        ),
        "reload": Deed(
            "Reload the configuration",
            "The files are read again, whole or not at all. A bad file changes nothing.",
            "Reload",
            lambda desk, asked: desk.reload(asked.asker),
        ),
    }
)
"""Everything that can be done from a page, by the last part of its address."""

KEPT: Final = ("key", "breadth", "name", "channel", "until", "on", "at", "why")
"""The fields that a form carries along."""


def action_routes(site: Site, desk: Desk) -> list[web.RouteDef]:
    """`/steer/…`: a form each, and what comes of it."""

    async def form(request: web.Request) -> web.StreamResponse:
        deed = _deed(request)
        return _form(site, request, deed, dict(request.query), signed_in(site, request).csrf)

    async def act(request: web.Request) -> web.StreamResponse:
        deed = _deed(request)
        session, given = await signed_form(site, request)
        asked = Request(given, Asker(session.by, reason(given.get("why"))), _roster(site).zone)
        rehearse = deed.rehearsed if deed.rehearsed and "sure" not in given else None
        try:
            answer = await (rehearse or deed.do)(desk, asked)
        except Refused as refused:
            return _form(site, request, deed, given, session.csrf, refused)
        except LedgerError:
            raise web.HTTPServiceUnavailable from None
        site.reading.forget()
        site.changes.ring()
        if rehearse:
            return _form(site, request, deed, given, session.csrf, answer=answer)
        page = site.page(
            deed.title, "done", deed=deed, answer=answer, back=back(given), key_url=occurrence_url
        )
        return site.framed(request, page)

    return [web.get("/steer/{verb}", form), web.post("/steer/{verb}", act)]


def back(given: Form) -> tuple[str, str]:
    """The page that a form belongs to: its address, and its name."""
    if key := given.get("key"):
        return occurrence_url(key), key
    if given.get("breadth") == Breadth.PARTICIPANT:
        return person_url(given.get("name", "")), given.get("name", "")
    return ("/schedules", "Schedules") if given.get("breadth") else ("/", "Today")


def _deed(request: web.Request) -> Deed:
    deed = DEEDS.get(request.match_info["verb"])
    if deed is None:
        raise web.HTTPNotFound
    return deed


def _roster(site: Site) -> Roster:
    return site.plans.roster(site.house.config())


def _form(
    site: Site,
    request: web.Request,
    deed: Deed,
    given: Form,
    csrf: str,
    refused: Refused | None = None,
    answer: Answer | None = None,
) -> web.Response:
    """The form of a deed: with what was said against it, or with what it would do."""
    page = site.page(
        deed.title,
        "deed",
        deed=deed,
        action=request.path,
        given={name: given.get(name, "") for name in KEPT},
        about=_about(given),
        back=back(given),
        csrf=csrf,
        refused=refused,
        answer=answer,
        timezone=_roster(site).zone,
    )
    return site.framed(request, page, status=409 if refused else 200)


def _about(given: Form) -> str:
    """What the form is about, in words."""
    if given.get("key"):
        return given["key"]
    return " ".join(filter(None, [given.get("breadth", ""), given.get("name", "")])).replace(
        "all", "everything", 1
    )
