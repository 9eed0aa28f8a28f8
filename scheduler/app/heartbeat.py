"""The heartbeat: a URL that is asked for once a minute, for as long as promises are kept.

Whoever listens there raises the alarm when it falls silent: so it is kept back while a hold is in force,
while the ledger can't be written, and for a while after a promise came to nothing. It begins with the
alarm's ticks, and so ends with them. The URL is a secret: its host is told, and nothing more of it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from jobs.tavus.transport import Departure, agent, describe, open_session
from scheduler.clock import Clock
from scheduler.config.addresses import hook_url
from scheduler.config.scalars import Misread
from scheduler.daemon import Daemon
from scheduler.ledger import LedgerError
from scheduler.metrics import Metrics
from scheduler.model import SecretRef
from scheduler.settings import Secret, SettingsError, read_secret
from scheduler.telemetry import Telemetry

EVERY_S = 60.0
QUIET_S: Final = 15 * 60.0
"""After a promise came to nothing: long enough for whoever listens to wonder."""
ANSWER_S = 10.0

SLACK_S = 1.0
"""Ticks come a little late, and the fourth of them is meant."""


class Beat(StrEnum):
    """What became of one heartbeat."""

    SENT = "sent"
    FAILED = "failed"
    KEPT_BACK = "kept_back"


def heartbeat_url(where: SecretRef | str) -> Secret:
    """The URL that the configuration names or has. Raises SettingsError; no text holds any of it."""
    if isinstance(where, str):
        return Secret(where, "service.heartbeat")
    try:
        found = read_secret(where.source, where.name)
        hook_url(found.reveal())
    except SettingsError as error:
        raise SettingsError(f"service.heartbeat: {error}") from None
    except Misread as error:
        raise SettingsError(f"service.heartbeat: {where.name}: {error.message}") from None
    return found


class Heartbeat:
    """Give its `tick` to the daemon's ticks."""

    def __init__(
        self, url: Secret, daemon: Daemon, metrics: Metrics, clock: Clock, telemetry: Telemetry
    ) -> None:
        self._url = url
        self._host = urlsplit(url.reveal()).hostname or ""
        self._daemon = daemon
        self._metrics = metrics
        self._clock = clock
        self._telemetry = telemetry
        self._next_boot = 0.0
        self._busy = False
        self._broken = 0
        self._broken_boot = -QUIET_S
        self._failing = False

    def tick(self) -> None:
        """Begin one, if a minute has passed since the last."""
        boot = self._clock.boot()
        if boot >= self._next_boot and not self._busy and not self._daemon.stopping:
            self._next_boot = boot + EVERY_S - SLACK_S
            self._busy = True
            self._daemon.errand(self._errand())

    async def beat(self) -> Beat:
        """One heartbeat, now: sent if promises are kept."""
        if not await self._promises_kept():
            return Beat.KEPT_BACK
        trouble = await self._asked()
        if trouble is not None and not self._failing:
            self._telemetry.say("heartbeat_failed", grave=True, host=self._host, detail=trouble)
        elif trouble is None and self._failing:
            self._telemetry.say("heartbeat_back", host=self._host)
        self._failing = trouble is not None
        return Beat.FAILED if self._failing else Beat.SENT

    async def _errand(self) -> None:
        try:
            self._metrics.heartbeat(await self.beat())
        finally:
            self._busy = False

    async def _promises_kept(self) -> bool:
        boot = self._clock.boot()
        if self._metrics.broken != self._broken:
            self._broken, self._broken_boot = self._metrics.broken, boot
        if boot - self._broken_boot < QUIET_S or not await self._daemon.checkup.writable():
            return False
        try:
            return not await self._daemon.holds()
        except LedgerError:
            return False

    async def _asked(self) -> str | None:
        """What went wrong, in words without the URL."""
        try:
            async with (
                open_session({"User-Agent": agent()}, ANSWER_S, ANSWER_S) as session,
                session.get(
                    self._url.reveal(),
                    allow_redirects=False,
                    trace_request_ctx=Departure(lambda: None, with_body=False),
                ) as answer,
            ):
                return None if answer.ok and answer.status < 300 else f"it answered {answer.status}"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return describe(error)
