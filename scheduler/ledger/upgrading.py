"""A ledger brought up to this program's version, and begun where none is.

`run` does as much by itself; this is for whoever wants it done first, as before workers are replaced one by
one. What the versions are is `migrate`'s; nothing is promised or noted here.
"""

from __future__ import annotations

from contextlib import closing

from jobs.model import Instant
from scheduler.ledger.connecting import reader
from scheduler.ledger.errors import LedgerMissing
from scheduler.ledger.ledger import Ledger
from scheduler.ledger.place import Place


def bring_up(place: Place, base_url: str, now: Instant) -> tuple[int, int]:
    """The version that it had, 0 for none, and has now. Raises LedgerError as `Ledger.open` does."""
    had = _version(place)
    Ledger.open(place, base_url, now).close()
    return had, _version(place)


def _version(place: Place) -> int:
    try:
        with closing(reader(place)) as driver:
            return driver.version()
    except LedgerMissing:
        return 0
