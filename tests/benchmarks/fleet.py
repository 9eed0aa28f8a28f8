"""The workers of `workers`, each a process of its own, and what stands in their ledger in PostgreSQL."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from scheduler.clock import Clock
from tests.benchmarks import bench
from tests.benchmarks.queue_counters import LOOK_S, until
from tests.postgres import Server

PATIENCE_S = 60.0
RUNS = "until > extract(epoch FROM clock_timestamp())"
LEADER = "SELECT split_part(name, ':', 2)::int FROM workers JOIN lead ON worker = id"
TAKEN = """
SELECT (SELECT count(*) FROM records WHERE stage != 'planned')
     - (SELECT count(*) FROM jobs WHERE kind = 'create' AND worker IS NULL)"""
YAML = """\
version: 1
account: {{base_url: "{base_url}", requests: {requests}/s, concurrent_conversations: 100000}}
rosters: {{team: [{people}]}}
schedules:
  practice:
    when: {{on: ["{due}"], timezone: UTC}}
    lead: {lead_s:.0f}s
    participants: [team]
    conversation:
      persona_id: pdced222244b
      replica_id: rfe12d8b9597
      conversation_name: Improve Sales Technique
      conversational_context: "Help me practice. My name is {{{{ participant.name }}}}."
      properties: {{participant_absent_timeout: 600}}
"""


class Fleet:
    """A ledger and its workers; `opens` is when everybody's conversation may be made."""

    def __init__(self, server: Server, at: Path, url: str, base_url: str) -> None:
        self.server, self.url = server, url
        self._file, self._base_url = at / f"team-{time.monotonic_ns()}.yaml", base_url
        self.workers: list[subprocess.Popen[bytes]] = []
        self.opens = 0.0
        self._sql = server.connect()
        schema = url.rpartition("%3D")[2]
        self._sql.execute(f"SET search_path TO {schema}".encode())

    def plan(self, people: int, requests: int, opens_in_s: float) -> None:
        """Everybody's only slot, so many seconds from now."""
        self.opens = float(int(Clock().now() + opens_in_s))
        due = datetime.fromtimestamp(self.opens + bench.LEAD_S, UTC)
        everybody = ", ".join(f"{{id: p{n:05}, name: Person {n}}}" for n in range(people))
        said = YAML.format(
            base_url=self._base_url,
            requests=requests,
            people=everybody,
            due=f"{due:%Y-%m-%dT%H:%M:%S}",
            lead_s=bench.LEAD_S,
        )
        self._file.write_text(said)

    def start(self, number: int) -> None:
        """So many more; returns when all are on the list and one leads."""
        command = [sys.executable, "-m", "tests.benchmarks.worker", str(self._file), self.url]
        self.workers += [subprocess.Popen(command) for _ in range(number)]
        until(lambda: self._there and self.living == len(self.workers) and self.epoch > 0, PATIENCE_S)

    def promised(self, number: int) -> None:
        """Returns when so many promises stand in the ledger, and it is not yet too late."""
        until(lambda: self.one("SELECT count(*) FROM records") == number, PATIENCE_S)
        assert Clock().now() < self.opens, "this machine is too slow: give it more time"

    def since_open(self, happened: Callable[[], bool], look_s: float = LOOK_S) -> float:
        """Seconds from when it opens until this has happened. Looking costs the server something, too."""
        until(happened, PATIENCE_S, look_s)
        return Clock().now() - self.opens

    def all_taken(self, number: int) -> bool:
        """Whether so many are claimed, and each is in a worker's hands or was."""
        return self.one(TAKEN) == number

    def succeeded(self, how: signal.Signals) -> float:
        """Seconds from this signal for the leader until another worker leads; a new one takes its place."""
        epoch, leader = self.epoch, self._leader()
        leader.send_signal(how)
        at = time.monotonic()
        until(lambda: self.epoch > epoch, PATIENCE_S)
        took_s = time.monotonic() - at
        leader.wait(PATIENCE_S)
        self.workers.remove(leader)
        self.start(1)
        return took_s

    def stop(self) -> None:
        for worker in self.workers:
            worker.kill()
            worker.wait()
        self._sql.close()

    def _leader(self) -> subprocess.Popen[bytes]:
        """By the process id in its name."""
        pid = self.one(LEADER)
        return next(worker for worker in self.workers if worker.pid == pid)

    def one(self, statement: str) -> int:
        row = self._sql.execute(statement.encode()).fetchone()
        return int(row[0]) if row else 0

    @property
    def live(self) -> int:
        """Conversations that are noted."""
        return self.one("SELECT count(*) FROM records WHERE stage = 'live'")

    @property
    def _there(self) -> bool:
        return bool(self.one("SELECT count(to_regclass('lead'))"))

    @property
    def living(self) -> int:
        return self.one(f"SELECT count(*) FROM workers WHERE {RUNS}")

    @property
    def epoch(self) -> int:
        """Of the lead that is in force; 0 if none is."""
        return self.one(f"SELECT epoch FROM lead WHERE {RUNS}")


@contextmanager
def fleet(server: Server, at: Path, base_url: str) -> Iterator[Fleet]:
    made = Fleet(server, at, server.new(), base_url)
    try:
        yield made
    finally:
        made.stop()
