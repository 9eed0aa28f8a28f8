"""What the ledger knows of the whole account: its identity, its holds, its generations.

A ledger is made for one base URL and has a secret of its own, from which our marks come (S12). A
hold is a row: it survives a restart and shows on a page (S14).
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import NamedTuple

from jobs.model import Instant
from scheduler.desk import Asker
from scheduler.ledger.driver import ROWS, Driver
from scheduler.ledger.errors import LedgerMismatch

_ANSWERS = ("created", "still_live", "ended", "not_there", "not_ended", "stray_ended", "stray_kept")
"""The facts that each cost a request."""


class Hold(NamedTuple):
    """Creation is stopped, for this reason, since this instant."""

    reason: str
    since: Instant


def begin(driver: Driver, base_url: str, now: Instant) -> Mapping[str, str]:
    """The ledger's identity, made at its birth; raises LedgerMismatch for another base URL."""
    birth = {
        "base_url": base_url,
        "secret": secrets.token_hex(32),
        "born": repr(now),
        "promised_until": repr(now),
    }
    with driver.transaction():
        driver.execute_many("INSERT INTO meta VALUES (?, ?) ON CONFLICT DO NOTHING", list(birth.items()))
    meta: dict[str, str] = dict(driver.fetch("SELECT name, value FROM meta"))
    if meta["base_url"] != base_url:
        raise LedgerMismatch(
            f"this ledger was made for {meta['base_url']}, not for {base_url}: "
            "give the other account a ledger of its own (service.ledger)"
        )
    return meta


def born(driver: Driver) -> bool:
    """Whether there is more than tables: an identity."""
    return bool(driver.fetch("SELECT 1 FROM meta WHERE name = 'base_url'"))


def move_mark(driver: Driver, until: Instant) -> None:
    """Everything that opens up to `until` is written."""
    driver.execute("UPDATE meta SET value = ? WHERE name = 'promised_until'", (repr(until),))


def mark(driver: Driver) -> Instant:
    """The planner's high-water mark: what opens up to then has a row."""
    return float(driver.fetch("SELECT value FROM meta WHERE name = 'promised_until'")[0][0])


def generation(driver: Driver, terms: str, now: Instant) -> int:
    """The number of these terms; the same terms keep their number."""
    digest = hashlib.sha256(terms.encode()).hexdigest()
    driver.execute(
        "INSERT INTO generations (digest, at, terms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (digest, now, terms),
    )
    return int(driver.fetch("SELECT id FROM generations WHERE digest = ?", (digest,))[0][0])


def terms(driver: Driver, generation: int) -> str:
    """The terms of a generation, as they were stored."""
    return str(driver.fetch("SELECT terms FROM generations WHERE id = ?", (generation,))[0][0])


def holds(driver: Driver) -> list[Hold]:
    """The holds in force, oldest first."""
    return [Hold(*row) for row in driver.fetch("SELECT reason, since FROM holds ORDER BY since")]


def hold(driver: Driver, reason: str, now: Instant) -> bool:
    """Stop creation for this reason; whether it was not stopped for it before."""
    begun = driver.execute("INSERT INTO holds VALUES (?, ?) ON CONFLICT DO NOTHING", (reason, now)) == 1
    if begun:
        tell(driver, "held", {"reason": reason}, now)
    return begun


def lift(driver: Driver, reason: str, now: Instant, asker: Asker | None = None) -> bool:
    """Let creation go on, as far as this reason is concerned; whether it was stopped for it. `asker` is the
    person who wanted it, if one did."""
    lifted = driver.execute("DELETE FROM holds WHERE reason = ?", (reason,)) == 1
    if lifted:
        tell(driver, "lifted", {"reason": reason, **(asker._asdict() if asker else {})}, now)
    return lifted


def newest_fact_at(driver: Driver) -> Instant | None:
    """When the newest fact happened, by the clock of that time (S9)."""
    found = driver.fetch("SELECT max(at) FROM facts")[0][0]
    return None if found is None else float(found)


def surveyed(driver: Driver, pages: int, now: Instant) -> None:
    """A Survey has read this many pages: a fact of the account's, since each was a request."""
    tell(driver, "surveyed", {"pages": pages}, now)


def requests_since(driver: Driver, since: Instant) -> list[Instant]:
    """About when requests that were answered were sent since then: what the rate limit must remember over a
    restart (S17). An answer is noted later than its request was sent: it errs to our cost."""
    places = ", ".join("?" * len(_ANSWERS))
    sql = (
        f"SELECT at, 1 FROM facts WHERE at >= ? AND kind IN ({places}) "  # noqa: S608
        "UNION ALL SELECT at, 1 FROM facts WHERE at >= ? AND kind = 'failed' "
        "AND json_extract(data, '$.step') != 'deliver' "
        "UNION ALL SELECT at, CAST(json_extract(data, '$.pages') AS INTEGER) FROM facts "
        "WHERE at >= ? AND kind = 'surveyed'"
    )
    found = driver.fetch(sql, (since, *_ANSWERS, since, since))
    return sorted(at for at, count in found for _ in range(count))


def tell(driver: Driver, kind: str, said: Mapping[str, object], now: Instant) -> None:
    """Write a fact of the account's own."""
    data = json.dumps(said)
    driver.execute("INSERT INTO facts (key, at, kind, data) VALUES (NULL, ?, ?, ?)", (now, kind, data))
    driver.announce(ROWS)
