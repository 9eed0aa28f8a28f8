"""Records as rows, and back: the one place that knows both the columns and the fields.

A row of `records` has the fields of `Record`, by the same names, and three columns that only the
ledger needs; deliveries and strays are rows of their own. Nothing is decided here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jobs.model import Address
from scheduler.facts import Stage
from scheduler.ledger.driver import Driver, Params
from scheduler.record import Delivery, DeliveryState, Record, Stray

FIELDS = Record._fields[:-2]
"""The columns that are fields of a record, in their order: all but its deliveries and strays."""


def columns(of: str) -> str:
    """What `whole` makes records of, where the table of records is called `of`."""
    kept = ", ".join(f"{of}.{name}" for name in FIELDS)
    theirs = "EXISTS (SELECT 1 FROM {} AS theirs WHERE theirs.key = {}.key)"
    return f"{kept}, {theirs.format('deliveries', of)}, {theirs.format('strays', of)}"


LISTED = "(SELECT value FROM json_each(?))"
"""The right side of an `IN`: one statement for lists of any length."""

_STAGE, _PRIVATE, _TOLD = FIELDS.index("stage"), FIELDS.index("private"), len(FIELDS)


def load(driver: Driver, where: str, params: Params = ()) -> list[Record]:
    """The records of a query (what follows `FROM records AS r`), whole, in its order."""
    return whole(driver, driver.fetch(f"SELECT {columns('r')} FROM records AS r {where}", params))  # noqa: S608


def whole(driver: Driver, found: Sequence[Any]) -> list[Record]:
    """The records of rows that begin with `columns`, in their order."""
    deliveries = _deliveries_of(driver, [row[0] for row in found if row[_TOLD]])
    strays = _strays_of(driver, [row[0] for row in found if row[_TOLD + 1]])
    return [_record(row, deliveries.get(row[0], ()), strays.get(row[0], ())) for row in found]


def by_keys(driver: Driver, keys: Sequence[str]) -> list[Record]:
    """The records of these keys, in no order; unknown keys are left out."""
    return load(driver, f"WHERE r.key IN {LISTED}", (listed(keys),)) if keys else []


def listed(values: Sequence[str]) -> str:
    """Any number of values as the one parameter of `LISTED`."""
    return json.dumps(values)


def save(driver: Driver, before: Record, after: Record) -> None:
    """Write what changed: a column that is not named leaves its index alone. `before` is as the row says."""
    names = [name for name, old, new in zip(FIELDS, before, after, strict=False) if new != old]
    if names:
        changes = ", ".join(f"{name} = ?" for name in names)
        values = (*(getattr(after, name) for name in names), after.key)
        driver.execute(f"UPDATE records SET {changes} WHERE key = ?", values)  # noqa: S608
    if after.deliveries != before.deliveries:
        changed = [d for d in after.deliveries if d not in before.deliveries]
        driver.execute_many(
            "INSERT OR REPLACE INTO deliveries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (_delivery_row(after.key, d) for d in changed),
        )
    if after.strays != before.strays:
        driver.execute("DELETE FROM strays WHERE key = ?", (after.key,))
        driver.execute_many("INSERT INTO strays VALUES (?, ?, ?, ?)", _strays(after))


def _record(row: Sequence[Any], deliveries: Sequence[Delivery], strays: Sequence[Stray]) -> Record:
    values = list(row[:_TOLD])
    values[_STAGE] = Stage(values[_STAGE])
    values[_PRIVATE] = bool(values[_PRIVATE])
    return Record._make((*values, tuple(deliveries), tuple(strays)))


def _deliveries_of(driver: Driver, keys: list[str]) -> Mapping[str, list[Delivery]]:
    found: dict[str, list[Delivery]] = {}
    if keys:
        for row in driver.fetch(f"SELECT * FROM deliveries WHERE key IN {LISTED}", (listed(keys),)):  # noqa: S608
            found.setdefault(row["key"], []).append(_delivery(row))
    return found


def _strays_of(driver: Driver, keys: list[str]) -> Mapping[str, list[Stray]]:
    found: dict[str, list[Stray]] = {}
    if keys:
        for row in driver.fetch(f"SELECT * FROM strays WHERE key IN {LISTED}", (listed(keys),)):  # noqa: S608
            stray = Stray(row["conversation_id"], row["end_at"], row["tries"])
            found.setdefault(row["key"], []).append(stray)
    return found


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


def _delivery_row(key: str, d: Delivery) -> tuple[Any, ...]:
    where = (key, d.address.channel, d.address.target)
    return (*where, d.due, d.not_after, str(d.state), d.tries, d.at, d.reason)


def _strays(record: Record) -> Iterable[tuple[Any, ...]]:
    for s in record.strays:
        yield record.key, s.conversation_id, s.end_at, s.tries
