"""The daemon: turn, rest, ring, reload, drain.

A turn is one look at the ledger: promise what opens soon, close what shut, admit what the limits
allow, claim it and start it. Between turns nothing runs but steps in hand. A bell only means "look
again"; everything that must happen at a time is a due time in the ledger or in a room that can
compute it again, so a turn too many does no harm and a lost ring costs half a minute at most.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any

from jobs.errors import Reason
from jobs.model import Instant
from scheduler import lifecycle
from scheduler.alarm import Alarm
from scheduler.clock import Bell, Clock
from scheduler.daemon.clockwatch import ClockWatch, Trust
from scheduler.daemon.overlaps import Overlaps
from scheduler.daemon.promising import Promising
from scheduler.daemon.surveying import Surveying
from scheduler.facts import Fact, Missed, MissReason, Skipped, SkipReason, StepKind
from scheduler.ledger import Due, Ledger, LedgerUnavailable, Note, View
from scheduler.limits import Lane, Limits
from scheduler.model import Config
from scheduler.record import Record
from scheduler.runner import Grant, Perform, Runner, Terms
from scheduler.telemetry import Telemetry

CLAIM_CHUNK = 250
"""Claims in one transaction: a chunk is small enough that the loop never stalls on it."""

REST_S = 30.0
"""The longest rest without a look at the alarm (semantics, section 6)."""

LEDGER_AGAIN_S = 5.0

_LANES = {str(StepKind.END): Lane.END, str(StepKind.INSPECT): Lane.INSPECT}
"""The steps that cost a request; a delivery costs none."""

_SURVEY = "(survey)"
"""The Survey's place among the keys in hand: no key looks like it."""


class Daemon:
    """One house at work. Use it as a context: its tasks live inside."""

    def __init__(
        self, ledger: Ledger, perform: Perform, clock: Clock, config: Config, telemetry: Telemetry
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._telemetry = telemetry
        self._config = config
        self.bell = Bell()
        self._alarm = Alarm(clock, self.bell)
        self._limits = Limits(config.account.requests)
        self._terms = Terms(ledger)
        self._runner = Runner(ledger, perform, self._limits, clock, self._terms, self._on_hold)
        self._promising = Promising(ledger)
        self._surveying = Surveying(ledger, self._runner, clock, self._accepted)
        self._overlaps = Overlaps(ledger)
        self._clockwatch = ClockWatch(ledger, self._alarm)
        self._hands: dict[str, asyncio.Task[None]] = {}
        self._group = asyncio.TaskGroup()
        self._last_turn_at: Instant | None = None
        self._next_at: Instant | None = None
        self._pending: Config | None = None
        self._unwritable = False
        self._begun = False
        self.stopping = False
        self.turns = 0

    async def __aenter__(self) -> Daemon:
        """Begin: take up what the ledger holds; afterwards `turn` may be called."""
        await self._group.__aenter__()
        await self._begin()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Drain: whatever is in hand is finished, since its outcome must not be lost."""
        self._alarm.stop()
        await self._group.__aexit__(kind, error, tb)

    # --- turn ---

    async def turn(self) -> None:
        """One look at the ledger, and everything that is due started."""
        self.turns += 1
        now = self._clock.now()
        trust = await self._clockwatch.look(now)
        if trust is Trust.HELD:
            self._next_at = None
            return
        if not self._begun:
            await self._take_up(now)
        if self._pending is not None:
            pending, self._pending = self._pending, None
            self._telemetry.say("reloaded", **await self.swap(pending))
        await self._promising.ahead(now)
        view = await self._ledger.look(now)
        if view.shut:
            held = view.holds[0].reason if view.holds else None
            await self._close_shut(now, MissReason.CLOCK_HELD if trust is Trust.LIFTED else held)
            view = await self._ledger.look(now)
        await self._overlaps.judge(view, now)
        await self._start(view, now)
        self._last_turn_at = now

    def next_turn(self) -> Instant | None:
        """When the next turn is due, as far as time alone tells; a ring may make it sooner."""
        return self._next_at

    @property
    def in_hand(self) -> int:
        """How many steps run now."""
        return len(self._hands)

    async def settled(self) -> None:
        """Wait until nothing is in hand."""
        while self._hands:
            await asyncio.wait(list(self._hands.values()))

    # --- rest ---

    async def run(self) -> None:
        """Turn and rest until `stop`."""
        self._alarm.start()
        while not self.stopping:
            await self._try_turn()
            await self._rest()

    async def _try_turn(self) -> None:
        """A turn; a ledger that can't be written means no creation, and another try soon."""
        try:
            await self.turn()
        except LedgerUnavailable as error:
            if not self._unwritable:
                self._telemetry.say("ledger_unavailable", grave=True, detail=str(error))
            self._unwritable = True
            self._next_at = self._clock.now() + LEDGER_AGAIN_S
            return
        if self._unwritable:
            self._telemetry.say("ledger_available")
        self._unwritable = False

    async def _rest(self) -> None:
        self._alarm.wake_at(self._next_at)
        while not self.stopping:
            ticks = self._alarm.ticks
            if await self._clock.sleep_until(None, self.bell, REST_S):
                return
            if self._alarm.ticks == ticks:
                self._alarm.revive()
            due = self._next_at is not None and self._next_at <= self._clock.now()
            if due or self._clockwatch.held:
                return

    def stop(self) -> None:
        """Start nothing more. What is in hand goes on until it is done."""
        self.stopping = True
        self.bell.ring()

    # --- reload ---

    def reload(self, config: Config) -> None:
        """Swap this configuration in at the next turn, which is now."""
        self._pending = config
        self.bell.ring()

    async def swap(self, config: Config) -> dict[str, int]:
        """Go on with another configuration: its effect on what was already promised (S7)."""
        now = self._clock.now()
        self._config = config
        self._limits.set_rate(config.account.requests)
        await self._lift(Reason.SPENT)
        effect = await self._promising.swap(config.schedules, now)
        self._terms.know(self._promising.generation, config.schedules)
        self.bell.ring()
        return dict(effect)

    async def _begin(self) -> None:
        now = self._clock.now()
        await self._lift(Reason.SPENT)
        await self._clockwatch.begin()
        window_s = self._config.account.requests.per_s * 1.02
        self._limits.seed(await self._ledger.requests_since(now - window_s))
        for record in await self._ledger.in_flight():
            await self._ledger.note(self._runner.interrupted(record))

    async def _take_up(self, now: Instant) -> None:
        """Once the clock is believed: what was promised meanwhile, and what was missed (S4)."""
        await self._promising.begin(self._config.schedules, now)
        self._terms.know(self._promising.generation, self._config.schedules)
        self._begun = True

    # --- the parts of a turn ---

    async def _close_shut(self, now: Instant, held: str | None) -> None:
        """Every promise whose window shut unused gets its reason (S15)."""
        while records := await self._ledger.shut(now):
            await self._ledger.note(*(Note(r.key, self._unkept(r, held), now) for r in records))

    def _unkept(self, record: Record, held: str | None) -> Fact:
        if record.key in self._overlaps.blocked:
            return Skipped(SkipReason.OVERLAP)
        waited = self._last_turn_at is not None and self._last_turn_at >= record.starts_at
        return Missed(lifecycle.miss_reason(record, held, waited))

    async def _start(self, view: View, now: Instant) -> None:
        due = [due for due in view.steps if due.key not in self._hands]
        free = self._free(view)
        self._surveying.denied = any(hold.reason == Reason.DENIED for hold in view.holds)
        waiting = self._waiting(view, due, free, now)
        admission = self._limits.admit(now, waiting, free)
        granted = admission.granted
        for each, grant in self._with_grants(due, granted):
            self._take(each.key, self._runner.advance(each.key, grant))
        if granted[Lane.SURVEY]:
            self._take(_SURVEY, self._surveying.page(self._runner.grant()))
        await self._claim(granted[Lane.CREATE], now)
        times = (view.next_at, admission.next_at, self._promising.next_at, self._surveying.next_at)
        self._next_at = min((at for at in times if at is not None), default=None)

    def _with_grants(
        self, due: Sequence[Due], granted: Mapping[Lane, int]
    ) -> Iterator[tuple[Due, Grant | None]]:
        """The first of each lane, as many as were granted; deliveries go without."""
        left = dict(granted)
        for each in due:
            lane = _LANES.get(each.step)
            if lane is None:
                yield each, None
            elif left[lane] > 0:
                left[lane] -= 1
                yield each, self._runner.grant()

    async def _claim(self, count: int, now: Instant) -> None:
        """Claim in chunks and start each at once; grants that find nobody in line are given back."""
        left = count
        try:
            while left > 0:
                chunk = min(left, CLAIM_CHUNK)
                claimed = await self._ledger.claim(now, chunk, self._promising.generation)
                for record in claimed:
                    self._take(record.key, self._runner.create(record, self._runner.grant()))
                left -= len(claimed)
                if len(claimed) < chunk:
                    break
        finally:
            for _ in range(left):
                self._limits.unsent()

    def _free(self, view: View) -> int:
        account = self._config.account
        return account.concurrent_conversations - account.reserve - view.held

    def _waiting(self, view: View, due: Sequence[Due], free: int, now: Instant) -> dict[Lane, int]:
        denied = self._surveying.denied
        survey = self._surveying.wanted(view, free, now) and _SURVEY not in self._hands
        return {
            Lane.END: 0 if denied else sum(each.step == StepKind.END for each in due),
            Lane.SURVEY: int(survey),
            Lane.CREATE: 0 if view.holds else view.waiting,
            Lane.INSPECT: 0 if denied else sum(each.step == StepKind.INSPECT for each in due),
        }

    def _take(self, key: str, work: Coroutine[Any, Any, None]) -> None:
        task = self._group.create_task(work)
        self._hands[key] = task
        task.add_done_callback(lambda _: self._done(key))

    def _done(self, key: str) -> None:
        self._hands.pop(key, None)
        self.bell.ring()

    # --- holds ---

    async def _on_hold(self, reason: Reason) -> None:
        """The API says that the account is denied or spent: stop, and tell it once (S14)."""
        if await self._ledger.hold(reason, self._clock.now()):
            self._telemetry.say("held", grave=True, reason=str(reason), **_WAY_OUT[reason])

    async def _accepted(self) -> None:
        await self._lift(Reason.DENIED)

    async def _lift(self, reason: Reason) -> None:
        if await self._ledger.lift(reason, self._clock.now()):
            self._telemetry.say("lifted", reason=str(reason))


_WAY_OUT = {
    Reason.DENIED: {"detail": "the API key is not accepted; it is tried again every 5 minutes"},
    Reason.SPENT: {"detail": "the account is out of credits; buy some, then send SIGHUP or start again"},
}
