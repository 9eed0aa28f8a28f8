"""Asking the service about a configuration: does each persona, does each replica exist (`check --online`)?

One look-up for each id, a few at a time, within the account's request rate; nothing is created and
nothing is written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from jobs.errors import StepFailed
from jobs.model import NotThere
from jobs.tavus.client import TavusClient, connect
from jobs.tavus.wire.facts import Replica
from scheduler.clock import Bell, Clock
from scheduler.config import Problem
from scheduler.limits import Lane, Limits
from scheduler.model import Config
from scheduler.runner import Grant
from scheduler.settings import SettingsError, read_secret

USABLE = "completed"


def check_online(config: Config) -> Sequence[Problem]:
    """What the service says against this configuration; empty when it says nothing."""
    return asyncio.run(_check(config))


async def _check(config: Config) -> Sequence[Problem]:
    account = config.account
    try:
        key = read_secret(account.api_key.source, account.api_key.name)
        async with connect(account.base_url, key.reveal(), account.ids) as tavus:
            limits = Limits(account.requests)
            found = [await _ask(tavus, limits, kind, id_, where) for kind, id_, where in _ids(config)]
    except (SettingsError, ValueError) as error:
        return (Problem("account", 0, 0, str(error)),)
    return tuple(problem for problem in found if problem is not None)


def _ids(config: Config) -> Iterator[tuple[str, str, str]]:
    """Each id once, with the first schedule that names it; templates can't be asked about."""
    seen: set[tuple[str, str]] = set()
    for name, schedule in config.schedules.items():
        request = schedule.request
        for kind, id_ in (("persona", request.persona_id), ("replica", request.replica_id)):
            if id_ is not None and "{" not in id_ and (kind, id_) not in seen:
                seen.add((kind, id_))
                yield kind, id_, name


async def _ask(tavus: TavusClient, limits: Limits, kind: str, id_: str, schedule: str) -> Problem | None:
    clock = Clock()
    while not (admission := limits.admit(clock.now(), {Lane.SURVEY: 1}, 0)).granted[Lane.SURVEY]:
        await clock.sleep_until(admission.next_at, Bell(), 60.0)
    grant = Grant(limits, clock, Lane.SURVEY)
    ask = tavus.persona if kind == "persona" else tavus.replica
    try:
        found = await ask(id_, grant.sent)
    except StepFailed as error:
        return Problem(f"schedules.{schedule}", 0, 0, f"{kind} {id_}: {error.detail}")
    finally:
        grant.close()
    if isinstance(found, NotThere):
        return Problem(f"schedules.{schedule}", 0, 0, f"{kind} {id_} is not known to the service")
    if isinstance(found, Replica) and found.status not in (None, USABLE):
        message = f"replica {id_} is {found.status}, not {USABLE}: it can't be used yet"
        return Problem(f"schedules.{schedule}", 0, 0, message, severity="warning")
    return None
