"""Records as rows, and back: the one place that knows both the columns and the fields.

A row of `records` has the fields of `Record`, by the same names, and three columns that only the
ledger needs; deliveries and strays are rows of their own. Nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jobs.model import Address
from scheduler.facts import Stage
from scheduler.ledger.driver import Driver, Listed, Params
from scheduler.record import Delivery, DeliveryState, Record, Stray

FIELDS = Record._fields[:-2]
"""The columns that are fields of a record, in their order: all but its deliveries and strays."""


def columns(of: str) -> str:
    """What `whole` makes records of, where the table of records is called `of`."""
    kept = ", ".join(f"{of}.{name}" for name in FIELDS)
    theirs = "EXISTS (SELECT 1 FROM {} AS theirs WHERE theirs.key = {}.key)"
    return f"{kept}, {theirs.format('deliveries', of)}, {theirs.format('strays', of)}"


LISTED = "(SELECT value FROM json_each(?))"
"""The right side of an `IN`, whose parameter is `Listed`: one statement for lists of any length."""

_DELIVERIES = f"""
SELECT key, channel, target, due, not_after, state, tries, at, reason FROM deliveries WHERE key IN {LISTED}
ORDER BY key, channel, target
"""  # noqa: S608
_STRAYS = f"""
SELECT key, conversation_id, end_at, tries FROM strays WHERE key IN {LISTED} ORDER BY key, conversation_id
"""  # noqa: S608
_DELIVERY = """
INSERT INTO deliveries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (key, channel, target) DO UPDATE SET due = excluded.due, not_after = excluded.not_after,
  state = excluded.state, tries = excluded.tries, at = excluded.at, reason = excluded.reason
"""

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


def listed(values: Iterable[str]) -> Listed:
    """Any number of values as the one parameter of `LISTED`."""
    return Listed(values)


def save(driver: Driver, changes: Sequence[tuple[Record, Record]]) -> None:
    """Write what changed of each record, which is as its row says before; each but once. A column that is not
    named leaves its index alone, and records of which the same ones changed are one statement."""
    alike: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
    for before, after in changes:
        names = tuple(
            name
            for name, old, new in zip(FIELDS, before, after, strict=False)
            if new is not old and new != old
        )
        if names:
            alike.setdefault(names, []).append((*(getattr(after, name) for name in names), after.key))
    for names, values in alike.items():
        told = ", ".join(f"{name} = ?" for name in names)
        driver.execute_many(f"UPDATE records SET {told} WHERE key = ?", values)  # noqa: S608
    _save_deliveries(driver, changes)
    _save_strays(driver, changes)


def _save_deliveries(driver: Driver, changes: Sequence[tuple[Record, Record]]) -> None:
    changed = [
        _delivery_row(after.key, each)
        for before, after in changes
        if after.deliveries != before.deliveries
        for each in after.deliveries
        if each not in before.deliveries
    ]
    if changed:
        driver.execute_many(_DELIVERY, changed)


def _save_strays(driver: Driver, changes: Sequence[tuple[Record, Record]]) -> None:
    changed = [after for before, after in changes if after.strays != before.strays]
    if changed:
        gone = listed(record.key for record in changed)
        driver.execute(f"DELETE FROM strays WHERE key IN {LISTED}", (gone,))  # noqa: S608
        strays = [(record.key, *stray) for record in changed for stray in record.strays]
        driver.execute_many("INSERT INTO strays VALUES (?, ?, ?, ?)", strays)


def _record(row: Sequence[Any], deliveries: Sequence[Delivery], strays: Sequence[Stray]) -> Record:
    values = list(row[:_TOLD])
    values[_STAGE] = Stage(values[_STAGE])
    values[_PRIVATE] = bool(values[_PRIVATE])
    return Record._make((*values, tuple(deliveries), tuple(strays)))


def _deliveries_of(driver: Driver, keys: Sequence[str]) -> Mapping[str, list[Delivery]]:
    found: dict[str, list[Delivery]] = {}
    if keys:
        for key, channel, target, due, not_after, state, *rest in driver.fetch(_DELIVERIES, (listed(keys),)):
            delivery = Delivery(Address(channel, target), due, not_after, DeliveryState(state), *rest)
            found.setdefault(key, []).append(delivery)
    return found


def _strays_of(driver: Driver, keys: Sequence[str]) -> Mapping[str, list[Stray]]:
    found: dict[str, list[Stray]] = {}
    if keys:
        for key, *stray in driver.fetch(_STRAYS, (listed(keys),)):
            found.setdefault(key, []).append(Stray(*stray))
    return found


def _delivery_row(key: str, d: Delivery) -> tuple[Any, ...]:
    where = (key, d.address.channel, d.address.target)
    return (*where, d.due, d.not_after, str(d.state), d.tries, d.at, d.reason)
