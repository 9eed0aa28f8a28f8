"""A webhook is a signed POST: what goes out, and what each answer makes of the delivery."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json

import pytest

from jobs.channels.posting import open_poster
from jobs.channels.webhook import WebhookChannel
from jobs.errors import Blame, Reason
from jobs.model import Address, Delivered

from .conftest import RawServer, answer, listening
from .hooks import EVENT, KEY, LINK, MESSAGE, NOW, PATH, SECRET, failure, opened, step


def headers(head: str) -> dict[str, str]:
    """The headers of a request, by their names in lower case; none may come twice."""
    pairs = [line.split(": ", 1) for line in head.split("\r\n")[1:] if line]
    found = {name.lower(): value for name, value in pairs}
    assert len(found) == len(pairs)
    return found


# --- what goes out -----------------------------------------------------------------------------------


async def test_the_message_goes_out_as_it_was_frozen(raw: RawServer) -> None:
    raw.scripts = [answer(200)]
    asked = step("webhook", raw.base_url + PATH)
    async with opened() as deliver:
        assert await deliver(asked) == Delivered(asked.address)
    assert raw.bodies == [MESSAGE]
    (head,) = raw.heads
    told = headers(head)
    assert head.startswith(f"POST {PATH} HTTP/1.1\r\n")
    assert told["content-type"] == "application/json"
    assert told["user-agent"].startswith("callboard")
    assert not {"cookie", "authorization", "x-api-key", "referer"} & set(told)


async def test_a_receiver_that_checks_signatures_takes_it(raw: RawServer) -> None:
    """Checked as the specification tells receivers to, with nothing of ours."""
    raw.scripts = [answer(204)]
    async with opened() as deliver:
        await deliver(step("webhook", raw.base_url))
    told = headers(raw.heads[0])
    assert told["webhook-id"] == EVENT
    assert int(told["webhook-timestamp"]) == int(NOW)
    version, _, signature = told["webhook-signature"].partition(",")
    content = b".".join([told["webhook-id"].encode(), told["webhook-timestamp"].encode(), raw.bodies[0]])
    expected = base64.b64encode(hmac.new(KEY, content, hashlib.sha256).digest()).decode()
    assert (version, signature) == ("v1", expected)


async def test_a_retry_has_the_same_id_and_its_own_time(raw: RawServer) -> None:
    raw.scripts = [answer(500), answer(200)]
    times = iter([NOW, NOW + 5])
    async with open_poster() as poster:
        channel = WebhookChannel(poster, lambda _: SECRET, lambda: next(times))
        await failure(channel.deliver(step("webhook", raw.base_url)))
        await channel.deliver(step("webhook", raw.base_url))
    first, second = map(headers, raw.heads)
    assert first["webhook-id"] == second["webhook-id"]
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 5
    assert first["webhook-signature"] != second["webhook-signature"]


async def test_the_secret_is_that_of_the_url(raw: RawServer) -> None:
    raw.scripts = [answer(200)]
    url, asked = raw.base_url + PATH, list[str]()
    async with open_poster() as poster:
        channel = WebhookChannel(poster, lambda url: asked.append(url) or SECRET, lambda: NOW)  # type: ignore[func-returns-value]
        await channel.deliver(step("webhook", url))
    assert asked == [url]


# --- what can't be signed isn't sent -------------------------------------------------------------------


@pytest.mark.parametrize(
    "secret", [None, "", "canary", "whsec_", "whsec_canary", "whsec_" + "A" * 20, SECRET[6:], SECRET + "!"]
)
async def test_without_a_good_secret_nothing_is_sent(secret: str | None, raw: RawServer) -> None:
    async with opened(secret) as deliver:
        failed = await failure(deliver(step("webhook", raw.base_url + PATH)))
    assert (failed.reason, failed.blame) == (Reason.REFUSED, Blame.SETUP)
    assert "secret" in failed.detail
    assert raw.heads == []


@pytest.mark.parametrize(
    "message",
    [
        None,
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        *(json.dumps({"id": bad}).encode() for bad in ("", "a.b", "a\r\nX-Evil: 1", "é", "a" * 129, 7, None)),
    ],
)
async def test_an_event_without_a_good_id_is_not_sent(message: bytes | None, raw: RawServer) -> None:
    async with opened() as deliver:
        failed = await failure(deliver(step("webhook", raw.base_url, message)))
    assert failed.reason is Reason.REFUSED
    assert raw.heads == []


# --- what an answer means --------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_a_success_delivers_whatever_it_says(status: int, raw: RawServer) -> None:
    raw.scripts = [answer(status, b"" if status == 204 else LINK.encode())]
    async with opened() as deliver:
        assert await deliver(step("webhook", raw.base_url)) == Delivered(Address("webhook", raw.base_url))


NO = [
    *((status, Reason.REFUSED, Blame.SETUP) for status in (300, 307, 399, 401, 403, 404, 405, 410)),
    *((status, Reason.REFUSED, None) for status in (400, 409, 413, 422, 451)),
    *((status, Reason.BUSY, None) for status in (408, 425, 429)),
    *((status, Reason.LOST, None) for status in (500, 502, 503, 504, 599)),
]


@pytest.mark.parametrize(("status", "reason", "blame"), NO)
async def test_an_answer_without_success(
    status: int, reason: Reason, blame: Blame | None, raw: RawServer
) -> None:
    raw.scripts = [answer(status, LINK.encode(), "Retry-After: 7")]
    async with opened() as deliver:
        failed = await failure(deliver(step("webhook", raw.base_url + PATH)))
    assert (failed.reason, failed.blame) == (reason, blame)
    assert failed.detail.startswith(f"127.0.0.1 answered {status}")
    assert failed.retry_after_s == (None if reason is Reason.REFUSED else 7.0)
    assert len(raw.heads) == 1


async def test_a_redirect_is_not_followed(raw: RawServer) -> None:
    elsewhere = list[bytes]()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        elsewhere.append(await reader.read(100))
        writer.close()

    async with listening(listen) as port, opened() as deliver:
        for status in (301, 302, 303, 307, 308):
            raw.scripts = [answer(status, b"", f"Location: http://localhost:{port}/canary")]
            failed = await failure(deliver(step("webhook", raw.base_url)))
            assert "moved" in failed.detail
    assert (len(raw.heads), elsewhere) == (5, [])


async def test_no_cookie_is_kept(raw: RawServer) -> None:
    raw.scripts = [answer(200, b"", "Set-Cookie: a=b; Path=/")]
    async with opened() as deliver:
        for _ in range(2):
            await deliver(step("webhook", raw.base_url))
    assert ["cookie" in headers(head) for head in raw.heads] == [False, False]
