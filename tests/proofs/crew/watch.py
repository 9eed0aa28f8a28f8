"""Who led, and when each worker gave its signs of life: read from the database again and again.

Times are the database's own, so that it doesn't matter how late they are read.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right, insort
from collections import defaultdict
from typing import NamedTuple

import psycopg

from scheduler.ledger.shared.workers import LEASE_S
from tests.postgres import Server

LOOK_S = 0.05

_WORKERS = "SELECT name, until - %s, until > extract(epoch FROM clock_timestamp()) FROM workers"
_LEAD = """
SELECT l.epoch, coalesce(w.name, ''), l.since, l.until > extract(epoch FROM clock_timestamp())
FROM lead l LEFT JOIN workers w ON w.id = l.worker
"""


class Led(NamedTuple):
    """One term: which process leads since when."""

    epoch: int
    number: int
    since: float


class Watch:
    """Looks at one ledger's workers; names are `machine:process id`."""

    def __init__(self, server: Server, schema: str) -> None:
        self._server = server
        self._schema = schema
        self._connection: psycopg.Connection | None = None
        self.terms: list[Led] = []
        self.beats: dict[int, list[float]] = defaultdict(list)
        self.leader = 0
        self.living: frozenset[int] = frozenset()

    async def watching(self) -> None:
        """Look, for ever."""
        while True:
            try:
                self._look()
            except psycopg.Error:
                self.close()
                self.leader, self.living = 0, frozenset()
            await asyncio.sleep(LOOK_S)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def fetch(self, sql: str, *params: object) -> list[tuple]:
        """Ask the database something."""
        if self._connection is None:
            self._connection = self._server.connect()
            self._connection.execute(f"SET search_path = {self._schema}")
        return self._connection.execute(sql, params).fetchall()

    def lease_age_s(self, process: int, at: float) -> float:
        """How old its last sign of life was at that time."""
        beats = self.beats[process]
        number = bisect_right(beats, at)
        return at - beats[number - 1] if number else 0.0

    def _look(self) -> None:
        if not self.fetch("SELECT to_regclass('lead')")[0][0]:
            return
        living = set()
        for name, beat, lives in self.fetch(_WORKERS, LEASE_S):
            process = _process(name)
            if beat not in self.beats[process]:
                insort(self.beats[process], beat)
            if lives:
                living.add(process)
        self.living = frozenset(living)
        epoch, name, since, leads = self.fetch(_LEAD)[0]
        self.leader = _process(name) if leads and name else 0
        if epoch and (not self.terms or self.terms[-1].epoch != epoch):
            self.terms.append(Led(epoch, _process(name), since))


def _process(name: str) -> int:
    return int(name.rpartition(":")[2] or 0)
