"""`/metrics`: the house's numbers as Prometheus reads them, at most once a second.

The ledger is read in a thread, through a connection of its own that sees one moment; whoever asks meanwhile
gets the same text. What is counted, and under which name, is `scheduler.metrics`'.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

from aiohttp import hdrs, web

from jobs.model import Instant
from scheduler.clock import Clock
from scheduler.ledger import LedgerError
from scheduler.ledger.snapshot import Snapshot
from scheduler.metrics import CONTENT_TYPE, Metrics
from scheduler.vitals import Reload, Standing, Vitals

FRESH_S = 1.0


class Numbers:
    """The text of `/metrics`, and what it is read from."""

    def __init__(
        self,
        metrics: Metrics,
        ledger: Path,
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
        self._text = b""
        self._read_boot: float | None = None

    async def text(self) -> bytes:
        """Everything, no older than a second."""
        async with self._one:
            boot = self._clock.boot()
            if self._read_boot is None or boot - self._read_boot > FRESH_S:
                self._text = await asyncio.to_thread(self._written, self._vitals(), self._reload())
                self._read_boot = boot
            return self._text

    def _written(self, vitals: Vitals, reload: Reload) -> bytes:
        return self._metrics.text(vitals, reload, self._standing(vitals.at), self._free())

    def _standing(self, now: Instant) -> Standing | None:
        try:
            with Snapshot.open(self._ledger) as snapshot:
                return snapshot.standing(now)
        except LedgerError:
            return None

    def _free(self) -> int | None:
        try:
            return shutil.disk_usage(self._ledger.parent).free
        except OSError:
            return None


def numbers_routes(numbers: Numbers) -> list[web.RouteDef]:
    """`/metrics`."""

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=await numbers.text(), headers={hdrs.CONTENT_TYPE: CONTENT_TYPE})

    return [web.get("/metrics", metrics)]
