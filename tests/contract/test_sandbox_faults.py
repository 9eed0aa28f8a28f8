"""Each fault of the sandbox as a plain aiohttp client meets it, and whether a conversation was made."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from jobs.tavus.sandbox import Fault, Kind, ListOrder, Operation, Plan, Sandbox, When, Wrong

START = 1_795_251_600.0
BODY = {"persona_id": "pdced222244b"}
SHORT = aiohttp.ClientTimeout(total=0.1)


class World:
    def __init__(self) -> None:
        self.now = START
        self.sandbox = Sandbox(lambda: self.now, Plan(concurrent=50))
        self.http: aiohttp.ClientSession

    def strike(self, kind: Kind, **parameters: Any) -> None:
        self.sandbox.faults.add(Fault(kind=kind, **parameters))

    async def create(self, **more: Any) -> tuple[aiohttp.ClientResponse, bytes]:
        async with self.http.post("/v2/conversations", json=BODY, allow_redirects=False, **more) as response:
            return response, await response.read()

    async def listed(self, query: str = "") -> list[str]:
        async with self.http.get(f"/v2/conversations?limit=100{query}") as response:
            return [row["conversation_id"] for row in (await response.json())["data"]]

    @property
    def made(self) -> int:
        return len(self.sandbox.rooms)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    async with (
        world.sandbox.serving() as base,
        aiohttp.ClientSession(base, headers={"x-api-key": "any"}) as world.http,
    ):
        yield world


@pytest.mark.parametrize("retry_after", [None, "7", "Sat, 21 Nov 2026 09:00:30 GMT", "soon"])
async def test_429_with_and_without_retry_after(world, retry_after):
    world.strike(Kind.STATUS, status=429, retry_after=retry_after)
    response, _ = await world.create()
    assert (response.status, response.headers.get("Retry-After"), world.made) == (429, retry_after, 0)
    assert ((await world.create())[0].status, world.made) == (200, 1)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599])
@pytest.mark.parametrize("when", When)
async def test_5xx_before_and_after_making_it(world, status, when):
    world.strike(Kind.STATUS, status=status, when=when)
    response, _ = await world.create()
    assert (response.status, world.made) == (status, 1 if when is When.AFTER else 0)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (401, "Invalid access token"),
        (402, "The user is out of conversational credits"),
        (403, "Forbidden"),
        (418, "I'm a Teapot"),
    ],
)
async def test_any_status_with_its_usual_body(world, status, message):
    world.strike(Kind.STATUS, status=status)
    response, raw = await world.create()
    assert (response.status, json.loads(raw)) == (status, {"message": message})


async def test_any_status_with_any_body(world):
    world.strike(Kind.STATUS, status=502, body="<h1>oh</h1>", content_type="text/html")
    response, raw = await world.create()
    assert (response.content_type, raw) == ("text/html", b"<h1>oh</h1>")


async def test_full(world):
    world.strike(Kind.FULL)
    response, raw = await world.create()
    assert (response.status, world.made) == (400, 0)
    assert json.loads(raw) == {"message": "User has reached maximum concurrent conversations"}


@pytest.mark.parametrize("location", [None, "http://127.0.0.1:1/elsewhere"])
async def test_redirect(world, location):
    world.strike(Kind.REDIRECT, location=location)
    response, _ = await world.create()
    assert (response.status, world.made) == (307, 0)
    assert response.headers["Location"] == (location or "/v2/conversations")


@pytest.mark.parametrize("when", When)
async def test_hang_before_and_after_making_it(world, when):
    world.strike(Kind.HANG, when=when)
    with pytest.raises(TimeoutError):
        await world.create(timeout=SHORT)
    assert world.made == (1 if when is When.AFTER else 0)
    assert world.sandbox.requests[-1].status is None


@pytest.mark.parametrize("when", When)
async def test_drop_before_reading_and_after_making_it(world, when):
    world.strike(Kind.DROP, when=when)
    with pytest.raises(aiohttp.ClientConnectionError):
        await world.create()
    assert world.made == (1 if when is When.AFTER else 0)
    assert world.sandbox.requests[-1].status is None


async def test_truncated(world):
    world.strike(Kind.TRUNCATED)
    with pytest.raises(aiohttp.ClientPayloadError):
        await world.create()
    assert world.made == 1


@pytest.mark.parametrize("when", When)
async def test_html_with_200(world, when):
    world.strike(Kind.HTML, when=when)
    response, raw = await world.create()
    assert (response.status, response.content_type) == (200, "text/html")
    assert b"doctype" in raw
    assert world.made == (1 if when is When.AFTER else 0)


@pytest.mark.parametrize(
    ("wrong", "is_wrong"),
    [
        (Wrong.NO_ID, lambda said: "conversation_id" not in said and "conversation_url" in said),
        (Wrong.NO_URL, lambda said: "conversation_url" not in said and "conversation_id" in said),
        (Wrong.TYPES, lambda said: said["conversation_id"] == [17]),
        (Wrong.ARRAY, lambda said: isinstance(said, list)),
        (Wrong.NULL, lambda said: said is None),
    ],
)
async def test_wrong_json(world, wrong, is_wrong):
    world.strike(Kind.WRONG_JSON, wrong=wrong)
    response, raw = await world.create()
    assert (response.status, response.content_type, world.made) == (200, "application/json", 1)
    assert is_wrong(json.loads(raw))


async def test_huge(world):
    world.strike(Kind.HUGE, size_bytes=300_000)
    _, raw = await world.create()
    assert len(raw) > 300_000
    assert json.loads(raw)["conversation_id"] in world.sandbox.rooms


async def test_gzip_bomb(world):
    world.strike(Kind.GZIP_BOMB, size_bytes=3_000_000)
    async with (
        aiohttp.ClientSession(world.http._base_url, auto_decompress=False) as plain,
        plain.post("/v2/conversations", json=BODY, headers={"x-api-key": "any"}) as response,
    ):
        raw = await response.read()
    assert response.headers["Content-Encoding"] == "gzip"
    assert len(raw) < 10_000
    assert len(zlib.decompress(raw, wbits=31)) >= 3_000_000


@pytest.mark.parametrize("when", When)
async def test_slow(world, when):
    world.strike(Kind.SLOW, seconds=0.001, when=when)
    assert ((await world.create())[0].status, world.made) == (200, 1)
    world.strike(Kind.SLOW, seconds=3600, when=when)
    with pytest.raises(TimeoutError):
        await world.create(timeout=SHORT)
    assert world.made == (2 if when is When.AFTER else 1)


async def test_who_is_kept_waiting_is_answered_when_the_server_closes():
    arrived = asyncio.Event()

    def now() -> float:
        arrived.set()
        return START

    sandbox = Sandbox(now)
    sandbox.faults.add(Fault(kind=Kind.SLOW, seconds=3600))
    async with asyncio.TaskGroup() as group, aiohttp.ClientSession(headers={"x-api-key": "any"}) as http:
        async with sandbox.serving() as base:
            posting = group.create_task(http.post(f"{base}/v2/conversations", json=BODY))
            await arrived.wait()
        assert (await posting).status == 200


@pytest.mark.parametrize("operation", [Operation.CREATE, Operation.LIST, Operation.GET])
async def test_skewed_times(world, operation):
    world.strike(Kind.SKEWED, operation=operation, seconds=-3600)
    created = json.loads((await world.create())[1])
    async with world.http.get("/v2/conversations") as response:
        row = (await response.json())["data"][0]
    async with world.http.get(f"/v2/conversations/{created['conversation_id']}") as response:
        shown = await response.json()
    told = {Operation.CREATE: created, Operation.LIST: row, Operation.GET: shown}
    skewed = {each for each, answer in told.items() if answer["created_at"] == "2026-11-21T08:00:00.000000Z"}
    assert skewed == {operation}


async def test_a_new_row_shows_late_in_lists(world):
    world.strike(Kind.LIST_LAG, seconds=20, count=None)
    await world.create()
    assert await world.listed() == []
    world.now += 19
    assert await world.listed("&status=active") == []
    world.now += 1
    assert len(await world.listed()) == 1


async def test_list_order(world):
    for _ in range(9):
        await world.create()
    newest_first = await world.listed()
    world.strike(Kind.LIST_ORDER, order=ListOrder.OLDEST)
    assert await world.listed() == newest_first[::-1]
    assert await world.listed() == newest_first


async def test_a_shuffled_list_is_the_same_over_its_pages(world):
    for _ in range(9):
        await world.create()
    world.strike(Kind.LIST_ORDER, order=ListOrder.SHUFFLED, seed=3, count=None)
    whole, paged = await world.listed(), []
    assert whole != sorted(whole, key=[*world.sandbox.rooms].index)
    for page in (1, 2, 3):
        async with world.http.get(f"/v2/conversations?limit=3&page={page}") as response:
            paged += [row["conversation_id"] for row in (await response.json())["data"]]
    assert paged == whole


# --- arming ------------------------------------------------------------------------------------------------


async def test_counts_order_and_operations(world):
    world.strike(Kind.STATUS, status=429, count=2, operation=Operation.CREATE)
    world.strike(Kind.STATUS, status=503, operation=Operation.ANY)
    async with world.http.get("/v2/personas/pdced222244b") as response:
        assert response.status == 503
    assert [(await world.create())[0].status for _ in range(3)] == [429, 429, 200]


async def test_a_shaper_and_a_spoiler_strike_together(world):
    world.strike(Kind.SLOW, seconds=0.01)
    world.strike(Kind.STATUS, status=503, when=When.AFTER)
    assert ((await world.create())[0].status, world.made) == (503, 1)
    assert not [*world.sandbox.faults]


async def test_probability_falls_the_same_for_the_same_seed(world):
    async def statuses(seed: int) -> list[int]:
        world.sandbox.faults.clear()
        world.strike(Kind.STATUS, status=500, probability=0.5, seed=seed, count=None)
        return [(await world.create())[0].status for _ in range(20)]

    first = await statuses(1)
    assert {*first} == {200, 500}
    assert await statuses(1) == first
    assert await statuses(2) != first


async def test_the_control_endpoint(world):
    path = "/_sandbox/faults"
    async with world.http.post(path, json={"kind": "status", "status": 503, "count": 2}) as response:
        assert response.status == 201
    async with world.http.post(path, json=[{"kind": "drop", "operation": "end"}]) as response:
        armed = (await response.json())["faults"]
    assert (await world.create())[0].status == 503
    async with world.http.get(path) as response:
        assert (await response.json())["faults"] == [{**armed[0], "left": 1}, armed[1]]
    async with world.http.delete(path) as response:
        assert await response.json() == {"cleared": 2}
    assert (await world.create())[0].status == 200
    assert {request.operation for request in world.sandbox.requests} == {"create"}


async def test_the_control_endpoint_adds_all_or_nothing(world):
    faults = [{"kind": "drop"}, {"kind": "fire"}]
    async with world.http.post("/_sandbox/faults", json=faults) as response:
        assert response.status == 400
        assert "kind" in (await response.json())["error"]
    async with world.http.post("/_sandbox/faults", data=b'{"kind": "drop"}') as response:
        assert response.status == 415
    assert not [*world.sandbox.faults]
