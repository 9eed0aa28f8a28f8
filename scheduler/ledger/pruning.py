"""Forgetting what is old: terminal records with all that belongs to them, a few at a time.

Their counts stay (`pruned`), so that each day still adds up (S15), and so does the newest instant at which
any of them shut: what shut before it is never promised again, wherever a clock is set to (S1). When, and
what counts as old, is the caller's; nothing goes that something may still become of.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol

from jobs.model import Instant
from scheduler.facts import REASONS
from scheduler.ledger import account, rows
from scheduler.ledger.driver import Driver

PAGE = 100
"""Records that are looked at in one transaction: it takes some milliseconds, and turns come between."""

_TERMINAL = ", ".join(f"'{stage}'" for stage in REASONS)
OVER = f"""
r.stage IN ({_TERMINAL}) AND r.due < :before AND r.shuts < :before
AND coalesce(r.look_at, r.inspect_at, r.end_at) IS NULL
AND NOT EXISTS (SELECT 1 FROM strays AS s WHERE s.key = r.key AND s.end_at IS NOT NULL)
AND NOT EXISTS (SELECT 1 FROM deliveries AS d WHERE d.key = r.key AND d.state = 'open')
"""  # noqa: S608
"""A record that shut before then, and that nothing will ever wake again."""

_LOOK = f"""
SELECT r.rowid, r.key, r.due < :before AND r.shuts < :before, ({OVER})
FROM records AS r WHERE r.rowid > :after ORDER BY r.rowid LIMIT {PAGE}
"""  # noqa: S608
_COUNT = f"""
INSERT INTO pruned (schedule, date, stage, records)
SELECT schedule, date, stage, count(*) FROM records WHERE key IN {rows.LISTED} GROUP BY 1, 2, 3
ON CONFLICT (schedule, date, stage) DO UPDATE SET records = pruned.records + excluded.records
"""  # noqa: S608
_ACCOUNTS = f"DELETE FROM facts WHERE id IN (SELECT id FROM facts WHERE key IS NULL AND at < ? LIMIT {PAGE})"  # noqa: S608
_FORGOTTEN = (
    "INSERT INTO meta VALUES ('pruned_until', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
_UNNAMED = (
    "DELETE FROM generations WHERE id < (SELECT max(id) FROM generations) AND id != ? "
    "AND id NOT IN (SELECT generation FROM records WHERE generation IS NOT NULL)"
)


class Pruned(NamedTuple):
    """How much was forgotten; `after` is where to go on, None when nothing old is left."""

    records: int
    facts: int
    after: int | None


class Total(NamedTuple):
    """All that one pruning forgot."""

    records: int
    facts: int
    generations: int


class Forgetful(Protocol):
    """The ledger, as far as pruning goes."""

    async def prune(self, before: Instant, after: int) -> Pruned:
        """Forget a page of what is old."""

    async def pruned(self, records: int, facts: int, now: Instant) -> int:
        """So much is forgotten: forget generations that nobody names any more; how many."""


async def prune(
    ledger: Forgetful, before: Instant, now: Instant, go_on: Callable[[], Awaitable[bool]]
) -> Total:
    """Forget all that was over before then, page by page, for as long as `go_on` says so."""
    records, facts, after = 0, 0, 0
    while True:
        page = await ledger.prune(before, after)
        records, facts = records + page.records, facts + page.facts
        if page.after is None or not await go_on():
            break
        after = page.after
    return Total(records, facts, await ledger.pruned(records, facts, now))


def page(driver: Driver, before: Instant, after: int) -> Pruned:
    """Forget what is over among the next records, which stand in about the order of their time, and as many
    of the account's own facts."""
    found = driver.fetch(_LOOK, {"before": before, "after": after})
    keys = [key for _, key, _, over in found if over]
    facts = _forget(driver, keys) if keys else 0
    accounts = driver.execute(_ACCOUNTS, (before,))
    reached_the_young = len(found) < PAGE or not any(old for _, _, old, _ in found)
    done = reached_the_young and accounts < PAGE
    place = found[-1][0] if found else after
    return Pruned(len(keys), facts + accounts, None if done else place)


def finish(driver: Driver, records: int, facts: int, current: int, now: Instant) -> int:
    """Forget generations that no record names; `current` is the one in force. What was forgotten becomes a
    fact itself, so that there is always one as new as the ledger (S9)."""
    generations = driver.execute(_UNNAMED, (current,))
    if records or facts or generations:
        account.tell(driver, "pruned", {"records": records}, now)
    return generations


def shut_before(driver: Driver) -> Instant:
    """What had shut by then may have been forgotten: it is not promised anew."""
    found = driver.fetch("SELECT value FROM meta WHERE name = 'pruned_until'")
    return float(found[0][0]) if found else float("-inf")


def _forget(driver: Driver, keys: list[str]) -> int:
    these = (rows.listed(keys),)
    newest = driver.fetch(f"SELECT max(shuts) FROM records WHERE key IN {rows.LISTED}", these)[0][0]  # noqa: S608
    until = max(newest, shut_before(driver))
    driver.execute(_FORGOTTEN, (repr(until),))
    driver.execute(_COUNT, these)
    facts = driver.execute(f"DELETE FROM facts WHERE key IN {rows.LISTED}", these)  # noqa: S608
    for table in ("deliveries", "strays", "messages", "records"):
        driver.execute(f"DELETE FROM {table} WHERE key IN {rows.LISTED}", these)  # noqa: S608
    return facts
