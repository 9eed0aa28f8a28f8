"""What pages are made from: one look at the ledger at a time, in a thread, kept until something changes.

Fifty browsers that ask for the same page cost one look. While facts come by the hundred an answer may be a
second old; what somebody just did is always seen. What is read, and what is made of it, is the caller's.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import NamedTuple, TypeVar

from scheduler.clock import Clock
from scheduler.ledger import Place
from scheduler.ledger.snapshot import Snapshot
from scheduler.web.events import Changes

T = TypeVar("T")

FRESH_S = 1.0
"""An answer this young is good whatever has happened since."""
STALE_S = 10.0
"""An answer this old isn't, even if nothing has happened: time goes on."""
KEPT_MAX = 64


class _Kept(NamedTuple):
    answer: object
    number: int
    boot: float
    deeds: int


class Reading:
    """Answers of one house. What reads is given a snapshot and runs in a thread: it touches nothing of the
    loop's."""

    def __init__(self, ledger: Place, clock: Clock, changes: Changes) -> None:
        self._ledger = ledger
        self._clock = clock
        self._changes = changes
        self._deeds = 0
        self._one = asyncio.Lock()
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()

    async def ask(self, about: Hashable, read: Callable[[Snapshot], T]) -> T:
        """The answer to this question; raises LedgerError, and whatever `read` raises."""
        if (kept := self._fresh(about)) is not None:
            return kept.answer  # type: ignore[return-value]
        async with self._one:
            if (kept := self._fresh(about)) is not None:
                return kept.answer  # type: ignore[return-value]
            number, boot, deeds = self._changes.number, self._clock.boot(), self._deeds
            answer = await asyncio.to_thread(self._read, read)
            self._keep(about, _Kept(answer, number, boot, deeds))
        return answer

    def forget(self) -> None:
        """Somebody has done something, and wants to see it: what was read before is worth nothing."""
        self._deeds += 1

    def _fresh(self, about: Hashable) -> _Kept | None:
        kept = self._kept.get(about)
        if kept is None or kept.deeds != self._deeds:
            return None
        lasts_s = STALE_S if kept.number == self._changes.number else FRESH_S
        return kept if self._clock.boot() - kept.boot < lasts_s else None

    def _keep(self, about: Hashable, kept: _Kept) -> None:
        self._kept[about] = kept
        self._kept.move_to_end(about)
        while len(self._kept) > KEPT_MAX:
            self._kept.popitem(last=False)

    def _read(self, read: Callable[[Snapshot], T]) -> T:
        with Snapshot.open(self._ledger) as snapshot:
            return read(snapshot)
