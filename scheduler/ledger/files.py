"""The ledger's file: private to its owner, and written by one process at a time.

The lock is a file of its own beside the ledger (`callboard.db.lock`), held by `flock` for the life
of the process: it goes with the process, however that ends. Readers need no lock.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from scheduler.ledger.errors import LedgerHeld, LedgerUnavailable

PRIVATE = 0o600


class Lock:
    """The right to write one ledger; given back by `release`, or by the end of the process."""

    def __init__(self, ledger: Path) -> None:
        self._file = _private(ledger.with_name(ledger.name + ".lock"))
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(self._file, 32).decode(errors="replace").strip()
            os.close(self._file)
            raise LedgerHeld(
                f"{ledger}: another callboard (process {holder or 'unknown'}) writes this ledger; "
                "stop it first, or give this one a ledger of its own"
            ) from None
        os.truncate(self._file, 0)
        os.write(self._file, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Let another process write. The file stays: removing it would let two hold it at once."""
        os.close(self._file)


def prepare(ledger: Path) -> None:
    """Make the ledger's file, readable by its owner alone, before the database writes to it (S7 of
    the section on secrets: it holds join links)."""
    os.close(_private(ledger))


def _private(path: Path) -> int:
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
        os.fchmod(handle, PRIVATE)
    except OSError as error:
        raise LedgerUnavailable(f"{path}: {error.strerror or error}") from None
    return handle
