"""The desk of this house: put together for a daemon that runs, or over its ledger alone where none does.

A daemon's desk is reached by the control socket and by pages. Without a daemon a command opens the ledger
itself, under the same lock, for what is safe to write then. What the verbs do is `scheduler.daemon.desk`'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from scheduler.app.crewing import clock_for, told
from scheduler.app.letters import composer
from scheduler.app.reloading import REFUSALS, Reloading, errors_of
from scheduler.clock import Clock
from scheduler.daemon import Daemon
from scheduler.daemon.desk import Means, StandingDesk
from scheduler.desk import Answer, Asker, Effect, Refused
from scheduler.desk.wishes import Wish
from scheduler.ledger import Ledger, LedgerUnavailable
from scheduler.ledger.files import control_socket
from scheduler.ledger.place import Database, Place
from scheduler.ledger.shared.workers import listed
from scheduler.ledger.snapshot import Snapshot
from scheduler.model import Config
from scheduler.runner import Letters, Terms
from scheduler.telemetry import Telemetry
from scheduler.vitals import WorkerState
from scheduler.web.control import controlled
from scheduler.web.health import Health

NOBODY = "no daemon runs"

ANOTHER_LEADS = "another worker leads, and goes by its own files: have it read them, too"

SWAPPED_S = 5.0
"""How long a reload waits for its turn: one is made at once, unless the clock can't be believed."""


def desk_of(
    daemon: Daemon, ledger: Place, clock: Clock, telemetry: Telemetry, reloading: Reloading
) -> StandingDesk:
    """The desk of a daemon that runs."""
    means = Means(
        ledger=daemon.ledger,
        path=ledger,
        clock=clock,
        config=lambda: daemon.config,
        letters=daemon.letters,
        say=telemetry.say,
        ring=daemon.bell.ring,
    )

    async def reload(asker: Asker) -> Answer:
        telemetry.say("reload_asked", **asker._asdict())
        answer = await _reloaded(reloading)
        return answer if daemon.engine.term else replace(answer, said=(*answer.said, ANOTHER_LEADS))

    health = Health(daemon.checkup.vitals, daemon.checkup.writable)
    return StandingDesk(means, reload, daemon.checkup.vitals, health.reasons, lambda: reloading.last)


@asynccontextmanager
async def steered(desk: StandingDesk, ledger: Place, telemetry: Telemetry) -> AsyncIterator[None]:
    """Let commands reach the desk; where no socket can stand, the house goes on without."""

    def faulty(detail: str) -> None:
        telemetry.say("faulted", grave=True, step="control", detail=detail)

    try:
        door = controlled(desk, control_socket(ledger), faulty)
        await door.__aenter__()
    except (OSError, LedgerUnavailable) as error:
        telemetry.say("control_unavailable", grave=True, detail=str(error))
        yield
        return
    try:
        yield
    finally:
        await door.__aexit__(None, None, None)


def ask_ledger(wish: Wish, config: Config, ledger: Place) -> Answer:
    """Do what is safe without a daemon; raises Refused, and LedgerError (LedgerHeld where one runs)."""
    return asyncio.run(_asked(wish, config, ledger))


def workers(ledger: Place) -> Sequence[str]:
    """The names of those who work on it now, wherever they are; of a file nobody. Raises LedgerError."""
    return asyncio.run(_at_work(ledger)) if isinstance(ledger, Database) else ()


async def _at_work(place: Database) -> Sequence[str]:
    clock = await _clock_of(place)
    with Snapshot.open(place) as snapshot:
        found = listed(snapshot.driver, clock.now())
    return [each.name for each in found if each.state is not WorkerState.GONE]


async def _clock_of(place: Place) -> Clock:
    clock = clock_for(place)
    await told(clock, place)
    return clock


async def _asked(wish: Wish, config: Config, place: Place) -> Answer:
    clock = await _clock_of(place)
    with Snapshot.open(place) as snapshot:
        base_url = snapshot.base_url()
    ledger = Ledger.open(place, base_url, clock.now())
    try:
        means = Means(
            ledger=ledger,
            path=place,
            clock=clock,
            config=lambda: config,
            letters=Letters(Terms(ledger), composer(None)),
            say=lambda event, **_: None,  # its answer says it all
            ring=lambda: None,
        )
        return await wish.ask(StandingDesk(means, _nobody_reloads, lambda: None, _nobody_works, lambda: None))
    finally:
        ledger.close()


async def _nobody_reloads(_: Asker) -> Answer:
    raise Refused(NOBODY)


async def _nobody_works() -> tuple[str, ...]:
    return (NOBODY,)


async def _reloaded(reloading: Reloading) -> Answer:
    try:
        reread = await reloading.read()
    except REFUSALS as refused:
        errors = errors_of(refused)
        what = f"{len(errors)} errors" if len(errors) > 1 else "1 error"
        raise Refused(f"the files are refused with {what}; the last good ones are in force", errors) from None
    said = (str(reread.changes), *reread.warnings)
    try:
        async with asyncio.timeout(SWAPPED_S):
            await reread.swapped.wait()
    except TimeoutError:
        said = (*said, "it is in force as soon as the house makes its next turn")
    return Answer(Effect.DONE, said, numbers=reread.changes.together()._asdict())
