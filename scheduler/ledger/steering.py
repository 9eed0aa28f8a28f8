"""What people ask of the ledger: pauses, skips ahead, make-ups, another try. Each is one transaction.

It referees whom of two who ask at once comes first; whether a wish makes sense is judged at the desk, and
what it does to a record by the lifecycle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jobs.model import Instant
from scheduler import makeups
from scheduler.desk import Asker, Pause, Scope
from scheduler.facts import Ask, Asked
from scheduler.ledger import notes, pauses, promises, rows, skips
from scheduler.ledger.driver import Driver
from scheduler.ledger.notes import Listener, Note, Noted
from scheduler.ledger.skips import Kept
from scheduler.ledger.writer import Do
from scheduler.model import Occurrence, Schedule
from scheduler.record import Record

PAUSED_MAX = 500
"""How many paused promises are closed in one transaction."""


class Steering:
    """The verbs of people, over the ledger's one writer."""

    def __init__(self, do: Do[Any], read: Do[Any], tell: Listener, secret: bytes) -> None:
        self._do = do
        self._read = read
        self._tell = tell
        self._secret = secret

    async def pause(self, scope: Scope, until: Instant | None, asker: Asker, now: Instant) -> Pause | None:
        """Pause from now on; the pause of this scope that was in force before."""
        found: Pause | None = await self._do(lambda driver: pauses.pause(driver, scope, until, asker, now))
        return found

    async def resume(self, scope: Scope, asker: Asker, now: Instant) -> Pause | None:
        """End the pause of this scope; `None` if none was in force."""
        found: Pause | None = await self._do(lambda driver: pauses.resume(driver, scope, asker, now))
        return found

    async def pauses(self, now: Instant) -> list[Pause]:
        """The pauses in force."""
        found: list[Pause] = await self._read(lambda driver: pauses.in_force(driver, now))
        return found

    async def opened_paused(self, now: Instant, limit: int = PAUSED_MAX) -> list[Record]:
        """Planned records that have opened in a pause."""
        found: list[Record] = await self._read(lambda driver: pauses.opened(driver, now, limit))
        return found

    async def skip_ahead(self, promise: Occurrence, asker: Asker, now: Instant) -> Kept:
        """Skip a promise as soon as it is written."""
        kept: Kept = await self._do(lambda driver: skips.keep(driver, promise, asker, now))
        return kept

    async def again(self, note: Note, stays: Occurrence, schedules: Mapping[str, Schedule]) -> Noted:
        """Note a retry; a promise that is planned by it follows the configuration as it is now (S7)."""

        def write(driver: Driver) -> list[Noted]:
            noted = notes.write(driver, [[note]])[0]
            promises.settle(driver, [stays], schedules)
            return noted

        noted: list[Noted] = await self._do(write)
        self._tell(noted)
        return noted[0]

    async def missed_since(self, since: Instant, until: Instant) -> list[Record]:
        """Records that were missed and were due between these."""
        where = "WHERE r.stage = 'missed' AND r.due >= ? AND r.due <= ? ORDER BY r.due, r.key"
        found: list[Record] = await self._read(lambda driver: rows.load(driver, where, (since, until)))
        return found

    async def made_up(self, record: Record) -> list[Record]:
        """The make-ups of what this record stands for, whatever became of them."""
        found: list[Record] = await self._read(lambda driver: _made_up(driver, record))
        return found

    async def make_up(
        self,
        pairs: Sequence[tuple[Record, Occurrence]],
        schedules: Mapping[str, Schedule],
        asker: Asker,
        now: Instant,
    ) -> list[str]:
        """Promise each of these for its record, unless a make-up of it stands; the keys that are new. Both
        ends know of each other."""

        def write(driver: Driver) -> list[Noted]:
            fresh = [(old, new) for old, new in pairs if _is_free(new.key, _made_up(driver, old))]
            promises.promise(driver, [new for _, new in fresh], schedules, self._secret, now)
            ends = [(old.key, new.key) for old, new in fresh] + [(new.key, old.key) for old, new in fresh]
            linked = [Note(key, Asked(Ask.MAKE_UP, *asker, other=other), now) for key, other in ends]
            return notes.write(driver, [linked])[0]

        noted: list[Noted] = await self._do(write)
        self._tell(noted)
        return [each.after.key for each in noted[len(noted) // 2 :]]


def _made_up(driver: Driver, record: Record) -> list[Record]:
    """Keys that begin alike stand side by side in the index."""
    begins = f"{record.schedule}/{makeups.slot_of(record)}/"
    where = "WHERE r.key >= ? AND r.key < ? AND coalesce(r.participant, '') = ?"
    return rows.load(driver, where, (begins, f"{begins[:-1]}0", record.participant or ""))


def _is_free(key: str, family: Sequence[Record]) -> bool:
    return not any(each.key == key or makeups.stands(each) for each in family)
