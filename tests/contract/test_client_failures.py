"""Each row of S14 at real sockets: its reason, one request, `sent` once or never, and no key anywhere."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable

import pytest

from jobs.errors import Reason, StepFailed
from jobs.tavus.client import TavusClient, connect

from .conftest import (
    KEY,
    REQUEST,
    ROOM,
    VERBS,
    RawServer,
    Script,
    Tally,
    Verb,
    answer,
    failure,
    listening,
    says,
)

# --- not sent: nothing was made ----------------------------------------------------------------------


async def fails_unsent(base_url: str, verb: Verb) -> None:
    sent = Tally()
    async with connect(base_url, KEY, total_s=2.0, connect_s=0.2) as client:
        assert (await failure(verb(client, sent))).reason is Reason.BUSY
    assert sent.rings == 0


async def test_nobody_listens(verb: Verb, unused_tcp_port: int) -> None:
    await fails_unsent(f"http://127.0.0.1:{unused_tcp_port}", verb)


async def test_no_such_host(verb: Verb) -> None:
    await fails_unsent("https://nowhere.invalid", verb)


async def test_what_is_kept_back_at_the_last_moment_is_not_sent(verb: Verb) -> None:
    """A worker that was stopped past its lease finds out as its bytes would go: not one of them does."""
    came: list[bytes] = []

    async def read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(await reader.read())

    def keep_back() -> None:
        raise StepFailed(Reason.BUSY, "not sent: its time was over")

    async with listening(read) as port:
        async with connect(f"http://127.0.0.1:{port}", KEY, total_s=2.0) as client:
            failed = await failure(verb(client, keep_back))
        assert (failed.reason, failed.detail) == (Reason.BUSY, "not sent: its time was over")
    assert came == [b""]


async def greet_in_plain_text(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 hello\r\n")
    writer.close()


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def keep_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


@pytest.mark.parametrize("server", [greet_in_plain_text, hang_up, keep_silent])
async def test_no_tls(server: Callable[..., Awaitable[None]], verb: Verb) -> None:
    async with listening(server) as port:
        await fails_unsent(f"https://127.0.0.1:{port}", verb)


# --- sent, and no answer that can be read: unknown ---------------------------------------------------

HEAD = b"HTTP/1.1 200 OK\r\n"
GOOD = json.dumps({**ROOM, "data": []}).encode()
HUGE = GOOD + b" " * 1024 * 1024
UNKNOWN: dict[str, Script] = {
    "reset before a byte": says(b"", then="reset"),
    "closed before a byte": says(b""),
    "half closed": says(b"", then="half"),
    "no answer": says(b"", then="nothing"),
    "reset in the head": says(HEAD, then="reset"),
    "closed in the head": says(HEAD + b"Content-Len"),
    "reset in the body": says(HEAD + b"Content-Length: 99\r\n\r\n{", then="reset"),
    "closed in the body": says(HEAD + b"Content-Length: 99\r\n\r\n{"),
    "half closed in the body": says(HEAD + b"Content-Length: 99\r\n\r\n{", then="half"),
    "half a body, then nothing": says(HEAD + b"Content-Length: 99\r\n\r\n{", then="nothing"),
    "closed in a chunk": says(HEAD + b"Transfer-Encoding: chunked\r\n\r\n9\r\n{"),
    "no chunk": says(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{"),
    "not HTTP": says(b"220 hello\r\n\r\n"),
    "an endless head": says(HEAD + b"X: " + b"x" * 100_000 + b"\r\n\r\n"),
    "bad gzip": answer(200, b"not gzip", "Content-Encoding: gzip"),
    "broken gzip": answer(200, gzip.compress(GOOD)[:-30], "Content-Encoding: gzip"),
    "a gzip bomb": answer(200, gzip.compress(HUGE + b" " * 64 * 1024 * 1024), "Content-Encoding: gzip"),
    "a huge body": answer(200, HUGE),
    "a 400 that broke off": says(b"HTTP/1.1 400 X\r\nContent-Length: 99\r\n\r\n{"),
    "a 500": answer(500, {"message": "User has reached maximum concurrent conversations"}),
    "a 503": answer(503, b"<html>", "Retry-After: 12"),
}


@pytest.mark.parametrize("name", UNKNOWN)
@pytest.mark.parametrize("verb", [VERBS["create"], VERBS["survey"]], ids=["create", "survey"])
async def test_an_unknown_outcome(name: str, verb: Verb, raw: RawServer) -> None:
    raw.scripts = [UNKNOWN[name]]
    sent = Tally()
    async with connect(raw.base_url, KEY, total_s=0.3) as client:
        failed = await failure(verb(client, sent))
    assert failed.reason is Reason.LOST
    assert (len(raw.heads), sent.rings) == (1, 1)
    assert failed.retry_after_s == (12.0 if name == "a 503" else None)


@pytest.mark.parametrize("body", [b"", b"OK", b"[1]", b"<html>", b"{}", b'{"conversation_id": "c1"}'])
async def test_a_create_whose_success_says_too_little(
    body: bytes, raw: RawServer, client: TavusClient
) -> None:
    raw.scripts = [answer(200, body)]
    assert (await failure(client.create(REQUEST, Tally()))).reason is Reason.LOST
    assert len(raw.heads) == 1


# --- a definite no -------------------------------------------------------------------------------------

NO = [
    (answer(429, {}, "Retry-After: 7"), Reason.BUSY, 7.0),
    (answer(429, {}), Reason.BUSY, None),
    (answer(408, b""), Reason.BUSY, None),
    (answer(400, {"message": "User has reached maximum concurrent conversations"}), Reason.FULL, None),
    (answer(401, {"message": "Invalid access token"}), Reason.DENIED, None),
    (answer(403, b"<html>"), Reason.DENIED, None),
    (answer(402, {"message": "The user is out of conversational credits"}), Reason.SPENT, None),
    (answer(400, {"error": "Unknown field: foo"}), Reason.REFUSED, None),
    (answer(404, b"<html>"), Reason.REFUSED, None),
    (answer(401, {"message": f"Bad key {KEY}"}), Reason.DENIED, None),
    (answer(422, {"message": f"https://example.com/?x-api-key={KEY}"}), Reason.REFUSED, None),
]


@pytest.mark.parametrize(("script", "reason", "wait_s"), NO)
@pytest.mark.parametrize("verb", [VERBS["create"], VERBS["survey"]], ids=["create", "survey"])
async def test_a_definite_no(
    script: Script, reason: Reason, wait_s: float | None, verb: Verb, raw: RawServer, client: TavusClient
) -> None:
    raw.scripts = [script]
    sent = Tally()
    failed = await failure(verb(client, sent))
    assert (failed.reason, failed.retry_after_s) == (reason, wait_s)
    assert (len(raw.heads), sent.rings) == (1, 1)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(status: int, verb: Verb, raw: RawServer, client: TavusClient) -> None:
    elsewhere = RawServer([answer(200, ROOM)])
    async with listening(elsewhere.serve) as port:
        raw.scripts = [answer(status, b"", f"Location: http://127.0.0.1:{port}/v2/conversations")]
        failed = await failure(verb(client, Tally()))
    assert failed.reason is Reason.REFUSED
    assert "base_url has moved" in failed.detail
    assert (len(raw.heads), len(elsewhere.heads)) == (1, 0)
