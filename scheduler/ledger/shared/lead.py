"""Who leads: one row with an epoch, which every write on the lead's behalf checks in its own transaction.

Whoever was stopped past its lease finds another epoch there and writes nothing (`LedgerFenced`). The lease's
times are the database's own; a clock of a worker's decides nothing here.
"""

from __future__ import annotations

from scheduler.ledger.driver import Driver
from scheduler.ledger.errors import LedgerFenced


def check(driver: Driver, worker: str, epoch: int) -> None:
    """Raise LedgerFenced unless this worker leads in this epoch."""
    if not driver.fetch("SELECT 1 FROM lead WHERE worker = ? AND epoch = ?", (worker, epoch)):
        raise LedgerFenced("another worker leads")
