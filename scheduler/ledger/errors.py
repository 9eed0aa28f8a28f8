"""What can be wrong with a ledger, in the words of its owner; each names the file and the way out.

Only the sorts of trouble stand here; exit codes are the command's.
"""

from __future__ import annotations


class LedgerError(Exception):
    """Something is wrong with the ledger; the text is one line for people."""


class LedgerUnavailable(LedgerError):
    """It can't be read or written now (disk full, read-only, busy): trying again may help."""


class LedgerFenced(LedgerUnavailable):
    """Another process leads: what this one would have written on that behalf is not written."""


class LedgerAway(LedgerUnavailable):
    """The connection to its database is gone: whatever else waits for it now would wait in vain."""


class LedgerMissing(LedgerError):
    """There is none yet."""


class LedgerHeld(LedgerError):
    """Another process has it open for writing."""


class LedgerDamaged(LedgerError):
    """It is not a ledger, or not a whole one any more."""


class LedgerMismatch(LedgerError):
    """It was written by a newer version, or for another account."""
