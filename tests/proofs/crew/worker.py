"""One worker as a process: the house on a database, under a machine's clock that a file moves.

As `callboard run`, but for that clock: the number in the file is added to what this machine's own wall clock
shows, for our `SharedClock` and for APScheduler, which goes by it. It ends on SIGTERM.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

from apscheduler.schedulers import base

from scheduler.app.channels import open_channels
from scheduler.app.crewing import clock_for
from scheduler.app.house import house
from scheduler.app.observing import new_metrics
from scheduler.clock import SharedClock
from scheduler.config import load
from scheduler.ledger.place import place_of
from scheduler.settings import LogStyle, Secret
from scheduler.telemetry import Telemetry, configure


def step_s(path: Path) -> float:
    """By how much the machine's clock is wrong."""
    return float(path.read_text()) if path.exists() else 0.0


class Stepped(SharedClock):
    """The shared clock on a machine whose own one is stepped."""

    def __init__(self, path: Path) -> None:
        self._path = path
        super().__init__()

    def machine(self) -> float:
        return time.time() + step_s(self._path)


def stepped_datetime(path: Path) -> type[datetime]:
    """What `datetime` shows on that machine."""

    class Machine(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) + timedelta(seconds=step_s(path))

    return Machine


async def work(config_path: str, url: str, key: str, step_path: Path) -> None:
    config, place, telemetry = load([Path(config_path)]), place_of(url), Telemetry()
    assert isinstance(clock_for(place), SharedClock)
    clock, secret = Stepped(step_path), Secret(key, "the test")
    redaction = configure(LogStyle.JSON, sys.stdout, [secret], color=False)
    async with open_channels(clock.now, telemetry, redaction, None) as channels:
        await channels.use(config)
        async with house(config, place, secret, clock, channels, new_metrics()) as daemon:
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, daemon.stop)
            telemetry.say("ready")
            await daemon.run()
    telemetry.say("stopped")


if __name__ == "__main__":
    base.datetime = stepped_datetime(Path(sys.argv[4]))
    sys.stdout.reconfigure(line_buffering=True)
    asyncio.run(work(*sys.argv[1:4], Path(sys.argv[4])))
