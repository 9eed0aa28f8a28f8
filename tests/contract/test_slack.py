"""Slack's incoming webhooks: `ok` delivers, its one word for a failure is told, and nobody else's words."""

from __future__ import annotations

import pytest

from jobs.errors import Blame, Reason
from jobs.model import Delivered

from .conftest import RawServer, answer, says
from .hooks import MESSAGE, PATH, failure, opened, step


@pytest.mark.parametrize("said", [b"ok", b"ok\n"])
async def test_ok_delivers(said: bytes, raw: RawServer) -> None:
    raw.scripts = [answer(200, said)]
    asked = step("slack", raw.base_url + PATH)
    async with opened() as deliver:
        assert await deliver(asked) == Delivered(asked.address)
    assert raw.bodies == [MESSAGE]
    assert raw.heads[0].startswith(f"POST {PATH} ")
    assert "webhook-" not in raw.heads[0].lower()


@pytest.mark.parametrize(
    ("status", "word", "blame"),
    [
        (404, b"no_service", Blame.SETUP),
        (403, b"invalid_token", Blame.SETUP),
        (410, b"channel_is_archived", Blame.SETUP),
        (400, b"invalid_payload\n", None),
    ],
)
async def test_its_word_is_told(status: int, word: bytes, blame: Blame | None, raw: RawServer) -> None:
    raw.scripts = [answer(status, word)]
    async with opened() as deliver:
        failed = await failure(deliver(step("slack", raw.base_url + PATH)))
    assert (failed.reason, failed.blame) == (Reason.REFUSED, blame)
    assert failed.detail == f"127.0.0.1 answered {status} {word.decode().strip()}"


@pytest.mark.parametrize(
    "said", [b"", b"no service", b"<html>canary", b"https://canary", b"a" * 41, b"No_Service", b"\xff\x1b[2J"]
)
async def test_anything_but_one_of_its_words_is_not_told(said: bytes, raw: RawServer) -> None:
    raw.scripts = [answer(403, said)]
    async with opened() as deliver:
        failed = await failure(deliver(step("slack", raw.base_url + PATH)))
    assert failed.detail == "127.0.0.1 answered 403"


async def test_too_many_at_once(raw: RawServer) -> None:
    raw.scripts = [answer(429, b"rate_limited", "Retry-After: 30")]
    async with opened() as deliver:
        failed = await failure(deliver(step("slack", raw.base_url)))
    assert (failed.reason, failed.retry_after_s) == (Reason.BUSY, 30.0)


@pytest.mark.parametrize("said", [b"", b"<html>canary", b'{"ok": false, "error": "canary"}', b"okay"])
async def test_a_success_of_somebody_else_delivers_nothing(said: bytes, raw: RawServer) -> None:
    raw.scripts = [answer(200, said)]
    async with opened() as deliver:
        failed = await failure(deliver(step("slack", raw.base_url)))
    assert (failed.reason, failed.blame) == (Reason.REFUSED, Blame.SETUP)


async def test_a_success_that_broke_off_may_have_delivered(raw: RawServer) -> None:
    raw.scripts = [says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no")]
    async with opened() as deliver:
        assert (await failure(deliver(step("slack", raw.base_url)))).reason is Reason.LOST
