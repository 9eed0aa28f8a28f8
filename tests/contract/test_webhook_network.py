"""Posting to services that are away, silent, slow or endless, through every channel that posts."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from jobs.errors import Blame, Reason
from jobs.model import Address, Delivered

from .conftest import RawServer, Script, answer, listening, says
from .hooks import AT_ONCE, PATH, failure, opened, step

CHANNELS = pytest.mark.parametrize("channel", ["webhook", "slack"])
HEAD = b"HTTP/1.1 200 OK\r\n"
TEN_MEGABYTES = 10 * 1024 * 1024


# --- nothing was sent ------------------------------------------------------------------------------------


@CHANNELS
async def test_nobody_listens(channel: str, unused_tcp_port: int) -> None:
    async with opened() as deliver:
        failed = await failure(deliver(step(channel, f"http://127.0.0.1:{unused_tcp_port}{PATH}")))
    assert failed.reason is Reason.BUSY


@CHANNELS
async def test_no_such_host(channel: str) -> None:
    async with opened() as deliver:
        failed = await failure(deliver(step(channel, f"https://nowhere.invalid{PATH}")))
    assert failed.reason is Reason.BUSY
    assert failed.detail.startswith("nowhere.invalid: ")


@pytest.mark.skipif(not shutil.which("openssl"), reason="makes its certificate with openssl")
@CHANNELS
async def test_a_certificate_that_nobody_signed(channel: str, tmp_path: Path) -> None:
    heard = list[bytes]()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read())

    server = await asyncio.start_server(listen, "127.0.0.1", 0, ssl=own_certificate(tmp_path))
    async with server, opened() as deliver:
        port = server.sockets[0].getsockname()[1]
        failed = await failure(deliver(step(channel, f"https://127.0.0.1:{port}{PATH}")))
    assert failed.reason is Reason.BUSY
    assert "certificate" in failed.detail
    assert b"".join(heard) == b""


def own_certificate(folder: Path) -> ssl.SSLContext:
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    asked = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1"]
    asked += ["-addext", "subjectAltName=IP:127.0.0.1", "-days", "1", "-keyout", key, "-out", certificate]
    subprocess.run(asked, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


UNUSABLE = [
    "",
    "canary",
    "ftp://example.com/canary",
    "http://example.com/canary",
    "http://127.0.0.1.example.com/canary",
    "https:///canary",
    "https://[canary",
    "https://example.com:99999/canary",
    "https://example.com/canary\r\nX-Evil: 1",
    "https://example.com/ canary",
    f"https://{'a' * 64}.example.com/canary",
]


@CHANNELS
@pytest.mark.parametrize("url", UNUSABLE)
async def test_a_url_that_cannot_be_used(url: str, channel: str) -> None:
    async with opened() as deliver:
        failed = await failure(deliver(step(channel, url)))
    assert (failed.reason, failed.blame) == (Reason.REFUSED, Blame.SETUP)


# --- sent, and no answer that can be read ------------------------------------------------------------------

UNKNOWN: dict[str, Script] = {
    "reset": says(b"", then="reset"),
    "closed": says(b""),
    "silent": says(b"", then="nothing"),
    "closed in the head": says(HEAD + b"Content-Len"),
    "not HTTP": says(b"220 canary\r\n\r\n"),
    "an endless head": says(HEAD + b"X-Canary: " + b"x" * 100_000 + b"\r\n\r\n"),
}


@CHANNELS
@pytest.mark.parametrize("name", UNKNOWN)
async def test_it_may_have_arrived(name: str, channel: str, raw: RawServer) -> None:
    raw.scripts = [UNKNOWN[name]]
    async with opened(total_s=0.3) as deliver:
        failed = await failure(deliver(step(channel, raw.base_url + PATH)))
    assert failed.reason is Reason.LOST
    assert len(raw.heads) == 1


# --- answers that don't end --------------------------------------------------------------------------------


class Talker:
    """Answers 200 and goes on talking, or drips one byte, until nobody listens; counts what it got rid of."""

    def __init__(self, *, drips: bool) -> None:
        self._drips = drips
        self.said = 0
        self.hung_up = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"}")
        writer.write(HEAD + f"Content-Length: {TEN_MEGABYTES}\r\n\r\n".encode())
        with suppress(ConnectionError):
            for piece in [b"x"] if self._drips else [bytes(1024)] * (TEN_MEGABYTES // 1024):
                writer.write(piece)
                await writer.drain()
                self.said += len(piece)
            await reader.read()
        self.hung_up += 1


async def test_ten_megabytes_are_not_listened_to() -> None:
    talker = Talker(drips=False)
    async with listening(talker) as port, opened() as deliver:
        url = f"http://127.0.0.1:{port}{PATH}"
        assert await deliver(step("webhook", url)) == Delivered(Address("webhook", url))
        failed = await failure(deliver(step("slack", url)))
    assert failed.reason is Reason.REFUSED
    assert talker.hung_up == 2
    assert talker.said < TEN_MEGABYTES


@pytest.mark.parametrize(("answer_s", "total_s"), [(0.1, 5.0), (5.0, 0.3)])
async def test_a_dripping_answer_has_been_given_all_the_same(answer_s: float, total_s: float) -> None:
    """The status has said it; what drips after it is waited for no longer than either time-out."""
    talker = Talker(drips=True)
    async with listening(talker) as port, opened(answer_s=answer_s, total_s=total_s) as deliver:
        url = f"http://127.0.0.1:{port}{PATH}"
        assert await deliver(step("webhook", url)) == Delivered(Address("webhook", url))
        failed = await failure(deliver(step("slack", url)))
    assert failed.reason is Reason.LOST
    assert talker.hung_up == 2


# --- many at once ------------------------------------------------------------------------------------------


async def test_one_host_gets_so_many_at_once_and_keeps_no_other_waiting(raw: RawServer) -> None:
    held = most = 0
    full, go_on = asyncio.Event(), asyncio.Event()

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal held, most
        await reader.readuntil(b"}")
        held += 1
        most = max(most, held)
        if held == AT_ONCE:
            full.set()
        await go_on.wait()
        held -= 1
        writer.write(HEAD + b"Content-Length: 0\r\nConnection: close\r\n\r\n")

    raw.scripts = [answer(200)]
    async with listening(hold) as port, opened() as deliver, asyncio.TaskGroup() as group:
        urls = [f"http://127.0.0.1:{port}/{n}" for n in range(10)]
        posts = [group.create_task(deliver(step("webhook", url))) for url in urls]
        await full.wait()
        await deliver(step("webhook", raw.base_url))
        assert not any(post.done() for post in posts)
        go_on.set()
    assert most == AT_ONCE


async def test_time_runs_from_ones_own_turn(raw: RawServer) -> None:
    """Whoever waits for a silent host gets a whole try: all are sent, none times out in the queue."""
    raw.scripts = [says(b"", then="nothing")]
    async with opened(total_s=0.2) as deliver, asyncio.TaskGroup() as group:
        posts = [
            group.create_task(failure(deliver(step("webhook", raw.base_url)))) for _ in range(2 * AT_ONCE)
        ]
    assert {post.result().reason for post in posts} == {Reason.LOST}
    assert len(raw.heads) == 2 * AT_ONCE
