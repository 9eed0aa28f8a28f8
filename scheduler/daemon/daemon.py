"""The daemon: turn, rest, ring, reload, drain.

A turn is one look at the ledger: promise what opens soon, close what shut, admit what the limits
allow, claim it and start it. Between turns nothing runs but steps in hand. A bell only means "look
again"; everything that must happen at a time is a due time in the ledger or in a room that can
compute it again, so a turn too many does no harm and a lost ring costs half a minute at most.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from types import TracebackType
from typing import Any

from jobs.errors import Reason
from jobs.model import Instant
from scheduler.alarm import Alarm
from scheduler.clock import Bell, Clock
from scheduler.daemon.admitting import Admitting
from scheduler.daemon.checkup import Checkup
from scheduler.daemon.clockwatch import ClockWatch, Trust
from scheduler.daemon.closing import Closing
from scheduler.daemon.delivering import Delivering
from scheduler.daemon.hands import InHand
from scheduler.daemon.holding import Holding
from scheduler.daemon.overlaps import Overlaps
from scheduler.daemon.promising import Promising
from scheduler.daemon.surveying import Surveying
from scheduler.facts import MissReason
from scheduler.ledger import Hold, Ledger, LedgerUnavailable
from scheduler.limits import Limits
from scheduler.model import Config
from scheduler.runner import Compose, Letters, Perform, Runner, Terms
from scheduler.telemetry import Telemetry

BREATH_S = 0.02
"""Between a ring and its turn, unless something is due sooner (or the ring was for that): hundreds of steps
that end together are seen by one turn."""

REST_S = 30.0
"""The longest rest without a look at the alarm (semantics, section 6)."""

LEDGER_AGAIN_S = 5.0


class Daemon:
    """One house at work. Use it as a context: its tasks live inside."""

    def __init__(
        self,
        ledger: Ledger,
        perform: Perform,
        clock: Clock,
        config: Config,
        telemetry: Telemetry,
        compose: Compose,
    ) -> None:
        self.ledger = ledger
        self._clock = clock
        self._telemetry = telemetry
        self.config = config
        self.bell = Bell()
        self._alarm = Alarm(clock, self.bell)
        self._limits = Limits(config.account.requests)
        self._terms = Terms(ledger)
        self._holding = Holding(ledger, clock, telemetry)
        self.letters = Letters(self._terms, compose)
        told = (self._terms, self.letters, self._holding.hold)
        self._runner = Runner(ledger, perform, self._limits, clock, *told)
        self._promising = Promising(ledger)
        self._surveying = Surveying(ledger, self._runner, clock, self._holding.accepted, self._faulty)
        self._overlaps = Overlaps(ledger)
        self._closing = Closing(ledger, self._overlaps)
        self._clockwatch = ClockWatch(ledger, self._alarm, self._holding.hold, self._holding.lift)
        self._group = asyncio.TaskGroup()
        self._hands = InHand(self._group, self.bell)
        self._admitting = Admitting(ledger, self._limits, self._runner, self._surveying, self._hands)
        self._delivering = Delivering(ledger, self._runner, clock, telemetry, self._hands)
        self.turned_at: Instant | None = None
        self._next_at: Instant | None = None
        self._pending: Config | None = None
        self._swapped = asyncio.Event()
        self.unwritable = False
        self.begun = False
        self.stopping = False
        self.turns = 0
        parts = (self._alarm, self._limits, self._clockwatch, self._promising)
        self.checkup = Checkup(self, ledger, clock, *parts)

    async def __aenter__(self) -> Daemon:
        """Begin: take up what the ledger holds; afterwards `turn` may be called."""
        await self._group.__aenter__()
        await self._begin()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Drain; after an error only finish what is in hand, since its outcome must not be lost.

        What ended the house is raised as it is, not in a group of one.
        """
        self._alarm.stop()
        if error is None:
            await self.drain()
        elif isinstance(error, Exception):
            await self.settled()  # a group that is left by an error cancels its tasks
        try:
            await self._group.__aexit__(kind, error, tb)
        except BaseExceptionGroup as group:
            if len({type(each) for each in group.exceptions}) > 1:
                raise
            raise group.exceptions[0] from None

    # --- turn ---

    async def turn(self) -> None:
        """One look at the ledger, and everything that is due started; once it stops, only links go out."""
        self.turns += 1
        now = self._clock.now()
        trust = await self._clockwatch.look(now)
        if trust is Trust.HELD:
            self._next_at = self._clockwatch.believed_at(now)
            return
        await self._promise(trust, now)
        view = await self.ledger.look(now, len(self._hands))
        if view.shut or view.paused:
            held = view.holds[0].reason if view.holds else None
            held = MissReason.CLOCK_HELD if trust is Trust.LIFTED else held
            await self._closing.close(now, held, self.turned_at)
            view = await self.ledger.look(now, len(self._hands))
        await self._overlaps.judge(view, now)
        await self._delivering.start(view.links, now)
        if self.stopping:
            return
        generation = self._promising.generation
        at = await self._admitting.start(view, self.config.account, generation, now)
        times = (self._promising.next_at, self._overlaps.next_at, self._delivering.next_at, at)
        self._next_at = min(each for each in times if each is not None)
        self.turned_at = now

    def next_turn(self) -> Instant | None:
        """When the next turn is due, as far as time alone tells; a ring may make it sooner."""
        return self._next_at

    @property
    def in_hand(self) -> int:
        """How many steps run now."""
        return len(self._hands)

    async def settled(self) -> None:
        """Wait until nothing is in hand."""
        await self._hands.settled()

    async def drain(self) -> None:
        """Finish what is in hand, and hand over the links that come of it; nothing else is started."""
        self.stop()
        if self.begun:
            await self._try_turn()
        while len(self._hands):
            await self._hands.changed()
            await self._clock.sleep_until(None, Bell(), BREATH_S)
            await self._try_turn()

    async def holds(self) -> Sequence[Hold]:
        """The holds in force."""
        return (await self.ledger.look(self._clock.now())).holds

    # --- rest ---

    async def run(self) -> None:
        """Turn and rest until `stop`."""
        self._alarm.start()
        while not self.stopping:
            self.bell.take()  # whatever it rang for, this turn sees
            await self._try_turn()
            await self._rest()

    async def once(self) -> None:
        """Do what is due now, as far as the limits let it happen soon, and leave; earlier at `stop`.

        Raises LedgerUnavailable, but not while anything is in hand.
        """
        await self.turn()
        while not self.stopping and (len(self._hands) or await self._soon()):
            await self._clock.sleep_until(self._next_at, self.bell, REST_S)
            await self._try_turn()

    async def _soon(self) -> bool:
        """Whether somebody waits whom the mere passing of time will admit; not so with a refused key."""
        view = await self.ledger.look(self._clock.now())
        if any(hold.reason == Reason.DENIED for hold in view.holds):
            return False
        links = any(self._delivering.ready(view.links, self._clock.now()))
        return bool(links or view.looks or view.steps or (view.waiting and not view.holds))

    def each_tick(self, listener: Callable[[], None]) -> None:
        """Call this at each tick of the alarm: while it comes, the house lives."""
        self._alarm.each_tick(listener)

    def errand(self, work: Coroutine[Any, Any, None]) -> None:
        """Something else to do beside the turns, such as reading the files again."""
        self._group.create_task(work)

    async def _try_turn(self) -> None:
        """A turn; a ledger that can't be written means no creation, and another try soon."""
        try:
            await self.turn()
        except LedgerUnavailable as error:
            if not self.unwritable:
                self._telemetry.say("ledger_unavailable", grave=True, detail=str(error))
            self.unwritable = True
            self._next_at = self._clock.now() + LEDGER_AGAIN_S
            return
        if self.unwritable:
            self._telemetry.say("ledger_available")
        self.unwritable = False

    async def _rest(self) -> None:
        self._alarm.wake_at(self._next_at)
        while not self.stopping:
            ticks = self._alarm.ticks
            if await self._clock.sleep_until(None, self.bell, REST_S):
                await self._clock.sleep_until(self._next_at, Bell(), BREATH_S)
                return
            if self._alarm.ticks == ticks:
                self._alarm.revive()
                self._telemetry.say("alarm_revived", grave=True, times=self._alarm.revived)
            if self._next_at is not None and self._next_at <= self._clock.now():
                return

    def stop(self) -> None:
        """Start nothing more. What is in hand goes on until it is done."""
        self.stopping = True
        self.bell.ring()

    # --- reload ---

    def reload(self, config: Config) -> asyncio.Event:
        """Swap this configuration in at the next turn, which is now; the event is set when that is done."""
        if self._pending is None:
            self._swapped = asyncio.Event()
        self._pending = config
        self.bell.ring()
        return self._swapped

    async def swap(self, config: Config) -> Mapping[str, int]:
        """Go on with another configuration: its effect on what was already promised (S7)."""
        now = self._clock.now()
        self.config = config
        self._limits.set_rate(config.account.requests)
        await self._holding.lift(Reason.SPENT)
        self._delivering.reopen()
        effect = await self._promising.swap(config.schedules, now)
        self._terms.know(self._promising.generation, config.schedules)
        self.bell.ring()
        return effect

    async def _begin(self) -> None:
        now = self._clock.now()
        await self._holding.lift(Reason.SPENT)
        await self._clockwatch.begin()
        window_s = self.config.account.requests.per_s * 1.02
        self._limits.seed(await self.ledger.requests_since(now - window_s, now))
        left_behind = await self.ledger.in_flight()
        await self.ledger.note(*(self._runner.interrupted(record, now) for record in left_behind))

    async def _take_up(self, now: Instant) -> None:
        """Once the clock is believed: what was promised meanwhile, and what was missed (S4).

        Not only at a start: after a jump of a month the plan goes on from now, whichever way it went.
        """
        await self._promising.begin(self.config.schedules, now)
        self._terms.know(self._promising.generation, self.config.schedules)
        self.begun = True

    # --- the parts of a turn ---

    async def _promise(self, trust: Trust, now: Instant) -> None:
        """Write what opens soon; what opened while the clock was held is planned, and closed as such."""
        since = min(now, self._clockwatch.since) if trust is Trust.LIFTED else now
        if trust is Trust.LIFTED or not self.begun:
            await self._take_up(since)
        await self._promising.ahead(since)
        if (pending := self._pending) is not None:
            effect = await self.swap(pending)
            self._telemetry.say("reloaded", grave=False, **effect)
            if self._pending is pending:
                self._pending = None
                self._swapped.set()
        await self._promising.ahead(now)

    def _faulty(self, detail: str) -> None:
        self._telemetry.say("faulted", grave=True, step="survey", detail=detail)
