"""Events and what is kept: told when something changed, one look for all, never older than it may be."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp

from scheduler.ledger.snapshot import Snapshot
from scheduler.web.events import WATCHERS_MAX, Changes
from scheduler.web.reading import FRESH_S, STALE_S, Reading
from tests.contract.web.conftest import Browser
from tests.contract.web.world import NOW, StandingClock, World, at_once


async def line(stream: aiohttp.StreamReader, start: str) -> str:
    """The next line that begins like this."""
    async with asyncio.timeout(10):
        async for raw in stream:
            if (text := raw.decode().strip()).startswith(start):
                return text
    raise AssertionError("the stream ended")


async def test_a_watcher_is_told_that_something_changed(world: World, maria: Browser) -> None:
    cookies = {"Cookie": "; ".join(f"{k}={v}" for k, v in maria.cookies.items())}
    async with maria.session.get(f"{world.url}/events?since=0", headers=cookies) as answer:
        assert answer.content_type == "text/event-stream"
        assert await line(answer.content, "retry") == "retry: 3000"
        world.changes.ring()
        assert await line(answer.content, "event") == "event: changed"
        assert await line(answer.content, "data") == "data: 1"


async def test_what_changed_before_it_watched_is_told_at_once(world: World, maria: Browser) -> None:
    world.changes.ring()
    cookies = {"Cookie": "; ".join(f"{k}={v}" for k, v in maria.cookies.items())}
    for since, told in (("0", "data: 1"), ("7", "data: 1")):
        async with maria.session.get(f"{world.url}/events?since={since}", headers=cookies) as answer:
            assert await line(answer.content, "data") == told


async def test_strangers_and_too_many_are_turned_away(world: World, browser: Browser) -> None:
    assert (await browser.get("/events"))[0] == 401
    assert await browser.sign_in() == 303
    world.changes.watchers = WATCHERS_MAX
    assert (await browser.get("/events"))[0] == 503


async def test_a_watcher_who_signs_out_hears_no_more(world: World, maria: Browser) -> None:
    cookies = {"Cookie": "; ".join(f"{k}={v}" for k, v in maria.cookies.items())}
    csrf = await maria.csrf()
    async with maria.session.get(f"{world.url}/events?since=0", headers=cookies) as answer:
        await line(answer.content, "retry")
        await maria.post("/sign-out", {"csrf": csrf})
        world.changes.ring()
        async with asyncio.timeout(10):
            await answer.content.read()  # it ends
    assert world.changes.watchers == 0


class Looks:
    """Counts how often the ledger is looked at."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, _: Snapshot) -> int:
        self.number += 1
        return self.number


def reading(world: World) -> tuple[Reading, StandingClock, Changes]:
    clock, changes = StandingClock(NOW), Changes()
    return Reading(Path(world.path), clock, changes), clock, changes


async def test_fifty_who_ask_at_once_cost_one_look(world: World) -> None:
    asked, _, _ = reading(world)
    looks = Looks()
    await at_once(*(asked.ask("page", looks) for _ in range(50)))
    assert looks.number == 1


async def test_an_answer_lasts_until_something_changes_but_a_second_at_least(world: World) -> None:
    asked, clock, changes = reading(world)
    looks = Looks()
    assert await asked.ask("page", looks) == 1
    clock.at += STALE_S - 1
    assert await asked.ask("page", looks) == 1
    changes.ring()
    assert await asked.ask("page", looks) == 2
    changes.ring()
    clock.at += FRESH_S / 2
    assert await asked.ask("page", looks) == 2
    clock.at += FRESH_S
    assert await asked.ask("page", looks) == 3
    clock.at += STALE_S
    assert await asked.ask("page", looks) == 4


async def test_who_did_something_sees_it(world: World) -> None:
    asked, _, _ = reading(world)
    looks = Looks()
    assert await asked.ask("page", looks) == 1
    asked.forget()
    assert await asked.ask("page", looks) == 2


async def test_a_question_is_not_answered_by_another(world: World) -> None:
    asked, _, _ = reading(world)
    looks = Looks()
    assert [await asked.ask(about, looks) for about in ("a", "b", "a")] == [1, 2, 1]
