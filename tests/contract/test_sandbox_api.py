"""The sandbox by the API description: each line of sections 1, 2 and 5 that a client can see, over HTTP."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from jobs.tavus.sandbox import Dialect, Persona, Plan, ReasonAt, Sandbox

COACH, NATHAN = "pdced222244b", "rfe12d8b9597"
GUIDE = {
    "persona_id": COACH,
    "replica_id": NATHAN,
    "callback_url": "https://yourwebsite.com/webhook",
    "conversation_name": "Improve Sales Technique",
    "conversational_context": "I want to improve my sales techniques.",
    "properties": {
        "max_call_duration": 1800,
        "participant_left_timeout": 60,
        "participant_absent_timeout": 120,
    },
}
MINIMAL = {"persona_id": COACH}
START = 1_795_251_600.25  # 2026-11-21T09:00:00.25Z


class World:
    """A sandbox on a socket, a clock that only tests move, and a client that reads JSON."""

    def __init__(self) -> None:
        self.now = START
        self.http: aiohttp.ClientSession
        self.sandbox: Sandbox

    async def ask(self, method: str, path: str, **more: Any) -> tuple[int, Any]:
        async with self.http.request(method, path, allow_redirects=False, **more) as response:
            raw = await response.read()
            if raw:
                assert response.content_type == "application/json"
            return response.status, json.loads(raw) if raw else None

    async def make(self, **body: Any) -> dict[str, Any]:
        status, answer = await self.ask("POST", "/v2/conversations", json={**MINIMAL, **body})
        assert status == 200, answer
        return answer

    async def status(self, conversation_id: str) -> str:
        return (await self.ask("GET", f"/v2/conversations/{conversation_id}"))[1]["status"]


@asynccontextmanager
async def opened(plan: Plan | None = None, **more: Any) -> AsyncIterator[World]:
    world = World()
    world.sandbox = Sandbox(lambda: world.now, plan or Plan(), **more)
    async with (
        world.sandbox.serving() as base,
        aiohttp.ClientSession(base, headers={"x-api-key": "any"}) as world.http,
    ):
        yield world


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with opened(Plan(concurrent=3)) as world:
        yield world


# --- create ------------------------------------------------------------------------------------------------


async def test_the_guide_s_own_example(world):
    status, answer = await world.ask("POST", "/v2/conversations", json=GUIDE)
    assert status == 200
    conversation_id = answer["conversation_id"]
    assert answer == {
        "conversation_id": conversation_id,
        "conversation_name": "Improve Sales Technique",
        "conversation_url": f"{world.http._base_url.origin()}/join/{conversation_id}",
        "status": "active",
        "callback_url": "https://yourwebsite.com/webhook",
        "created_at": "2026-11-21T09:00:00.250000Z",
    }
    room = world.sandbox.rooms[conversation_id]
    assert (room.body, room.created_at, room.ended_at, room.shutdown_reason) == (GUIDE, START, None, None)
    assert answer["conversation_url"] not in repr(room)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", json.dumps({**MINIMAL, "nmae": "x"}).encode()])
async def test_a_wrong_create_is_400_and_makes_nothing(world, body):
    status, answer = await world.ask("POST", "/v2/conversations", data=body)
    assert status == 400
    assert answer["error"]
    assert not world.sandbox.rooms


async def test_unknown_persona_and_replica_are_400_not_404(world):
    create = {"json": {**GUIDE, "persona_id": "unknown-1"}}
    assert await world.ask("POST", "/v2/conversations", **create) == (400, {"error": "Invalid persona_id"})
    create = {"json": {**GUIDE, "replica_id": "unknown-1"}}
    assert await world.ask("POST", "/v2/conversations", **create) == (400, {"error": "Invalid replica_id"})


async def test_a_persona_that_a_test_adds_is_known(world):
    world.sandbox.personas["p9a95912"] = Persona("Negotiator", NATHAN)
    await world.make(persona_id="p9a95912")
    status, answer = await world.ask("GET", "/v2/personas/p9a95912")
    assert (status, answer["persona_name"]) == (200, "Negotiator")


async def test_unknown_headers_and_a_missing_content_type_are_ignored(world):
    headers = {"X-Custom": "1", "Content-Type": "text/plain"}
    status, _ = await world.ask("POST", "/v2/conversations", data=json.dumps(MINIMAL), headers=headers)
    assert status == 200


async def test_a_private_room_s_token_is_told_once(world):
    answer = await world.make(require_auth=True, properties={"participant_absent_timeout": 120})
    claims = answer["meeting_token"].split(".")[1]
    decoded = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    assert decoded["exp"] == int(START + 120)
    path = f"/v2/conversations/{answer['conversation_id']}"
    for again in (path, f"{path}?verbose=true", "/v2/conversations"):
        assert "meeting_token" not in json.dumps(await world.ask("GET", again))
    assert answer["meeting_token"] not in repr(world.sandbox.rooms)


async def test_test_mode_is_ended_at_once_and_takes_no_slot(world):
    answers = [await world.make(test_mode=True) for _ in range(5)]
    assert {answer["status"] for answer in answers} == {"ended"}
    _, shown = await world.ask("GET", f"/v2/conversations/{answers[0]['conversation_id']}?verbose=true")
    assert (shown["status"], shown["events"], shown["shutdown_reason"]) == ("ended", [], None)
    assert (await world.make())["status"] == "active"


# --- key, rate, concurrency --------------------------------------------------------------------------------

EVERY_PATH = [
    ("POST", "/v2/conversations"),
    ("GET", "/v2/conversations"),
    ("GET", "/v2/conversations/c1"),
    ("POST", "/v2/conversations/c1/end"),
    ("DELETE", "/v2/conversations/c1"),
    ("GET", f"/v2/personas/{COACH}"),
    ("GET", f"/v2/faces/{NATHAN}"),
]


@pytest.mark.parametrize(("method", "path"), EVERY_PATH)
async def test_a_bad_key_is_401_everywhere(method, path):
    async with opened(key="right") as world:
        for headers in ({"x-api-key": "wrong"}, {"x-api-key": ""}):
            assert await world.ask(method, path, headers=headers) == (
                401,
                {"message": "Invalid access token"},
            )
        status, _ = await world.ask(method, path, headers={"x-api-key": "right"})
        assert status != 401


async def test_without_a_set_key_any_but_the_empty_one_is_accepted(world):
    assert (await world.ask("GET", "/v2/conversations"))[0] == 200
    assert (await world.ask("GET", "/v2/conversations", headers={"x-api-key": ""}))[0] == 401


async def test_full_is_400_and_a_slot_frees_a_little_after_the_end():
    async with opened(Plan(concurrent=1, release_lag_s=5)) as world:
        first = await world.make()
        full = (400, {"message": "User has reached maximum concurrent conversations"})
        assert await world.ask("POST", "/v2/conversations", json=MINIMAL) == full
        await world.ask("POST", f"/v2/conversations/{first['conversation_id']}/end")
        world.now += 4.9
        assert await world.ask("POST", "/v2/conversations", json=MINIMAL) == full
        world.now += 0.1
        await world.make()


async def test_the_plan_s_rate_is_held_and_seen():
    async with opened(Plan(requests=2, per_s=1.0)) as world:
        statuses = [(await world.ask("GET", "/v2/conversations"))[0] for _ in range(3)]
        assert statuses == [200, 200, 429]
        world.now += 1.0
        assert (await world.ask("POST", "/v2/conversations", json=MINIMAL))[0] == 200
        seen = [(request.at - START, request.operation, request.status) for request in world.sandbox.requests]
        assert seen == [(0, "list", 200), (0, "list", 200), (0, "list", 429), (1, "create", 200)]


async def test_a_longer_call_than_the_plan_s_is_silently_cut():
    async with opened(Plan(max_call_duration_s=300)) as world:
        answer = await world.make(properties={"max_call_duration": 3600, "participant_absent_timeout": 900})
        world.now += 300
        assert world.sandbox.rooms[answer["conversation_id"]].shutdown_reason == "max_call_duration"


# --- list --------------------------------------------------------------------------------------------------


async def test_a_list_is_newest_first_ten_to_a_page_with_the_total():
    async with opened(Plan(concurrent=99)) as world:
        made = [(await world.make())["conversation_id"] for _ in range(13)][::-1]
        for query, expected in {
            "": made[:10],
            "?page=1": made[:10],
            "?page=0": made[:10],
            "?page=2": made[10:],
            "?page=3": [],
            "?limit=100": made,
            "?limit=1000": made,
            "?limit=5&page=2": made[5:10],
        }.items():
            status, answer = await world.ask("GET", f"/v2/conversations{query}")
            assert status == 200
            assert ([row["conversation_id"] for row in answer["data"]], answer["total_count"]) == (
                expected,
                13,
            )


async def test_a_list_by_status(world):
    over, going = await world.make(), await world.make()
    await world.ask("POST", f"/v2/conversations/{over['conversation_id']}/end")
    for status, expected in (("active", going), ("ended", over)):
        _, answer = await world.ask("GET", f"/v2/conversations?status={status}")
        assert [row["conversation_id"] for row in answer["data"]] == [expected["conversation_id"]]
        assert answer["total_count"] == 1


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "page=-1", "status=done", "page=" + "9" * 5000])
async def test_a_list_that_makes_no_sense_is_400(world, query):
    assert (await world.ask("GET", f"/v2/conversations?{query}"))[0] == 400


@pytest.mark.parametrize("ids", [("persona_id", "replica_id"), ("pal_id", "face_id")])
async def test_rows_carry_what_was_sent_in_the_spelling_it_was_sent(world, ids):
    body = {
        **dict(zip(ids, (COACH, NATHAN), strict=True)),
        "conversation_name": "x [cb-A-1]",
        "callback_url": "u",
    }
    _, answer = await world.ask("POST", "/v2/conversations", json=body)
    row = {**answer, **body, "updated_at": answer["created_at"]}
    assert (await world.ask("GET", "/v2/conversations"))[1]["data"] == [row]
    assert (await world.ask("GET", f"/v2/conversations/{answer['conversation_id']}"))[1] == row


# --- get, end, delete --------------------------------------------------------------------------------------

INVALID = (400, {"error": "Invalid conversation_id"})


async def test_unknown_ids_are_400_not_404(world):
    assert await world.ask("GET", "/v2/conversations/c0") == INVALID
    assert await world.ask("POST", "/v2/conversations/c0/end") == INVALID
    assert await world.ask("DELETE", "/v2/conversations/c0") == INVALID


@pytest.mark.parametrize(
    "sent", [{"data": b""}, {"json": {}}, {"data": b"", "skip_auto_headers": ["Content-Type"]}]
)
async def test_end_takes_any_body_and_a_second_one_is_400(world, sent):
    conversation_id = (await world.make())["conversation_id"]
    world.now += 7
    path = f"/v2/conversations/{conversation_id}"
    assert (await world.ask("POST", f"{path}/end", **sent))[0] == 200
    room = world.sandbox.rooms[conversation_id]
    assert (room.ended_at, room.shutdown_reason) == (START + 7, "end_conversation_endpoint_hit")
    assert (await world.ask("POST", f"{path}/end", **sent))[0] == 400
    _, shown = await world.ask("GET", path)
    assert (shown["status"], shown["updated_at"]) == ("ended", "2026-11-21T09:00:07.250000Z")


@pytest.mark.parametrize("query", ["", "?hard=true"])
async def test_delete_is_204_and_forgets(world, query):
    conversation_id = (await world.make())["conversation_id"]
    path = f"/v2/conversations/{conversation_id}"
    assert await world.ask("DELETE", path + query) == (204, None)
    assert await world.ask("GET", path) == INVALID
    assert (await world.ask("GET", "/v2/conversations"))[1] == {"data": [], "total_count": 0}
    assert world.sandbox.rooms[conversation_id].shutdown_reason == "daily_room_has_been_deleted"


@pytest.mark.parametrize("reason_at", ReasonAt)
async def test_verbose_tells_events_and_the_reason_in_one_of_three_places(reason_at):
    async with opened(
        dialect=Dialect(reason_at=reason_at, reason_suffix=" reached", fractions=False)
    ) as world:
        conversation_id = (await world.make(properties={"participant_left_timeout": 60}))["conversation_id"]
        world.sandbox.join(conversation_id)
        world.now += 40
        world.sandbox.leave(conversation_id)
        world.now += 70
        _, shown = await world.ask("GET", f"/v2/conversations/{conversation_id}?verbose=true")
    events = {event["event_type"]: event for event in shown["events"]}
    assert [*events] == [
        "system.replica_joined",
        "system.pal_joined",
        "system.shutdown",
        "application.transcription_ready",
    ]
    assert events["system.replica_joined"]["properties"] == {"replica_id": NATHAN}
    assert events["system.shutdown"]["timestamp"] == "2026-11-21T09:01:40Z"
    places = [shown.get("shutdown_reason"), *map(events["system.shutdown"]["properties"].get, ReasonAt)]
    assert [place for place in places if place] == ["participant_left_timeout reached"]
    told = events["system.shutdown"]["properties"] if reason_at is not ReasonAt.TOP else shown
    assert told["shutdown_reason" if reason_at is ReasonAt.TOP else reason_at]
    transcript = events["application.transcription_ready"]["properties"]["transcript"]
    assert [turn["role"] for turn in transcript] == ["system", "assistant", "user"]


async def test_a_plain_get_has_no_events(world):
    conversation_id = (await world.make())["conversation_id"]
    _, shown = await world.ask("GET", f"/v2/conversations/{conversation_id}")
    assert not {"events", "shutdown_reason"} & set(shown)


# --- persona and replica -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["personas", "pals"])
async def test_a_persona_is_flat_with_both_names(world, path):
    _, answer = await world.ask("GET", f"/v2/{path}/{COACH}")
    assert (answer["persona_name"], answer["pal_name"]) == ("Sales Coach", "Sales Coach")
    assert await world.ask("GET", f"/v2/{path}/unknown1") == (400, {"error": "Invalid persona_id"})


@pytest.mark.parametrize("path", ["replicas", "faces"])
async def test_a_replica_says_whether_it_is_usable(world, path):
    _, answer = await world.ask("GET", f"/v2/{path}/{NATHAN}")
    assert (answer["replica_name"], answer["status"]) == ("Nathan", "completed")
    assert (await world.ask("GET", f"/v2/{path}/r0training00"))[1]["status"] == "started"
    assert await world.ask("GET", f"/v2/{path}/unknown1") == (400, {"error": "Invalid replica_id"})


async def test_a_look_up_can_be_wrapped():
    async with opened(dialect=Dialect(wrapped=True)) as world:
        _, answer = await world.ask("GET", f"/v2/personas/{COACH}")
        assert answer["data"][0]["persona_id"] == COACH


# --- paths -------------------------------------------------------------------------------------------------


async def test_trailing_slashes_are_the_same_path_and_no_redirect(world):
    status, made = await world.ask("POST", "/v2/conversations/", json=MINIMAL)
    assert status == 200
    one = f"/v2/conversations/{made['conversation_id']}/"
    paths = [("GET", "/v2/conversations/"), ("GET", one), ("POST", f"{one}end/")]
    paths += [("GET", f"/v2/personas/{COACH}/"), ("GET", f"/v2/replicas/{NATHAN}/")]
    assert [(await world.ask(*path))[0] for path in paths] == [200] * 5
    assert (await world.ask("DELETE", one))[0] == 204


async def test_other_paths_are_404_in_json(world):
    assert (await world.ask("GET", "/v2/videos"))[0] == 404
    assert (await world.ask("PUT", "/v2/conversations"))[0] == 404


async def test_a_given_base_is_where_join_links_point():
    async with opened(base="https://practice.example.com/") as world:
        url = (await world.make())["conversation_url"]
        assert re.fullmatch(r"https://practice\.example\.com/join/c[0-9a-f]{12}", url)
