"""The daemon as a process: signals, reload, one-off runs, and what its ends mean.

SIGTERM and SIGINT drain (nothing whose outcome is unknown is cancelled); a second one forces.
SIGHUP reloads: a bad file changes nothing and is told (S7). Exit codes are sysexits', as the YAML's
contract has them.
"""

from __future__ import annotations

import asyncio
import signal
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from scheduler.app.house import house
from scheduler.app.sandboxed import redirected, rehearsal, serving
from scheduler.clock import Clock
from scheduler.config import ConfigErrors, load
from scheduler.daemon import Daemon
from scheduler.model import Config
from scheduler.settings import Secret
from scheduler.telemetry import Telemetry

FORCED = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How `run` runs: which files, which ledger (else the configuration's), for how long."""

    paths: Sequence[Path]
    ledger: Path | None = None
    sandbox: bool = False
    once: bool = False
    for_s: float | None = None


async def run(config: Config, key: Secret | None, options: Options) -> int:
    """Run until told to stop; the exit code. `key` is not needed with a sandbox.

    Raises LedgerError, and ValueError for a base URL or a key that can't be used.
    """
    clock, telemetry = Clock(), Telemetry()
    async with AsyncExitStack() as stack:
        daemon = await _opened(stack, config, key, options, clock)
        stack.enter_context(_signals(daemon, Reloading(options, telemetry, daemon), telemetry))
        holds = [
            f"{hold.reason} since {datetime.fromtimestamp(hold.since, UTC):%Y-%m-%d %H:%M:%SZ}"
            for hold in await daemon.holds()
        ]
        telemetry.say("ready", grave=bool(holds), schedules=len(config.schedules), holds=holds)
        await (daemon.once() if options.once else _until(daemon, options.for_s))
        telemetry.say("draining", in_hand=daemon.in_hand)
        await daemon.settled()
    telemetry.say("stopped")
    return 0


def main(config: Config, key: Secret | None, options: Options) -> int:
    """`run` in an event loop of its own; a second signal leaves at once."""
    try:
        return asyncio.run(run(config, key, options))
    except asyncio.CancelledError:
        return FORCED


class Reloading:
    """Reads the files again when told, and hands the daemon what is good (S7)."""

    def __init__(self, options: Options, telemetry: Telemetry, daemon: Daemon) -> None:
        self._options = options
        self._telemetry = telemetry
        self._daemon = daemon

    async def reload(self) -> None:
        """Swap in what the files say now; what is wrong with them is told, and changes nothing."""
        try:
            config = await asyncio.to_thread(load, self._options.paths)
        except ConfigErrors as errors:
            first = errors.problems[0]
            where = f"{first.file}:{first.line}:{first.column}"
            self._telemetry.say(
                "reload_refused", grave=True, problems=len(errors.problems), first=f"{where}: {first.message}"
            )
            return
        running = self._daemon.config
        if config.service != running.service or config.account.base_url != running.account.base_url:
            self._telemetry.say("restart_needed", grave=True, detail="service and base_url change at a start")
        account = replace(config.account, base_url=running.account.base_url)
        self._daemon.reload(replace(config, service=running.service, account=account))


async def _opened(
    stack: AsyncExitStack, config: Config, key: Secret | None, options: Options, clock: Clock
) -> Daemon:
    ledger = options.ledger or Path(config.service.ledger)
    if options.sandbox:
        sandbox = rehearsal(config.account, clock)
        config = redirected(config, await stack.enter_async_context(serving(sandbox, clock)))
        key = Secret("sandbox-needs-no-key", "the sandbox")
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="callboard-"))
        ledger = options.ledger or Path(folder) / "sandbox.db"
    if key is None:
        raise ValueError("no API key")
    return await stack.enter_async_context(house(config, ledger, key, clock))


async def _until(daemon: Daemon, for_s: float | None) -> None:
    if for_s is not None:
        asyncio.get_running_loop().call_later(for_s, daemon.stop)
    await daemon.run()


@contextmanager
def _signals(daemon: Daemon, reloading: Reloading, telemetry: Telemetry) -> Iterator[None]:
    loop, main = asyncio.get_running_loop(), asyncio.current_task()

    def stop() -> None:
        if daemon.stopping and main is not None:
            telemetry.say("forced", grave=True, in_hand=daemon.in_hand)
            main.cancel()
        daemon.stop()

    handlers: dict[signal.Signals, Callable[[], None]] = {
        signal.SIGTERM: stop,
        signal.SIGINT: stop,
        signal.SIGHUP: lambda: daemon.errand(reloading.reload()),
    }
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
    try:
        yield
    finally:
        for number in handlers:
            loop.remove_signal_handler(number)
