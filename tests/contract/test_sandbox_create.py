"""The sandbox by the API description: who may create what, and what the plan allows, over HTTP."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator

import pytest

from jobs.tavus.sandbox import Persona, Plan
from tests.contract.sandbox_world import COACH, GUIDE, MINIMAL, NATHAN, START, World, opened


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
