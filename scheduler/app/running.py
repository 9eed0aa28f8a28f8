"""The daemon as a process: signals, reload, one-off runs, and what its ends mean.

SIGTERM and SIGINT drain (nothing whose outcome is unknown is cancelled); a second one forces.
SIGHUP reloads: a bad file changes nothing and is told (S7). Exit codes are sysexits', as the YAML's
contract has them.
"""

from __future__ import annotations

import asyncio
import signal
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager, AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from scheduler.app.channels import open_channels
from scheduler.app.crewing import clock_for
from scheduler.app.facing import Face, facing
from scheduler.app.house import house
from scheduler.app.observing import new_metrics
from scheduler.app.reloading import Reloading
from scheduler.app.sandboxed import redirected, rehearsal, serving
from scheduler.app.steering import desk_of, steered
from scheduler.app.watching import watching
from scheduler.clock import Clock
from scheduler.daemon import Daemon
from scheduler.ledger import Place
from scheduler.model import Config, ReadAgain
from scheduler.notifying import Notifier
from scheduler.settings import Redaction, Secret
from scheduler.telemetry import Telemetry

FORCED = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How `run` runs: which files, which ledger (a sandbox has its own), for how long; `notify` is where the
    supervisor listens, `redaction` learns what no line may show."""

    paths: Sequence[Path]
    ledger: Place | None = None
    sandbox: bool = False
    once: bool = False
    for_s: float | None = None
    notify: str | None = None
    redaction: Redaction = field(default_factory=Redaction)


async def run(config: Config, key: Secret | None, options: Options) -> int:
    """Run until told to stop; the exit code. `key` is not needed with a sandbox.

    Raises LedgerError, SettingsError for a secret that can't be read, ListenError for an address that can't
    be listened on, and ValueError for a base URL or a key that can't be used.
    """
    telemetry, notifier = Telemetry(), Notifier(options.notify)
    async with AsyncExitStack() as stack:
        signals = stack.enter_context(_Signals(telemetry))
        folder = _folder(stack) if options.sandbox else None
        letters = folder / "letters" if folder else None
        ledger = folder / "sandbox.db" if folder else options.ledger
        clock = Clock() if ledger is None else clock_for(ledger)
        opened = open_channels(clock.now, telemetry, options.redaction, letters)
        channels = await stack.enter_async_context(opened)
        await channels.use(config)
        using, key = await _rehearsed(stack, config, clock) if folder else (config, key)
        if key is None or ledger is None:
            raise ValueError("only a rehearsal does without a key and a ledger")
        metrics = new_metrics()
        daemon = await stack.enter_async_context(house(using, ledger, key, clock, channels, metrics))
        daemon.each_tick(notifier.alive)
        reloading = Reloading(options.paths, config, daemon, telemetry, notifier, channels, clock.now)
        signals.serve(daemon, reloading)
        holds = await _holds(daemon)
        desk = desk_of(daemon, ledger, clock, telemetry, reloading)
        face = Face(
            daemon=daemon,
            ledger=ledger,
            metrics=metrics,
            clock=clock,
            telemetry=telemetry,
            redaction=options.redaction,
            reload=lambda: reloading.last,
            desk=desk,
        )
        where = {"letters": str(letters), "ledger": str(ledger)} if folder else {}
        if not options.once:
            if config.service.reload is ReadAgain.WATCH:
                following = watching(options.paths, config, reloading.ring, telemetry)
                await stack.enter_async_context(following)
            url = await stack.enter_async_context(facing(face, config.service, beating=folder is None))
            where |= {"listen": url} if url else {}
            # Last: who can't start, its port being taken say, takes no other worker's socket away.
            await stack.enter_async_context(steered(desk, ledger, telemetry))
        telemetry.say("ready", grave=bool(holds), schedules=len(config.schedules), holds=holds, **where)
        notifier.ready(f"held: {', '.join(holds)}" if holds else f"schedules: {len(config.schedules)}")
        await (daemon.once() if options.once else _until(daemon, options.for_s))
        telemetry.say("draining", in_hand=daemon.in_hand)
        notifier.stopping(f"draining: {daemon.in_hand} in hand")
        await daemon.drain()
    telemetry.say("stopped")
    return 0


def main(config: Config, key: Secret | None, options: Options) -> int:
    """`run` in an event loop of its own; a second signal leaves at once."""
    try:
        return asyncio.run(run(config, key, options))
    except asyncio.CancelledError:
        return FORCED


def _folder(stack: AsyncExitStack) -> Path:
    """Where a rehearsal keeps everything, as long as it lasts."""
    return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="callboard-")))


async def _rehearsed(stack: AsyncExitStack, config: Config, clock: Clock) -> tuple[Config, Secret]:
    """The same configuration at a sandbox of its own, and a key for it."""
    base_url = await stack.enter_async_context(serving(rehearsal(config.account, clock), clock))
    return redirected(config, base_url), Secret("sandbox-needs-no-key", "the sandbox")


async def _holds(daemon: Daemon) -> list[str]:
    return [
        f"{hold.reason} since {datetime.fromtimestamp(hold.since, UTC):%Y-%m-%d %H:%M:%SZ}"
        for hold in await daemon.holds()
    ]


async def _until(daemon: Daemon, for_s: float | None) -> None:
    if for_s is not None:
        asyncio.get_running_loop().call_later(for_s, daemon.stop)
    await daemon.run()


class _Signals(AbstractContextManager["_Signals"]):
    """What signals mean, from before the house opens until after it has closed: the first SIGTERM or
    SIGINT drains, the second cancels everything; SIGHUP reads the files again."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._stops = 0
        self._daemon: Daemon | None = None
        self._reloading: Reloading | None = None

    def __enter__(self) -> _Signals:
        self._loop, self._main = asyncio.get_running_loop(), asyncio.current_task()
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._stop)
        self._loop.add_signal_handler(signal.SIGHUP, self._reload)
        return self

    def __exit__(self, *_: object) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            self._loop.remove_signal_handler(number)

    def serve(self, daemon: Daemon, reloading: Reloading) -> None:
        """The house is open: pass on to it what has come, and what will."""
        self._daemon, self._reloading = daemon, reloading
        if self._stops:
            daemon.stop()

    def _stop(self) -> None:
        self._stops += 1
        if self._daemon is not None:
            self._daemon.stop()
        if self._stops > 1 and self._main is not None:
            in_hand = 0 if self._daemon is None else self._daemon.in_hand
            self._telemetry.say("forced", grave=True, in_hand=in_hand)
            self._main.cancel()

    def _reload(self) -> None:
        if self._reloading is not None:
            self._reloading.ring()
