"""The ledger and its place: can it be read and written, is it private, whole, and is there room?

It is opened as a reader, so the daemon may be at work; nothing is written.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from scheduler.app.doctor.database import RIGHTS, database
from scheduler.app.doctor.finding import Finding, failed, ok, warning
from scheduler.clock import Clock
from scheduler.ledger.audit import unconserved
from scheduler.ledger.errors import LedgerError, LedgerMismatch, LedgerMissing
from scheduler.ledger.place import Database, Place
from scheduler.ledger.snapshot import Snapshot
from scheduler.model import Config

LEDGER, COUNTS, DISK = "ledger", "ledger's counts", "disk"
ROOM_WARNED, ROOM = 1 << 30, 100 << 20
"""Bytes; a thousand promises are about a megabyte."""

_MAKE_ROOM = "make room, or let the ledger forget what is old (service.keep)"


def place(config: Config, ledger: Place, clock: Clock) -> Sequence[Finding]:
    """The ledger and its counts, with its disk or its database."""
    return tuple(
        _in_database(config, ledger, clock) if isinstance(ledger, Database) else _file(config, ledger)
    )


def _in_database(config: Config, ledger: Database, clock: Clock) -> Iterator[Finding]:
    found = list(database(ledger, clock))
    yield from found
    if found[-1].check == RIGHTS:  # it answered
        yield from _opened(config, ledger, ok(LEDGER, f"{ledger}: readable"))


def _file(config: Config, ledger: Path) -> Sequence[Finding]:
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
        yield _none_yet(ledger)
        return
    if strange := _strange(ledger):
        yield strange
    fine = ok(LEDGER, f"{ledger}: private and readable, {ledger.stat().st_size >> 20:,} MiB")
    yield from _opened(config, ledger, None if strange else fine)


def _opened(config: Config, ledger: Place, fine: Finding | None) -> Iterator[Finding]:
    """What is in it; `fine` is said of it where nothing worse is."""
    try:
        with Snapshot.open(ledger) as snapshot:
            yield from _read(config, ledger, snapshot, fine)
    except LedgerMissing:
        yield _none_yet(ledger)
    except LedgerMismatch as error:
        fix = "`callboard run` brings an older one up to date; a newer one needs the callboard that wrote it"
        yield warning(LEDGER, str(error), fix)
    except LedgerError as error:
        yield failed(LEDGER, str(error), "restore a copy, or name another file (service.ledger)")


def _none_yet(ledger: Place) -> Finding:
    return ok(LEDGER, f"{ledger}: none yet; the first `callboard run` makes it")


def _read(config: Config, ledger: Place, snapshot: Snapshot, fine: Finding | None) -> Iterator[Finding]:
    made_for = snapshot.base_url()
    if made_for != config.account.base_url:
        said = f"{ledger} was made for {made_for}, not for {config.account.base_url}"
        yield failed(LEDGER, said, "give the other account a ledger of its own (service.ledger)")
    elif fine:
        yield fine
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
