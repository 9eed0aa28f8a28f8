"""The frozen bytes of deliveries: written as a delivery opens, read as it is tried, gone when it is closed.

They stand in a table of their own, since they are large and nobody but a channel reads them (S27): no
fact holds them, and neither do records. Composing them is not known here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from jobs.model import Address
from scheduler.ledger import rows
from scheduler.ledger.driver import Driver
from scheduler.record import DeliveryState, Record


class Outgoing(NamedTuple):
    """A delivery that can be tried: its record, where it goes, and the bytes that were frozen for it."""

    record: Record
    address: Address
    message: bytes | None


def keep(driver: Driver, before: Record, after: Record, given: Mapping[Address, bytes]) -> None:
    """Freeze what was given for each delivery that has just been opened; drop what was kept for each that
    has just been closed."""
    if after.deliveries == before.deliveries:
        return
    was = {d.address: d.state for d in before.deliveries}
    opened = [
        d.address
        for d in after.deliveries
        if d.state is DeliveryState.OPEN and was.get(d.address) is not DeliveryState.OPEN
    ]
    closed = [
        d.address
        for d in after.deliveries
        if d.state is not DeliveryState.OPEN and was.get(d.address) is DeliveryState.OPEN
    ]
    driver.execute_many(
        "INSERT INTO messages VALUES (?, ?, ?, ?)",
        [(after.key, to.channel, to.target, given[to]) for to in opened if to in given],
    )
    driver.execute_many(
        "DELETE FROM messages WHERE key = ? AND channel = ? AND target = ?",
        [(after.key, to.channel, to.target) for to in closed if to.channel != "log"],
    )


def outgoing(driver: Driver, deliveries: Sequence[tuple[str, Address]]) -> list[Outgoing]:
    """These deliveries as they stand now, in their order."""
    keys = sorted({key for key, _ in deliveries})
    records = {record.key: record for record in rows.by_keys(driver, keys)}
    kept = {
        (row["key"], row["channel"], row["target"]): bytes(row["bytes"])
        for row in driver.fetch(
            f"SELECT * FROM messages WHERE key IN {rows.LISTED}",  # noqa: S608
            (rows.listed(keys),),
        )
    }
    return [
        Outgoing(records[key], to, kept.get((key, to.channel, to.target)))
        for key, to in deliveries
        if key in records
    ]
