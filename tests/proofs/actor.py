"""One task that does all that it is asked: what enters a TaskGroup in one call must leave it in another."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
LONGEST_S = 60.0
"""Nothing that is asked takes longer than this, in real time."""


class Actor:
    """Its own loop with one task in it; `run` is called from outside of both."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._asked: asyncio.Queue[tuple[Coroutine[Any, Any, Any], asyncio.Future[Any]]] = asyncio.Queue()
        self._task = self._runner.get_loop().create_task(self._act())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The outcome of this work; RuntimeError when it was cancelled."""

        async def answered() -> T:
            answer: asyncio.Future[T] = asyncio.Future()
            self._asked.put_nowait((work, answer))
            return await answer

        return self._runner.run(answered())

    def close(self) -> None:
        self._runner.close()

    async def _act(self) -> None:
        while True:
            work, answer = await self._asked.get()
            try:
                async with asyncio.timeout(LONGEST_S):
                    answer.set_result(await work)
            except asyncio.CancelledError:
                answer.set_exception(RuntimeError("it was cancelled"))
            except BaseException as error:
                answer.set_exception(error)
