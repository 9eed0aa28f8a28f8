"""The parts of one worker put together: its member, its two halves, and the wire between it and the others.

It runs beside the daemon, which knows only the engine: what is heard rings the daemon's bell, or is word of a
job for whoever leads. Nothing is decided here.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from contextlib import suppress
from types import TracebackType
from typing import Any

from jobs.model import Instant
from scheduler.clock import Bell, SharedClock
from scheduler.engine.engine import Parts
from scheduler.engine.shared.handing import Handing
from scheduler.engine.shared.member import AGAIN_S, LEAD, Member, Name
from scheduler.engine.shared.told import Word, asked_for, packed
from scheduler.engine.shared.working import Working
from scheduler.ledger import Ledger, LedgerUnavailable
from scheduler.ledger.driver import JOBS, ROWS
from scheduler.ledger.place import Database
from scheduler.ledger.shared.wire import CALL_BYTES, Wire

LEAVE_S = 2.0
"""How long the end waits for the database: a lease ends by itself."""


class SharedCrew:
    """This process as one of the workers of a ledger, and the engine that a daemon gets of it."""

    def __init__(self, ledger: Ledger, database: Database, clock: SharedClock, name: Name) -> None:
        self._ledger = ledger
        self._clock = clock
        self._wire = Wire(database, self._hear)
        self.member = Member(self._wire, clock, name)
        self.led = ledger.under(self.member.check)
        self._on_rows: list[Callable[[], None]] = []
        self._group = asyncio.TaskGroup()
        self._tasks: list[asyncio.Task[None]] = []
        self._words: list[Word] = []
        self._told = Bell()
        self._hold_until: Instant = 0.0
        self._handing: Handing | None = None
        self._working: Working | None = None

    def engine(self, parts: Parts) -> Handing:
        """The engine of this process, which takes jobs from now on."""
        working = self._working = Working(self._ledger, parts, self.member, self._say)
        handing = self._handing = Handing(parts, self.member, self._retire, working.close, self.listen)
        self.listen(parts.hands.bell.ring)
        self.member.in_hand = lambda: len(parts.hands)
        self._begin(working.run())
        return handing

    def listen(self, listener: Callable[[], None]) -> None:
        """Call this when another process has written to the ledger, or may have, and when workers come, go
        or lead."""
        self._on_rows.append(listener)
        self.member.watch(listener)

    async def __aenter__(self) -> SharedCrew:
        """Onto the list, leading if nobody does. Raises LedgerUnavailable."""
        while not self.member.listed:
            await self.member.beat()
        await self._group.__aenter__()
        for work in (self.member.beating(), self._listening(), self._telling()):
            self._begin(work)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Off the list, so that nobody waits for this lease to end."""
        for task in self._tasks:
            task.cancel()
        with suppress(LedgerUnavailable, TimeoutError):
            async with asyncio.timeout(LEAVE_S):
                await self.member.leave()
                await self._wire.close()
        try:
            await self._group.__aexit__(None, None, None)
        except BaseExceptionGroup as group:  # what ended it is raised as it is
            raise group.exceptions[0] from None

    # --- what is said and heard ---

    def _say(self, word: Word) -> None:
        """Of a job, to whoever leads."""
        if (until := asked_for(word)) is not None:
            self._hold_until = max(self._hold_until, until)
            self._told.ring()
        if self.member.epoch and self._handing is not None:
            self._handing.hear(word)
        else:
            self._words.append(word)
            self._told.ring()

    def _hear(self, call: str | None) -> None:
        """A call: about the lead, about jobs, about rows that another process wrote, or words of jobs. `None`
        when some may have been lost: then everything is looked at."""
        what, _, whose = (call or "").partition(" ")
        if call is None or what == LEAD:
            self.member.look_now()
        if self._working is not None and (call is None or what == JOBS):
            self._working.bell.ring()
        over = call is not None and call.startswith("[") and self._heed(call)
        if call is None or over or (what == ROWS and whose != self._ledger.voice):
            for listener in self._on_rows:
                listener()

    def _heed(self, words: str) -> bool:
        """Words of jobs, which only the leader needs; whether one of these is over. What can't be read, as a
        newer program's might, is as good as lost, and its job is looked at."""
        if self._handing is None or not self.member.epoch:
            return False
        try:
            return bool([word for word in json.loads(words) if self._handing.hear(word)])
        except (ValueError, TypeError, LookupError):
            return False

    async def _telling(self) -> None:
        while True:
            await self._told.heard()
            self._told.take()
            words, self._words = self._words, []
            with suppress(LedgerUnavailable):
                await self._wire.call(packed(words, CALL_BYTES))
            with suppress(LedgerUnavailable):
                await self._hold()
            if self._hold_until:  # not written yet
                await self._clock.sleep_until(None, Bell(), AGAIN_S)
                self._told.ring()

    async def _hold(self) -> None:
        """What one is told of how long to wait is every worker's, and the next leader's."""
        if until := self._hold_until:
            await self._ledger.jobs.hold_until(until)
            self._hold_until = 0.0 if self._hold_until == until else self._hold_until

    async def _listening(self) -> None:
        while True:
            with suppress(LedgerUnavailable):
                await self._wire.listen()
            await self._clock.sleep_until(None, Bell(), AGAIN_S)

    # --- the end ---

    async def _retire(self) -> bool:
        if not self.member.others:
            return False
        with suppress(LedgerUnavailable):
            await self.member.resign()
        return True

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(self._group.create_task(work))
