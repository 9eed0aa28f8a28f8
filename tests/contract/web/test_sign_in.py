"""The way in: tokens, cookies and sessions, and everybody who should stay outside."""

from __future__ import annotations

import asyncio

import pytest

from scheduler.web.sessions import COOKIE, LASTS_S, TRIED_AT_ONCE, WRONG_S
from tests.contract.web.conftest import Browser
from tests.contract.web.world import LINK, TOKEN, World, at_once

PAGES = ["/", "/days", "/occurrences", "/people", "/person?id=ana", "/schedules", "/account", "/steer/reload"]
KEY = "objection-handling/09:00/2026-11-30/ana"


@pytest.mark.parametrize("path", PAGES)
async def test_a_stranger_is_sent_to_the_sign_in_and_sees_nobody(browser: Browser, path: str) -> None:
    status, text, answer = await browser.get(path)
    assert status == 303
    assert answer.headers["Location"].startswith("/sign-in")
    assert "Ana" not in text


async def test_who_signs_in_comes_to_where_they_wanted_and_only_there(browser: Browser) -> None:
    _, _, answer = await browser.get(f"/occurrence?key={KEY}")
    _, door, _ = await browser.get(answer.headers["Location"])
    assert 'name="next" value="/occurrence?key=' in door
    for wanted, got in (
        ("/occurrence?key=a", "/occurrence?key=a"),
        ("//evil.example/", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("", "/"),
    ):
        _, _, answer = await browser.post("/sign-in", {"name": "Maria", "token": TOKEN, "next": wanted})
        assert answer.headers["Location"] == got


async def test_the_cookie_is_for_nobody_but_us(browser: Browser) -> None:
    _, _, answer = await browser.post("/sign-in", {"name": "Maria", "token": TOKEN, "next": "/"})
    kept = answer.headers["Set-Cookie"]
    assert "HttpOnly" in kept
    assert "SameSite=Strict" in kept
    assert "Path=/" in kept
    assert "Secure" not in kept  # loopback, plain HTTP
    assert TOKEN not in kept


async def test_behind_tls_the_cookie_never_leaves_it(browser: Browser) -> None:
    headers = {"Host": "practice.example.com", "Origin": "https://practice.example.com"}
    _, _, answer = await browser.post("/sign-in", {"name": "Maria", "token": TOKEN, "next": "/"}, **headers)
    assert "Secure" in answer.headers["Set-Cookie"]


async def test_over_plain_http_from_afar_the_token_is_not_even_looked_at(browser: Browser) -> None:
    headers = {"Host": "practice.example.com", "Origin": "http://practice.example.com"}
    status, text, answer = await browser.post(
        "/sign-in", {"name": "M", "token": TOKEN, "next": "/"}, **headers
    )
    assert status == 403
    assert "TLS" in text
    assert "Set-Cookie" not in answer.headers


async def test_a_wrong_token_is_slow_and_counted(world: World, browser: Browser) -> None:
    for _ in range(3):
        assert await browser.sign_in("open-sesame-0123456788") == 403
    assert world.wrongs == [1, 2, 3]
    assert world.clock.waited_s >= 3 * WRONG_S
    assert browser.cookies == {}


async def test_only_so_many_wrong_tokens_are_tried_at_once(world: World, browser: Browser) -> None:
    inside = asyncio.Event()
    world.clock.gate = inside
    statuses: list[int] = []

    async def one() -> None:
        statuses.append(await browser.sign_in("wrong"))
        if statuses.count(429) == 2:
            inside.set()

    await at_once(*(one() for _ in range(TRIED_AT_ONCE + 2)))
    assert sorted(statuses) == [403] * TRIED_AT_ONCE + [429] * 2


@pytest.mark.parametrize("name", ["", "   ", "a" * 65, "a\x00b", "a\u202eb"])
async def test_a_name_that_is_none_is_refused(browser: Browser, name: str) -> None:
    assert await browser.sign_in(name=name) == 400


async def test_a_session_is_always_a_new_one(browser: Browser) -> None:
    browser.cookies[COOKIE] = "chosen-by-somebody-else"
    assert await browser.sign_in() == 303
    first = browser.cookies[COOKIE]
    assert first != "chosen-by-somebody-else"
    assert await browser.sign_in() == 303
    second = browser.cookies[COOKIE]
    assert second != first
    browser.cookies[COOKIE] = first
    assert (await browser.get("/"))[0] == 303  # the earlier one went with it


async def test_a_session_ends_by_itself(world: World, maria: Browser) -> None:
    assert (await maria.get("/"))[0] == 200
    world.clock.at += LASTS_S - 1
    assert (await maria.get("/"))[0] == 200
    world.clock.at += 2
    assert (await maria.get("/"))[0] == 303


async def test_signing_out_ends_the_session_here_too(maria: Browser) -> None:
    cookie, csrf = maria.cookies[COOKIE], await maria.csrf()
    status, _, answer = await maria.post("/sign-out", {"csrf": csrf})
    assert (status, answer.headers["Location"]) == (303, "/sign-in")
    assert COOKIE not in maria.cookies
    maria.cookies[COOKIE] = cookie
    assert (await maria.get("/"))[0] == 303


async def test_join_links_are_for_who_has_signed_in(maria: Browser) -> None:
    assert LINK in (await maria.get(f"/occurrence?key={KEY}"))[1]


async def test_without_a_token_everybody_here_reads_and_nobody_acts(
    open_world: World, anybody: Browser
) -> None:
    for path in PAGES[:-1]:
        status, text, _ = await anybody.get(path)
        assert status == 200, path
        assert "/steer/" not in text
    status, text, _ = await anybody.get(f"/occurrence?key={KEY}")
    assert "Ana Ruiz" in text
    assert LINK not in text
    assert (await anybody.get("/steer/reload"))[0] == 403
    assert (await anybody.post("/steer/reload", {"csrf": ""}))[0] == 403
    assert (await anybody.get("/sign-in"))[0] == 404
    assert open_world.desk.asked == []


async def test_without_a_token_it_answers_to_no_other_name(anybody: Browser) -> None:
    status, text, _ = await anybody.get("/", Host="practice.example.com")
    assert status == 421
    assert "admin_token" in text
    assert "Ana" not in text
