"""What is done from a page: asked of the desk with who and why, and only by a form of ours."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest

from scheduler.desk import Asker, Breadth, Missed, Refused, Scope
from scheduler.web.guards import LARGEST_BODY
from tests.contract.web.conftest import Browser
from tests.contract.web.world import World

KEY = "objection-handling/09:00/2026-11-30/ana"
BY = Asker("Maria", "she is ill")
NINE = datetime.fromisoformat("2026-12-01T09:00-05:00").timestamp()

DEEDS = [
    ("pause", {"breadth": "all"}, ("pause", Scope(), None, BY)),
    (
        "pause",
        {"breadth": "participant", "name": "ana", "until": "2026-12-01T09:00"},
        ("pause", Scope(Breadth.PARTICIPANT, "ana"), NINE, BY),
    ),
    (
        "resume",
        {"breadth": "schedule", "name": "closing-deals"},
        ("resume", Scope(Breadth.SCHEDULE, "closing-deals"), BY),
    ),
    ("skip", {"key": KEY}, ("skip", KEY, BY)),
    ("end", {"key": KEY}, ("end", KEY, BY)),
    ("resend", {"key": KEY, "channel": "mail"}, ("resend", KEY, "mail", BY)),
    ("resend", {"key": KEY, "channel": ""}, ("resend", KEY, None, BY)),
    ("retry", {"key": KEY}, ("retry", KEY, BY)),
    (
        "make-up",
        {"key": KEY, "on": "2026-12-01", "at": "10:30", "sure": "yes"},
        ("make_up", KEY, date(2026, 12, 1), time(10, 30), BY, False),
    ),
    (
        "make-up",
        {"on": "2026-12-01", "at": "", "sure": "yes"},
        ("make_up", Missed(), date(2026, 12, 1), None, BY, False),
    ),
    ("resume-account", {}, ("resume_account", BY)),
    ("reload", {}, ("reload", BY)),
]


@pytest.mark.parametrize(("verb", "fields", "asked"), DEEDS)
async def test_a_form_asks_the_desk(
    world: World, maria: Browser, verb: str, fields: dict[str, str], asked: tuple[object, ...]
) -> None:
    status, text, _ = await maria.get(f"/steer/{verb}?" + "&".join(f"{k}={v}" for k, v in fields.items()))
    assert status == 200
    assert world.desk.asked == []  # a GET never acts
    csrf = text.partition('name="csrf" value="')[2].partition('"')[0]
    form = {**fields, "why": " she  is\nill ", "csrf": csrf}
    status, text, _ = await maria.post(f"/steer/{verb}", form)
    assert (status, world.desk.asked) == (200, [asked])
    assert "so be it" in text


async def test_a_make_up_is_shown_before_it_is_done(world: World, maria: Browser) -> None:
    form = {"key": KEY, "on": "2026-12-01", "at": "", "csrf": await maria.csrf()}
    status, text, _ = await maria.post("/steer/make-up", form)
    assert status == 200
    assert "What it would do" in text
    assert 'name="sure" value="yes"' in text
    assert [asked[-1] for asked in world.desk.asked] == [True]


async def test_what_the_desk_refuses_is_said_with_its_reason(world: World, maria: Browser) -> None:
    world.desk.refusal = Refused("the files are refused", ["callboard.yaml:3:1: <b>no</b>"])
    status, text, _ = await maria.post("/steer/reload", {"csrf": await maria.csrf()})
    assert status == 409
    assert "the files are refused" in text
    assert "callboard.yaml:3:1: &lt;b&gt;no&lt;/b&gt;" in text


@pytest.mark.parametrize(
    ("verb", "form", "said"),
    [
        ("pause", {"breadth": "everything"}, "a pause is for"),
        ("pause", {"breadth": "all", "until": "soon"}, "no date and time"),
        ("pause", {"breadth": "all", "until": "2026-12-01T09:00+05:00"}, "no date and time"),
        ("make-up", {"key": KEY, "on": "tomorrow"}, "no date"),
        ("make-up", {"key": KEY, "on": "2026-12-01", "at": "09:00+05:00"}, "no time of day"),
        ("make-up", {"key": KEY, "on": "2026-12-01", "at": "noon"}, "no time of day"),
    ],
)
async def test_what_cannot_be_read_is_said(
    world: World, maria: Browser, verb: str, form: dict[str, str], said: str
) -> None:
    status, text, _ = await maria.post(f"/steer/{verb}", {**form, "csrf": await maria.csrf()})
    assert status == 409
    assert said in text
    assert world.desk.asked == []


@pytest.mark.parametrize("csrf", ["", "wrong", "é" * 43])
async def test_a_form_without_its_token_does_nothing(world: World, maria: Browser, csrf: str) -> None:
    assert (await maria.post("/steer/reload", {"csrf": csrf}))[0] == 403
    assert world.desk.asked == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://[bad"},
        {"Origin": ""},
        {"Origin": "", "Sec_Fetch_Site": "cross-site"},
    ],
)
async def test_a_form_from_elsewhere_does_nothing(
    world: World, maria: Browser, headers: dict[str, str]
) -> None:
    csrf = await maria.csrf()
    assert (await maria.post("/steer/reload", {"csrf": csrf}, **headers))[0] == 403
    assert world.desk.asked == []


async def test_one_persons_form_is_not_anothers(world: World, maria: Browser) -> None:
    csrf = await maria.csrf()
    other = Browser(maria.session, maria.url)
    assert await other.sign_in(name="Otto") == 303
    assert (await other.post("/steer/reload", {"csrf": csrf}))[0] == 403
    assert world.desk.asked == []


async def test_a_stranger_cannot_act(world: World, browser: Browser) -> None:
    status, _, answer = await browser.post("/steer/reload", {"csrf": ""})
    assert (status, answer.headers["Location"]) == (303, "/sign-in")
    assert world.desk.asked == []


async def test_only_forms_of_their_size_are_taken(world: World, maria: Browser) -> None:
    csrf = await maria.csrf()
    large = {"csrf": csrf, "why": "x" * LARGEST_BODY}
    assert (await maria.post("/steer/reload", large))[0] == 413
    json = {"Content_Type": "application/json"}
    assert (await maria.post("/steer/reload", b'{"csrf": "x"}', **json))[0] == 415
    many = b"&".join(b"a=%d" % n for n in range(5_000)) + f"&csrf={csrf}".encode()
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    status, _, _ = await maria.post("/steer/reload", many, **form)
    assert status < 500
    assert world.faults == []


async def test_what_cannot_be_done_is_not_found(maria: Browser) -> None:
    assert (await maria.get("/steer/delete-everything"))[0] == 404
    assert (await maria.post("/steer/delete-everything", {"csrf": await maria.csrf()}))[0] == 404
