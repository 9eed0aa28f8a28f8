"""One worker in a process of its own, with a whole house: `python -m tests.benchmarks.worker FILE LEDGER`.

As `callboard run` puts it together, but for signals and the page; its log goes to nowhere.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from scheduler.app.channels import open_channels
from scheduler.app.crewing import clock_for
from scheduler.app.house import house
from scheduler.app.observing import new_metrics
from scheduler.config import load
from scheduler.ledger.place import place_of
from scheduler.settings import Redaction, Secret
from scheduler.telemetry import Telemetry
from tests.benchmarks import bench


async def _work(path: Path, ledger: str) -> None:
    config, place = load([path]), place_of(ledger)
    clock, key = clock_for(place), Secret("bench-key", "bench")
    async with open_channels(clock.now, Telemetry(), Redaction(), None) as channels:
        await channels.use(config)
        async with house(config, place, key, clock, channels, new_metrics()) as daemon:
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, daemon.stop)
            await daemon.run()


if __name__ == "__main__":
    with bench.logged():
        asyncio.run(_work(Path(sys.argv[1]), sys.argv[2]))
