"""The ledger: one implementation, all meaning, all SQL; a driver seam below it.

`Ledger` writes (one process, one thread), `Snapshot` reads (any number, also while it is written).
What is due is asked here; when and how much is decided above.
"""

from scheduler.ledger.account import Hold
from scheduler.ledger.due import Due, Link, View
from scheduler.ledger.errors import (
    LedgerDamaged,
    LedgerError,
    LedgerFenced,
    LedgerHeld,
    LedgerMismatch,
    LedgerUnavailable,
)
from scheduler.ledger.ledger import Ledger
from scheduler.ledger.line import Blocked
from scheduler.ledger.messages import Outgoing
from scheduler.ledger.notes import Note, Noted
from scheduler.ledger.place import Database, Place, place_of
from scheduler.ledger.promises import GAP_SLOT, Closed, Waiting
from scheduler.ledger.skips import Kept

__all__ = [
    "GAP_SLOT",
    "Blocked",
    "Closed",
    "Database",
    "Due",
    "Hold",
    "Kept",
    "Ledger",
    "LedgerDamaged",
    "LedgerError",
    "LedgerFenced",
    "LedgerHeld",
    "LedgerMismatch",
    "LedgerUnavailable",
    "Link",
    "Note",
    "Noted",
    "Outgoing",
    "Place",
    "View",
    "Waiting",
    "place_of",
]
