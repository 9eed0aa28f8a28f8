"""The ledger: promises, records, facts, holds; the only memory.

Its verbs are few and each is one transaction in the writer's thread, committed before it answers.
It calls its listeners after each commit, with what was written. It never decides when or how much:
it says what is due, and referees who got it (unique keys, conditional updates, row counts).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from jobs.model import Address, Instant
from scheduler.desk import Asker
from scheduler.ledger import account, due, line, messages, notes, promises, pruning, rows, skips
from scheduler.ledger.driver import Driver, SqliteDriver
from scheduler.ledger.due import View
from scheduler.ledger.errors import LedgerDamaged, LedgerMismatch
from scheduler.ledger.files import Lock, make_private, prepare
from scheduler.ledger.messages import Outgoing
from scheduler.ledger.migrate import migrate
from scheduler.ledger.notes import Note, Noted
from scheduler.ledger.promises import Closed, Waiting
from scheduler.ledger.pruning import Pruned
from scheduler.ledger.steering import Steering
from scheduler.ledger.writer import Writer
from scheduler.model import Occurrence, Schedule
from scheduler.record import Record

T = TypeVar("T")

SHUT_MAX = 500
"""How many shut windows are closed in one transaction."""

Listener = Callable[[Sequence[Noted]], None]
ClosedListener = Callable[[Sequence[Closed]], None]


class Ledger:
    """One ledger, open for writing by this process alone. Verbs raise LedgerError; `steering` has those of
    people."""

    def __init__(self, driver: Driver, lock: Lock, meta: Mapping[str, str]) -> None:
        self._writer = Writer(driver)
        self._lock = lock
        self._secret = bytes.fromhex(meta["secret"])
        self._generation = 0
        self._listeners: list[Listener] = []
        self._closed_listeners: list[ClosedListener] = []
        self.steering = Steering(self._do, self._tell, self._secret)

    @classmethod
    def open(
        cls, path: Path, base_url: str, now: Instant, connect: Callable[[Path], Driver] = SqliteDriver
    ) -> Ledger:
        """Open or make the ledger at `path`; raises LedgerHeld, LedgerDamaged, LedgerMismatch,
        LedgerUnavailable. `connect` is the seam to the database."""
        with ExitStack() as undo:
            lock = Lock(path)
            undo.callback(lock.release)
            prepare(path)
            driver = connect(path)
            undo.callback(driver.close)
            _recognise(driver, path)
            make_private(path)
            try:
                migrate(driver)
                meta = account.begin(driver, base_url, now)
            except LedgerMismatch as error:
                raise LedgerMismatch(f"{path}: {error}") from None
            ledger = cls(driver, lock, meta)
            undo.pop_all()
        return ledger

    def close(self) -> None:
        """Commit what is queued, and let another process write."""
        self._writer.close()
        self._lock.release()

    def listen(self, noted: Listener, closed: ClosedListener) -> None:
        """Call these after each commit: with notes, and with promises that were terminal at once."""
        self._listeners.append(noted)
        self._closed_listeners.append(closed)

    # --- promises ---

    async def promised_until(self) -> Instant:
        """The planner's high-water mark."""
        return await self._do(account.mark)

    async def promise(
        self,
        occurrences: Iterable[Occurrence],
        schedules: Mapping[str, Schedule],
        now: Instant,
        until: Instant | None,
    ) -> int:
        """Write these promises; with `until`, all that opens up to then is written. The number that
        were terminal at once (S4)."""
        # An iterator would be empty when the writer has to run this again, and the mark would move alone.
        plan = await asyncio.to_thread(tuple, occurrences)

        def write(driver: Driver) -> tuple[list[Closed], list[Noted]]:
            closed = promises.promise(driver, plan, schedules, self._secret, now)
            if until is not None:
                account.move_mark(driver, until)
            return closed, skips.meet(driver, now)

        closed, noted = await self._do(write)
        self._tell_closed(closed)
        self._tell(noted)
        return sum(c.promises for c in closed)

    async def gap(self, schedule: str, date: str, count: int, since: Instant, now: Instant) -> None:
        """One row for all that a schedule would have promised during a long absence (S4)."""
        if await self._do(lambda driver: promises.gap(driver, schedule, date, count, since, now)):
            self._tell_closed([Closed("missed", "gap", schedule, date, count)])

    async def planned(self) -> list[Waiting]:
        """All promises that wait to be claimed."""
        return await self._do(promises.planned)

    async def settle(
        self, stays: Sequence[Occurrence], schedules: Mapping[str, Schedule], mark: Instant
    ) -> None:
        """After a swap: planned rows follow the new configuration, and the planner begins again at `mark`."""

        def write(driver: Driver) -> None:
            promises.settle(driver, stays, schedules)
            account.move_mark(driver, mark)

        await self._do(write)

    async def generation(self, terms: str, now: Instant) -> int:
        """The number of this configuration's terms, stored once."""
        self._generation = await self._do(lambda driver: account.generation(driver, terms, now))
        return self._generation

    async def terms(self, generation: int) -> str:
        """The terms of a generation."""
        return await self._do(lambda driver: account.terms(driver, generation))

    # --- the turn ---

    async def look(self, now: Instant, in_hand: int = 0) -> View:
        """What is due, what waits, what is held, and when something will be due next."""
        return await self._do(lambda driver: due.view(driver, now, in_hand))

    async def claim(self, now: Instant, count: int, generation: int) -> list[Record]:
        """Claim up to `count` promises in line: they are `creating` when this returns (S11)."""
        return await self._do(lambda driver: line.claim(driver, now, count, generation))

    async def shut(self, now: Instant, limit: int = SHUT_MAX) -> list[Record]:
        """Planned records whose start window has shut."""
        return await self._do(lambda driver: line.shut(driver, now, limit))

    async def note(self, *facts: Note) -> list[Noted]:
        """Write what happened; what the records are afterwards. Returns when it is committed."""
        noted = await self._writer.share(notes.write, facts)
        self._tell(noted)
        return noted

    # --- records ---

    async def record(self, key: str) -> Record | None:
        """One record, whole."""
        found = await self._do(lambda driver: rows.by_keys(driver, (key,)))
        return found[0] if found else None

    async def outgoing(self, deliveries: Sequence[tuple[str, Address]]) -> list[Outgoing]:
        """These deliveries, each a key and an address, with what was frozen for them (S27)."""
        return await self._do(lambda driver: messages.outgoing(driver, deliveries))

    async def in_flight(self) -> list[Record]:
        """Records whose POST had no recorded end: at a start, those that the last process left behind."""
        where = f"WHERE {line.HELD} AND stage = 'creating' AND attempt_ended_at IS NULL"
        return await self._do(lambda driver: rows.load(driver, where))

    async def looking(self, now: Instant) -> list[Record]:
        """Records for which a Survey is due (S12)."""
        return await self._do(lambda driver: rows.load(driver, "WHERE r.look_at <= ?", (now,)))

    async def live(self) -> list[Record]:
        """Records with a conversation that is not known to be over."""
        where = f"WHERE {line.HELD} AND stage = 'live'"
        return await self._do(lambda driver: rows.load(driver, where))

    async def by_marks(self, marks: Sequence[str]) -> dict[str, Record]:
        """The records that these marks belong to; a stranger's mark has none (S12)."""
        where, these = f"WHERE r.mark != '' AND r.mark IN {rows.LISTED}", (rows.listed(marks),)
        found = await self._do(lambda driver: rows.load(driver, where, these))
        return {record.mark: record for record in found}

    # --- what is old ---

    async def prune(self, before: Instant, after: int) -> Pruned:
        """Forget a page of the records that were over before then; `after` is 0, or where the last ended."""
        return await self._do(lambda driver: pruning.page(driver, before, after))

    async def pruned(self, records: int, facts: int, now: Instant) -> int:
        """Tell how much was forgotten, and forget generations that no record names any more: how many."""
        current = self._generation
        return await self._do(lambda driver: pruning.finish(driver, records, facts, current, now))

    # --- the account ---

    async def hold(self, reason: str, now: Instant) -> bool:
        """Stop creation; whether this is new."""
        return await self._do(lambda driver: account.hold(driver, reason, now))

    async def lift(self, reason: str, now: Instant, asker: Asker | None = None) -> bool:
        """Lift a hold, because a person wants it or of our own accord; whether there was one."""
        return await self._do(lambda driver: account.lift(driver, reason, now, asker))

    async def newest_fact_at(self) -> Instant | None:
        """When the newest fact happened."""
        return await self._do(account.newest_fact_at)

    async def surveyed(self, pages: int, now: Instant) -> None:
        """A Survey has read this many pages."""
        await self._do(lambda driver: account.surveyed(driver, pages, now))

    async def requests_since(self, since: Instant, now: Instant) -> list[Instant]:
        """About when requests were sent since then."""
        return await self._do(lambda driver: account.requests_since(driver, since, now))

    async def _do(self, job: Callable[[Driver], T]) -> T:
        return await self._writer.submit(job)

    def _tell(self, noted: Sequence[Noted]) -> None:
        for listener in self._listeners:
            listener(noted)

    def _tell_closed(self, closed: Sequence[Closed]) -> None:
        for listener in self._closed_listeners:
            listener(closed)


def _recognise(driver: Driver, path: Path) -> None:
    """Raise LedgerDamaged unless this is an empty file or a whole ledger."""
    application = driver.fetch("PRAGMA application_id")[0][0]
    empty = not driver.fetch("SELECT 1 FROM sqlite_master LIMIT 1")
    if application != account.APPLICATION_ID and not empty:
        raise LedgerDamaged(f"{path}: this is some other program's database, not a ledger")
    *_, trouble = driver.fetch("PRAGMA quick_check(1)")[0][0].splitlines()
    if trouble != "ok":
        raise LedgerDamaged(
            f"{path}: the ledger is damaged ({trouble}); restore a copy, or start with a new one"
        )
    # Only now, since it would change a stranger's file for good.
    driver.execute("PRAGMA journal_mode=WAL")
