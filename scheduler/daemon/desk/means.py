"""What the verbs of the desk have in common: what they need, and how they name what isn't there.

No verb stands here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches

from jobs.model import Instant
from scheduler import planner
from scheduler.clock import Clock
from scheduler.config.suggest import did_you_mean
from scheduler.desk import Refused
from scheduler.ledger import Ledger
from scheduler.ledger.place import Place
from scheduler.ledger.snapshot import Snapshot
from scheduler.model import Config, Schedule
from scheduler.record import Record
from scheduler.runner import Letters

NEAR = 0.8
"""How much alike a key must look to be suggested."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What the desk needs. `path` is the ledger's, `say` tells what is no record's (as telemetry does), and
    `ring` has the house look again."""

    ledger: Ledger
    path: Place
    clock: Clock
    config: Callable[[], Config]
    letters: Letters
    say: Callable[..., None]
    ring: Callable[[], None]

    @property
    def schedules(self) -> Mapping[str, Schedule]:
        """The schedules in force."""
        return self.config().schedules

    async def record(self, key: str) -> Record:
        """The record of this key; Refused when there is none, with the key that was probably meant."""
        found = await self.ledger.record(key)
        if found is None:
            raise Refused(await self._unwritten(key))
        return found

    async def _unwritten(self, key: str) -> str:
        """Why there is no record of it: its time is to come, or there is no such promise."""
        coming = await asyncio.to_thread(planner.find, self.schedules.values(), key)
        if coming is not None and coming.opens > self.clock.now():
            return f"{key} has not come yet; before {spoken(coming.opens)} it can only be skipped"
        return f"no record has the key {key}; {await self.hint(key)}"

    async def hint(self, key: str) -> str:
        """What to try instead of a key that nobody knows."""
        near = get_close_matches(key, await asyncio.to_thread(self._keys), n=1, cutoff=NEAR)
        return f"did you mean {near[0]}?" if near else "`callboard ls` and `callboard plan` show the keys"

    def unknown(self, what: str, name: str, known: Sequence[str]) -> Refused:
        """There is no such name; the one that was probably meant, or all of a few."""
        few = (
            f"there {'is' if len(known) == 1 else 'are'} {', '.join(known)}" if 0 < len(known) < 10 else None
        )
        hint = did_you_mean(name, known, few) or "`callboard plan` shows who is called"
        return Refused(f"there is no {what} {name}; {hint}")

    def _keys(self) -> list[str]:
        with Snapshot.open(self.path) as snapshot:
            return snapshot.keys()


def stands(record: Record) -> str:
    """`live`, `missed (busy)`: where a record stands, for people."""
    return f"{record.stage} ({record.reason})" if record.reason else str(record.stage)


def spoken(at: Instant) -> str:
    """An instant as people and programs read it: `2026-12-01 09:00:00Z`."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%SZ}"
