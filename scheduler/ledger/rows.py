"""Records as rows, and back: the one place that knows both the columns and the fields.

A row of `records` has the fields of `Record`, by the same names, and three columns that only the
ledger needs; deliveries and strays are rows of their own. Nothing is decided here.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jobs.model import Address
from scheduler.facts import Stage
from scheduler.ledger.driver import Driver
from scheduler.record import Delivery, DeliveryState, Record, Stray

FIELDS = tuple(f.name for f in dataclasses.fields(Record) if f.name not in ("deliveries", "strays"))
"""The columns that are fields of a record, in their order."""

SELECT = f"SELECT {', '.join(f'r.{name}' for name in FIELDS)} FROM records AS r"  # noqa: S608

LISTED = "(SELECT value FROM json_each(?))"
"""The right side of an `IN`: one statement for lists of any length."""

_PROMISED = ("key", "schedule", "slot", "date", "participant")
_MOVED = tuple(name for name in FIELDS if name not in _PROMISED)
_UPDATE = f"UPDATE records SET {', '.join(f'{n} = :{n}' for n in _MOVED)} WHERE key = :key"  # noqa: S608


def load(driver: Driver, where: str, params: Sequence[Any] = ()) -> list[Record]:
    """The records of a query (what follows `FROM records AS r`), whole, in its order."""
    bare = [_record(row) for row in driver.fetch(f"{SELECT} {where}", params)]
    deliveries, strays = _children(driver, [r.key for r in bare])
    return [_whole(r, deliveries, strays) for r in bare]


def by_keys(driver: Driver, keys: Sequence[str]) -> list[Record]:
    """The records of these keys, in no order; unknown keys are left out."""
    return load(driver, f"WHERE r.key IN {LISTED}", (listed(keys),)) if keys else []


def listed(values: Sequence[str]) -> str:
    """Any number of values as the one parameter of `LISTED`."""
    return json.dumps(values)


def save(driver: Driver, before: Record, after: Record) -> None:
    """Write what changed; the row must exist."""
    driver.execute(_UPDATE, values(after))
    if after.deliveries != before.deliveries:
        driver.execute("DELETE FROM deliveries WHERE key = ?", (after.key,))
        driver.execute_many("INSERT INTO deliveries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", _deliveries(after))
    if after.strays != before.strays:
        driver.execute("DELETE FROM strays WHERE key = ?", (after.key,))
        driver.execute_many("INSERT INTO strays VALUES (?, ?, ?, ?)", _strays(after))


def values(record: Record) -> dict[str, Any]:
    """A record's columns by name."""
    return {name: getattr(record, name) for name in FIELDS}


def _record(row: Sequence[Any]) -> Record:
    fields = dict(zip(FIELDS, row, strict=True))
    fields["stage"] = Stage(fields["stage"])
    fields["private"] = bool(fields["private"])
    return Record(**fields)


def _children(
    driver: Driver, keys: list[str]
) -> tuple[Mapping[str, list[Delivery]], Mapping[str, list[Stray]]]:
    deliveries: dict[str, list[Delivery]] = {}
    strays: dict[str, list[Stray]] = {}
    these = (listed(keys),)
    for row in driver.fetch(f"SELECT * FROM deliveries WHERE key IN {LISTED}", these):  # noqa: S608
        deliveries.setdefault(row["key"], []).append(_delivery(row))
    for row in driver.fetch(f"SELECT * FROM strays WHERE key IN {LISTED}", these):  # noqa: S608
        strays.setdefault(row["key"], []).append(Stray(row["conversation_id"], row["end_at"], row["tries"]))
    return deliveries, strays


def _whole(
    record: Record, deliveries: Mapping[str, list[Delivery]], strays: Mapping[str, list[Stray]]
) -> Record:
    mine, lost = deliveries.get(record.key), strays.get(record.key)
    if mine is None and lost is None:
        return record
    return dataclasses.replace(record, deliveries=tuple(mine or ()), strays=tuple(lost or ()))


def _delivery(row: Any) -> Delivery:
    return Delivery(
        Address(row["channel"], row["target"]),
        due=row["due"],
        not_after=row["not_after"],
        state=DeliveryState(row["state"]),
        tries=row["tries"],
        at=row["at"],
        reason=row["reason"],
    )


def _deliveries(record: Record) -> Iterable[tuple[Any, ...]]:
    for d in record.deliveries:
        where = (record.key, d.address.channel, d.address.target)
        yield (*where, d.due, d.not_after, str(d.state), d.tries, d.at, d.reason)


def _strays(record: Record) -> Iterable[tuple[Any, ...]]:
    for s in record.strays:
        yield record.key, s.conversation_id, s.end_at, s.tries
