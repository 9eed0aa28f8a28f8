"""Health, as machines ask for it: does the loop turn, and does the house do its work?

`/livez` answers as long as the loop turns: who gets no answer should start the process anew. `/readyz` (also
`/healthz`) answers 503 with the reasons while the house doesn't do its work: that is for people, a new start
rarely helps. Where several processes work on one ledger it tells who leads, who works, and how far behind
they are. Neither names anybody.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from jobs.model import Instant
from scheduler.vitals import UNWRITABLE, Crewed, Standing, Vitals, WorkerState, unready


async def _unknown() -> None:
    """Nobody looks into the ledger."""


@dataclass(frozen=True, slots=True)
class Health:
    """What is asked about the house: its vitals, whether its ledger can be written now, and what that holds;
    this only where there are several processes, and while the ledger answers."""

    vitals: Callable[[], Vitals]
    writable: Callable[[], Awaitable[bool]]
    standing: Callable[[], Awaitable[Standing | None]] = _unknown

    async def reasons(self) -> list[str]:
        """Why it isn't ready; empty when it is."""
        found = list(unready(self.vitals()))
        if UNWRITABLE not in found and not await self.writable():
            found.append(UNWRITABLE)
        return found

    async def told(self) -> dict[str, Any]:
        """Whether it is ready, or why not; of several processes, this one and the others."""
        reasons, vitals = await self.reasons(), self.vitals()
        told = {"ready": not reasons, "reasons": reasons}
        if vitals.crew is None:
            return told
        answers = UNWRITABLE not in reasons and not vitals.crew.away
        return told | _crew(vitals.crew, vitals.at, await self.standing() if answers else None)


def health_routes(health: Health) -> list[web.RouteDef]:
    """`/livez`, `/readyz` and `/healthz`."""

    async def live(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def ready(_: web.Request) -> web.Response:
        told = await health.told()
        return web.json_response(told, status=200 if told["ready"] else 503)

    return [web.get("/livez", live), web.get("/readyz", ready), web.get("/healthz", ready)]


def _crew(crew: Crewed, now: Instant, standing: Standing | None) -> dict[str, Any]:
    """By their names; what only the ledger knows is null while it can't be read."""
    workers = standing.workers if standing else ()
    living = [each.name for each in workers if each.state is not WorkerState.GONE]
    return {
        "worker": crew.name,
        "leads": crew.leads,
        "leader": next((each.name for each in workers if each.state is WorkerState.LEADS), None),
        "workers": living if standing else None,
        "behind_s": round(standing.behind_s(now), 3) if standing else None,
    }
