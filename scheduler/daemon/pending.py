"""A configuration that waits for the turn that swaps it in; of several, the latest.

Whoever brought one can wait until it is in force. Reading files, and what a swap does to promises, is not
known here.
"""

from __future__ import annotations

import asyncio

from scheduler.model import Config


class Pending:
    """What is to be swapped in next; `config` is `None` when nothing is."""

    def __init__(self) -> None:
        self.config: Config | None = None
        self._swapped = asyncio.Event()

    def put(self, config: Config) -> asyncio.Event:
        """Swap this in next; the event is set when it, or one that came later, is in force."""
        if self.config is None:
            self._swapped = asyncio.Event()
        self.config = config
        return self._swapped

    def done(self, config: Config) -> None:
        """This one is in force."""
        if self.config is config:
            self.config = None
            self._swapped.set()
