"""Debian's PostgreSQL, started for the tests: on a private socket, in a temporary directory, for one session.

Never a server that was already there. It writes as it does in earnest (fsync is on), and ends with the
process that started it, however that ends. Where it can't be started the tests that want it are skipped; with
`CI=true` in the environment they fail.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest

LOOK_S = 0.02
LOOKS_MAX = 1_500
USER = "postgres"
SETTINGS = {"listen_addresses": "", "max_connections": "200", "log_min_messages": "panic"}


class Missing(Exception):
    """PostgreSQL can't be started here."""


class Server:
    """One server; its databases' URLs stay the same over its restarts."""

    def __init__(self, programs: Path, at: Path) -> None:
        self._programs = programs
        self.folder = at
        self._names = (f"t{n}" for n in count())
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "postgres") -> str:
        """How a client finds this database."""
        return f"postgresql://{USER}@/{database}?host={self.folder}"

    def new(self) -> str:
        """The URL of a place that is empty and new: a schema, which is made twenty times faster than a
        database, and is one as far as whoever connects to it can tell."""
        name = next(self._names)
        with self.connect() as connection:
            connection.execute(f"CREATE SCHEMA {name}")
        return f"{self.url()}&options=-csearch_path%3D{name}"

    def connect(self) -> psycopg.Connection:
        """A session of the server's owner, in which each statement is a transaction."""
        return psycopg.connect(self.url(), autocommit=True)

    def make(self) -> None:
        """Make the cluster."""
        if os.geteuid() == 0:
            shutil.chown(self.folder, USER, USER)
        command = [*_owner(), str(self._programs / "initdb"), "-A", "trust", "-U", USER, "-E", "UTF8"]
        command += ["--locale=C", "--no-sync", "-D", str(self.folder / "data")]
        subprocess.run(command, check=True, capture_output=True, cwd=self.folder)

    def start(self) -> None:
        """Start it; returns when it answers."""
        given = {**SETTINGS, "unix_socket_directories": str(self.folder)}
        settings = [word for name, value in given.items() for word in ("-c", f"{name}={value}")]
        command = [*_owner(), str(self._programs / "postgres"), "-D", str(self.folder / "data"), *settings]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        for _ in range(LOOKS_MAX):
            try:
                self.connect().close()
                return
            except psycopg.OperationalError:
                self._look()
        raise Missing("PostgreSQL doesn't answer")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it, at once and cleanly; SIGQUIT is as bad as a power cut."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(60)
            self._process = None

    @property
    def runs(self) -> bool:
        """Whether it was started and not stopped since."""
        return self._process is not None

    def cut(self) -> None:
        """Break everybody's connections."""
        with self.connect() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
                "WHERE backend_type = 'client backend' AND pid != pg_backend_pid()"
            )

    def demand_password(self, user: str, password: str) -> None:
        """From now on this user is let in with a password only."""
        access = self.folder / "data" / "pg_hba.conf"
        access.write_text(f"local all {user} scram-sha-256\n{access.read_text()}")
        with self.connect() as connection:
            connection.execute(f"CREATE ROLE {user} LOGIN PASSWORD '{password}'")
            connection.execute("SELECT pg_reload_conf()")

    @contextmanager
    def pause(self) -> Iterator[None]:
        """While the block lasts nobody gets an answer, and no connection is closed."""
        assert self._process is not None
        command = ["ps", "--ppid", str(self._process.pid), "-o", "pid="]
        listed = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
        processes = [self._process.pid, *map(int, listed.split())]
        try:
            for process in processes:
                os.kill(process, signal.SIGSTOP)
            yield
        finally:
            for process in processes:
                os.kill(process, signal.SIGCONT)

    def _look(self) -> None:
        assert self._process is not None
        try:
            self._process.wait(LOOK_S)
        except subprocess.TimeoutExpired:
            return
        raise Missing(f"PostgreSQL doesn't start: {(self.folder / 'log').read_text(errors='replace')[-300:]}")


@contextmanager
def running() -> Iterator[Server]:
    """A server of one's own; raises Missing where there can be none."""
    programs = _programs()
    with tempfile.TemporaryDirectory(prefix="callboard-pg-") as name:
        server = Server(programs, Path(name))
        try:
            server.make()
            server.start()
        except (OSError, LookupError, subprocess.CalledProcessError) as error:
            raise Missing(f"PostgreSQL can't be started: {error}") from None
        try:
            yield server
        finally:
            server.stop(signal.SIGQUIT)


@contextmanager
def served() -> Iterator[Server]:
    """A server of a test's own, that may be stopped; without one the test is skipped, or fails."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(running())
        except Missing as error:
            skipped(error)
        yield server


def skipped(error: Missing) -> NoReturn:
    """For want of a server, where that is allowed."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{error} (CI=true)")
    pytest.skip(str(error))


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        raise Missing("PostgreSQL isn't installed (Debian's package postgresql)")
    return found[-1].parent if found else Path(on_path or "").resolve().parent


def _owner() -> list[str]:
    """It refuses to run as the super-user; and it ends with us."""
    words = ["setpriv", "--pdeathsig", "INT"]
    return [*words, "--reuid", USER, "--regid", USER, "--clear-groups"] if os.geteuid() == 0 else words
