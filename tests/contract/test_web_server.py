"""The door: who is let in, how much they may send and how slowly, and what no answer shows."""

from __future__ import annotations

import asyncio
import errno
import socket

import aiohttp
import pytest
from aiohttp import web

from scheduler.model import Listen
from scheduler.web import ListenError, application, serving
from scheduler.web.guards import HEADERS, LARGEST_BODY, is_this_machine
from scheduler.web.server import MOST_CONNECTIONS
from tests.contract.web_world import door

SECRET = "it-holds-a-secret"


async def greet(request: web.Request) -> web.Response:
    return web.Response(text=f"hello {len(await request.text())}")


async def fail(_: web.Request) -> web.Response:
    raise KeyError(SECRET)


def head(*lines: str) -> bytes:
    return "\r\n".join([*lines, "", ""]).encode()


async def test_every_answer_wears_the_headers_and_names_no_software() -> None:
    async with door(web.get("/", greet), web.get("/fail", fail)) as at, aiohttp.ClientSession() as client:
        for path, status in (("/", 200), ("/fail", 500), ("/not-there", 404)):
            async with client.get(at.url + path) as answer:
                assert answer.status == status
                assert "Server" not in answer.headers
                assert {name: answer.headers[name] for name in HEADERS} == HEADERS


async def test_a_fault_of_ours_is_told_by_its_place_and_shown_to_nobody() -> None:
    async with (
        door(web.get("/fail", fail)) as at,
        aiohttp.ClientSession() as client,
        client.get(f"{at.url}/fail", headers={"Accept": "text/html"}) as answer,
    ):
        text = await answer.text()
    assert (answer.status, text) == (500, "500: Internal Server Error")
    assert len(at.faults) == 1 and at.faults[0].startswith("KeyError in fail:")
    assert SECRET not in at.faults[0]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8710", "localhost:9000", "[::1]:8710", "LOCALHOST"])
def test_names_of_this_machine(host: str) -> None:
    assert is_this_machine(host)


@pytest.mark.parametrize(
    "host",
    [
        "example.com",
        "127.0.0.1.example.com",
        "localhost.example.com:80",
        "10.0.0.1",
        "[::2]",
        "",
        ":80",
        "[",
        "::1",
    ],
)
def test_names_of_others(host: str) -> None:
    assert not is_this_machine(host)


async def test_without_a_token_no_other_name_leads_in() -> None:
    async with door(web.get("/", greet)) as at, aiohttp.ClientSession() as client:
        async with client.get(at.url, headers={"Host": "rebound.example.com"}) as answer:
            assert answer.status == 421 and "service.admin_token" in await answer.text()
        async with client.get(f"{at.url}/not-there", headers={"Host": "rebound.example.com"}) as answer:
            assert answer.status == 421
    async with (
        door(web.get("/", greet), local=False) as at,
        aiohttp.ClientSession() as client,
        client.get(at.url, headers={"Host": "board.example.com"}) as answer,
    ):
        assert answer.status == 200


@pytest.mark.parametrize(
    "lines",
    [
        ("GET / HTTP/1.0",),
        ("GET / HTTP/1.1", "Connection: close"),
        ("GET / HTTP/1.1", "Host: localhost", "Host: evil.example", "Connection: close"),
    ],
)
async def test_one_host_and_no_more(lines: tuple[str, ...]) -> None:
    async with door(web.get("/", greet)) as at:
        told = await at.raw(head(*lines))
    assert b" 400 " in told.splitlines()[0]


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nbroken header\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 1000 + b"\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
    ids=["tls", "broken", "long line", "long header", "many headers", "smuggling"],
)
async def test_what_is_no_request_is_told_one_line_and_leaves(sent: bytes) -> None:
    async with door(web.get("/", greet), web.post("/", greet)) as at:
        told = await at.raw(sent)
    head_told, _, body = told.partition(b"\r\n\r\n")
    assert head_told.startswith(b"HTTP/1.") and b" 400 " in head_told.splitlines()[0]
    assert body == b"400: Bad Request\n"
    assert b"aiohttp" not in told and b"Python" not in told
    assert at.faults == []


async def test_a_body_is_whole_or_refused() -> None:
    async with door(web.post("/", greet)) as at, aiohttp.ClientSession() as client:
        async with client.post(at.url, data=b"a" * 1000) as answer:
            assert await answer.text() == "hello 1000"
        async with client.post(at.url, data=b"a" * (LARGEST_BODY + 1)) as answer:
            assert answer.status == 413
        async with client.post(at.url, data=b"a", headers={"Content-Encoding": "gzip"}) as answer:
            assert await answer.text() == "hello 1"  # nothing is unpacked


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: local"])
async def test_a_head_has_a_time_in_which_to_come(sent: bytes) -> None:
    async with door(web.get("/", greet), head_s=0.05) as at:
        assert await at.raw(sent) == b""


async def test_a_body_has_a_time_in_which_to_come() -> None:
    sent = head("POST / HTTP/1.1", "Host: localhost", "Content-Length: 9") + b"slow"
    async with door(web.post("/", greet), body_s=0.05) as at:
        told = await at.raw(sent)
    assert told.startswith(b"HTTP/1.1 408 ")


async def test_so_many_and_no_more() -> None:
    async with door(web.get("/", greet)) as at:
        several = [await asyncio.open_connection("127.0.0.1", at.port) for _ in range(MOST_CONNECTIONS)]
        assert await at.raw(head("GET / HTTP/1.1", "Host: localhost", "Connection: close")) == b""
        several.pop()[1].close()
        for _ in range(1000):
            if await at.raw(head("GET / HTTP/1.1", "Host: localhost", "Connection: close")):
                break
        else:
            raise AssertionError("the place that was left stays taken")
        for _, writer in several:
            writer.close()


async def test_a_port_that_is_taken_is_told_with_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ListenError, match=f"127.0.0.1:{port} is in use") as raised:
            async with serving(application(print, local=True), Listen("127.0.0.1", port)):
                pass
    assert raised.value.number == errno.EADDRINUSE


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
async def test_an_address_of_somebody_else_is_told(host: str) -> None:
    with pytest.raises(ListenError, match=f"service.listen: {host}:8710 "):
        async with serving(application(print, local=True), Listen(host, 8710)):
            pass


async def test_when_it_closes_whoever_is_inside_may_finish() -> None:
    inside, on = asyncio.Event(), asyncio.Event()

    async def slow(_: web.Request) -> web.Response:
        inside.set()
        await on.wait()
        return web.Response(text="done")

    async with asyncio.TaskGroup() as group, door(web.get("/", slow)) as at:
        asked = group.create_task(at.raw(head("GET / HTTP/1.1", "Host: localhost", "Connection: close")))
        await inside.wait()
        asyncio.get_running_loop().call_later(0.05, on.set)
    assert asked.result().endswith(b"done")
    with pytest.raises(OSError, match="Connect"):
        await at.raw(b"")
