"""The ledger and its place: can it be read and written, is it private, whole, and is there room?

It is opened as a reader, so the daemon may be at work; nothing is written.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from scheduler.app.doctor.finding import Finding, failed, ok, warning
from scheduler.ledger.audit import unconserved
from scheduler.ledger.errors import LedgerError, LedgerMismatch
from scheduler.ledger.snapshot import Snapshot
from scheduler.model import Config

LEDGER, COUNTS, DISK = "ledger", "ledger's counts", "disk"
ROOM_WARNED, ROOM = 1 << 30, 100 << 20
"""Bytes; a thousand promises are about a megabyte."""

_MAKE_ROOM = "make room, or let the ledger forget what is old (service.keep)"


def place(config: Config, ledger: Path) -> Sequence[Finding]:
    """The ledger, its counts, its disk."""
    folder = ledger.parent
    if not folder.is_dir():
        return (failed(LEDGER, f"{folder}: there is no such directory", f"mkdir -p {folder}"),)
    return (*_ledger(config, ledger), _disk(folder))


def _ledger(config: Config, ledger: Path) -> Iterator[Finding]:
    if not os.access(ledger.parent, os.W_OK | os.X_OK):
        yield failed(
            LEDGER, f"{ledger.parent} can't be written by this user", "chown it to who runs callboard"
        )
        return
    if not ledger.exists():
        yield ok(LEDGER, f"{ledger}: none yet; the first `callboard run` makes it")
        return
    if strange := _strange(ledger):
        yield strange
    try:
        with Snapshot.open(ledger) as snapshot:
            yield from _read(config, ledger, snapshot, known=strange is not None)
    except LedgerMismatch as error:
        fix = "`callboard run` brings an older one up to date; a newer one needs the callboard that wrote it"
        yield warning(LEDGER, str(error), fix)
    except LedgerError as error:
        yield failed(LEDGER, str(error), "restore a copy, or name another file (service.ledger)")


def _read(config: Config, ledger: Path, snapshot: Snapshot, *, known: bool) -> Iterator[Finding]:
    made_for = snapshot.base_url()
    if made_for != config.account.base_url:
        said = f"{ledger} was made for {made_for}, not for {config.account.base_url}"
        yield failed(LEDGER, said, "give the other account a ledger of its own (service.ledger)")
    elif not known:
        yield ok(LEDGER, f"{ledger}: private and readable, {ledger.stat().st_size >> 20:,} MiB")
    if faults := unconserved(snapshot):
        yield failed(COUNTS, f"{faults[0]}; {len(faults)} in all", "callboard audit tells more")
    else:
        yield ok(COUNTS, "every promise is accounted for")


def _strange(ledger: Path) -> Finding | None:
    """Whose it is, and for whose eyes: join links stand in it."""
    is_ = ledger.stat()
    if stat.S_IMODE(is_.st_mode) & 0o077:
        said = f"{ledger}: others may read it (mode {stat.S_IMODE(is_.st_mode):04o})"
        return failed(LEDGER, said, f"chmod 600 {ledger}")
    if os.geteuid() not in (0, is_.st_uid):
        return failed(
            LEDGER, f"{ledger} is another user's ({is_.st_uid})", "run as the user that runs callboard"
        )
    return None


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    said = f"{free >> 20:,} MiB free in {folder}"
    if free < ROOM:
        return failed(DISK, said, _MAKE_ROOM)
    return warning(DISK, said, _MAKE_ROOM) if free < ROOM_WARNED else ok(DISK, said)
