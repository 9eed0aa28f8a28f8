"""What is written when something has happened: the fact, and the record that it adds up to.

A note loads the record, lets the lifecycle's table move it, and writes both in one transaction; so
the ledger's columns can always be recomputed from its facts (`audit` does). Nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import NamedTuple

from jobs.model import Address, Instant
from scheduler import lifecycle
from scheduler.facts import NAMES, Fact
from scheduler.ledger import codec, messages, rows
from scheduler.ledger.driver import ROWS, Driver
from scheduler.ledger.errors import LedgerError
from scheduler.record import Record

_NO_MESSAGES: Mapping[Address, bytes] = MappingProxyType({})


class Note(NamedTuple):
    """A fact about a record. `addresses` are where its link goes, when the fact makes it known, and
    `messages` what is handed over there (S27); `took_s` is how long the step took, for the log line, and
    `claim` names the claim that the fact is the outcome of: one that is over moves nothing any more."""

    key: str
    fact: Fact
    at: Instant
    addresses: tuple[Address, ...] = ()
    took_s: float | None = None
    messages: Mapping[Address, bytes] = _NO_MESSAGES
    claim: Instant | None = None


class Noted(NamedTuple):
    """A note that is committed, with the record before and after it. `note.fact` is what was written."""

    note: Note
    before: Record
    after: Record


Listener = Callable[[Sequence[Noted]], None]
"""Is told what was committed."""


def write(driver: Driver, batches: Sequence[Sequence[Note]]) -> list[list[Noted]]:
    """Write these notes in their order; raises LedgerError for a key that was never promised.

    All at once, since a full hour brings thousands: what belongs together is told batch by batch. What a
    claim that is over has to say is left out, unless it still counts.
    """
    keys = [note.key for batch in batches for note in batch]
    records = {record.key: record for record in rows.by_keys(driver, keys)}
    told = [[_moved(records, note) for note in _counting(records, batch)] for batch in batches]
    moved = [each for each in chain.from_iterable(told) if each.after is not each.before]
    first = {each.after.key: each.before for each in reversed(moved)}
    rows.save(driver, [(before, records[key]) for key, before in first.items()])
    messages.keep(driver, [(before, after, note.messages) for note, before, after in moved])
    driver.execute_many(
        "INSERT INTO facts (key, at, kind, data) VALUES (?, ?, ?, ?)",
        [_fact(noted.note) for noted in chain.from_iterable(told)],
    )
    if moved:
        driver.announce(ROWS)
    return told


def _counting(records: Mapping[str, Record], batch: Sequence[Note]) -> Iterator[Note]:
    """The notes that count, one by one, since each may depend on what the last one did."""
    for note in batch:
        if note.key not in records:
            raise LedgerError(f"{note.key}: no such promise in the ledger")
        if note.claim is None:
            yield note
        elif (fact := lifecycle.heard(records[note.key], note.fact, note.claim)) is not None:
            yield note._replace(fact=fact)


def _moved(records: dict[str, Record], note: Note) -> Noted:
    before = records[note.key]
    records[note.key] = after = lifecycle.apply(before, note.fact, note.at, note.addresses)
    return Noted(note, before, after)


def _fact(note: Note) -> tuple[str, Instant, str, str]:
    return (note.key, note.at, NAMES[type(note.fact)], codec.encode(note.fact, note.addresses))
