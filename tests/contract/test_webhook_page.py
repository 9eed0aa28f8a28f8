"""The page on webhooks says what is so: its ten lines of Python know a message of ours from any other."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from zoneinfo import ZoneInfo

import pytest

from jobs.channels.posting import open_poster
from jobs.channels.signing import signed
from jobs.channels.webhook import WebhookChannel
from jobs.letter import compose
from jobs.model import Address, Invitation, Participant, Wording

from .conftest import RawServer, answer
from .hooks import EVENT, KEY, MESSAGE, SECRET, step

PAGE = (Path(__file__).parents[2] / "configs" / "README.md").read_text("utf-8").split("\n## Webhooks\n")[1]
OTHER = "whsec_" + "A" * 32

Check = Callable[..., bool]


def block(begins: str) -> str:
    """The indented block of the page that begins so."""
    found = re.search(rf"^    {re.escape(begins)}(.*\n|\n(?=    ))*?(?=^\S)", PAGE, re.M)
    assert found
    return dedent(found[0])


@pytest.fixture
def is_from_callboard() -> Check:
    names: dict[str, Check] = {}
    exec(block("import base64"), names)
    return names["is_from_callboard"]


async def test_a_message_of_ours(raw: RawServer, is_from_callboard: Check) -> None:
    raw.scripts = [answer(200)]
    async with open_poster() as poster:
        await WebhookChannel(poster, lambda _: SECRET, time.time).deliver(step("webhook", raw.base_url))
    lines = [line.split(": ", 1) for line in raw.heads[0].split("\r\n")[1:] if line]
    headers = {name.lower(): value for name, value in lines}
    assert is_from_callboard(headers, raw.bodies[0], SECRET)
    assert not is_from_callboard(headers, raw.bodies[0] + b" ", SECRET)
    assert not is_from_callboard(headers, raw.bodies[0], OTHER)


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-id": EVENT + "1"},
        {"webhook-timestamp": "soon"},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,é v2,x"},
    ],
)
def test_a_message_that_was_changed(changed: dict[str, str], is_from_callboard: Check) -> None:
    headers = signed(EVENT, time.time(), MESSAGE, KEY)
    assert is_from_callboard(headers, MESSAGE, SECRET)
    assert not is_from_callboard({**headers, **changed}, MESSAGE, SECRET)


def test_a_message_with_another_time(is_from_callboard: Check) -> None:
    headers = signed(EVENT, time.time(), MESSAGE, KEY)
    later = str(int(headers["webhook-timestamp"]) + 2)
    assert not is_from_callboard({**headers, "webhook-timestamp": later}, MESSAGE, SECRET)


def test_an_old_message_and_two_signatures(is_from_callboard: Check) -> None:
    old = signed(EVENT, time.time() - 400, MESSAGE, KEY)
    assert not is_from_callboard(old, MESSAGE, SECRET)
    now = signed(EVENT, time.time(), MESSAGE, KEY)
    both = {**now, "webhook-signature": "v1,other " + now["webhook-signature"]}
    assert is_from_callboard(both, MESSAGE, SECRET)


def test_the_sample_is_what_is_posted() -> None:
    sample = json.loads(block('{"id"'))
    told, at = sample["data"], 1_796_133_571.0
    invitation = Invitation(
        id="cb-Q2YV6RTTLPNCA3FZ-1",
        key=told["occurrence"],
        schedule=told["schedule"],
        slot=told["slot"],
        date=told["date"],
        participant=Participant(**told["participant"]),
        timezone="America/New_York",
        due=at + 29,
        url=told["link"],
        created_at=at,
        not_after=at + 90,
        max_call_s=1800,
    )
    address = Address("webhook", "https://hr.example.com/hooks/practice")
    posted = json.loads(compose(invitation, address, Wording(), lambda *_: "", ZoneInfo, None) or b"")
    assert posted == {**sample, "id": posted["id"]}
    assert re.sub(r"\w+$", "", posted["id"]) == re.sub(r"\w+$", "", sample["id"])
