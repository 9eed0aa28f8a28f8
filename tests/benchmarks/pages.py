"""Pages over 100,000 records: each page anew, and a house that notes facts while fifty browsers watch it."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import aiohttp

from jobs.model import StillLive
from scheduler.ledger import Ledger, Note
from scheduler.ledger.sqlite import SqliteDriver
from scheduler.model import Config, Listen
from scheduler.planner import occurrences
from scheduler.vitals import Reload, Vitals
from scheduler.web import application, serving
from scheduler.web.events import Changes
from scheduler.web.routes import House
from scheduler.web.site import add_pages
from tests.benchmarks import bench
from tests.benchmarks.figure import Figure

PEOPLE, DAYS, DAY_S = 500, 200, 86_400.0
BROWSERS, WATCH_S, ROUNDS = 50, 8.0, 20
COMES_S = 0.03
NOTES_S = 0.02
"""A fact of ten records so often: five hundred a second."""

LIVED = """
UPDATE records SET stage = 'ended', reason = 'left', attempted_at = opens, attempt_ended_at = opens + 2,
  conversation_id = 'c' || rowid, url = 'https://tavus.example/' || rowid, created_at = opens + 2,
  ended_at = due + 900 WHERE due < ?;
UPDATE records SET stage = 'live', reason = NULL, attempted_at = opens, attempt_ended_at = opens + 2,
  conversation_id = 'c' || rowid, url = 'https://tavus.example/' || rowid, created_at = opens + 2
  WHERE due >= ?;
INSERT INTO deliveries
  SELECT key, 'log', '', opens + 2, opens + 1500, 'delivered', 0, opens + 3, NULL FROM records;
DELETE FROM facts;
INSERT INTO facts (key, at, kind, data) SELECT key, opens, 'attempted', '{"generation": 1}' FROM records;
INSERT INTO facts (key, at, kind, data)
  SELECT key, opens + 3, 'delivered', '{"address": ["log", ""]}' FROM records;
UPDATE records SET stage = 'missed', reason = 'no_capacity', ended_at = NULL WHERE rowid % 97 = 0
"""


class Asked(NamedTuple):
    """What the browsers saw: how many pages, and the slowest of them."""

    pages: int
    slowest_s: float


async def figures() -> list[Figure]:
    clock = bench.BenchClock(bench.SLOT_AT + 600.0)
    schedule = replace(bench.schedule(PEOPLE), enabled=True)
    config = bench.config(schedule, "http://127.0.0.1:1")
    with bench.logged(), bench.folder() as at:
        await _lived(at / "ledger.db", config)
        ledger = Ledger.open(at / "ledger.db", config.account.base_url, clock.now())
        try:
            async with _served(ledger, at / "ledger.db", config, clock) as (url, changes):
                return [*await _each(url, changes, clock), *await _watched(url, ledger, changes)]
        finally:
            ledger.close()


async def _lived(path: Path, config: Config) -> None:
    """A hundred thousand records, the last day's alive."""
    birth = bench.OPENS_AT - (DAYS - 1) * DAY_S - 3600
    ledger = Ledger.open(path, config.account.base_url, birth)
    schedules = config.schedules
    plan = occurrences(schedules.values(), birth, bench.OPENS_AT + 60)
    await ledger.promise(list(plan), schedules, birth, bench.OPENS_AT + 60)
    ledger.close()
    driver = SqliteDriver(path)
    with driver.transaction():
        for statement in LIVED.split(";"):
            driver.execute(statement, (bench.SLOT_AT - 60,) if "?" in statement else ())
    driver.close()


async def _each(url: str, changes: Changes, clock: bench.BenchClock) -> list[Figure]:
    key = "practice/slot/2026-11-30/p00042"
    pages = {
        "Today": "/",
        "Next days": "/days",
        "Occurrences": "/occurrences",
        "Occurrences, a hundred pages on": f"/occurrences?after={bench.SLOT_AT - 100 * DAY_S}%20practice",
        "Occurrences that were missed": "/occurrences?stage=missed",
        "One occurrence": f"/occurrence?key={key}",
        "One participant": "/person?id=p00042",
        "Schedules": "/schedules",
        "Account": "/account",
    }
    found = []
    async with aiohttp.ClientSession() as client:
        for name, path in pages.items():
            took = [await _anew(client, url + path, changes, clock) for _ in range(ROUNDS)]
            found.append(
                Figure.at_most(f"*{name}*, median of {ROUNDS} made anew", median(took) * 1e3, 50, "ms")
            )
    return found


async def _anew(client: aiohttp.ClientSession, url: str, changes: Changes, clock: bench.BenchClock) -> float:
    changes.ring()
    clock.set(clock.now() + 1.5)
    began = time.perf_counter()
    async with client.get(url) as answer:
        assert answer.status == 200, await answer.text()
        await answer.read()
    return time.perf_counter() - began


async def _watched(url: str, ledger: Ledger, changes: Changes) -> list[Figure]:
    """Facts come in, and browsers in a process of their own look on; before that, nobody does."""
    alone, _, _, _ = await _noted(
        ledger, changes, [sys.executable, "-c", f"import time; time.sleep({WATCH_S})"]
    )
    beside, work, notes, told = await _noted(
        ledger, changes, [sys.executable, "-m", "tests.benchmarks.pages", url]
    )
    pages, slowest_s = told.split()
    what = f"{BROWSERS} browsers watch *Today* for {WATCH_S:.0f} s while {notes:,} facts are noted"
    return [
        Figure.at_most(f"{what}: longest stall of the loop", beside * 1e3, 25, "ms"),
        Figure.told("the same with nobody there", alone * 1e3, "ms"),
        Figure.at_most("the loop's own work at a stretch, in CPU time, at most", work * 1e3, 10, "ms"),
        Figure.told("pages that they were given", float(pages), ""),
        Figure.told("the slowest of these", float(slowest_s) * 1e3, "ms"),
    ]


async def _noted(ledger: Ledger, changes: Changes, command: list[str]) -> tuple[float, float, int, str]:
    """Note facts until this command is done: the longest stall, the most CPU time at a stretch, how many
    facts, and what the command said."""
    live, notes = [f"practice/slot/2026-11-30/p{n:05}" for n in range(10)], 0
    async with bench.Stalls() as stalls, Work() as work:
        beside = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        talk = asyncio.ensure_future(beside.communicate())
        while not talk.done():
            await ledger.note(*(Note(key, StillLive(), bench.SLOT_AT) for key in live))
            changes.ring()
            notes += len(live)
            await asyncio.sleep(NOTES_S)
        told, _ = await talk
    return stalls.longest_s, work.longest_s, notes, told.decode()


class Work(bench.Stalls):
    """The same in CPU time of the loop's own thread: what others do on this machine is not in it."""

    async def _watch(self) -> None:
        last = time.thread_time()
        while not self._over:
            await asyncio.sleep(bench.TICK_S)
            now = time.thread_time()
            self.longest_s, last = max(self.longest_s, now - last), now


@asynccontextmanager
async def _served(
    ledger: Ledger, path: Path, config: Config, clock: bench.BenchClock
) -> AsyncIterator[tuple[str, Changes]]:
    house = House(
        ledger=path,
        clock=clock,
        config=lambda: config,
        vitals=lambda: _vitals(clock.now(), config),
        reload=lambda: Reload(ok=True, at=bench.SLOT_AT),
    )
    app = application(print, local=True)
    desk: Any = None
    changes = add_pages(app, house, desk, None, lambda wrongs: None)
    async with serving(app, Listen("127.0.0.1", 0)) as url:
        yield url, changes


def _vitals(now: float, config: Config) -> Vitals:
    from tests.contract.web.world import vitals

    return vitals(now, config)


async def _browse(url: str) -> Asked:
    """Fifty browsers that come and go one by one: each asks again whenever it is told that something
    changed."""
    asked: list[float] = []

    async def watch(client: aiohttp.ClientSession) -> None:
        async with client.get(f"{url}/events?since=0") as events:
            async for line in events.content:
                if line.startswith(b"event: changed"):
                    began = time.perf_counter()
                    async with client.get(url, headers={"X-Part": "main"}) as answer:
                        assert answer.status == 200
                        await answer.read()
                    asked.append(time.perf_counter() - began)

    async def one(n: int) -> None:
        await asyncio.sleep(n * COMES_S)
        timeout = aiohttp.ClientTimeout(total=None)
        async with aiohttp.ClientSession(timeout=timeout) as client:
            with suppress(TimeoutError):
                async with asyncio.timeout(WATCH_S):
                    await watch(client)

    async with asyncio.TaskGroup() as group:
        for n in range(BROWSERS):
            group.create_task(one(n))
    return Asked(len(asked), max(asked))


if __name__ == "__main__":
    print(*asyncio.run(_browse(sys.argv[1])))
