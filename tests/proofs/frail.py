"""A house on bad ground: a ledger that fails at the n-th call or for a while, and a day that goes on.

`through` plays the supervisor: a house that can't be opened, or falls over its ledger, is opened again after
a second.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from scheduler.daemon import Daemon
from scheduler.ledger import LedgerUnavailable, Place
from scheduler.ledger.driver import Driver
from scheduler.model import Config
from tests.house.conftest import Rig
from tests.house.places import driver_of

OPENED_AGAIN_S = 1.0
OPENINGS_MAX = 50

Each = Callable[[], Awaitable[None]]
"""Something done between two turns."""


async def _nothing() -> None:
    return


def _disk_fails() -> None:
    raise LedgerUnavailable("the disk fails")


class Calls:
    """Counts the ledger's calls to its database, and has some fail.

    The calls from number `first` on, `count` of them, are struck: they fail as a disk does, or by whatever
    `strike` does to the database before them. `on_failure` hears of every call that fails, by any cause.
    """

    def __init__(
        self,
        first: int = 0,
        count: int = 1,
        on_failure: Callable[[], None] = lambda: None,
        strike: Callable[[], None] = _disk_fails,
    ) -> None:
        self.made = self.failed = 0
        self._fails = range(first, first + count)
        self._on_failure = on_failure
        self._strike = strike

    def driver(self, place: Place) -> Driver:
        calls, kind = self, driver_of(place)

        class Frail(kind):
            def execute(self, sql: str, params: Any = ()) -> int:
                return calls.call(lambda: kind.execute(self, sql, params))

            def execute_many(self, sql: str, rows: Iterable[Any]) -> int:
                return calls.call(lambda: kind.execute_many(self, sql, rows))

            def fetch(self, sql: str, params: Any = ()) -> list[Any]:
                return calls.call(lambda: kind.fetch(self, sql, params))

        self._driver, self._kind = Frail(place), kind
        return self._driver

    def query(self, sql: str) -> int:
        """Say something to the ledger's own connection, uncounted."""
        return self._kind.execute(self._driver, sql)

    def call(self, run: Callable[[], Any]) -> Any:
        self.made += 1
        try:
            if self.made in self._fails:
                self._strike()
            return run()
        except LedgerUnavailable:
            self.failed += 1
            self._on_failure()
            raise


async def through(rig: Rig, config: Config, end: float, each: Each = _nothing) -> int:
    """Let time pass to `end`, whatever the ledger does; how often the house was opened. `each` is called
    before every turn."""
    for opened in range(1, OPENINGS_MAX):
        try:
            async with rig.open(config) as daemon:
                await _on(rig, daemon, end, each)
            return opened
        except LedgerUnavailable:
            rig.clock.move(rig.clock.now() + OPENED_AGAIN_S)
    raise AssertionError("the house can't be opened any more")


async def _on(rig: Rig, daemon: Daemon, end: float, each: Each) -> None:
    while True:
        await each()
        await _quiet(daemon)
        now = rig.clock.now()
        if now >= end:
            return
        times = (daemon.next_turn(), rig.sandbox.next_event(), end)
        rig.clock.move(min(at for at in times if at is not None and at > now))
        await rig.sandbox.pump()


async def _quiet(daemon: Daemon) -> None:
    """Turn, as `run` does it, until nothing is in hand and no bell rings."""
    for _ in range(400):
        await daemon._try_turn()
        await daemon.settled()
        if not daemon.bell.take():
            return
    raise AssertionError("the house never comes to rest")
