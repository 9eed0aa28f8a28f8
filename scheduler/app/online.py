"""Asking the service about a configuration: does each persona, does each replica exist (`check --online`)?

One look-up for each id, one after the other, within the account's request rate; nothing is created and
nothing is written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TypeVar

from jobs.errors import StepFailed
from jobs.model import NotThere, Sent
from jobs.tavus.client import TavusClient, connect
from jobs.tavus.wire.facts import Replica
from scheduler.clock import Bell, Clock
from scheduler.config import Problem
from scheduler.limits import Lane, Limits
from scheduler.model import Config, Rate
from scheduler.runner import Grant
from scheduler.settings import SettingsError, read_secret

T = TypeVar("T")

USABLE = "completed"


class Asking:
    """Single requests of a command, each within the rate; `left` tells whether any ever went out."""

    def __init__(self, rate: Rate, clock: Clock) -> None:
        self._limits = Limits(rate)
        self._clock = clock
        self.left = False

    async def ask(self, lane: Lane, verb: Callable[[Sent], Awaitable[T]]) -> T:
        """The answer to one request, once there is room for it. Raises StepFailed."""
        while not (admission := self._limits.admit(self._clock.now(), {lane: 1}, 1)).granted[lane]:
            await self._clock.sleep_until(admission.next_at, Bell(), 60.0)
        grant = Grant(self._limits, self._clock, lane)

        def sent() -> None:
            self.left = True
            grant.sent()

        try:
            return await verb(sent)
        finally:
            grant.close()


def check_online(config: Config) -> Sequence[Problem]:
    """What the service says against this configuration; empty when it says nothing."""
    return asyncio.run(_check(config))


async def look_up(tavus: TavusClient, asking: Asking, config: Config) -> tuple[Sequence[Problem], int]:
    """What the service says against the personas and replicas, and how many were asked for."""
    found = [await _ask(tavus, asking, kind, id_, where) for kind, id_, where in _ids(config)]
    return tuple(problem for problem in found if problem is not None), len(found)


async def _check(config: Config) -> Sequence[Problem]:
    account = config.account
    try:
        key = read_secret(account.api_key.source, account.api_key.name)
        async with connect(account.base_url, key.reveal(), account.ids) as tavus:
            problems, _ = await look_up(tavus, Asking(account.requests, Clock()), config)
    except (SettingsError, ValueError) as error:
        return (Problem("account", 0, 0, str(error)),)
    return problems


def _ids(config: Config) -> Iterator[tuple[str, str, str]]:
    """Each id once, with the first schedule that names it; templates can't be asked about."""
    seen: set[tuple[str, str]] = set()
    for name, schedule in config.schedules.items():
        request = schedule.request
        for kind, id_ in (("persona", request.persona_id), ("replica", request.replica_id)):
            if id_ is not None and "{" not in id_ and (kind, id_) not in seen:
                seen.add((kind, id_))
                yield kind, id_, name


async def _ask(tavus: TavusClient, asking: Asking, kind: str, id_: str, schedule: str) -> Problem | None:
    verb = tavus.persona if kind == "persona" else tavus.replica
    try:
        found = await asking.ask(Lane.SURVEY, lambda sent: verb(id_, sent))
    except StepFailed as error:
        return Problem(f"schedules.{schedule}", 0, 0, f"{kind} {id_}: {error.detail}")
    if isinstance(found, NotThere):
        return Problem(f"schedules.{schedule}", 0, 0, f"{kind} {id_} is not known to the service")
    if isinstance(found, Replica) and found.status not in (None, USABLE):
        message = f"replica {id_} is {found.status}, not {USABLE}: it can't be used yet"
        return Problem(f"schedules.{schedule}", 0, 0, message, severity="warning")
    return None
