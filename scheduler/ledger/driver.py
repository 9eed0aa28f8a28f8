"""The seam below the ledger: a few verbs over one connection, whatever database is behind them.

The ledger's meaning and its SQL stand above, in words that both databases understand: `?`, `?1` and `:name`
for parameters, `json_each(?)` for a list (`Listed`), `rowid` for the order in which promises were written.
The connection belongs to one thread at a time. A driver also gives trouble its name: what may pass (full,
read-only, busy, away) is `LedgerUnavailable`, what is broken is `LedgerDamaged`, and a statement that could
never work is a plain `LedgerError`, so that nobody tries it again for ever.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

Params = Mapping[str, Any] | Sequence[Any]

Around = Callable[[], AbstractContextManager[None]]
"""What is put around each writing transaction: its time is taken so."""


JOBS, ROWS = "jobs", "rows"
"""What others are called with: there are jobs to be taken; records or the account's rows have changed."""


class Listed(tuple[str, ...]):
    """Any number of texts as the one parameter of `json_each(?)`: an array where the database has them."""

    def __conform__(self, protocol: object) -> str:
        """What SQLite gets instead."""
        return json.dumps(self)


class Driver(Protocol):
    """What the ledger asks of a database."""

    @property
    def voice(self) -> str:
        """By what others know that it was this driver that announced something."""

    @property
    def dialect(self) -> str:
        """The name of its migrations' folder."""

    def prepare(self) -> None:
        """Make ready for writing what is an empty place or a ledger; raises LedgerDamaged for anything else,
        and leaves that as it was."""

    def version(self) -> int:
        """The number of the newest migration that the ledger has; 0 where nothing is. Raises LedgerDamaged
        where something else is."""

    def migrated(self, number: int) -> None:
        """From now on `version` is this."""

    def script(self, sql: str) -> None:
        """Run any number of statements, one behind the other, inside a transaction."""

    def execute(self, sql: str, params: Params = ()) -> int:
        """Run one statement; the number of rows it changed."""

    def execute_many(self, sql: str, rows: Iterable[Params]) -> int:
        """Run one statement for each of the rows; the number of rows changed in all."""

    def fetch(self, sql: str, params: Params = ()) -> list[tuple[Any, ...]]:
        """Run one statement; its rows, by position."""

    def stream(self, sql: str, params: Params = ()) -> Iterator[tuple[Any, ...]]:
        """As `fetch` inside `reading`, one by one, for results that need not fit in memory; other statements
        may come between."""

    def announce(self, word: str) -> None:
        """Call all processes that work on this ledger with this word and our voice, as soon as the
        transaction is committed."""

    def transaction(self) -> AbstractContextManager[None]:
        """A writing transaction, alone among all writers: all of it is committed at its end, or nothing when
        it is left by an exception."""

    def reading(self) -> AbstractContextManager[None]:
        """A transaction that only reads, of one moment, and waits for no writer."""

    def close(self) -> None:
        """Let go of the connection."""
