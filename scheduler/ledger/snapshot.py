"""Reading a ledger while it is written, or after: for `ls`, `explain`, `audit` and pages.

A connection of its own, read-only, so that no reader ever holds up a turn. It shows the ledger as it
was when it was opened, so that sums add up; open another one to see what has come since. It makes no
ledger, locks nothing and changes nothing. Join links are in `Record.url`; whoever shows records decides.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from jobs.model import Address, Instant
from scheduler.facts import KINDS, Fact
from scheduler.ledger import account, codec, messages, pruning, rows
from scheduler.ledger.account import Hold
from scheduler.ledger.driver import Access, SqliteDriver
from scheduler.ledger.errors import LedgerDamaged, LedgerError, LedgerMismatch, LedgerUnavailable
from scheduler.ledger.migrate import migrations, version
from scheduler.ledger.standing import delivered, standing
from scheduler.record import Record
from scheduler.vitals import Standing

PAGE = 500
"""Records read at once: bounds memory, whatever the ledger holds."""


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

    def __init__(self, driver: SqliteDriver) -> None:
        self._driver = driver

    @classmethod
    def open(cls, path: Path) -> Snapshot:
        """Open the ledger at `path` read-only."""
        if not os.path.isfile(path):
            raise LedgerError(f"{path}: no ledger there (it is made by the first `callboard run`)")
        try:
            return cls(_opened(path, "mode=ro"))
        except LedgerUnavailable:
            # In WAL mode even a reader makes a file beside the ledger. Where it may not, a ledger that was
            # closed can be read without: nothing of it stands elsewhere, and here nobody can begin to write.
            if os.path.exists(f"{path}-wal"):
                raise
            return cls(_opened(path, "mode=ro&immutable=1"))

    def __enter__(self) -> Snapshot:
        """The snapshot itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._driver.close()

    @property
    def driver(self) -> SqliteDriver:
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

    def message(self, key: str, address: Address) -> bytes | None:
        """What is frozen for an address, while it waits to be handed over there (S27)."""
        found = messages.outgoing(self._driver, ((key, address),))
        return found[0].message if found else None

    def keys(self) -> list[str]:
        """All keys, for suggestions."""
        return [row[0] for row in self._driver.fetch("SELECT key FROM records ORDER BY due DESC LIMIT 5000")]

    def story(self, key: str) -> list[Told]:
        """The facts of one record, in the order in which they were noted."""
        sql = "SELECT at, kind, data FROM facts WHERE key = ? ORDER BY id"
        return [_told(row) for row in self._driver.fetch(sql, (key,))]

    def stories(self) -> Iterator[tuple[str, list[Told]]]:
        """Every record's story, by key: for the audit."""
        key, story = None, list[Told]()
        for row in self._driver.stream(
            "SELECT key, at, kind, data FROM facts WHERE key IS NOT NULL ORDER BY key, id"
        ):
            if row["key"] != key and key is not None:
                yield key, story
                story = []
            key = row["key"]
            story.append(_told(row[1:]))
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
        for schedule, date, stage, number in self._driver.fetch("SELECT * FROM pruned"):
            counts.setdefault((schedule, date), {})[stage] = number
        return counts

    def prunable(self, before: Instant) -> dict[str, int]:
        """How many records a pruning would forget, by stage."""
        sql = f"SELECT r.stage, count(*) FROM records AS r WHERE {pruning.OVER} GROUP BY 1"  # noqa: S608
        return {row[0]: row[1] for row in self._driver.fetch(sql, {"before": before})}


def _opened(path: Path, access: Access) -> SqliteDriver:
    """A connection inside a transaction that goes on as long as it does: everything is of one moment."""
    driver = SqliteDriver(path, access)
    try:
        driver.execute("BEGIN")
        if driver.fetch("PRAGMA application_id")[0][0] != account.APPLICATION_ID:
            raise LedgerDamaged(f"{path}: not a callboard ledger")
        have, known = version(driver), migrations()[-1][0]
        if have != known:
            raise LedgerMismatch(f"{path}: has version {have}, this callboard reads version {known}")
    except BaseException:
        driver.close()
        raise
    return driver


def matching(filters: Filters) -> tuple[str, list[str]]:
    """The filters as the rest of a WHERE over `records AS r`, and its parameters."""
    given = {name: getattr(filters, name) for name in ("stage", "schedule", "participant", "date")}
    used = {name: value for name, value in given.items() if value is not None}
    return "".join(f" AND r.{name} = ?" for name in used), list(used.values())


def _told(row: Any) -> Told:
    at, kind, data = row
    if kind not in KINDS:
        return Told(at, kind, None, (), data)
    fact, addresses = codec.decode(kind, data)
    return Told(at, kind, fact, addresses, data)
