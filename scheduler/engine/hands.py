"""What is in hand: the steps that run now, as tasks of one TaskGroup.

What is in hand is not started again: a record's request by its key, each of its deliveries by its key and
address; a step that is done rings the bell. (A claim may come upon a record whose stray is just being
ended: then two are in hand for its key.) What a step does, and whether it may start, is not known here.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any

from jobs.model import Address
from scheduler.clock import Bell

Place = str | tuple[str, Address]
"""What a hand is at: a record's requests, or one of its deliveries."""


class InHand:
    """Tasks by place, inside a TaskGroup that is open for as long as the daemon is; each rings `bell` at its
    end."""

    def __init__(self, group: asyncio.TaskGroup, bell: Bell) -> None:
        self._group = group
        self.bell = bell
        self._tasks: dict[asyncio.Task[None], Place] = {}
        self._places: Counter[Place] = Counter()

    def __contains__(self, place: Place) -> bool:
        return place in self._places

    def __len__(self) -> int:
        return len(self._tasks)

    def take(self, place: Place, work: Coroutine[Any, Any, None]) -> None:
        """Start this work; until it is done its place is in hand."""
        task = self._group.create_task(work)
        self._tasks[task] = place
        self._places[place] += 1
        task.add_done_callback(self._done)

    async def settled(self) -> None:
        """Wait until nothing is in hand."""
        while self._tasks:
            await asyncio.wait(list(self._tasks))

    async def changed(self) -> None:
        """Wait until something that is in hand is done."""
        if self._tasks:
            await asyncio.wait(list(self._tasks), return_when=asyncio.FIRST_COMPLETED)

    def _done(self, task: asyncio.Task[None]) -> None:
        place = self._tasks.pop(task)
        self._places[place] -= 1
        if not self._places[place]:
            del self._places[place]
        self.bell.ring()
