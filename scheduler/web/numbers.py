"""`/metrics`: the house's numbers as Prometheus reads them, at most once a second.

The ledger is read in a thread, through a connection of its own that sees one moment; whoever asks meanwhile
gets the same text, and `/readyz` what was read for it. What is counted, and under which name, is
`scheduler.metrics`'.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from aiohttp import hdrs, web

from jobs.model import Instant
from scheduler.clock import Clock
from scheduler.ledger import LedgerError, Place
from scheduler.ledger.snapshot import Snapshot
from scheduler.metrics import CONTENT_TYPE, Metrics
from scheduler.vitals import Reload, Standing, Vitals

FRESH_S = 1.0


class _Look(NamedTuple):
    """What was read, and when by the boot clock."""

    text: bytes
    standing: Standing | None
    boot: float


class Numbers:
    """The text of `/metrics`, and what it is read from."""

    def __init__(
        self,
        metrics: Metrics,
        ledger: Place,
        clock: Clock,
        vitals: Callable[[], Vitals],
        reload: Callable[[], Reload],
    ) -> None:
        self._metrics = metrics
        self._ledger = ledger
        self._clock = clock
        self._vitals = vitals
        self._reload = reload
        self._one = asyncio.Lock()
        self._last: _Look | None = None

    async def text(self) -> bytes:
        """Everything, no older than a second."""
        return (await self._look()).text

    async def standing(self) -> Standing | None:
        """What the ledger held then; `None` while it can't be read."""
        return (await self._look()).standing

    async def _look(self) -> _Look:
        async with self._one:
            boot = self._clock.boot()
            if self._last is None or boot - self._last.boot > FRESH_S:
                self._last = await asyncio.to_thread(self._read, self._vitals(), self._reload(), boot)
            return self._last

    def _read(self, vitals: Vitals, reload: Reload, boot: float) -> _Look:
        standing = self._held(vitals.at)
        return _Look(self._metrics.text(vitals, reload, standing, self._free()), standing, boot)

    def _held(self, now: Instant) -> Standing | None:
        try:
            with Snapshot.open(self._ledger) as snapshot:
                return snapshot.standing(now)
        except LedgerError:
            return None

    def _free(self) -> int | None:
        """Room for a file; a database's disk is its own server's affair."""
        try:
            return shutil.disk_usage(self._ledger.parent).free if isinstance(self._ledger, Path) else None
        except OSError:
            return None


def numbers_routes(numbers: Numbers) -> list[web.RouteDef]:
    """`/metrics`."""

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=await numbers.text(), headers={hdrs.CONTENT_TYPE: CONTENT_TYPE})

    return [web.get("/metrics", metrics)]
