"""The join page as a browser without JavaScript meets it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from yarl import URL

from jobs.tavus.sandbox import Sandbox

START = 1_795_251_600.0
NASTY = """"><script>alert(1)</script>{{ 7*7 }}'&"""


class Browser:
    """Follows forms and redirects, and keeps the page it stands on."""

    def __init__(self) -> None:
        self.now = START
        self.sandbox = Sandbox(lambda: self.now)
        self.http: aiohttp.ClientSession
        self.at = URL()
        self.status, self.page = 0, ""

    async def make(self, **body: Any) -> dict[str, Any]:
        body = {"persona_id": "pdced222244b", **body}
        headers = {"x-api-key": "any"}
        async with self.http.post("/v2/conversations", json=body, headers=headers) as response:
            return await response.json()

    async def open(self, url: str | URL, method: str = "GET") -> aiohttp.ClientResponse:
        async with self.http.request(method, url) as response:
            self.at, self.status, self.page = response.url, response.status, await response.text()
            return response

    async def press(self, button: str) -> None:
        form = re.search(r'<form method="post" action="([^"]+)">\s*<button[^>]*>(\w+)', self.page)
        assert form is not None and form[2] == button
        await self.open(self.at.join(URL(form[1].replace("&amp;", "&"))), "POST")

    def present(self, conversation_id: str) -> int:
        return len(self.sandbox.rooms[conversation_id].life.present)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    browser = Browser()
    async with browser.sandbox.serving() as base, aiohttp.ClientSession(base) as browser.http:
        yield browser


async def test_looking_is_not_joining(browser):
    made = await browser.make(conversation_name="Objections [cb-ABC-1]")
    response = await browser.open(made["conversation_url"])
    for said in (
        "<h1>Objections</h1>",
        "[cb-ABC-1]",
        "Sales Coach",
        "Nathan",
        "5:00",
        "Waiting for somebody",
        "unless somebody joins",
    ):
        assert said in browser.page
    assert browser.present(made["conversation_id"]) == 0
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert response.headers["Referrer-Policy"] == "no-referrer"


async def test_join_and_leave(browser):
    made = await browser.make(properties={"max_call_duration": 1800, "participant_left_timeout": 60})
    await browser.open(made["conversation_url"])
    browser.now += 299
    await browser.press("Join")
    assert "You are in" in browser.page
    assert "25:01" in browser.page
    assert browser.present(made["conversation_id"]) == 1
    await browser.open(browser.at)
    assert browser.present(made["conversation_id"]) == 1
    await browser.press("Leave")
    assert "1:00" in browser.page
    assert "unless somebody comes back" in browser.page
    browser.now += 60
    await browser.open(browser.at)
    assert "This conversation is over. Everybody had left." in browser.page
    assert "<form" not in browser.page


async def test_two_people_are_two(browser):
    made = await browser.make(max_participants=3)
    for _ in range(2):
        await browser.open(made["conversation_url"])
        await browser.press("Join")
    assert "1 other person in the room." in browser.page
    await browser.open(made["conversation_url"])
    assert "2 people in the room." in browser.page
    await browser.press("Join")
    assert browser.status == 409
    assert "the room is full" in browser.page
    assert browser.present(made["conversation_id"]) == 2


async def test_joining_too_late(browser):
    made = await browser.make()
    await browser.open(made["conversation_url"])
    browser.now += 300
    await browser.press("Join")
    assert (browser.status, browser.present(made["conversation_id"])) == (409, 0)
    assert "Nobody joined in time." in browser.page


async def test_a_private_room_opens_with_its_token_while_that_lives(browser):
    made = await browser.make(require_auth=True, properties={"participant_absent_timeout": 60})
    url, room = URL(made["conversation_url"]), made["conversation_id"]
    for wrong in (url, url.with_query(t="x"), url.with_query(t="\udcff")):
        await browser.open(wrong)
        assert browser.status == 403
    await browser.open(url / "enter", "POST")
    assert (browser.status, browser.present(room)) == (403, 0)
    await browser.open(url.with_query(t=made["meeting_token"]))
    await browser.press("Join")
    assert browser.present(room) == 1
    browser.now += 61
    await browser.open(browser.at)
    assert "You are in" in browser.page
    await browser.open(url.with_query(t=made["meeting_token"]))
    assert browser.status == 403


async def test_whatever_is_written_stays_text(browser):
    made = await browser.make(conversation_name=NASTY, custom_greeting=NASTY)
    await browser.open(f"{made['conversation_url']}?t={NASTY}")
    await browser.press("Join")
    assert browser.present(made["conversation_id"]) == 1
    assert "<script>alert" not in browser.page
    assert browser.page.count("{{ 7*7 }}") == 3  # title, heading, greeting


async def test_an_unknown_link_is_a_friendly_404(browser):
    await browser.open("/join/c0")
    assert (browser.status, "No such conversation" in browser.page) == (404, True)
    await browser.open("/join/c0/leave", "POST")
    assert browser.status == 404


async def test_an_ended_private_room_and_test_mode_say_so(browser):
    private = await browser.make(require_auth=True)
    browser.sandbox.shut(private["conversation_id"], "internal error occurred at step 3")
    await browser.open(private["conversation_url"])
    assert "internal error occurred at step 3" in browser.page
    await browser.open((await browser.make(test_mode=True))["conversation_url"])
    assert "test mode" in browser.page
