"""Reading the files again: whole or not at all, one reading at a time (S7).

A bad file changes nothing and is told; what only a start can change keeps its value and is told. The
daemon swaps what is good at its next turn. When to read is somebody else's: a signal's, a
person's, or the watch's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from jobs.model import Instant
from scheduler.app.channels import Channels
from scheduler.changes import MOVED_TIMES, changes, moved_times
from scheduler.config import load
from scheduler.config.problems import ConfigErrors
from scheduler.daemon import Daemon
from scheduler.model import Config
from scheduler.notifying import Notifier
from scheduler.settings import SettingsError
from scheduler.telemetry import Telemetry
from scheduler.vitals import Changes, Reload

REFUSALS = (ConfigErrors, SettingsError, ValueError)
"""What keeps the last good files in force."""

AT_A_START = ("base_url", "api_key", "ids")
"""What of the account a running house can't change."""


class Reloading:
    """Hands the daemon what the files say now, if it is good. `loaded` is what they said last, `last` how
    their last reading went."""

    def __init__(
        self,
        paths: Sequence[Path],
        loaded: Config,
        daemon: Daemon,
        telemetry: Telemetry,
        notifier: Notifier,
        channels: Channels,
        now: Callable[[], Instant],
    ) -> None:
        self._paths = paths
        self._loaded = loaded
        self._daemon = daemon
        self._telemetry = telemetry
        self._notifier = notifier
        self._channels = channels
        self._now = now
        self.last = Reload(ok=True, at=now())
        self._one = asyncio.Lock()
        self._reading = False
        self._again = False

    def ring(self) -> None:
        """Read the files; once more if this comes while they are being read."""
        self._again = True
        if not self._reading:
            self._reading = True
            self._daemon.errand(self._read())

    async def _read(self) -> None:
        while self._again:
            self._again = False
            with suppress(*REFUSALS):
                await self.read()
        self._reading = False

    async def read(self) -> Reread:
        """Read the files now, and have the daemon swap what they say in: what that changes.

        Raises ConfigErrors, SettingsError or ValueError when they are refused: then nothing has changed.
        """
        async with self._one:
            self._notifier.reloading(asyncio.get_running_loop().time())
            status = ""
            try:
                config = await asyncio.to_thread(load, self._paths)
                await self._channels.use(config)
                reread = await self._take(config)
                status = f"schedules: {len(config.schedules)}"
            except REFUSALS as refused:
                status = f"{self._refuse(refused)}; the last good files are in force"
                raise
            finally:
                self._notifier.ready(status)
        return reread

    def _refuse(self, refused: Exception) -> str:
        errors = errors_of(refused)
        self.last = self.last._replace(ok=False, errors=errors)
        self._telemetry.say("reload_refused", grave=True, errors=len(errors), first=errors[0])
        return f"reload refused: {errors[0]}"

    async def _take(self, config: Config) -> Reread:
        before = self._loaded
        if kept := list(_kept(before, config)):
            self._telemetry.say("restart_needed", grave=True, changed=kept)
        if moved := moved_times(before.schedules, config.schedules):
            self._telemetry.say("times_moved", grave=True, schedules=moved, detail=MOVED_TIMES)
        running = self._daemon.config
        account = replace(config.account, **{name: getattr(running.account, name) for name in AT_A_START})
        swapped = self._daemon.reload(replace(config, service=running.service, account=account))
        self._loaded = config
        self.last = Reload(ok=True, at=self._now(), warnings=tuple(_warnings(kept, moved)))
        found = await asyncio.to_thread(changes, before.schedules, config.schedules, self.last.at)
        self.last = self.last._replace(changes=found)
        self._telemetry.say("reload_taken", promises=str(found))
        return Reread(found, self.last.warnings, swapped)


class Reread(NamedTuple):
    """What a reading changed, and what a person should know of it; `swapped` is set when the daemon goes by
    it."""

    changes: Changes
    warnings: tuple[str, ...]
    swapped: asyncio.Event


def errors_of(refused: Exception) -> tuple[str, ...]:
    """Why files were refused, each error with its place; at least one line."""
    problems = refused.problems if isinstance(refused, ConfigErrors) else ()
    errors = [f"{p.file}:{p.line}:{p.column}: {p.message}" for p in problems if p.severity == "error"]
    return tuple(errors) or (str(refused),)


def _warnings(kept: Sequence[str], moved: Sequence[str]) -> Iterator[str]:
    yield from (f"{name} changes with the next start" for name in kept)
    yield from (f"schedule {name}: {MOVED_TIMES}" for name in moved)


def _kept(before: Config, after: Config) -> Iterator[str]:
    """What has changed that only a start can change."""
    if before.service != after.service:
        yield "service"
    for name in AT_A_START:
        if getattr(before.account, name) != getattr(after.account, name):
            yield f"account.{name}"
