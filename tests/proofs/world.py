"""Where histories happen: the house's own rig behind a proxy, with everything it says listened to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from structlog.testing import capture_logs

from jobs.model import Outcome, Sent, Step
from jobs.tavus.sandbox import Plan, Sandbox
from scheduler.app.house import _closed, _noted
from scheduler.ledger import Ledger, Place
from scheduler.telemetry import Telemetry
from tests.house.conftest import MONDAY, Crash, Perform, Rig, VirtualClock, Wrap
from tests.proofs.proxy import Proxy, proxied


class World(Rig):
    """A rig, the proxy before its sandbox, and every line that the house wrote."""

    proxy: Proxy
    lines: list[dict[str, object]]


@asynccontextmanager
async def world(folder: Path, plan: Plan, at: float = MONDAY, total_s: float = 5.0) -> AsyncIterator[World]:
    """A world with a proxy in the way."""
    clock = VirtualClock(at)
    sandbox = Sandbox(clock.now, plan)
    async with sandbox.serving() as direct, proxied(direct, clock.now) as (proxy, base_url):
        made = World(folder, clock, sandbox, base_url)
        made.proxy, made.total_s, made.listen = proxy, total_s, _tell
        with capture_logs() as made.lines:
            yield made


@asynccontextmanager
async def straight(
    folder: Path, plan: Plan, at: float = MONDAY, place: Place | None = None
) -> AsyncIterator[Rig]:
    """A rig without a proxy: for counts that one would slow down."""
    clock = VirtualClock(at)
    sandbox = Sandbox(clock.now, plan)
    async with sandbox.serving() as base_url:
        with capture_logs():
            yield Rig(folder, clock, sandbox, base_url, place)


def _tell(ledger: Ledger) -> None:
    """As the composition root does it: each fact becomes its line."""
    telemetry = Telemetry()
    ledger.listen(_noted(telemetry), _closed(telemetry))


class Fuse:
    """Once lit, the process dies at the n-th outside call, before it or after it."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.before = True
        self.burnt = False

    def wrap(self) -> Wrap:
        def wrapped(perform: Perform) -> Perform:
            async def performed(step: Step, sent: Sent) -> Outcome:
                burns = self._burns()
                if burns and self.before:
                    raise Crash
                outcome = await perform(step, sent)
                if burns:
                    raise Crash
                return outcome

            return performed

        return wrapped

    def _burns(self) -> bool:
        if self.left is None:
            return False
        self.left -= 1
        self.burnt = self.burnt or self.left == 0
        return self.left == 0
