"""A sandbox beside the house, or alone: served on a socket, its events sent when they are due.

For `run --sandbox`, `demo` and `callboard sandbox`. The sandbox itself waits for nothing; the loop
that lets its webhooks out is here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from jobs.tavus.sandbox import Plan, Sandbox
from scheduler.clock import Bell, Clock
from scheduler.model import Account, Config

PUMP_S = 1.0
"""The longest that an event which nobody foresaw (a person leaves) waits for its webhook."""


def rehearsal(account: Account, clock: Clock, key: str | None = None) -> Sandbox:
    """A sandbox with this account's limits, as its plan would have them; `None` accepts any key."""
    plan = Plan(
        concurrent=account.concurrent_conversations,
        max_call_duration_s=account.max_call_duration_s,
        requests=account.requests.count,
        per_s=account.requests.per_s,
    )
    return Sandbox(clock.now, plan, key=key)


@asynccontextmanager
async def serving(
    sandbox: Sandbox, clock: Clock, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[str]:
    """The sandbox on a real socket, with its events going out; yields its base URL.

    What ends the block is raised as it is, not in a group of one.
    """
    try:
        async with sandbox.serving(host, port) as base_url, asyncio.TaskGroup() as group:
            pump = group.create_task(_pump(sandbox, clock))
            try:
                yield base_url
            finally:
                pump.cancel()
    except BaseExceptionGroup as group_of_one:
        raise group_of_one.exceptions[0] from None


def redirected(config: Config, base_url: str) -> Config:
    """The same configuration at another address."""
    return replace(config, account=replace(config.account, base_url=base_url))


async def _pump(sandbox: Sandbox, clock: Clock) -> None:
    quiet = Bell()
    while True:
        await sandbox.pump()
        await clock.sleep_until(sandbox.next_event(), quiet, PUMP_S)
        # An event that is overdue but can't be delivered yet must not spin the loop.
        await clock.sleep_until(None, quiet, PUMP_S / 10)


async def alone(sandbox: Sandbox, port: int, ready: Callable[[str], None]) -> None:
    """The sandbox by itself until it is cancelled; `ready` is told its base URL. Raises OSError."""
    async with serving(sandbox, Clock(), port=port) as base_url:
        ready(base_url)
        await asyncio.Event().wait()
