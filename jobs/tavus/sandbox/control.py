"""Faults on demand: `/_sandbox/faults`, the one part of this server that Tavus doesn't have.

It asks for `Content-Type: application/json`, which no foreign web page can send here unasked.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from jobs.tavus.sandbox.fault import as_json, read_faults
from jobs.tavus.sandbox.faults import Faults

PATH = "/_sandbox/faults"


class Control:
    """GET lists what is armed and how much of each is left, POST adds one or an array, DELETE clears."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def routes(self) -> list[web.RouteDef]:
        """The three verbs."""
        return [web.get(PATH, self.show), web.post(PATH, self.add), web.delete(PATH, self.clear)]

    async def show(self, request: web.Request) -> web.Response:
        """`{"faults": [{"kind": ..., "left": n or null}]}`."""
        return web.json_response({"faults": self._armed()})

    async def add(self, request: web.Request) -> web.Response:
        """201 with all that is armed; 400 with what is wrong, and then nothing was added."""
        if request.content_type != "application/json":
            return web.json_response({"error": "send Content-Type: application/json"}, status=415)
        try:
            faults = read_faults(await request.read())
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=400)
        for fault in faults:
            self._faults.add(fault)
        return web.json_response({"faults": self._armed()}, status=201)

    async def clear(self, request: web.Request) -> web.Response:
        """`{"cleared": n}`."""
        return web.json_response({"cleared": self._faults.clear()})

    def _armed(self) -> list[dict[str, Any]]:
        return [{**as_json(armed.fault), "left": armed.left} for armed in self._faults]
