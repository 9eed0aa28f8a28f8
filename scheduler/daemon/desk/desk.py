"""The desk itself: every verb in its place, and how the house stands.

It only puts verbs together (`scheduler.desk.Desk` says what each promises). Reading the files again is
injected, since it is the composition root that knows them; so are the daemon's vitals.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import date, time

from jobs.model import Instant
from scheduler.daemon.desk import account, makingup, pausing, promises
from scheduler.daemon.desk.means import Means
from scheduler.desk import Answer, Asker, Missed, Scope, Status
from scheduler.ledger.reporting import report
from scheduler.ledger.snapshot import Snapshot
from scheduler.vitals import Reload as Reloaded
from scheduler.vitals import Vitals

Reload = Callable[[Asker], Awaitable[Answer]]


class StandingDesk:
    """A `scheduler.desk.Desk`. `vitals` are the daemon's, if one runs, `unready` the reasons why it does no
    work now."""

    def __init__(
        self,
        means: Means,
        reload: Reload,
        vitals: Callable[[], Vitals | None],
        unready: Callable[[], Awaitable[Sequence[str]]],
        reloaded: Callable[[], Reloaded | None],
    ) -> None:
        self._means = means
        self._reload = reload
        self._vitals = vitals
        self._unready = unready
        self._reloaded = reloaded

    async def pause(self, scope: Scope, until: Instant | None, asker: Asker) -> Answer:
        """Skip what opens from now on (S5)."""
        return await pausing.pause(self._means, scope, until, asker)

    async def resume(self, scope: Scope, asker: Asker) -> Answer:
        """End the pause of exactly this scope."""
        return await pausing.resume(self._means, scope, asker)

    async def skip(self, key: str, asker: Asker) -> Answer:
        """Take one promise back."""
        return await promises.skip(self._means, key, asker)

    async def make_up(
        self, of: str | Missed, on: date, at: time | None, asker: Asker, *, dry_run: bool
    ) -> Answer:
        """Promise again what came to nothing."""
        return await makingup.make_up(self._means, of, on, at, asker, dry_run=dry_run)

    async def end(self, key: str, asker: Asker) -> Answer:
        """End a conversation of ours (S13)."""
        return await promises.end(self._means, key, asker)

    async def resend(self, key: str, channel: str | None, asker: Asker) -> Answer:
        """Hand over a link that is still alive once more (S28)."""
        return await promises.resend(self._means, key, channel, asker)

    async def retry(self, key: str, asker: Asker) -> Answer:
        """Put a failed promise back into line."""
        return await promises.retry(self._means, key, asker)

    async def resume_account(self, asker: Asker) -> Answer:
        """Lift the holds that a person may lift (S14)."""
        return await account.resume_account(self._means, asker)

    async def reload(self, asker: Asker) -> Answer:
        """Read the files again (S7)."""
        return await self._reload(asker)

    async def status(self) -> Status:
        """How the house stands now; the ledger is read in a thread."""
        unready, vitals = await self._unready(), self._vitals()
        return await asyncio.to_thread(self._read, unready, vitals)

    def _read(self, unready: Sequence[str], vitals: Vitals | None) -> Status:
        with Snapshot.open(self._means.path) as snapshot:
            found = report(snapshot, self._means.clock.now(), unready, vitals)
        return replace(found, reload=self._reloaded())
