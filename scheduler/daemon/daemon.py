"""The daemon: turn, rest, ring, reload, drain.

A turn is one look at the ledger: promise what opens soon, close what shut, admit what the limits
allow, claim it and start it. Between turns nothing runs but steps in hand. A bell only means "look
again"; everything that must happen at a time is a due time in the ledger or in a room that can
compute it again, so a turn too many does no harm and a lost ring costs half a minute at most.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
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
from scheduler.daemon.holding import Holding
from scheduler.daemon.overlaps import Overlaps
from scheduler.daemon.pending import Pending
from scheduler.daemon.promising import Promising
from scheduler.daemon.resting import BREATH_S, REST_S, Resting
from scheduler.daemon.surveying import Surveying
from scheduler.engine import Crew, Embedded, InHand, Parts
from scheduler.facts import MissReason
from scheduler.ledger import Hold, Ledger, LedgerFenced, LedgerUnavailable
from scheduler.limits import Limits
from scheduler.model import Config
from scheduler.runner import Compose, Letters, Perform, Runner, Terms
from scheduler.telemetry import Telemetry

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
        crew: Crew | None = None,
    ) -> None:
        self.ledger = ledger
        led = ledger if crew is None else crew.led
        self._clock = clock
        self._telemetry = telemetry
        self.config = config
        self.bell = Bell()
        self._alarm = Alarm(clock, self.bell)
        self._resting = Resting(self._alarm, clock, self.bell, telemetry)
        self._limits = Limits(config.account.requests)
        self._terms = Terms(ledger)
        self._holding = Holding(ledger, clock, telemetry)
        self.letters = Letters(self._terms, compose)
        told = (perform, clock, self._terms, self.letters, self._holding.hold)
        runner, surveyor = Runner(ledger, *told), Runner(led, *told)
        self.led = led
        self._promising = Promising(led)
        self._surveying = Surveying(led, surveyor, clock, self._holding.accepted, self._faulty)
        self._overlaps = Overlaps(led)
        self._closing = Closing(led, self._overlaps)
        self._clockwatch = ClockWatch(led, self._alarm, self._holding.hold, self._holding.lift)
        self._group = asyncio.TaskGroup()
        self._hands = InHand(self._group, self.bell)
        parts = Parts(led, runner, self._limits, clock, self._hands)
        self.engine = Embedded(parts) if crew is None else crew.engine(parts)
        self._term = 0
        self._admitting = Admitting(self.engine, self._limits, self._surveying, self._hands)
        self._delivering = Delivering(self.engine, clock, telemetry)
        self.turned_at: Instant | None = None
        self._next_at: Instant | None = None
        self._pending = Pending()
        self.unwritable = False
        self.begun = False
        self.stopping = False
        self.turns = 0
        rooms = (self._alarm, self._limits, self._clockwatch, self._promising)
        self.checkup = Checkup(self, ledger, clock, *rooms)

    async def __aenter__(self) -> Daemon:
        """Begin: take up what the ledger holds; afterwards `turn` may be called."""
        await self._group.__aenter__()
        await self._holding.lift(Reason.SPENT)
        with suppress(LedgerFenced):  # another one led while this one began: it follows
            await self._leads(self._clock.now())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Drain; after an error only finish what is in hand. What ended the house is raised as it is."""
        self._alarm.stop()
        if error is None:
            await self.drain()
        elif isinstance(error, Exception):
            await self._settle()  # a group that is left by an error cancels its tasks
        try:
            await self._group.__aexit__(kind, error, tb)
        except BaseExceptionGroup as group:
            if len({type(each) for each in group.exceptions}) > 1:
                raise
            raise group.exceptions[0] from None

    # --- turn ---

    async def turn(self) -> None:
        """One look at the ledger, and all that is due begun, unless another leads; at the end only links."""
        self.turns += 1
        now = self._clock.now()
        if not await self._leads(now):
            self._next_at = None
            await self._follow()
            return
        await self.engine.look(now)
        trust = await self._clockwatch.look(now)
        if trust is Trust.HELD:
            self._next_at = self._clockwatch.believed_at(now)
            return
        await self._promise(trust, now)
        view = await self.led.look(now, len(self.engine))
        if view.shut or view.paused:
            held = view.holds[0].reason if view.holds else None
            held = MissReason.CLOCK_HELD if trust is Trust.LIFTED else held
            await self._closing.close(now, held, self.turned_at)
            view = await self.led.look(now, len(self.engine))
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
        """Finish what is in hand, and unless others are there the links that come of it; nothing else."""
        self.stop()
        if not await self.engine.resign():
            await self._finish()
        await self._settle()

    async def _settle(self) -> None:
        await self.engine.close()
        await self.settled()

    async def _finish(self) -> None:
        if self.begun:
            await self._try_turn()
        while len(self._hands) or len(self.engine):
            await self._hands.changed()
            await self._clock.sleep_until(None, Bell(), LEDGER_AGAIN_S if self.unwritable else BREATH_S)
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
            await self._resting.rest(self._next_at, lambda: self.stopping)

    async def once(self) -> None:
        """Do what is due now, as far as the limits let it happen soon, and leave; earlier at `stop`.
        Raises LedgerUnavailable, but not while anything is in hand."""
        await self.turn()
        while not self.stopping and (len(self._hands) or (self.engine.term and await self._soon())):
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
        except LedgerFenced:
            self._next_at = None  # another process leads now, as the engine is about to see and to ring
            return
        except LedgerUnavailable as error:
            if not self.unwritable:
                self._telemetry.say("ledger_unavailable", grave=True, detail=str(error))
            self.unwritable = True
            self._next_at = self._clock.now() + LEDGER_AGAIN_S
            return
        if self.unwritable:
            self._telemetry.say("ledger_available")
        self.unwritable = False

    def stop(self) -> None:
        """Start nothing more. What is in hand goes on until it is done."""
        self.stopping = True
        self.bell.ring()

    # --- reload ---

    def reload(self, config: Config) -> asyncio.Event:
        """Swap this configuration in at the next turn, which is now; the event is set when that is done."""
        self.bell.ring()
        return self._pending.put(config)

    async def swap(self, config: Config) -> Mapping[str, int]:
        """Go on with another configuration: its effect on what was already promised (S7)."""
        await self._go_by(config)
        effect = await self._promising.swap(config.schedules, self._clock.now())
        self._terms.know(self._promising.generation, config.schedules)
        self.bell.ring()
        return effect

    async def _follow(self) -> None:
        """While another process leads, nothing that was promised changes by what is swapped in here."""
        if (pending := self._pending.config) is not None:
            await self._go_by(pending)
            self._telemetry.say("reloaded", detail="another worker leads, by its own files")
            self._pending.done(pending)

    async def _go_by(self, config: Config) -> None:
        self.config = config
        self._limits.set_rate(config.account.requests)
        await self._holding.lift(Reason.SPENT)
        self._delivering.reopen()

    async def _leads(self, now: Instant) -> bool:
        """Whether this process makes the turns; a term begins with what the last one left in the ledger."""
        term = self.engine.term
        if term and term != self._term:
            self.begun = False
            await self.engine.begin(now)
            await self._clockwatch.begin()
        self._term = term
        return bool(term)

    async def _take_up(self, now: Instant) -> None:
        """Once the clock is believed, be it after a jump of a month: what was missed, and the plan (S4)."""
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
        if (pending := self._pending.config) is not None:
            effect = await self.swap(pending)
            self._telemetry.say("reloaded", grave=False, **effect)
            self._pending.done(pending)
        await self._promising.ahead(now)

    def _faulty(self, detail: str) -> None:
        self._telemetry.say("faulted", grave=True, step="survey", detail=detail)
