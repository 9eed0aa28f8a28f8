"""What is in hand: the steps that run now, one for each record, as tasks of one TaskGroup.

A record in hand is not started again; a step that is done rings the bell. What a step does, and
whether it may start, is not known here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from scheduler.clock import Bell


class InHand:
    """Tasks by key, inside a TaskGroup that is open for as long as the daemon is."""

    def __init__(self, group: asyncio.TaskGroup, bell: Bell) -> None:
        self._group = group
        self._bell = bell
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._tasks

    def __len__(self) -> int:
        return len(self._tasks)

    def take(self, key: str, work: Coroutine[Any, Any, None]) -> None:
        """Start this work; until it is done its key is in hand."""
        task = self._group.create_task(work)
        self._tasks[key] = task
        task.add_done_callback(lambda _: self._done(key))

    async def settled(self) -> None:
        """Wait until nothing is in hand."""
        while self._tasks:
            await asyncio.wait(list(self._tasks.values()))

    async def one_done(self) -> None:
        """Wait until something that is in hand is done."""
        if self._tasks:
            await asyncio.wait(list(self._tasks.values()), return_when=asyncio.FIRST_COMPLETED)

    def _done(self, key: str) -> None:
        self._tasks.pop(key, None)
        self._bell.ring()
