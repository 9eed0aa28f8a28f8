"""The sandbox in time: timers that nobody sleeps for, `next_event`, and webhooks as a receiver meets them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from jobs.tavus.sandbox import Fault, Kind, Operation, Plan, RoomClosed, Sandbox
from jobs.tavus.sandbox.webhooks import stays_here

START = 1_795_251_600.0


class World:
    def __init__(self) -> None:
        self.now = START
        self.received: list[dict[str, Any]] = []
        self.sandbox = Sandbox(lambda: self.now, Plan(release_lag_s=5))
        self.http: aiohttp.ClientSession
        self.callback_url = ""

    async def receive(self, request: web.Request) -> web.Response:
        self.received.append(await request.json())
        return web.Response(status=500)  # a plain POST: nobody tries again

    async def make(self, **body: Any) -> str:
        body = {"replica_id": "rfe12d8b9597", "callback_url": self.callback_url, **body}
        async with self.http.post("/v2/conversations", json=body) as response:
            return (await response.json())["conversation_id"]

    async def run(self) -> list[float]:
        """Move the clock from event to event until nothing happens of itself; the times it stood at."""
        stops = []
        while (at := self.sandbox.next_event()) is not None:
            self.now = max(self.now, at)
            stops.append(self.now - START)
            await self.sandbox.pump()
        return stops

    def kinds(self) -> list[str]:
        return [body["event_type"] for body in self.received]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    receiver = web.Application()
    receiver.router.add_post("/hook", world.receive)
    async with (
        TestServer(receiver) as server,
        world.sandbox.serving() as base,
        aiohttp.ClientSession(base, headers={"x-api-key": "any"}) as world.http,
    ):
        world.callback_url = str(server.make_url("/hook"))
        yield world


async def test_a_no_show_from_event_to_event(world):
    conversation_id = await world.make(properties={"participant_absent_timeout": 120})
    assert await world.run() == [0, 120, 125]
    assert world.kinds() == ["system.replica_joined", "system.pal_joined", "system.shutdown"]
    assert world.received[-1] == {
        "conversation_id": conversation_id,
        "event_type": "system.shutdown",
        "message_type": "system",
        "properties": {"replica_id": "rfe12d8b9597", "shutdown_reason": "participant_absent_timeout"},
        "timestamp": "2026-11-21T09:02:00.000000Z",
        "webhook_url": world.callback_url,
    }
    assert world.sandbox.rooms[conversation_id].ended_at == START + 120


async def test_an_attended_call_ends_with_a_transcript(world):
    conversation_id = await world.make(callback_url=world.callback_url)
    world.now += 30
    world.sandbox.join(conversation_id)
    world.now += 5
    world.sandbox.leave(conversation_id)
    assert world.sandbox.rooms[conversation_id].shutdown_reason == "participant_left_timeout"
    await world.run()
    assert world.kinds()[-2:] == ["system.shutdown", "application.transcription_ready"]
    assert world.received[-1]["message_type"] == "application"
    turns = world.received[-1]["properties"]["transcript"]
    assert [turn["role"] for turn in turns] == ["system", "assistant"]
    with pytest.raises(RoomClosed, match="over"):
        world.sandbox.join(conversation_id)


async def test_states_need_nobody_to_be_awake(world):
    conversation_id = await world.make(callback_url="")
    world.now += 10_000
    async with world.http.get(f"/v2/conversations/{conversation_id}") as response:
        shown = await response.json()
    assert (shown["status"], shown["updated_at"]) == ("ended", "2026-11-21T09:05:00.000000Z")


async def test_nothing_happens_of_itself_in_an_empty_house(world):
    assert world.sandbox.next_event() is None
    await world.make(test_mode=True)
    assert world.sandbox.next_event() is None


async def test_the_service_can_shut_a_room_and_announce_things(world):
    conversation_id = await world.make()
    world.sandbox.shut(conversation_id, "exception_encountered_during_conversation_startup")
    world.sandbox.announce(conversation_id, "application.perception_analysis", {"analysis": "calm"})
    await world.sandbox.pump()
    assert world.received[2]["properties"]["shutdown_reason"].startswith("exception_")
    assert world.received[3]["properties"] == {"analysis": "calm"}
    async with world.http.get(f"/v2/conversations/{conversation_id}?verbose=true") as response:
        events = (await response.json())["events"]
    assert {event["event_type"] for event in events} == set(world.kinds())


async def test_the_world_is_not_posted_to(world):
    await world.make(callback_url="https://yourwebsite.com/webhook", properties={"max_call_duration": 60})
    await world.make(callback_url="not a url")
    assert world.sandbox.next_event() == START + 60


async def test_a_receiver_that_is_gone_stops_nothing(world):
    await world.make(callback_url="http://127.0.0.1:1/hook")
    await world.make()
    await world.sandbox.pump()
    assert len(world.received) == 2


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:8710/x", True),
        ("http://localhost/x", True),
        ("http://[::1]:1/x", True),
        ("http://127.9.9.9/x", True),
        ("http://localhost.example.com/x", False),
        ("http://10.0.0.1/x", False),
        ("http://127.0.0.1@example.com/x", False),
        ("http://[::1/x", False),
        ("", False),
    ],
)
def test_what_counts_as_this_machine(url, local):
    assert stays_here(url) is local


async def test_webhooks_before_the_answer_twice_late_and_lost(world):
    world.sandbox.faults.add(Fault(kind=Kind.WEBHOOK_TWICE))
    world.sandbox.faults.add(Fault(kind=Kind.WEBHOOK_LOST))
    world.sandbox.faults.add(Fault(kind=Kind.WEBHOOK_LATE, operation=Operation.WEBHOOK, seconds=600))
    world.sandbox.faults.add(Fault(kind=Kind.WEBHOOK_FIRST))
    body = {"replica_id": "rfe12d8b9597", "callback_url": world.callback_url}
    async with world.http.post("/v2/conversations", json=body) as response:
        before_the_answer = world.kinds()
        conversation_id = (await response.json())["conversation_id"]
    assert before_the_answer == ["system.replica_joined", "system.replica_joined"]
    world.sandbox.join(conversation_id)
    world.sandbox.shut(conversation_id, "max_call_duration")
    await world.run()
    assert world.kinds()[2:] == ["application.transcription_ready", "system.shutdown"]
