"""The whole product in a minute: a sandbox, a team, a ledger of its own, and people who come and go.

Everything is real but the service: the same house, the same HTTP, the same ledger as `run`. Only two things
are played: the schedule begins when the demo does, and people join, stay, leave early or never come.
"""

from __future__ import annotations

import asyncio
import math
import signal
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from jobs.tavus.sandbox import Room, RoomClosed, Sandbox
from scheduler.app.channels import open_channels
from scheduler.app.house import house
from scheduler.app.observing import new_metrics
from scheduler.app.sandboxed import redirected, rehearsal, serving
from scheduler.clock import Bell, Clock
from scheduler.daemon import Daemon
from scheduler.facts import Stage
from scheduler.ledger.snapshot import Snapshot
from scheduler.model import Config, Every, Schedule, When
from scheduler.record import Record
from scheduler.settings import Redaction, Secret
from scheduler.telemetry import Telemetry

FIRST_AFTER_S = 1
JOIN_AFTER_S = 4.0
LEAVE_AFTER_S = 11.0


class Habit(StrEnum):
    """What a person does with a link."""

    LEAVES = "left early"
    STAYS = "stayed"
    NEVER_COMES = "never came"


HABITS = (
    *(Habit.LEAVES, Habit.NEVER_COMES, Habit.LEAVES, Habit.STAYS),
    *(Habit.LEAVES, Habit.STAYS, Habit.STAYS, Habit.STAYS),
)
"""By the order in which rooms are made: the first to come soon makes place for those who wait."""


@dataclass(frozen=True, slots=True)
class Played:
    """A promise whose time came: its record at the end, and what its person had done by then, if anything."""

    record: Record
    did: Habit | None


def demo(config: Config, for_s: float, letters: Path) -> Sequence[Played]:
    """Run this configuration against a sandbox for a while, or until a signal; what came of it.

    What would be mailed is written to the directory `letters`, and stays there.
    """
    with tempfile.TemporaryDirectory(prefix="callboard-demo-") as folder:
        ledger = Path(folder) / "demo.db"
        did = asyncio.run(_run(config, ledger, for_s, letters))
        with Snapshot.open(ledger) as snapshot:
            return [
                Played(record, did.get(record.conversation_id or ""))
                for record in snapshot.records()
                if record.stage is not Stage.PLANNED
            ]


async def _run(config: Config, ledger: Path, for_s: float, letters: Path) -> Mapping[str, Habit]:
    clock = Clock()
    sandbox = rehearsal(config.account, clock)
    config = _beginning(_written_to(letters, config), math.ceil(clock.now()) + FIRST_AFTER_S)
    async with AsyncExitStack() as stack:
        base_url = await stack.enter_async_context(serving(sandbox, clock))
        key = Secret("demo-needs-no-key", "the demo")
        opened = open_channels(clock.now, Telemetry(), Redaction(), letters)
        channels = await stack.enter_async_context(opened)
        await channels.use(config)
        config = redirected(config, base_url)
        daemon = await stack.enter_async_context(house(config, ledger, key, clock, channels, new_metrics()))
        stack.enter_context(_stopped_by_signals(daemon))
        asyncio.get_running_loop().call_later(for_s, daemon.stop)
        daemon.errand(_people(daemon, sandbox, clock))
        await daemon.run()
        await daemon.drain()
        return {each.conversation_id: did for each, habit in _cast(sandbox) if (did := _done(each, habit))}


def _written_to(letters: Path, config: Config) -> Config:
    """The same configuration, its mails written to this directory."""
    mail = config.mail and replace(config.mail, smtp=None, sink=str(letters))
    return replace(config, mail=mail)


def _beginning(config: Config, at: int) -> Config:
    """The same schedules, their intervals counted from `at`."""
    return replace(config, schedules={name: _from(at, each) for name, each in config.schedules.items()})


def _from(at: int, schedule: Schedule) -> Schedule:
    def moved(when: When) -> When:
        if not isinstance(when.form, Every):
            return when
        return replace(when, form=replace(when.form, phase_s=at % when.form.interval_s))

    return replace(schedule, when=tuple(map(moved, schedule.when)))


@contextmanager
def _stopped_by_signals(daemon: Daemon) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, daemon.stop)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def _cast(sandbox: Sandbox) -> Iterator[tuple[Room, Habit]]:
    return ((room, HABITS[n % len(HABITS)]) for n, room in enumerate(sandbox.rooms.values()))


async def _people(daemon: Daemon, sandbox: Sandbox, clock: Clock) -> None:
    quiet = Bell()
    while not daemon.stopping:
        for room, habit in _cast(sandbox):
            if room.status == "active":
                _play(sandbox, room, habit, clock.now() - room.created_at)
        await clock.sleep_until(None, quiet, 0.5)


def _play(sandbox: Sandbox, room: Room, habit: Habit, age_s: float) -> None:
    try:
        if habit is not Habit.NEVER_COMES and JOIN_AFTER_S <= age_s < LEAVE_AFTER_S:
            sandbox.join(room.conversation_id)
        if habit is Habit.LEAVES and age_s >= LEAVE_AFTER_S:
            sandbox.leave(room.conversation_id)
    except RoomClosed:
        return


def _done(room: Room, habit: Habit) -> Habit | None:
    """What a person has done so far; a person who came in by a browser counts, too."""
    if room.life.first_joined_at is None:
        return Habit.NEVER_COMES if room.ended else None
    return Habit.LEAVES if habit is Habit.LEAVES and not room.life.present else Habit.STAYS
