"""Watching the files: what stands in them is read again when it has changed (`service.reload: watch`).

The *directories* are watched, since that is where an editor, or a ConfigMap's switched link, changes what a
name means. What is seen there only makes it look: whether anything has changed is told by the content alone,
and what becomes of it is `reloading`'s. Where nothing can be seen, it looks every few seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from scheduler.config import ConfigErrors, content, load
from scheduler.model import Config
from scheduler.telemetry import Telemetry

LOOK_S = 10.0
"""It looks so often at least: not every change of every file system is seen."""
STEP_MS, MOST_MS = 200, 2_000
"""A burst of changes is over when nothing more comes for a step, or after so long."""

Notice = Callable[..., Any]
"""`watchfiles.awatch`."""


@asynccontextmanager
async def watching(
    paths: Sequence[Path], loaded: Config, ring: Callable[[], None], telemetry: Telemetry
) -> AsyncIterator[None]:
    """While the block lasts, `ring` whenever these files say something else; at first, than `loaded`.

    Raises ValueError where the extra isn't installed.
    """
    watch, stop = _Watch(paths, ring, telemetry, _notice()), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(watch.follow(loaded, stop))
        try:
            yield
        finally:
            stop.set()


def _notice() -> Notice:
    try:
        from watchfiles import awatch
    except ImportError:
        raise ValueError(
            "service.reload: watch needs watchfiles: pip install 'callboard[watch]', or write signal"
        ) from None
    return awatch


class _Watch:
    """Looks when something happens in a directory, and now and then; `seen` is what stood there last."""

    def __init__(
        self, paths: Sequence[Path], ring: Callable[[], None], telemetry: Telemetry, notice: Notice
    ) -> None:
        self._paths = paths
        self._ring = ring
        self._telemetry = telemetry
        self._notice = notice
        self._seen = ""
        self._blind = False

    async def follow(self, loaded: Config, stop: asyncio.Event) -> None:
        """Until `stop`. What changed between the loading and the first look is a change, too."""
        self._seen = (await asyncio.to_thread(content, self._paths)).digest
        if await asyncio.to_thread(self._says_else, loaded):
            self._ring()
        while not stop.is_set():
            try:
                await self._while_here(await self._look(), stop)
            except (OSError, RuntimeError) as error:
                self._told_blind(error)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), LOOK_S)

    async def _while_here(self, directories: tuple[Path, ...], stop: asyncio.Event) -> None:
        """As long as these are the directories."""
        changes = self._notice(
            *directories,
            watch_filter=None,
            debounce=MOST_MS,
            step=STEP_MS,
            stop_event=stop,
            rust_timeout=int(LOOK_S * 1000),
            yield_on_timeout=True,
            recursive=False,
        )
        async with aclosing(changes):
            async for _ in changes:
                self._blind = False
                if await self._look() != directories:
                    return

    async def _look(self) -> tuple[Path, ...]:
        """Ring if anything is other than it was; where to look next."""
        found = await asyncio.to_thread(content, self._paths)
        if found.digest != self._seen:
            self._seen = found.digest
            self._ring()
        return found.directories

    def _says_else(self, loaded: Config) -> bool:
        try:
            return load(self._paths) != loaded
        except ConfigErrors:
            return True

    def _told_blind(self, error: Exception) -> None:
        """Once, until it sees again."""
        if not self._blind:
            self._telemetry.say("watch_failed", grave=True, detail=f"{error}; looking every {LOOK_S:.0f} s")
        self._blind = True
