"""What is in hand: the steps that run now, as tasks of one TaskGroup.

A record in hand is not started again; a step that is done rings the bell. (A claim may come upon a
record whose stray is just being ended: then two are in hand for it.) What a step does, and whether
it may start, is not known here.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any

from scheduler.clock import Bell


class InHand:
    """Tasks by key, inside a TaskGroup that is open for as long as the daemon is."""

    def __init__(self, group: asyncio.TaskGroup, bell: Bell) -> None:
        self._group = group
        self._bell = bell
        self._tasks: dict[asyncio.Task[None], str] = {}
        self._keys: Counter[str] = Counter()

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def __len__(self) -> int:
        return len(self._tasks)

    def take(self, key: str, work: Coroutine[Any, Any, None]) -> None:
        """Start this work; until it is done its key is in hand."""
        task = self._group.create_task(work)
        self._tasks[task] = key
        self._keys[key] += 1
        task.add_done_callback(self._done)

    async def settled(self) -> None:
        """Wait until nothing is in hand."""
        while self._tasks:
            await asyncio.wait(list(self._tasks))

    def _done(self, task: asyncio.Task[None]) -> None:
        key = self._tasks.pop(task)
        self._keys[key] -= 1
        if not self._keys[key]:
            del self._keys[key]
        self._bell.ring()
