"""Every worker's half: takes jobs and carries them out, with the same runner as a house of one process.

A job is taken by one conditional write before anything is done outside, carried out, noted, and only then
struck off. What must be told about its request goes to the leader. Which jobs there are is not decided here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from scheduler.clock import Bell, breathe
from scheduler.engine.engine import Parts
from scheduler.engine.shared.member import Member
from scheduler.engine.shared.told import Tell, Told, done
from scheduler.facts import Stage
from scheduler.ledger import Ledger, LedgerUnavailable, Outgoing
from scheduler.ledger.shared.jobs import ASK, CREATE, DELIVER, Job
from scheduler.limits import Lane
from scheduler.record import Record
from scheduler.runner import Grant

IN_HAND_MAX = 5_000
"""Jobs that one worker holds at most; it takes more as they are done."""

STARTS_MAX = 100
"""Begun in one round of the loop: thousands at once would stall it, and its signs of life."""

BREATH_S = 0.02
"""Between two takings."""

LOOK_S = 1.0
"""Without a call, jobs are looked for this often."""


class Working:
    """Takes jobs until it is closed; ring `bell` when there may be some."""

    def __init__(self, ledger: Ledger, parts: Parts, member: Member, tell: Tell) -> None:
        self._ledger = ledger
        self._runner, self._clock, self._hands = parts.runner, parts.clock, parts.hands
        self._member = member
        self._tell = tell
        self._held: set[int] = set()
        self._unsure = False
        self._one = asyncio.Lock()
        self._closed = False
        self.bell = Bell()

    async def run(self) -> None:
        """Take what there is, for ever."""
        while True:
            try:
                async with self._one:
                    if self._unsure or await self._ledger.jobs.waiting():
                        await self._take()
            except LedgerUnavailable:
                self._unsure = True  # it may be written all the same
            await self._clock.sleep_until(None, self.bell, LOOK_S)

    async def close(self) -> None:
        """Take nothing more; returns when what is being taken has begun."""
        self._closed = True
        async with self._one:
            pass

    async def _take(self) -> None:
        """Take as many as there is room for, a share at a time, and begin each."""
        if self._unsure:
            there = await self._ledger.jobs.there()
            mine = [job for job in there if job.worker == self._member.id and job.id not in self._held]
            await self._begin(mine)
            self._unsure = False
        while not self._closed and (room := IN_HAND_MAX - len(self._held)) > 0:
            taken = await self._ledger.jobs.take(self._member.id, self._clock.now(), room)
            if not taken:
                return
            await self._begin(taken)
            await self._clock.sleep_until(None, Bell(), BREATH_S)  # the others' share is theirs to take

    async def _begin(self, jobs: Sequence[Job]) -> None:
        """Start each; what is taken is begun, however long its record can't be read: it is nobody else's."""
        written = self._runner.written
        keys = [job.key for job in jobs if job.kind == CREATE]
        links = [(job.key, job.address) for job in jobs if job.kind == DELIVER]
        records = {r.key: r for r in await written(lambda: self._ledger.records(keys))} if keys else {}
        found = await written(lambda: self._ledger.outgoing(links)) if links else []
        outgoing = {(each.record.key, each.address): each for each in found}
        for slice_at in range(0, len(jobs), STARTS_MAX):
            for job in jobs[slice_at : slice_at + STARTS_MAX]:
                work = self._work(job, records.get(job.key), outgoing.get((job.key, job.address)))
                self._held.add(job.id)
                self._hands.take(job.place, work)
            await breathe()

    async def _work(self, job: Job, record: Record | None, outgoing: Outgoing | None) -> None:
        fact = None
        if job.kind == ASK:
            await self._runner.ask(job.key, self._grant(job))
        elif outgoing is not None and self._may_go(job):
            fact = await self._runner.deliver(outgoing)
        elif record is not None and _is_claimed(record, job):
            await self._runner.create(record, self._grant(job))
        await self._runner.written(lambda: self._ledger.jobs.done(job.id))
        self._held.discard(job.id)
        self._tell(done(job, fact))
        self.bell.ring()

    def _grant(self, job: Job) -> Grant:
        told = Told(job, self._tell)
        return Grant(told, self._clock, Lane(job.lane), lambda: self._may_go(job))

    def _may_go(self, job: Job) -> bool:
        """Whether it may still be done here: whoever was stopped past its lease leaves it to others."""
        return self._clock.now() <= job.not_after and self._member.may_send(job.worker or "")


def _is_claimed(record: Record, job: Job) -> bool:
    """Whether this job's claim is still in force: whoever was stopped between taking and reading may find the
    next one there, and a POST of it on the wire."""
    waits = record.stage is Stage.CREATING and record.attempt_ended_at is None
    return waits and record.attempted_at == job.granted_at
