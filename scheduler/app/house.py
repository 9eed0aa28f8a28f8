"""The house, opened and closed: the only room that names the concrete hands and the driver.

Opened from the ledger up, closed in reverse; whatever fails on the way in closes what was open. It
decides nothing about promises, and knows nothing of signals or commands.
"""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from jobs.perform import Hands
from jobs.tavus.client import connect
from scheduler.app.channels import Channels
from scheduler.app.crewing import crewed, told
from scheduler.app.observing import hear, observed, timed
from scheduler.clock import Clock
from scheduler.daemon import Daemon
from scheduler.daemon.pruning import Pruning
from scheduler.ledger import Closed, Ledger, Noted
from scheduler.ledger.place import Place
from scheduler.metrics import Metrics
from scheduler.model import Config
from scheduler.settings import Secret
from scheduler.telemetry import Telemetry


@asynccontextmanager
async def house(
    config: Config, ledger: Place, key: Secret, clock: Clock, channels: Channels, metrics: Metrics
) -> AsyncIterator[Daemon]:
    """A daemon with everything it needs, for as long as the block lasts.

    Leaving the block drains: steps in hand are finished first. Raises LedgerError, and ValueError
    for a base URL or a key that can't be used.
    """
    account = config.account
    telemetry = Telemetry()
    async with connect(account.base_url, key.reveal(), account.ids) as tavus:
        await told(clock, ledger)
        book = Ledger.open(ledger, account.base_url, clock.now(), timed(metrics, clock))
        _settle_memory()
        try:
            book.listen(_noted(telemetry), _closed(telemetry))
            hear(book, metrics)
            perform = observed(Hands(tavus, channels.by_name).perform, metrics, clock)
            async with (
                crewed(book, ledger, clock, telemetry, metrics) as crew,
                Daemon(book, perform, clock, config, telemetry, channels.compose, crew) as daemon,
            ):
                if config.service.keep_s is not None:
                    pruning = Pruning(daemon.led, daemon, clock, telemetry, config.service.keep_s)
                    daemon.each_tick(pruning.tick)
                yield daemon
        finally:
            book.close()


def _settle_memory() -> None:
    """What a start made lives as long as the house: the collector need not look at it again and again,
    nor at every few hundred of the records, tuples and tasks of a full hour; ten thousand take it 3 ms."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 100, 100)


def _noted(telemetry: Telemetry) -> Callable[[Sequence[Noted]], None]:
    def tell(batch: Sequence[Noted]) -> None:
        for note, before, after in batch:
            telemetry.fact(note.fact, before, after, note.took_s, note.at)

    return tell


def _closed(telemetry: Telemetry) -> Callable[[Sequence[Closed]], None]:
    def tell(batch: Sequence[Closed]) -> None:
        for each in batch:
            grave = each.stage == "missed"
            told = each._asdict()
            telemetry.say(told.pop("stage"), grave=grave, **told)

    return tell
