"""The ledger: promises, records, facts, holds; the only memory.

Its verbs are few and each is one transaction in the writer's thread, committed before it answers.
It calls its listeners after each commit, with what was written. It never decides when or how much:
it says what is due, and referees who got it (unique keys, conditional updates, row counts).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from copy import copy
from typing import TypeVar

from jobs.model import Address, Instant
from scheduler.desk import Asker
from scheduler.ledger import account, due, line, messages, notes, promises, pruning, rows, skips
from scheduler.ledger.connecting import connect
from scheduler.ledger.driver import Driver
from scheduler.ledger.due import View
from scheduler.ledger.errors import LedgerMismatch
from scheduler.ledger.files import Lock, prepare
from scheduler.ledger.messages import Outgoing
from scheduler.ledger.migrate import migrate
from scheduler.ledger.notes import Listener, Note, Noted
from scheduler.ledger.place import Database, Place
from scheduler.ledger.promises import Closed, Waiting
from scheduler.ledger.pruning import Pruned
from scheduler.ledger.shared.verbs import Jobs
from scheduler.ledger.steering import Steering
from scheduler.ledger.writer import Writer
from scheduler.model import Occurrence, Schedule
from scheduler.record import Record

T = TypeVar("T")

SHUT_MAX = 500
"""How many shut windows are closed in one transaction."""

Connect = Callable[[Place], Driver]
Check = Callable[[Driver], None]
ClosedListener = Callable[[Sequence[Closed]], None]


class Ledger:
    """One ledger, open for writing: a file by this process alone, a database by any number. Verbs raise
    LedgerError; `steering` has those of people, `jobs` those of workers. `voice` is in what its transactions
    announce to others."""

    def __init__(self, driver: Driver, release: Callable[[], None], meta: Mapping[str, str]) -> None:
        self._writer = Writer(driver)
        self._check: Check | None = None
        self.voice = driver.voice
        self._release = release
        self._secret = bytes.fromhex(meta["secret"])
        self._generation = 0
        self._listeners: list[Listener] = []
        self._closed_listeners: list[ClosedListener] = []
        self._equip()

    def _equip(self) -> None:
        self.steering = Steering(self._do, self._read, self._tell, self._secret)
        self.jobs = Jobs(self._do, self._read, self._writer.share, self._tell)

    def under(self, check: Check) -> Ledger:
        """The same ledger, for writing on somebody's behalf only as long as `check`, in each transaction that
        writes, raises nothing."""
        other = copy(self)
        other._check = check
        other._equip()
        return other

    @classmethod
    def open(cls, place: Place, base_url: str, now: Instant, connect: Connect = connect) -> Ledger:
        """Open or make the ledger at `place`; raises LedgerHeld, LedgerDamaged, LedgerMismatch,
        LedgerUnavailable. `connect` is the seam to the database."""
        with ExitStack() as undo:
            release = _held(place)
            undo.callback(release)
            driver = connect(place)
            undo.callback(driver.close)
            driver.prepare()
            try:
                migrate(driver)
                meta = account.begin(driver, base_url, now)
            except LedgerMismatch as error:
                raise LedgerMismatch(f"{place}: {error}") from None
            ledger = cls(driver, release, meta)
            undo.pop_all()
        return ledger

    def close(self) -> None:
        """Commit what is queued, and let another process write."""
        self._writer.close()
        self._release()

    def listen(self, noted: Listener, closed: ClosedListener) -> None:
        """Call these after each commit: with notes, and with promises that were terminal at once."""
        self._listeners.append(noted)
        self._closed_listeners.append(closed)

    # --- promises ---

    async def promised_until(self) -> Instant:
        """The planner's high-water mark."""
        return await self._read(account.mark)

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
        return await self._read(promises.planned)

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
        return await self._read(lambda driver: account.terms(driver, generation))

    # --- the turn ---

    async def look(self, now: Instant, in_hand: int = 0) -> View:
        """What is due, what waits, what is held, and when something will be due next."""
        return await self._read(lambda driver: due.view(driver, now, in_hand))

    async def claim(self, now: Instant, count: int, generation: int) -> list[Record]:
        """Claim up to `count` promises in line: they are `creating` when this returns (S11)."""
        return await self._do(lambda driver: line.claim(driver, now, count, generation))

    async def shut(self, now: Instant, limit: int = SHUT_MAX) -> list[Record]:
        """Planned records whose start window has shut."""
        return await self._read(lambda driver: line.shut(driver, now, limit))

    async def note(self, *facts: Note) -> list[Noted]:
        """Write what happened; what the records are afterwards. Returns when it is committed."""
        if self._check is None:
            noted = await self._writer.share(notes.write, facts)
        else:
            noted = await self._do(lambda driver: notes.write(driver, [facts])[0])
        self._tell(noted)
        return noted

    # --- records ---

    async def record(self, key: str) -> Record | None:
        """One record, whole."""
        found = await self._read(lambda driver: rows.by_keys(driver, (key,)))
        return found[0] if found else None

    async def records(self, keys: Sequence[str]) -> list[Record]:
        """These records, whole, in no order."""
        return await self._read(lambda driver: rows.by_keys(driver, keys))

    async def outgoing(self, deliveries: Sequence[tuple[str, Address]]) -> list[Outgoing]:
        """These deliveries, each a key and an address, with what was frozen for them (S27)."""
        return await self._read(lambda driver: messages.outgoing(driver, deliveries))

    async def in_flight(self) -> list[Record]:
        """Records whose POST had no recorded end: at a start, those that the last process left behind."""
        where = f"WHERE {line.HELD} AND stage = 'creating' AND attempt_ended_at IS NULL"
        return await self._read(lambda driver: rows.load(driver, where))

    async def looking(self, now: Instant) -> list[Record]:
        """Records for which a Survey is due (S12)."""
        return await self._read(lambda driver: rows.load(driver, "WHERE r.look_at <= ?", (now,)))

    async def live(self) -> list[Record]:
        """Records with a conversation that is not known to be over."""
        where = f"WHERE {line.HELD} AND stage = 'live'"
        return await self._read(lambda driver: rows.load(driver, where))

    async def by_marks(self, marks: Sequence[str]) -> dict[str, Record]:
        """The records that these marks belong to; a stranger's mark has none (S12)."""
        where, these = f"WHERE r.mark != '' AND r.mark IN {rows.LISTED}", (rows.listed(marks),)
        found = await self._read(lambda driver: rows.load(driver, where, these))
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
        """When the newest fact happened. It waits for the right to write, and so tells whether there is one
        to be had."""
        return await self._do(account.newest_fact_at)

    async def surveyed(self, pages: int, now: Instant) -> None:
        """A Survey has read this many pages."""
        await self._do(lambda driver: account.surveyed(driver, pages, now))

    async def requests_since(self, since: Instant) -> list[Instant]:
        """About when requests that were answered were sent since then."""
        return await self._read(lambda driver: account.requests_since(driver, since))

    async def _do(self, job: Callable[[Driver], T]) -> T:
        check = self._check
        if check is None:
            return await self._writer.submit(job)

        def checked(driver: Driver) -> T:
            check(driver)
            return job(driver)

        return await self._writer.submit(checked)

    async def _read(self, job: Callable[[Driver], T]) -> T:
        return await self._writer.submit(job, reads=True)

    def _tell(self, noted: Sequence[Noted]) -> None:
        for listener in self._listeners:
            listener(noted)

    def _tell_closed(self, closed: Sequence[Closed]) -> None:
        for listener in self._closed_listeners:
            listener(closed)


def _held(place: Place) -> Callable[[], None]:
    """The right to write there, and how it is given back; a database's transactions see to that."""
    if isinstance(place, Database):
        return lambda: None
    lock = Lock(place)
    try:
        prepare(place)
    except BaseException:
        lock.release()
        raise
    return lock.release
