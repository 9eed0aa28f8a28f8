"""The client at real sockets: what goes out, what comes back, and one request for each call."""

from __future__ import annotations

import asyncio
import gzip
import socket
from functools import partial

import pytest

from jobs.errors import Reason
from jobs.model import Created, Ended, EndReason, NotEnded, NotThere, Page, StillLive, Survey
from jobs.tavus.client import TavusClient, connect

from .conftest import KEY, REQUEST, ROOM, RawServer, Tally, Verb, answer, failure, says

# --- one call is one request ---------------------------------------------------------------------------


async def test_nothing_is_sent_again_when_a_kept_connection_breaks(
    verb: Verb, raw: RawServer, client: TavusClient
) -> None:
    sent = Tally()
    raw.scripts = [answer(401, b"{}"), says(b"")]
    assert (await failure(verb(client, sent))).reason is Reason.DENIED
    assert (await failure(verb(client, sent))).reason is Reason.LOST
    assert (len(raw.heads), sent.rings) == (2, 2)


async def test_no_pool_holds_anything_back(raw: RawServer, client: TavusClient) -> None:
    all_there = asyncio.Event()

    async def together(writer: asyncio.StreamWriter) -> None:
        if len(raw.heads) == 150:
            all_there.set()
        await all_there.wait()
        await answer(200, ROOM)(writer)

    raw.scripts = [together]
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(client.create(REQUEST, Tally())) for _ in range(150)]
    assert {call.result().conversation_id for call in calls} == {"c1"}


async def test_an_id_that_could_leave_its_path_sends_nothing(raw: RawServer, client: TavusClient) -> None:
    sent = Tally()
    assert (await failure(client.end("../personas", sent))).reason is Reason.REFUSED
    assert (len(raw.heads), sent.rings) == (0, 0)


# --- what goes out, and what comes back ----------------------------------------------------------------


async def test_what_goes_out(raw: RawServer, client: TavusClient) -> None:
    raw.scripts = [answer(200, ROOM, "Set-Cookie: a=b; Path=/"), answer(200, b"")]
    await client.create(REQUEST, Tally())
    await client.end("a?b#c%2F", Tally())
    create, end = (head.lower() for head in raw.heads)
    assert create.startswith("post /v2/conversations http/1.1")
    assert end.startswith("post /v2/conversations/a%3fb%23c%252f/end http/1.1")
    assert "content-type: application/json" in create
    assert "content-type" not in end
    assert raw.bodies[1] == b""
    for head in (create, end):
        assert f"x-api-key: {KEY}" in head
        assert "user-agent: callboard" in head
        assert "cookie" not in head


async def test_every_verb_brings_its_fact(raw: RawServer, client: TavusClient) -> None:
    unknown = answer(400, {"error": "Invalid conversation_id"})
    raw.scripts = [
        answer(200, ROOM, "Content-Type: text/plain"),
        answer(200, gzip.compress(b'{"data": [], "total_count": 0}'), "Content-Encoding: gzip"),
        answer(200, ROOM),
        unknown,
        answer(200, b""),
        unknown,
        answer(200, {"persona_name": "Coach"}),
        answer(200, {"data": [{"replica_name": "Nathan", "status": "completed"}]}),
    ]
    sent = Tally()
    assert isinstance(await client.create(REQUEST, sent), Created)
    assert await client.survey(Survey("active"), sent) == Page((), 0)
    assert await client.inspect("c1", sent) == StillLive()
    assert await client.inspect("c1", sent) == NotThere()
    assert await client.end("c1", sent) == Ended(EndReason.BY_US)
    assert await client.end("c1", sent) == NotEnded()
    assert (await client.persona("p1", sent)).name == "Coach"  # type: ignore[union-attr]
    assert (await client.replica("r1", sent)).status == "completed"  # type: ignore[union-attr]
    assert (len(raw.heads), sent.rings) == (8, 8)


async def test_the_other_spelling(raw: RawServer) -> None:
    raw.scripts = [answer(200, ROOM), answer(200, {}), answer(200, {})]
    async with connect(raw.base_url + "/", KEY, "pal") as client:
        await client.create(REQUEST, Tally())
        await client.persona("p1", Tally())
        await client.replica("r1", Tally())
    assert b'"pal_id": "p1"' in raw.bodies[0]
    assert [head.split()[1] for head in raw.heads] == ["/v2/conversations", "/v2/pals/p1", "/v2/faces/r1"]


# --- what is refused before anything is opened ---------------------------------------------------------


@pytest.mark.parametrize(
    "base_url",
    [
        "",
        "tavusapi.com",
        "ftp://tavusapi.com",
        "http://tavusapi.com",
        "http://127.0.0.1.example.com",
        "https://user:pw@tavusapi.com",
        "https://tavusapi.com/?a=b",
        "https://tavusapi.com/#a",
        "https://",
        "https://[x",
        "https://tavusapi.com:https",
        f"https://{'a' * 64}.com",
        "https://tavusapi.com\n",
    ],
)
async def test_an_unsafe_base_url(base_url: str) -> None:
    with pytest.raises(ValueError, match="base_url must"):
        async with connect(base_url, KEY):
            pass


@pytest.mark.parametrize(
    "base_url", ["http://localhost:1", "http://127.8.8.8", "http://[::1]:1/", "https://x.test/v"]
)
async def test_a_safe_base_url(base_url: str) -> None:
    async with connect(base_url, KEY) as client:
        assert KEY not in repr(vars(client))


@pytest.mark.parametrize("key", ["", "canary\n", "canary key", "canäry", "canary\x00"])
async def test_a_key_that_no_header_can_carry(key: str) -> None:
    with pytest.raises(ValueError, match="API key") as caught:
        async with connect("https://tavusapi.com", key):
            pass
    assert "can" not in str(caught.value).replace("cannot", "").replace("can not", "")


async def test_an_unknown_spelling() -> None:
    with pytest.raises(ValueError, match="'both'"):
        async with connect("https://tavusapi.com", KEY, "both"):
            pass


async def test_sent_rings_when_the_bytes_are_written_not_before(verb: Verb) -> None:
    """The rate counts from there (S17): a loop busy with a burst must not come in between."""
    loop = asyncio.get_running_loop()
    arrived: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as door:
        door.setblocking(False)

        def look() -> None:
            with door.accept()[0] as other_end:
                other_end.setblocking(False)
                arrived.append(other_end.recv(65536))

        async with connect(f"http://127.0.0.1:{door.getsockname()[1]}", KEY) as client:
            # Called in the loop's very next round; the reset then ends the call.
            assert (await failure(verb(client, partial(loop.call_soon, look)))).reason is Reason.LOST
    assert len(arrived) == 1
    assert b"HTTP/1.1" in arrived[0]
