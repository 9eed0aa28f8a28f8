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

from scheduler.app.channels import Channels, open_channels
from scheduler.app.house import house
from scheduler.app.reloading import Reloading
from scheduler.app.sandboxed import redirected, rehearsal, serving
from scheduler.clock import Clock
from scheduler.daemon import Daemon
from scheduler.model import Config
from scheduler.notifying import Notifier
from scheduler.settings import Redaction, Secret
from scheduler.telemetry import Telemetry

FORCED = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How `run` runs: which files, which ledger (else the configuration's), for how long; `notify` is where
    the supervisor listens, `redaction` learns what no line may show."""

    paths: Sequence[Path]
    ledger: Path | None = None
    sandbox: bool = False
    once: bool = False
    for_s: float | None = None
    notify: str | None = None
    redaction: Redaction = field(default_factory=Redaction)


async def run(config: Config, key: Secret | None, options: Options) -> int:
    """Run until told to stop; the exit code. `key` is not needed with a sandbox.

    Raises LedgerError, SettingsError for a secret that can't be read, and ValueError for a base URL or a key
    that can't be used.
    """
    clock, telemetry, notifier = Clock(), Telemetry(), Notifier(options.notify)
    async with AsyncExitStack() as stack:
        signals = stack.enter_context(_Signals(telemetry))
        folder = _folder(stack) if options.sandbox else None
        letters = folder / "letters" if folder else None
        opened = open_channels(clock.now, telemetry, options.redaction, letters)
        channels = await stack.enter_async_context(opened)
        await channels.use(config)
        daemon = await _opened(stack, config, key, options, clock, channels, folder)
        daemon.each_tick(notifier.alive)
        signals.serve(daemon, Reloading(options.paths, config, daemon, telemetry, notifier, channels))
        holds = [
            f"{hold.reason} since {datetime.fromtimestamp(hold.since, UTC):%Y-%m-%d %H:%M:%SZ}"
            for hold in await daemon.holds()
        ]
        where = {"letters": str(letters)} if letters else {}
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


async def _opened(
    stack: AsyncExitStack,
    config: Config,
    key: Secret | None,
    options: Options,
    clock: Clock,
    channels: Channels,
    folder: Path | None,
) -> Daemon:
    ledger = options.ledger or Path(config.service.ledger)
    if folder is not None:
        sandbox = rehearsal(config.account, clock)
        config = redirected(config, await stack.enter_async_context(serving(sandbox, clock)))
        key = Secret("sandbox-needs-no-key", "the sandbox")
        ledger = options.ledger or folder / "sandbox.db"
    if key is None:
        raise ValueError("no API key")
    return await stack.enter_async_context(house(config, ledger, key, clock, channels))


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
