"""The schedules: do the account's limits let the next seven days be kept, and do their webhooks' hosts exist?

The worst case, by the planner: everybody comes and stays to the end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from urllib.parse import urlsplit

from jobs.model import Instant
from scheduler.app.doctor.capacity import Load, Wanted, play
from scheduler.app.doctor.finding import Finding, failed, ok, skipped
from scheduler.model import Config
from scheduler.planner import occurrences
from scheduler.zones import zone

PLAN, HOSTS = "plan", "webhook hosts"
AHEAD_S = 7 * 86_400.0
MOST = 500_000
"""Promises that are played through: some seconds of computing."""


def plan(config: Config, now: Instant) -> Finding:
    """Will everybody find a place within their start window?"""
    account = config.account
    places = account.concurrent_conversations - account.reserve
    load = play(islice(_wanted(config, now), MOST), places, account.requests)
    if not load.promises:
        return ok(PLAN, "nothing is promised within 7 days")
    said = f"{load.promises:,} promises in 7 days, at most {load.peak:,} at once, {places:,} places"
    if not load.missed:
        return ok(PLAN, f"{said}; the longest wait is {load.latest_s:.0f} s")
    first = load.missed[0]
    when = f"{datetime.fromtimestamp(first.due, zone(first.timezone)):%a %H:%M}"
    text = f"{said}: if all stay to the end, {len(load.missed):,} miss, the first {first.key} ({when})"
    return failed(PLAN, text, _way_out(load, places))


def _wanted(config: Config, now: Instant) -> Iterator[Wanted]:
    holds_s = {
        name: 0.0 if schedule.request.test_mode else float(schedule.request.properties.max_call_duration)
        for name, schedule in config.schedules.items()
    }
    for promise in occurrences(config.schedules.values(), now, now + AHEAD_S):
        if promise.skip is None:
            yield Wanted(promise, holds_s[promise.schedule])


def _way_out(load: Load, places: int) -> str:
    if load.peak <= places:
        return "raise account.requests if the service lets you, or give the schedule spread or a wider window"
    return (
        "fewer people in a slot, spread with a wider start_window, shorter calls, or a plan with more places"
    )


async def hosts(config: Config) -> Sequence[Finding]:
    """Each host that is posted to: its name resolves. The URLs themselves are secrets, and not told."""
    wanted = sorted(set(_hosts(config)))
    if not wanted:
        return (skipped(HOSTS, "no webhooks"),)
    found: dict[str, str | None] = {}
    async with asyncio.TaskGroup() as group:
        for host in wanted:
            group.create_task(_resolve(host, found))
    lost = [
        failed(HOSTS, f"{host}: {found[host]}", "look at the webhook's URL, and at this machine's DNS")
        for host in wanted
        if found[host]
    ]
    return lost or (ok(HOSTS, ", ".join(wanted)),)


async def _resolve(host: str, found: dict[str, str | None]) -> None:
    try:
        await asyncio.get_running_loop().getaddrinfo(host, 443)
        found[host] = None
    except (OSError, UnicodeError):
        found[host] = "the name is not known here"


def _hosts(config: Config) -> Iterator[str]:
    if isinstance(config.service.heartbeat, str):
        yield urlsplit(config.service.heartbeat).hostname or ""
    for schedule in config.schedules.values():
        urls = [address.target for address in schedule.deliver if address.channel in ("webhook", "slack")]
        callback = schedule.request.callback_url
        if callback and "{" not in callback:
            urls.append(callback)
        yield from (host for url in urls if (host := urlsplit(url).hostname))
