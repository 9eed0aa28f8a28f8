"""Open connections that wait for the next letter.

The one that was used last is used next, so that a burst keeps several and a trickle keeps one; whoever waits
too long or has carried enough is left. It opens none, counts none that are in use, and waits for nothing.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from jobs.channels.mail.connection import Connection


class _Waiting(NamedTuple):
    connection: Connection
    timer: asyncio.TimerHandle


class Pool:
    """`idle_s` is how long a connection waits, `letters_max` how many letters it carries at most."""

    def __init__(self, idle_s: float, letters_max: int) -> None:
        self._idle_s = idle_s
        self._letters_max = letters_max
        self._waiting: list[_Waiting] = []
        self._closed = False

    def take(self) -> Connection | None:
        """A connection that is open, as far as we have heard; None when there is none."""
        while self._waiting:
            connection, timer = self._waiting.pop()
            timer.cancel()
            if connection.is_open:
                return connection
        return None

    def keep(self, connection: Connection) -> None:
        """Hold a connection for the next letter, or leave it if it has done enough."""
        if self._closed or not connection.is_open or connection.letters >= self._letters_max:
            connection.leave()
            return
        timer = asyncio.get_running_loop().call_later(self._idle_s, self._leave_oldest)
        self._waiting.append(_Waiting(connection, timer))

    def close(self) -> None:
        """Leave all; whoever comes back later is left too."""
        self._closed = True
        while connection := self.take():
            connection.leave()

    def _leave_oldest(self) -> None:
        """The timers run out in the order in which their connections came to wait."""
        self._waiting.pop(0).connection.leave()
