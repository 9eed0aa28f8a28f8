"""All checks side by side, each bounded, their findings told in one order.

A check begins when the examination does, unless it builds on another; a finding is told as soon as all
before it are. What a check looks at stands in its own file.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from scheduler.app.doctor import door, machine, place, post, schedules, secret, service
from scheduler.app.doctor.finding import Finding, failed, ok, skipped, warning
from scheduler.clock import Clock
from scheduler.config import Problem
from scheduler.ledger import Place
from scheduler.model import Config

BOX_S = 60.0
"""The longest that one check may take."""

CONFIG = "configuration"


@dataclass(frozen=True, slots=True)
class Case:
    """What is examined. `config` is None when the files have errors; `problems` has what `check` says;
    `ledger` is where its ledger is."""

    config: Config | None
    problems: Sequence[Problem]
    ledger: Place | None = None
    create_test: bool = False


class _Check(NamedTuple):
    name: str
    look: Callable[[], Awaitable[Sequence[Finding]]]


async def examine(case: Case, clock: Clock, tell: Callable[[Finding], None]) -> None:
    """Run every check; `tell` is called with each finding, always in the same order. What it raises ends
    the examination, and comes out as it is: a pipe that nobody reads any more."""
    try:
        async with asyncio.TaskGroup() as group:
            for task in [group.create_task(_boxed(check)) for check in _checks(case, clock)]:
                for finding in await task:
                    tell(finding)
    except ExceptionGroup as raised:
        raise raised.exceptions[0] from None


async def _boxed(check: _Check) -> Sequence[Finding]:
    try:
        async with asyncio.timeout(BOX_S):
            return await check.look()
    except TimeoutError:
        return (
            failed(check.name, f"not done within {BOX_S:.0f} s", "look at the machine's load and network"),
        )


def _checks(case: Case, clock: Clock) -> Iterator[_Check]:
    config, now = case.config, clock.now()
    yield _Check("Python", _one(machine.python))
    yield _Check("time zones", _one(lambda: machine.time_zones(config, now)))
    yield _Check(CONFIG, _one(lambda: _configuration(case)))
    if config is not None and case.ledger is not None:
        yield from _checks_of(config, case.ledger, case, clock)


def _checks_of(config: Config, ledger: Place, case: Case, clock: Clock) -> Iterator[_Check]:
    """What only a whole configuration lets be looked at."""
    api, answered = service.Service(config, clock), asyncio.Event()

    async def reach() -> Sequence[Finding]:
        try:
            return await api.examine()
        finally:
            answered.set()

    def after(look: Callable[[], Awaitable[Sequence[Finding]]]) -> Callable[[], Awaitable[Sequence[Finding]]]:
        async def wait() -> Sequence[Finding]:
            await answered.wait()
            return await look()

        return wait

    yield _Check(secret.KEY, _all(lambda: secret.secrets(config)))
    yield _Check(service.URL, reach)
    yield _Check(service.KNOWN, after(api.known))
    yield _Check(schedules.PLAN, _one(lambda: schedules.plan(config, clock.now())))
    yield _Check(place.LEDGER, _all(lambda: place.place(config, ledger, clock)))
    yield _Check(post.MAIL, lambda: post.post(config))
    yield _Check(schedules.HOSTS, lambda: schedules.hosts(config))
    yield _Check(door.PORT, lambda: door.port(config))
    if case.create_test:
        yield _Check(service.TRIAL, after(api.trial))


def _one(look: Callable[[], Finding]) -> Callable[[], Awaitable[Sequence[Finding]]]:
    return _all(lambda: (look(),))


def _all(look: Callable[[], Sequence[Finding]]) -> Callable[[], Awaitable[Sequence[Finding]]]:
    """A check that computes or reads, in a thread, so that the others go on meanwhile."""
    return lambda: asyncio.to_thread(look)


def _configuration(case: Case) -> Finding:
    errors = [problem for problem in case.problems if problem.severity == "error"]
    if case.config is None or errors:
        first = f"{errors[0].file}:{errors[0].line}: {errors[0].message}" if errors else "it can't be read"
        return failed(CONFIG, f"{first}; {len(errors)} in all", "callboard check shows each with its place")
    if case.problems:
        first = case.problems[0].message
        return warning(CONFIG, f"warnings: {len(case.problems)}, the first: {first}", "callboard check")
    if not case.config.schedules:
        return skipped(CONFIG, "there are no schedules")
    return ok(CONFIG, f"no errors; schedules: {len(case.config.schedules)}")
