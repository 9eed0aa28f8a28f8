"""What is done to a crew, one kind of round each. Moments and victims are the seed's.

A round does harm and ends it; that three work again, and what came of it, is looked at by whoever called it.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from types import MappingProxyType

from jobs.tavus.sandbox import Fault
from jobs.tavus.sandbox.fault import Kind, Operation, When
from tests.proofs.crew.cable import Spoilt
from tests.proofs.crew.crew import Crew, Hand

MOMENT_S = 6.0
"""How long a moment is waited for: one comes every few seconds."""

STEPS_S = (600.0, -600.0, 86_400.0, -86_400.0)

Round = Callable[[Crew], Awaitable[None]]


async def kill_leader(crew: Crew) -> None:
    """The leader is gone, at any moment or just when it writes or posts."""
    await at_some_moment(crew, hand := crew.leader(), hand.kill)


async def kill_worker_posting(crew: Crew) -> None:
    """A worker is gone with its POSTs on the wire."""
    slowly(crew)
    await at_post(crew, hand := crew.other(crew.leader()), hand.kill)


async def kill_two(crew: Crew) -> None:
    """The leader and another one are gone together."""
    hand = crew.leader()
    other = crew.other(hand)

    def both() -> None:
        hand.kill()
        other.kill()

    await at_some_moment(crew, hand, both)


async def stop_leader(crew: Crew) -> None:
    """The leader stands still for longer than its lease."""
    await stopped(crew, crew.leader())


async def stop_worker(crew: Crew) -> None:
    """Another one stands still for longer than its lease."""
    await stopped(crew, crew.other(crew.leader()))


async def cut_one(crew: Crew) -> None:
    """The database is out of one worker's reach."""
    hand = anybody(crew)
    await cut_off(crew, [hand], crew.dice.uniform(1, 8))


async def cut_all(crew: Crew) -> None:
    """It is out of everybody's."""
    await cut_off(crew, crew.hands, crew.dice.uniform(0.5, 4))


async def restart_server(crew: Crew) -> None:
    """The server ends, cleanly or as if the power went, and comes back."""
    how = crew.dice.choice([signal.SIGINT, signal.SIGQUIT])
    for hand in crew.hands:
        hand.harm()
    await asyncio.to_thread(crew.server.stop, how)
    await asyncio.sleep(crew.dice.uniform(0, 2))
    await asyncio.to_thread(crew.server.start)


async def lose_commit(crew: Crew) -> None:
    """A connection is lost in the middle of a commit, before or after the server heard of it."""
    hand = anybody(crew)
    hand.harm()
    for how in crew.dice.sample([Spoilt.UNSAID, Spoilt.UNANSWERED, Spoilt.UNANSWERED], 3):
        await at_commit(hand, lambda how=how: hand.cable.spoil(how))


async def step_clock(crew: Crew) -> None:
    """The leader's own clock is set, and another one's, and both are set right again a little later."""
    hands = [leader := crew.leader(), crew.other(leader)]
    for hand, step_s in zip(hands, crew.dice.sample(STEPS_S, len(hands)), strict=True):
        hand.step.write_text(str(step_s))
    await asyncio.sleep(crew.dice.uniform(2, 6))
    for hand in hands:
        hand.step.write_text("0")


async def lose_answers(crew: Crew) -> None:
    """The service's answers are lost, and a worker with them."""
    for when in (When.BEFORE, When.AFTER):
        crew.service.sandbox.faults.add(Fault(kind=Kind.DROP, operation=Operation.CREATE, count=1, when=when))
    slowly(crew, 0.3)
    await at_post(crew, hand := anybody(crew), hand.kill)


async def leave(crew: Crew) -> None:
    """The leader is asked to leave, as in an upgrade, while it posts."""
    slowly(crew)
    await at_post(crew, hand := crew.leader(), hand.ask)
    await crew.left(hand)


ROUNDS: Mapping[Round, int] = MappingProxyType(
    {
        kill_leader: 2,
        kill_worker_posting: 2,
        kill_two: 1,
        stop_leader: 2,
        stop_worker: 1,
        cut_one: 1,
        cut_all: 1,
        restart_server: 1,
        lose_commit: 1,
        step_clock: 1,
        lose_answers: 1,
        leave: 1,
    }
)
"""Every kind, and how many rounds of fifteen are of it."""


def anybody(crew: Crew) -> Hand:
    """The leader as often as another one."""
    leader = crew.leader()
    return crew.dice.choice([leader, crew.other(leader)])


async def stopped(crew: Crew, hand: Hand) -> None:
    """SIGSTOP at some moment, SIGCONT when the lease is long over."""

    def stop() -> None:
        hand.harm()
        hand.process.send_signal(signal.SIGSTOP)

    slowly(crew)
    await at_some_moment(crew, hand, stop)
    await asyncio.sleep(crew.dice.uniform(5.5, 9))
    hand.process.send_signal(signal.SIGCONT)


async def cut_off(crew: Crew, hands: list[Hand], for_s: float) -> None:
    """Silently or loudly; what was silent is lost or goes on afterwards."""
    silent, lost = crew.dice.random() < 0.5, crew.dice.random() < 0.5
    for hand in hands:
        hand.harm()
        hand.cable.cut(silent=silent)
    await asyncio.sleep(for_s)
    for hand in hands:
        hand.cable.mend(lost=lost)


def slowly(crew: Crew, seconds: float = 1.0) -> None:
    """Creates take their time, so that some are on the wire."""
    when = crew.dice.choice([When.BEFORE, When.AFTER])
    crew.service.sandbox.faults.add(
        Fault(kind=Kind.SLOW, operation=Operation.CREATE, seconds=seconds, when=when, count=None)
    )


async def at_some_moment(crew: Crew, hand: Hand, act: Callable[[], None]) -> None:
    """Act at any time, when this worker commits, or when one of its creates arrives."""
    match crew.dice.choice(["any", "commit", "post"]):
        case "any":
            await asyncio.sleep(crew.dice.uniform(0, 3))
            act()
        case "commit":
            await at_commit(hand, act)
        case "post":
            await at_post(crew, hand, act)


async def at_post(crew: Crew, hand: Hand, act: Callable[[], None]) -> None:
    """Act when one of its creates arrives."""
    moment = Moment(act)
    crew.service.on_create[hand.key] = moment.come
    await moment.waited()


async def at_commit(hand: Hand, act: Callable[[], None]) -> None:
    """Act when it is about to commit."""
    moment = Moment(act)
    hand.cable.on_commit = moment.come
    await moment.waited()


class Moment:
    """Something is done when it comes, from one instruction to the next; soon if it doesn't."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act
        self._came = asyncio.Event()

    def come(self) -> None:
        if not self._came.is_set():
            self._came.set()
            self._act()

    async def waited(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(MOMENT_S):
                await self._came.wait()
        self.come()
