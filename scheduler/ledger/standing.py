"""What the ledger holds now, in numbers, for metrics: each query has an index of its own to walk.

So it costs what is open and not what is there: a hundred thousand records that are over cost nothing. It
names nobody, and what the numbers mean for anybody is not known here.
"""

from __future__ import annotations

from jobs.model import Instant
from scheduler.ledger import account, line
from scheduler.ledger.driver import Driver
from scheduler.ledger.shared import workers
from scheduler.vitals import Outbox, Standing

_OUTBOX = (
    "SELECT d.channel, count(*), min(r.created_at) FROM deliveries d JOIN records r USING (key) "
    "WHERE d.state = 'open' GROUP BY 1"
)
_DELIVERED = (
    "SELECT r.schedule, max(d.at) FROM deliveries d JOIN records r USING (key) "
    "WHERE d.state = 'delivered' GROUP BY 1"
)
_COUNTS = {
    "live": f"SELECT count(*) FROM records WHERE {line.HELD} AND stage = 'live'",  # noqa: S608
    "unknown": "SELECT count(*) FROM records WHERE look_at IS NOT NULL AND stage = 'creating'",
    "strays": "SELECT count(*) FROM strays WHERE end_at IS NOT NULL",
}


def standing(driver: Driver, now: Instant) -> Standing:
    """The numbers of this moment."""
    jobs_waiting, oldest_job_at = workers.waiting(driver)
    return Standing(
        waiting=line.waiting(driver, now),
        held=line.held(driver, now),
        next_due=driver.fetch("SELECT min(due) FROM records WHERE stage = 'planned' AND due > ?", (now,))[0][
            0
        ],
        holds={hold.reason: hold.since for hold in account.holds(driver)},
        outbox={row[0]: Outbox(row[1], row[2] or now) for row in driver.fetch(_OUTBOX)},
        workers=workers.listed(driver, now),
        jobs_waiting=jobs_waiting,
        oldest_job_at=oldest_job_at,
        **{name: int(driver.fetch(sql)[0][0]) for name, sql in _COUNTS.items()},
    )


def delivered(driver: Driver) -> dict[str, Instant]:
    """When each schedule's last link was handed over; it reads every delivery."""
    return {row[0]: row[1] for row in driver.fetch(_DELIVERED)}
