"""The leader's half: what a turn has decided becomes jobs, and what workers tell of them becomes the limits'.

Each grant that was handed out ends here in one `sent` or `unsent`, even if its worker never says a word: a
job that somebody took and that is gone counts as sent now, since it may have been until now (S17). Nothing is
carried out here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from jobs.model import Address, Instant
from scheduler.engine.engine import Delivered, Parts
from scheduler.engine.hands import Place
from scheduler.engine.shared.member import Member
from scheduler.engine.shared.told import ABOUT_ALL, DONE, SENT, UNSENT, Word, fact_of
from scheduler.ledger import LedgerError
from scheduler.ledger.shared.jobs import ASK, DELIVER, Job
from scheduler.limits import Lane
from scheduler.runner import Grant
from scheduler.vitals import Crewed

JOB_S = 15.0
"""How long a job waits for a worker, and how late its request may leave: a claim lives no longer."""

Retire = Callable[[], Awaitable[bool]]
Close = Callable[[], Awaitable[None]]
Listen = Callable[[Callable[[], None]], None]

LOOK_S = 1.0
"""How often the jobs themselves are looked at; between, workers tell."""


@dataclass(slots=True)
class _Out:
    """A job that was handed out: `open` while its grant may still be sent; `done` waits for its fact."""

    job: Job
    open: bool
    since: Instant
    done: Delivered | None = None


class Handing:
    """The engine of the process that leads."""

    def __init__(self, parts: Parts, member: Member, retire: Retire, close: Close, listen: Listen) -> None:
        self._ledger, _, self._limits, self._clock, _ = parts
        self._member = member
        self._retire, self._close_hands = retire, close
        self.listen = listen
        self._out: dict[int, _Out] = {}
        self._places: Counter[Place] = Counter()
        self._looked_at: Instant = 0.0
        self._unsure_since: Instant | None = None

    @property
    def term(self) -> int:
        """The epoch of this process's lead, 0 while another one leads."""
        return self._member.epoch

    @property
    def crewed(self) -> Crewed:
        """This process among the workers."""
        return self._member.crewed

    @property
    def next_at(self) -> Instant | None:
        """Soon, as long as something is handed out: what becomes of it may be told by nobody."""
        return self._looked_at + LOOK_S if self._out else None

    def __contains__(self, place: Place) -> bool:
        return place in self._places

    def __len__(self) -> int:
        return len(self._out) if self.term else 0

    async def begin(self, now: Instant) -> None:
        """What was sent and handed out before this term counts (S17); and one page of the list more, which
        the last leader may have asked for and not told."""
        self._member.act()
        for number in [*self._out]:  # nobody else tells those who wait for them
            self._over(number, sent=True)
        held_until = await self._ledger.jobs.held_until()
        there = await self._ledger.jobs.there()  # first: what ends in between is rather counted twice
        sent = await self._ledger.requests_since(now - self._limits.window_s)
        self._limits.begin([*sent, now], sum(job.kind != DELIVER for job in there), held_until)
        self._put(there, now)
        self._unsure_since, self._looked_at = None, 0.0

    async def look(self, now: Instant) -> None:
        """Give up what nobody will finish, and what is gone without a word."""
        if self._unsure_since is None and abs(now - self._looked_at) < LOOK_S:
            return
        reaped = await self._ledger.jobs.reap(now)
        self._member.lost(reaped.lapsed)
        for job in reaped.untaken:
            self._over(job.id, sent=False)
        for job in reaped.orphaned:
            self._over(job.id, sent=True)
        there = await self._ledger.jobs.there()
        self._adopt([job for job in there if job.id not in self._out], now)
        if self._unsure_since is not None:  # some of these may be carried out and gone
            self._limits.remember(await self._ledger.requests_since(self._unsure_since))
        gone = self._out.keys() - {job.id for job in there}
        for number in [each for each in gone if self._out[each].since <= now - LOOK_S]:
            self._over(number, sent=True)
        self._looked_at, self._unsure_since = now, None

    def grant(self, lane: Lane) -> Grant:
        """One of the limits' own, which ends with this process's lease."""
        worker = self._member.id
        return Grant(self._limits, self._clock, lane, lambda: self._member.may_send(worker))

    async def create(self, now: Instant, count: int, generation: int) -> None:
        """Claim and hand over in one transaction; grants that find nobody in line are given back."""
        if not count:
            return
        handed: Sequence[Job] = ()
        try:
            given = (now, count, generation, int(Lane.CREATE), now + JOB_S)
            handed = await self._ledger.jobs.put_claimed(*given)
        except LedgerError:
            self._doubt(now)
            raise
        finally:
            self._limits.unsent(Lane.CREATE, count - len(handed))
        self._put(handed, now)

    async def ask(self, steps: Sequence[tuple[str, Lane]]) -> None:
        """A job for each that has none yet."""
        if not steps:
            return
        handed: Sequence[Job] = ()
        now = self._clock.now()
        try:
            places = [(key, None, int(lane)) for key, lane in steps]
            handed = await self._ledger.jobs.put(ASK, places, now, now + JOB_S)
        except LedgerError:
            self._doubt(now)
            raise
        finally:
            self._give_back(steps, handed)
        self._put(handed, now)

    async def deliver(self, links: Sequence[tuple[str, Address]], done: Delivered) -> None:
        """A job for each that has none yet."""
        now = self._clock.now()
        places = [(key, address, -1) for key, address in links]
        handed = await self._ledger.jobs.put(DELIVER, places, now, now + JOB_S)
        fresh = {(job.key, job.address) for job in handed}
        self._put(handed, now, done)
        for key, address in links:
            if (key, address) not in fresh:
                done(address, None)

    async def resign(self) -> bool:
        """Whether others live: then the lead goes to one of them at once."""
        return await self._retire()

    async def close(self) -> None:
        """No job is taken here any more."""
        await self._close_hands()

    def hear(self, word: Word) -> bool:
        """What a worker tells of a job; whether that is over now."""
        number, what, *args = word
        if what == DONE:
            self._over(number, sent=True, fact_told=word)
        elif what in (SENT, UNSENT):
            self._close(number, sent=what == SENT, at=args[0] if what == SENT else None)
        elif what in ABOUT_ALL:
            getattr(self._limits, what)(*args)
        return bool(what == DONE)

    def _put(self, jobs: Iterable[Job], now: Instant, done: Delivered | None = None) -> None:
        for job in jobs:
            out = _Out(job, open=job.kind != DELIVER, since=now, done=done)
            self._out[job.id] = out
            self._places[out.job.place] += 1

    def _doubt(self, now: Instant) -> None:
        """What failed may be written all the same: the next look finds out."""
        if self._unsure_since is None:
            self._unsure_since = now

    def _adopt(self, jobs: Sequence[Job], now: Instant) -> None:
        """Jobs that stand there though their writing seemed to fail."""
        self._limits.outstanding(sum(job.kind != DELIVER for job in jobs))
        self._put(jobs, now)

    def _give_back(self, steps: Sequence[tuple[str, Lane]], handed: Sequence[Job]) -> None:
        left = Counter(lane for _, lane in steps)
        left.subtract(Lane(job.lane) for job in handed)
        for lane, count in left.items():
            self._limits.unsent(lane, count)

    def _close(self, number: int, *, sent: bool, at: Instant | None = None) -> None:
        """The grant's end: the worst is assumed of what nobody tells."""
        out = self._out.get(number)
        if out is None or not out.open:
            return
        out.open = False
        now = self._clock.now()
        if sent:
            self._limits.sent(now if at is None else min(at, now))
        else:
            self._limits.unsent(Lane(out.job.lane))

    def _over(self, number: int, *, sent: bool, fact_told: Word | None = None) -> None:
        self._close(number, sent=sent)
        out = self._out.pop(number, None)
        if out is None:
            return
        self._places[out.job.place] -= 1
        if not self._places[out.job.place]:
            del self._places[out.job.place]
        if out.done is not None:
            out.done(out.job.address, None if fact_told is None else fact_of(fact_told))
