"""Every page by real HTTP: what it shows, what it never shows, and what it answers to what can't be."""

from __future__ import annotations

import re
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote

import aiohttp
import pytest

from scheduler.desk import Asker
from scheduler.planner import find
from scheduler.web.pages.times import DAY_S
from tests.contract.web.conftest import Browser
from tests.contract.web.world import HOSTILE, LINK, NOW, World, opened

DAY = "2026-11-30"
KEY = f"objection-handling/09:00/{DAY}"
PAGES = [
    *(
        "/",
        "/days",
        "/days?zone=Europe/London",
        "/occurrences",
        "/occurrences?stage=live&schedule=closing-deals",
    ),
    *("/people", "/people?q=ana", "/person?id=ana", "/person?id=evil", "/schedules", "/account"),
    *(f"/occurrence?key={KEY}/{who}" for who in ("ana", "cleo", "dev", "evil", "finn", "gus")),
    *(f"/steer/{verb}?key={KEY}/evil" for verb in ("skip", "end", "resend", "retry", "make-up")),
    *("/steer/pause?breadth=participant&name=%3Cscript%3E", "/nowhere", "/occurrence?key=%3Cscript%3E"),
]
VOID = {"meta", "link", "input", "br", "img", "hr"}


class Tags(HTMLParser):
    """Every tag is closed in its turn; scripts and styles stand in files of ours, and ids are unique."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.headings: list[int] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert not [name for name in given if name.startswith("on") or name == "style"], (tag, attrs)
        assert tag != "style"
        if tag == "script":
            assert (given["src"] or "").startswith("/static/page.js?")
        self.ids += [given["id"] or ""] if "id" in given else []
        self.headings += [int(tag[1])] if re.fullmatch(r"h[1-6]", tag) else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ("rect", "path", "line"), tag

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_is_whole_and_holds_nothing_foreign(world: World, maria: Browser, path: str) -> None:
    _, text, answer = await maria.get(path)
    tags = Tags()
    tags.feed(text)
    assert tags.open == []
    assert len(tags.ids) == len(set(tags.ids))
    assert tags.headings[0] == tags.headings.count(1) == 1
    assert HOSTILE not in text
    assert "<script>alert" not in text
    assert "Traceback" not in text
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'")
    assert answer.headers["Cache-Control"] == "no-store"
    assert world.faults == []


async def test_today_says_what_is_live_what_went_wrong_and_what_comes(maria: Browser) -> None:
    _, text, _ = await maria.get("/")
    wrong, live = text.partition('id="live"')[0], text.partition('id="live"')[2]
    assert "Dev Anand" in wrong
    assert "failed: the service refused the request" in wrong
    assert "no place became free" in wrong
    assert "mail cleo@example.com: waiting, 1 try failed" in wrong
    assert "Ana Ruiz" in live
    for zone in ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"):
        assert zone in live
    assert "Europe/London" not in live  # its one schedule is switched off
    assert "6 planned" in live  # the afternoon, of which nothing is written yet
    assert LINK not in text


async def test_the_next_days_are_drawn_against_the_cap(maria: Browser) -> None:
    _, text, _ = await maria.get("/days")
    assert text.count("<svg") == 5  # nothing at the weekend
    assert "At most 6 at once, first at 15:33, of 6 allowed." in text
    status, text, _ = await maria.get("/days?zone=Mars/Base")
    assert status == 404
    assert "no time zone" in text


async def test_what_is_not_drawn_is_not_said_to_be_nothing(tmp_path: Path) -> None:
    conversation = "{persona_id: pdced222244b, replica_id: rfe12d8b9597}"
    often = f"when: {{every: 4s}}, timezone: UTC, conversation: {conversation}"
    text = f"version: 1\nschedules:\n  often: {{{often}}}\n"
    async with opened(tmp_path, token=None, text=text) as world, aiohttp.ClientSession() as session:
        anybody = Browser(session, world.url)
        _, days, _ = await anybody.get("/days")
        _, today, _ = await anybody.get("/")
    assert days.count("more slots than are looked at") == 7
    assert "Nothing is planned" not in days
    assert "<b>8,699</b> still to come today" in today


async def test_an_occurrence_tells_its_story(maria: Browser) -> None:
    _, text, _ = await maria.get(f"/occurrence?key={KEY}/cleo")
    for said in (
        "A conversation was asked for",
        "The link was handed over by log",
        "Handing over the link by mail cleo@example.com failed: the other side was busy",
        "421 try again later",
        "America/New_York",
    ):
        assert said in text
    _, text, _ = await maria.get(f"/occurrence?key={KEY}/dev")
    assert "400 Invalid replica_id" in text


async def test_an_occurrence_to_come_is_shown_before_it_is_written(maria: Browser) -> None:
    status, text, _ = await maria.get("/occurrence?key=closing-deals/afternoon/2026-12-01/ana")
    assert status == 200
    assert "It is not written yet" in text
    assert "/steer/skip" in text


async def test_an_unknown_occurrence_or_person_is_suggested(maria: Browser) -> None:
    status, text, _ = await maria.get(f"/occurrence?key={KEY}/anna")
    assert status == 404
    assert f"{KEY}/ana" in text
    status, text, _ = await maria.get("/person?id=cleoo")
    assert status == 404
    assert "Cleo Hart" in text


async def test_a_person_has_a_future_and_a_past(maria: Browser) -> None:
    _, text, _ = await maria.get("/person?id=ana")
    assert "closing-deals/afternoon/2026-11-30/ana" in text
    assert "log <span" in text
    assert "America/New_York" in text


async def test_schedules_say_when_they_come_next_and_what_the_last_reload_did(maria: Browser) -> None:
    _, text, _ = await maria.get("/schedules")
    assert "disabled" in text
    assert "+3, -1, 2 moved today" in text
    assert "Tue 1 Dec 2026, 15:30" in text


async def test_the_account_says_what_is_used(world: World, maria: Browser) -> None:
    await world.ledger.hold("spent", NOW - 60)
    ahead = find(world.config.schedules.values(), "objection-handling/09:00/2026-12-02/ana")
    assert ahead is not None
    await world.ledger.steering.skip_ahead(ahead, Asker("ops", "<b>"), NOW)
    world.changes.ring()
    world.clock.at += 2
    _, text, _ = await maria.get("/account")
    assert f"Taken back before its time: {ahead.key} by ops (“&lt;b&gt;”)" in text
    assert "2 of 6" in text
    assert "7 of 60" in text
    assert "the account has no credit" in text
    assert "/steer/resume-account" in text


async def test_a_list_is_read_a_page_at_a_time(world: World, maria: Browser) -> None:
    seen: list[str] = []
    await many(world, 120)
    path = "/occurrences?schedule=objection-handling"
    for _ in range(4):
        _, text, _ = await maria.get(path)
        seen += re.findall(r'href="/occurrence\?key=([^"]+)"', text)
        following = re.search(r'href="([^"]+)" rel="next"', text)
        if following is None:
            break
        path = following[1].replace("&amp;", "&")
    assert len(seen) == len(set(seen)) == 125


async def many(world: World, days: int) -> None:
    """One promise of Ana's a day for a while, long ago."""
    found = find(world.config.schedules.values(), f"{KEY}/ana")
    assert found
    old = [
        found._replace(
            date=(date.fromisoformat(DAY) - timedelta(days=n)).isoformat(),
            due=found.due - n * DAY_S,
            opens=found.opens - n * DAY_S,
            skip="excluded",
        )
        for n in range(1, days + 1)
    ]
    await world.ledger.promise(old, world.config.schedules, NOW, None)


@pytest.mark.parametrize(
    ("path", "status"), [("/nowhere", 404), ("/static/none.css", 404), ("/acount", 404), ("/occurrence", 404)]
)
async def test_errors_are_pages_for_people(maria: Browser, path: str, status: int) -> None:
    got, text, answer = await maria.get(path)
    assert got == status
    assert answer.content_type == "text/html"
    assert '<a href="/">Today</a>' in text
    got, text, answer = await maria.get(path, Accept="application/json")
    assert got == status
    if path != "/occurrence":
        assert answer.content_type == "text/plain"


async def test_what_is_misspelt_is_suggested_and_what_is_not_allowed_is_said(maria: Browser) -> None:
    assert 'href="/account"' in (await maria.get("/acount"))[1].partition("<main")[2]
    status, _, answer = await maria.post("/account", {})
    assert (status, answer.headers["Allow"]) == (405, "GET,HEAD")


@pytest.mark.parametrize(
    "query",
    ["after=x", "after=1e999%20k", "after=nan", "date=2026-13-01", "date=0001-01-01", "stage=odd", "from=-1"],
)
async def test_a_query_of_nonsense_is_no_fault(world: World, maria: Browser, query: str) -> None:
    for path in ("/occurrences", "/people", "/person", "/schedules"):
        status, _, _ = await maria.get(f"{path}?{query}&id=ana")
        assert status == 200, path
    assert world.faults == []


async def test_only_the_main_part_is_sent_to_who_asks_for_it(maria: Browser, browser: Browser) -> None:
    _, text, _ = await maria.get("/", X_Part="main")
    assert text.startswith("<h1>Today</h1>") or "<h1>Today</h1>" in text
    assert "<html" not in text
    maria.cookies.clear()
    status, _, _ = await maria.get("/", X_Part="main")
    assert status == 401


async def test_assets_are_ours_and_may_be_kept(browser: Browser) -> None:
    _, text, _ = await browser.get("/sign-in")
    names = re.findall(r'(?:href|src)="(/static/[^"]+)"', text)
    assert len(names) == 3
    for name in names:
        status, body, answer = await browser.get(name)
        assert status == 200
        assert body
        assert "immutable" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("name", ["..%2fsite.py", "%2e%2e/site.py", "page.css%00", quote("é")])
async def test_no_other_file_is_an_asset(browser: Browser, name: str) -> None:
    assert (await browser.get(f"/static/{name}"))[0] in (400, 404)


async def test_a_ledger_that_cannot_be_read_is_said(world: World, maria: Browser) -> None:
    for each in world.path.parent.glob("callboard.db*"):
        each.rename(each.with_name(each.name + ".away"))
    status, text, _ = await maria.get("/")
    assert status == 503
    assert "try again" in text
    assert world.faults == []
