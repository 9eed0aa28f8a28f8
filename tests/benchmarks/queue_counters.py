"""What a PostgreSQL server has done, by its own counters and the system's. Nothing here knows of queues."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.postgres import Server

LOOK_S = 0.02
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
CHILDREN_TOO = slice(11, 15)
"""utime, stime, cutime, cstime in /proc/PID/stat, counted after the name."""

COUNTED = """
SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int,
    pg_current_wal_insert_lsn() - '0/0'::pg_lsn, (SELECT sum(xact_commit) FROM pg_stat_database)"""


class Counted(NamedTuple):
    """What the server has done since it began."""

    wal_bytes: float
    commits: float
    cpu_s: float

    def since(self, before: Counted) -> Counted:
        return Counted(*(now - then for now, then in zip(self, before, strict=True)))


def counted(server: Server) -> Counted:
    """What sessions that are over have done, and those that go on did up to a second ago."""
    with server.connect() as connection:
        row = connection.execute(COUNTED).fetchone()
    assert row is not None
    pid, wal_bytes, commits = row
    children = subprocess.run(["pgrep", "-P", str(pid)], stdout=subprocess.PIPE, text=True, check=True)
    used_s = cpu_s(pid) + sum(cpu_s(int(each)) for each in children.stdout.split())
    return Counted(float(wal_bytes), float(commits), used_s)


def cpu_s(pid: int) -> float:
    """What a process and its children that have ended used."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except FileNotFoundError:
        return 0.0
    return sum(int(each) for each in after_name[CHILDREN_TOO]) / TICKS_A_SECOND


def until(happened: Callable[[], bool], most_s: float, look_s: float = LOOK_S) -> None:
    """Look again and again until it has happened; raises TimeoutError."""
    end = time.monotonic() + most_s
    while not happened():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {most_s:.0f} s")
        time.sleep(look_s)
