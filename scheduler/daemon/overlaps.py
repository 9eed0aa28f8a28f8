"""One person, one conversation at a time: who is due while another of theirs still runs (S6).

The claim itself never takes such a promise (the database referees); here it is decided what becomes
of it: it waits while the running one ends inside its window, and that one is asked after as soon as
it should be over; else it is asked after at once, and if it still runs the promise is skipped.
"""

from __future__ import annotations

from jobs.model import Instant
from scheduler.facts import Doubted, Skipped, SkipReason
from scheduler.ledger import Blocked, Ledger, Note, View


class Overlaps:
    """`blocked` are the keys that stood behind another conversation at the last look; `next_at` is
    when the next of those conversations should be over."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._asked: set[tuple[str, str]] = set()
        self.blocked: frozenset[str] = frozenset()
        self.next_at: Instant | None = None

    async def judge(self, view: View, now: Instant) -> None:
        """Skip, ask or let wait, for each promise that stands behind another conversation."""
        self.blocked = frozenset(each.key for each in view.blocked)
        self._asked = {(key, other) for key, other in self._asked if key in self.blocked}
        ends = (each.ends_at for each in view.blocked if each.ends_at is not None)
        self.next_at = min((at for at in ends if at > now), default=None)
        notes = [note for each in view.blocked if (note := self._judged(each, now)) is not None]
        if notes:
            await self._ledger.note(*notes)

    def _judged(self, each: Blocked, now: Instant) -> Note | None:
        if each.ends_at is None:
            return None
        waits = each.ends_at <= each.shuts
        ask_at = each.ends_at if waits else each.opens
        if each.inspected_at is not None and each.inspected_at >= ask_at:
            return None if waits else Note(each.key, Skipped(SkipReason.OVERLAP), now)
        if now < ask_at or (each.key, each.other) in self._asked:
            return None
        self._asked.add((each.key, each.other))
        return Note(each.other, Doubted(by=each.key), now)
