"""The frozen bytes of deliveries: written as a delivery opens, read as it is tried, gone when it is closed.

They stand in a table of their own, since they are large and nobody but a channel reads them (S27): no
fact holds them, and neither do records. Composing them is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from jobs.model import Address
from scheduler.ledger import rows
from scheduler.ledger.driver import Driver
from scheduler.record import DeliveryState, Record

_FREEZE = """
INSERT INTO messages VALUES (?, ?, ?, ?)
ON CONFLICT (key, channel, target) DO UPDATE SET bytes = excluded.bytes
"""
_DROP = "DELETE FROM messages WHERE key = ? AND channel = ? AND target = ?"


class Outgoing(NamedTuple):
    """A delivery that can be tried: its record, where it goes, and the bytes that were frozen for it."""

    record: Record
    address: Address
    message: bytes | None


def keep(driver: Driver, moves: Iterable[tuple[Record, Record, Mapping[Address, bytes]]]) -> None:
    """Freeze what was given for each delivery that has just been opened; drop what was kept for each that
    has just been closed. A move is a record before and after, in the order in which they happened."""
    kept: dict[tuple[str, str, str], bytes | None] = {}
    for before, after, given in moves:
        if after.deliveries != before.deliveries:
            kept.update(_turned(before, after, given))
    closed = [place for place, message in kept.items() if message is None]
    opened = [(*place, message) for place, message in kept.items() if message is not None]
    if closed:
        driver.execute_many(_DROP, closed)
    if opened:
        driver.execute_many(_FREEZE, opened)


def _turned(
    before: Record, after: Record, given: Mapping[Address, bytes]
) -> Iterator[tuple[tuple[str, str, str], bytes | None]]:
    """What each delivery that was opened or closed has kept from now on."""
    was = {d.address for d in before.deliveries if d.state is DeliveryState.OPEN}
    now = {d.address for d in after.deliveries if d.state is DeliveryState.OPEN}
    for to in now - was:
        if to in given:
            yield (after.key, to.channel, to.target), given[to]
    for to in was - now:
        if to.channel != "log":
            yield (after.key, to.channel, to.target), None


def outgoing(driver: Driver, deliveries: Sequence[tuple[str, Address]]) -> list[Outgoing]:
    """These deliveries as they stand now, in their order."""
    keys = sorted({key for key, _ in deliveries})
    records = {record.key: record for record in rows.by_keys(driver, keys)}
    kept = {
        (key, channel, target): bytes(message)
        for key, channel, target, message in driver.fetch(
            f"SELECT key, channel, target, bytes FROM messages WHERE key IN {rows.LISTED}",  # noqa: S608
            (rows.listed(keys),),
        )
    }
    return [
        Outgoing(records[key], to, kept.get((key, to.channel, to.target)))
        for key, to in deliveries
        if key in records
    ]
