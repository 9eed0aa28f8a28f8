"""Promises that will not be kept: those that opened in a pause, and those whose window shut unused.

Each gets its reason as soon as it is known (S5, S15). What keeps a promise from being claimed in the first
place is not decided here.
"""

from __future__ import annotations

from jobs.model import Instant
from scheduler import lifecycle
from scheduler.daemon.overlaps import Overlaps
from scheduler.facts import Fact, Missed, Skipped, SkipReason
from scheduler.ledger import Ledger, Note
from scheduler.record import Record


class Closing:
    """Closes them; each with one fact."""

    def __init__(self, ledger: Ledger, overlaps: Overlaps) -> None:
        self._ledger = ledger
        self._overlaps = overlaps

    async def close(self, now: Instant, held: str | None, last_turn_at: Instant | None) -> None:
        """A pause comes first: who was paused has missed nothing. `held` is why nothing was created."""
        while records := await self._ledger.steering.opened_paused(now):
            await self._ledger.note(*(Note(r.key, Skipped(SkipReason.PAUSED), now) for r in records))
        while records := await self._ledger.shut(now):
            unkept = [(r.key, self._unkept(r, held, last_turn_at)) for r in records]
            await self._ledger.note(*(Note(key, fact, now) for key, fact in unkept))

    def _unkept(self, record: Record, held: str | None, last_turn_at: Instant | None) -> Fact:
        if record.key in self._overlaps.blocked:
            return Skipped(SkipReason.OVERLAP)
        waited = last_turn_at is not None and last_turn_at >= record.starts_at
        return Missed(lifecycle.miss_reason(record, held, waited))
