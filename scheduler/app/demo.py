"""The whole product in a minute: a sandbox, a team, a ledger of its own, and people who come and go.

Everything is real but the service: the same house, the same HTTP, the same ledger as `run`. The
people are played here: most join, some leave early, some never come.
"""

from __future__ import annotations

import asyncio
import tempfile
import zlib
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from jobs.tavus.sandbox import Room, RoomClosed, Sandbox
from scheduler.app.house import house
from scheduler.app.sandboxed import redirected, rehearsal, serving
from scheduler.clock import Bell, Clock
from scheduler.ledger.snapshot import Snapshot
from scheduler.model import Config
from scheduler.record import Record
from scheduler.settings import Secret

JOIN_AFTER_S = 4.0
STAY_S = 14.0


def demo(config: Config, for_s: float) -> Sequence[Record]:
    """Run this configuration against a sandbox for a while; every record as it was at the end."""
    with tempfile.TemporaryDirectory(prefix="callboard-demo-") as folder:
        ledger = Path(folder) / "demo.db"
        asyncio.run(_run(config, ledger, for_s))
        with Snapshot.open(ledger) as snapshot:
            return list(snapshot.records())


async def _run(config: Config, ledger: Path, for_s: float) -> None:
    clock = Clock()
    sandbox = rehearsal(config.account, clock)
    async with AsyncExitStack() as stack:
        base_url = await stack.enter_async_context(serving(sandbox, clock))
        key = Secret("demo-needs-no-key", "the demo")
        daemon = await stack.enter_async_context(house(redirected(config, base_url), ledger, key, clock))
        asyncio.get_running_loop().call_later(for_s, daemon.stop)
        daemon.errand(_people(sandbox, clock, clock.now() + for_s))
        await daemon.run()


async def _people(sandbox: Sandbox, clock: Clock, until: float) -> None:
    quiet = Bell()
    while clock.now() < until:
        for room in list(sandbox.rooms.values()):
            if room.status == "active":
                _play(sandbox, room, clock.now())
        await clock.sleep_until(None, quiet, 1.0)


def _play(sandbox: Sandbox, room: Room, now: float) -> None:
    """One person's habits, by their room: one in four never comes, one in four stays to the end."""
    habit = zlib.crc32(room.conversation_id.encode()) % 4
    age_s = now - room.created_at
    try:
        if habit != 0 and age_s >= JOIN_AFTER_S:
            sandbox.join(room.conversation_id)
        if habit in (1, 2) and age_s >= STAY_S:
            sandbox.leave(room.conversation_id)
    except RoomClosed:
        return
