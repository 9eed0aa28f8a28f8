"""Reading a ledger while it is written, or after: for `ls`, `explain`, `audit` and pages.

A connection of its own, read-only, so that no reader ever holds up a turn. It shows the ledger as it
was when it was opened, so that sums add up; open another one to see what has come since. It makes no
ledger, locks nothing and changes nothing. Join links are in `Record.url`; whoever shows records decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NamedTuple

from jobs.model import Address, Instant
from scheduler.facts import KINDS, Fact
from scheduler.ledger import account, codec, messages, pruning, rows
from scheduler.ledger.account import Hold
from scheduler.ledger.connecting import NONE, nothing, reader
from scheduler.ledger.driver import Driver
from scheduler.ledger.errors import LedgerMismatch, LedgerMissing
from scheduler.ledger.migrate import check
from scheduler.ledger.place import Place
from scheduler.ledger.standing import delivered, standing
from scheduler.record import Record
from scheduler.vitals import Standing

PAGE = 500
"""Records read at once: bounds memory, whatever the ledger holds."""


_PRUNED = "SELECT schedule, date, stage, records FROM pruned"


class Told(NamedTuple):
    """One fact of a story; `fact` is `None` for what belongs to the account (`held`, `lifted`)."""

    at: Instant
    kind: str
    fact: Fact | None
    addresses: tuple[Address, ...]
    data: str


@dataclass(frozen=True, slots=True)
class Filters:
    """What to list; `None` is no filter. `date` is the local date, `YYYY-MM-DD`."""

    stage: str | None = None
    schedule: str | None = None
    participant: str | None = None
    date: str | None = None


class Snapshot:
    """A ledger, open for reading; a context manager. Raises LedgerError where there is none."""

    def __init__(self, driver: Driver, end: ExitStack) -> None:
        self._driver = driver
        self._end = end

    @classmethod
    def open(cls, place: Place) -> Snapshot:
        """Open the ledger at `place` for reading."""
        with ExitStack() as stack:
            driver = reader(place)
            stack.callback(driver.close)
            # It goes on as long as the snapshot does: everything is of one moment.
            stack.enter_context(driver.reading())
            if driver.version() == 0:
                raise nothing(place)
            try:
                check(driver)
            except LedgerMismatch as error:
                raise LedgerMismatch(f"{place}: {error}") from None
            if not account.born(driver):
                raise LedgerMissing(f"{place}: {NONE}")
            return cls(driver, stack.pop_all())

    def __enter__(self) -> Snapshot:
        """The snapshot itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Let go of it."""
        self._end.close()

    @property
    def driver(self) -> Driver:
        """What reads it, for the ledger's other questions (`browsing`)."""
        return self._driver

    def records(self, filters: Filters = Filters()) -> Iterator[Record]:
        """The records that match, by due time, with deliveries and strays; read in pages."""
        where, params = matching(filters)
        after: tuple[Any, ...] = (float("-inf"), "")
        while True:
            page = rows.load(
                self._driver,
                f"WHERE (r.due, r.key) > (?, ?) {where} ORDER BY r.due, r.key LIMIT {PAGE}",
                (*after, *params),
            )
            yield from page
            if len(page) < PAGE:
                return
            after = (page[-1].due, page[-1].key)

    def record(self, key: str) -> Record | None:
        """One record, or `None`."""
        found = rows.by_keys(self._driver, (key,))
        return found[0] if found else None

    def found(self, keys: Sequence[str]) -> dict[str, Record]:
        """The records of these keys, as far as there are any."""
        return {record.key: record for record in rows.by_keys(self._driver, keys)}

    def message(self, key: str, address: Address) -> bytes | None:
        """What is frozen for an address, while it waits to be handed over there (S27)."""
        found = messages.outgoing(self._driver, ((key, address),))
        return found[0].message if found else None

    def keys(self) -> list[str]:
        """All keys, for suggestions."""
        return [
            row[0] for row in self._driver.fetch("SELECT key FROM records ORDER BY due DESC, key LIMIT 5000")
        ]

    def story(self, key: str) -> list[Told]:
        """The facts of one record, in the order in which they were noted."""
        sql = "SELECT at, kind, data FROM facts WHERE key = ? ORDER BY id"
        return [_told(row) for row in self._driver.fetch(sql, (key,))]

    def stories(self) -> Iterator[tuple[str, list[Told]]]:
        """Every record's story, by key: for the audit."""
        key, story = None, list[Told]()
        for of, *told in self._driver.stream(
            "SELECT key, at, kind, data FROM facts WHERE key IS NOT NULL ORDER BY key, id"
        ):
            if of != key and key is not None:
                yield key, story
                story = []
            key = of
            story.append(_told(told))
        if key is not None:
            yield key, story

    def base_url(self) -> str:
        """The service that this ledger was made for."""
        return str(self._driver.fetch("SELECT value FROM meta WHERE name = 'base_url'")[0][0])

    def holds(self) -> list[Hold]:
        """The holds in force."""
        return account.holds(self._driver)

    def standing(self, now: Instant) -> Standing:
        """What it holds now, in numbers; quick, however much there is."""
        return standing(self._driver, now)

    def delivered(self) -> dict[str, Instant]:
        """When each schedule's last link was handed over; it looks at everything."""
        return delivered(self._driver)

    def tallies(self) -> dict[tuple[str, str], int]:
        """How many promises were ever written, by (schedule, date)."""
        found = self._driver.fetch("SELECT schedule, date, promised FROM tallies")
        return {(row[0], row[1]): row[2] for row in found}

    def counts(self) -> dict[tuple[str, str], dict[str, int]]:
        """How many records stand in each stage, by (schedule, date)."""
        counts: dict[tuple[str, str], dict[str, int]] = {}
        sql = "SELECT schedule, date, stage, count(*) FROM records GROUP BY 1, 2, 3"
        for schedule, date, stage, number in self._driver.fetch(sql):
            counts.setdefault((schedule, date), {})[stage] = number
        return counts

    def pruned(self) -> dict[tuple[str, str], dict[str, int]]:
        """How many records were forgotten, by the stage they had reached and (schedule, date)."""
        counts: dict[tuple[str, str], dict[str, int]] = {}
        for schedule, date, stage, number in self._driver.fetch(_PRUNED):
            counts.setdefault((schedule, date), {})[stage] = number
        return counts

    def prunable(self, before: Instant) -> dict[str, int]:
        """How many records a pruning would forget, by stage."""
        sql = f"SELECT r.stage, count(*) FROM records AS r WHERE {pruning.OVER} GROUP BY 1"  # noqa: S608
        return {row[0]: row[1] for row in self._driver.fetch(sql, {"before": before})}


def matching(filters: Filters) -> tuple[str, list[str]]:
    """The filters as the rest of a WHERE over `records AS r`, and its parameters."""
    given = {name: getattr(filters, name) for name in ("stage", "schedule", "participant", "date")}
    used = {name: value for name, value in given.items() if value is not None}
    return "".join(f" AND r.{name} = ?" for name in used), list(used.values())


def _told(row: Sequence[Any]) -> Told:
    at, kind, data = row
    if kind not in KINDS:
        return Told(at, kind, None, (), data)
    fact, addresses = codec.decode(kind, data)
    return Told(at, kind, fact, addresses, data)
