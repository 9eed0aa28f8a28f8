"""The face of a worker: its page is told of what another process writes, and by nothing else here.

Its house makes no turn and its alarm does not tick: nothing but the other process rings it again and again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp

from jobs.errors import Reason
from scheduler.app.channels import open_channels
from scheduler.app.crewing import clock_for
from scheduler.app.facing import Face, facing
from scheduler.app.house import house
from scheduler.app.observing import new_metrics
from scheduler.config import load
from scheduler.ledger import Ledger, Place, place_of
from scheduler.model import Listen
from scheduler.settings import Redaction, Secret
from scheduler.telemetry import Telemetry
from scheduler.vitals import Reload
from tests.contract.web.test_events import line
from tests.contract.web.world import WrittenDesk
from tests.postgres import Server

CONFIG = """\
version: 1
account: {base_url: "http://127.0.0.1:9"}
schedules:
  coach:
    when: {on: ["2099-01-01 09:00"], timezone: UTC}
    conversation: {persona_id: pdced222244b, replica_id: rfe12d8b9597}
"""


@asynccontextmanager
async def faced(folder: Path, place: Place) -> AsyncIterator[str]:
    """A worker whose page is open; yields where."""
    (folder / "callboard.yaml").write_text(CONFIG)
    config, clock, metrics = load([folder / "callboard.yaml"]), clock_for(place), new_metrics()
    telemetry, redaction = Telemetry(), Redaction()
    async with open_channels(clock.now, telemetry, redaction, None) as channels:
        await channels.use(config)
        key = Secret("sesame-123", "a test")
        async with house(config, place, key, clock, channels, metrics) as daemon:
            face = Face(
                daemon=daemon,
                ledger=place,
                metrics=metrics,
                clock=clock,
                telemetry=telemetry,
                redaction=redaction,
                reload=lambda: Reload(ok=True, at=clock.now()),
                desk=WrittenDesk(),
            )
            service = replace(config.service, listen=Listen("127.0.0.1", 0))
            async with facing(face, service, beating=False) as url:
                assert url is not None
                yield url


async def test_a_page_is_told_of_what_another_process_writes(tmp_path: Path, postgres: Server) -> None:
    place = place_of(postgres.new())
    async with faced(tmp_path, place) as url, aiohttp.ClientSession() as session:
        other = Ledger.open(place, "http://127.0.0.1:9", 0.0)
        try:
            async with session.get(f"{url}/events") as answer:
                await line(answer.content, "retry")
                for _ in range(2):  # its own beginning may ring it once or twice, too
                    await other.hold(Reason.SPENT, 1.0)
                    await line(answer.content, "event: changed")
                    await other.lift(Reason.SPENT, 2.0)
                    await line(answer.content, "event: changed")
        finally:
            other.close()
