"""A house with its desk, in virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from scheduler.daemon import Daemon
from scheduler.daemon.desk import Means, StandingDesk
from scheduler.desk import Answer, Asker, Refused, Scope
from scheduler.telemetry import Telemetry
from tests.house.conftest import Rig

OPS = Asker("ops", "a holiday")
ALL = Scope()
KEY = "practice/{}/2026-11-30/p000"
EIGHT = KEY.format("08:00")


def desk_of(rig: Rig, daemon: Daemon) -> StandingDesk:
    """The desk of this daemon."""
    means = Means(
        ledger=daemon.ledger,
        path=rig.place,
        clock=rig.clock,
        config=lambda: daemon.config,
        letters=daemon.letters,
        say=Telemetry().say,
        ring=daemon.bell.ring,
    )

    async def reload(asker: Asker) -> Answer:
        raise Refused("not here")

    async def unready() -> tuple[str, ...]:
        return ()

    return StandingDesk(means, reload, daemon.checkup.vitals, unready, lambda: None)


@asynccontextmanager
async def steered(rig: Rig, text: str) -> AsyncIterator[tuple[Daemon, StandingDesk]]:
    """A house and its desk; afterwards the audit finds nothing."""
    async with rig.open(rig.config(text)) as daemon:
        yield daemon, desk_of(rig, daemon)
    rig.clean()


def stages(rig: Rig) -> dict[str, str]:
    """Where each record stands, and why."""
    return {
        key: " ".join(filter(None, [record.stage, record.reason])) for key, record in rig.records().items()
    }
