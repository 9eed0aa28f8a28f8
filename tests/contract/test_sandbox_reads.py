"""The sandbox by the API description: lists, one conversation and its end, look-ups, paths, over HTTP."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest

from jobs.tavus.sandbox import Dialect, Plan, ReasonAt
from tests.contract.sandbox_world import COACH, MINIMAL, NATHAN, START, World, opened


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with opened(Plan(concurrent=3)) as world:
        yield world


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
