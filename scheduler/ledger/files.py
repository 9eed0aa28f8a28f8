"""The ledger's file: private to its owner, and written by one process at a time.

The lock is a file of its own beside the ledger (`callboard.db.lock`), held by `flock` for the life
of the process: it goes with the process, however that ends. Links are followed first, so that a ledger has
one lock by whatever name it is called. Readers need no lock. What is in the
files is not looked at here, and a file that turns out to be a stranger's is left as it was.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from scheduler.ledger.errors import LedgerHeld, LedgerUnavailable
from scheduler.ledger.place import Database, Place

PRIVATE = 0o600

ADDRESS_BYTES = 100
"""A socket's address is at most 107 bytes on Linux and 103 elsewhere."""


class Lock:
    """The right to write one ledger; given back by `release`, or by the end of the process.

    Raises LedgerHeld with the other's process id, and LedgerUnavailable where no file can be written.
    """

    def __init__(self, ledger: Path) -> None:
        _check_place(ledger)
        real = Path(os.path.realpath(ledger))
        path = real.with_name(real.name + ".lock")
        with _named(path):
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
            self._file = os.fdopen(handle, "r+b", buffering=0)
            try:
                self._take(ledger)
            except BaseException:
                self._file.close()
                raise

    def release(self) -> None:
        """Let another process write. The file stays: removing it would let two hold it at once."""
        self._file.close()

    def _take(self, ledger: Path) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = self._file.read(32).decode(errors="replace").strip()
            raise LedgerHeld(
                f"{ledger}: another callboard (process {holder or 'unknown'}) writes this ledger; "
                "stop it first, or give this one a ledger of its own"
            ) from None
        os.fchmod(self._file.fileno(), PRIVATE)
        self._file.truncate(0)
        self._file.write(f"{os.getpid()}\n".encode())


def prepare(ledger: Path) -> None:
    """Make the ledger's file where there is none, readable by its owner alone from its first byte."""
    with _named(ledger):
        os.close(os.open(ledger, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE))


def make_private(ledger: Path) -> None:
    """Close it, and what SQLite put beside it, to everybody but its owner: join links stand in it
    (semantics, section 7)."""
    with _named(ledger):
        for path in (ledger, Path(f"{ledger}-wal"), Path(f"{ledger}-shm")):
            if path.exists():
                path.chmod(PRIVATE)


def _check_place(ledger: Path) -> None:
    if os.path.isdir(ledger):
        raise LedgerUnavailable(f"{ledger}: is a directory; the ledger is a file")
    if not os.path.isdir(ledger.parent):
        raise LedgerUnavailable(f"{ledger}: there is no directory {ledger.parent}; make it first")


@contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LedgerUnavailable(f"{path}: {error.strerror or error}") from None


def control_socket(place: Place) -> Path:
    """Where this machine's process that writes this ledger is reached: `callboard.db.sock`, beside it.

    For a database, and where that is longer than a socket's address may be: `callboard-<hash>.sock` in the
    run directory of the ledger's owner, `/run/user/<uid>`, or in `callboard-<uid>` under the directory for
    temporary files, which is made for it and must be its owner's alone. Whoever asks counts as a database's
    owner. Both ends come to the same path by themselves. Raises LedgerUnavailable where that directory is
    somebody else's.
    """
    if isinstance(place, Database):
        return _run_folder(os.geteuid()) / _hashed(place.url.encode())
    path = Path(os.path.realpath(place))
    beside = path.with_name(f"{path.name}.sock")
    if len(os.fsencode(beside)) <= ADDRESS_BYTES:
        return beside
    with _named(path):
        owner = path.stat().st_uid
    return _run_folder(owner) / _hashed(os.fsencode(path))


def _hashed(name: bytes) -> str:
    return f"callboard-{hashlib.sha256(name).hexdigest()[:16]}.sock"


def _run_folder(owner: int) -> Path:
    run = Path(f"/run/user/{owner}")
    return run if run.is_dir() else _own_folder(owner)


def _own_folder(owner: int) -> Path:
    folder = Path(tempfile.gettempdir()) / f"callboard-{owner}"
    with _named(folder):
        with suppress(FileExistsError):
            folder.mkdir(0o700)
        found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_mode & 0o077 or found.st_uid not in (owner, os.geteuid()):
        raise LedgerUnavailable(
            f"{folder}: is not a directory of its owner's alone; give the ledger a shorter path"
        )
    return folder
