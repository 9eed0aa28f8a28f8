"""Health, as machines ask for it: does the loop turn, and does the house do its work?

`/livez` answers as long as the loop turns: who gets no answer should start the process anew. `/readyz` (also
`/healthz`) answers 503 with the reasons while the house doesn't do its work: that is for people, a new start
rarely helps. Neither names anybody.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from scheduler.vitals import UNWRITABLE, Vitals, unready


@dataclass(frozen=True, slots=True)
class Health:
    """What is asked about the house: its vitals, and whether its ledger can be written now."""

    vitals: Callable[[], Vitals]
    writable: Callable[[], Awaitable[bool]]

    async def reasons(self) -> list[str]:
        """Why it isn't ready; empty when it is."""
        found = list(unready(self.vitals()))
        if UNWRITABLE not in found and not await self.writable():
            found.append(UNWRITABLE)
        return found


def health_routes(health: Health) -> list[web.RouteDef]:
    """`/livez`, `/readyz` and `/healthz`."""

    async def live(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def ready(_: web.Request) -> web.Response:
        reasons = await health.reasons()
        return web.json_response({"ready": not reasons, "reasons": reasons}, status=503 if reasons else 200)

    return [web.get("/livez", live), web.get("/readyz", ready), web.get("/healthz", ready)]
