"""A sandbox on a socket as its tests see it: a clock that only they move, and a client that reads JSON."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from jobs.tavus.sandbox import Plan, Sandbox

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
