"""What is due: the one look that a turn takes at the ledger, and when the next is worth taking.

It names keys, addresses and counts, never terms, and reads each time where it stands: an End or an Inspect
in its record or its stray, a Deliver in its delivery. So none of them can hide another of the same record.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from jobs.model import Address, Instant
from scheduler.ledger import account, line, pauses
from scheduler.ledger.account import Hold
from scheduler.ledger.driver import Driver
from scheduler.ledger.line import Blocked

STEPS_MAX = 500
"""How many due steps of a kind one look names, beyond those in hand; the rest is due at the next turn."""

LINKS_MAX = 500
"""How many due links of one route a look names, in hand or not: well above what is in hand at once."""

_STEPS = {
    "end": "SELECT key, end_at AS at FROM records WHERE end_at <= :now "
    "UNION ALL SELECT key, end_at FROM strays WHERE end_at <= :now AND tries % 2 = 0",
    "inspect": "SELECT key, inspect_at AS at FROM records WHERE inspect_at <= :now "
    "UNION ALL SELECT key, end_at FROM strays WHERE end_at <= :now AND tries % 2 = 1",
}
"""In their order of precedence. A stray is ended and, when that was refused, asked after, in turn."""

_ROUTE = "channel, (CASE channel WHEN 'mail' THEN '' ELSE target END)"
"""What deliveries share that fail together: the one mail server, or a URL. In the words of its index."""

_ROUTES = f"SELECT DISTINCT {_ROUTE} FROM deliveries WHERE state = 'open'"  # noqa: S608
_LINKS = f"""
SELECT key, channel, target, not_after FROM deliveries
WHERE state = 'open' AND ({_ROUTE}) = (:channel, :target) AND due <= :now ORDER BY not_after LIMIT :most
"""  # noqa: S608

_NEXT = """
SELECT min(at) FROM (
  SELECT min(end_at) AS at FROM records WHERE end_at > :now
  UNION ALL SELECT min(inspect_at) FROM records WHERE inspect_at > :now
  UNION ALL SELECT min(end_at) FROM strays WHERE end_at > :now
  UNION ALL SELECT min(due) FROM deliveries WHERE state = 'open' AND due > :now
  UNION ALL SELECT min(look_at) FROM records WHERE look_at > :now
  UNION ALL SELECT min(starts_at) FROM records WHERE stage = 'planned' AND starts_at > :now
  -- a window is open to its last instant
  UNION ALL SELECT min(shuts) + 0.001 FROM records WHERE stage = 'planned' AND shuts >= :now
) AS wanted
"""


class Due(NamedTuple):
    """A record that wants a request now, and which (`inspect`, `end`)."""

    key: str
    step: str


class Link(NamedTuple):
    """A delivery that is due: whose it is, where it goes, and until when its link lives."""

    key: str
    address: Address
    not_after: Instant


class View(NamedTuple):
    """What one turn needs to know; keys and numbers, never terms. A record may want several steps."""

    steps: Sequence[Due]
    links: Sequence[Link]
    waiting: int
    blocked: Sequence[Blocked]
    shut: int
    paused: int
    held: int
    looks: int
    live: int
    holds: Sequence[Hold]
    next_at: Instant | None


def view(driver: Driver, now: Instant, in_hand: int) -> View:
    """One look. `in_hand` records are still named, since the ledger doesn't know that they are."""
    count = {
        "shut": "SELECT count(*) FROM records WHERE stage = 'planned' AND shuts < :now",
        "looks": "SELECT count(*) FROM records WHERE look_at <= :now",
        "live": f"SELECT count(*) FROM records WHERE {line.HELD} AND stage = 'live'",  # noqa: S608
    }
    return View(
        steps=_steps(driver, now, STEPS_MAX + in_hand),
        links=_links(driver, now),
        waiting=line.waiting(driver, now),
        blocked=line.blocked(driver, now),
        paused=pauses.count(driver, now),
        held=line.held(driver, now),
        holds=account.holds(driver),
        next_at=driver.fetch(_NEXT, {"now": now})[0][0],
        **{name: int(driver.fetch(sql, {"now": now})[0][0]) for name, sql in count.items()},
    )


def _steps(driver: Driver, now: Instant, most: int) -> list[Due]:
    return [
        Due(row[0], step)
        for step, sql in _STEPS.items()
        for row in driver.fetch(f"{sql} ORDER BY at LIMIT :most", {"now": now, "most": most})
    ]


def _links(driver: Driver, now: Instant) -> list[Link]:
    """The log first, then what dies soonest; of each route as many, so that none hides another."""
    found = [
        Link(key, Address(channel, target), not_after)
        for route in driver.fetch(_ROUTES)
        for key, channel, target, not_after in driver.fetch(
            _LINKS, {"channel": route[0], "target": route[1], "now": now, "most": LINKS_MAX}
        )
    ]
    return sorted(found, key=lambda link: (link.address.channel != "log", link.not_after))
