"""Creating through the whole house, against a bare loop that posts, and the daemon that people write.

All three send the same bodies with the same number in flight to a sandbox in a process of its own. The
house promises, claims, posts, notes and delivers (a log line each), with every step on the disk; the bare
loop posts and reads answers; the naive daemon is APScheduler, `asyncio.gather` and a log line.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import aiohttp
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from jobs.channels.log import LogChannel
from jobs.model import Create, Delivered, Outcome, Sent, Step
from jobs.perform import Hands
from jobs.tavus.client import connect
from tests.benchmarks import bench, server
from tests.benchmarks.figure import Figure
from tests.benchmarks.server import Server

SLOW_S = 0.05
IN_FLIGHT = 50
ROUNDS = 3

Contender = Callable[[Server, int], Awaitable[float]]


async def figures() -> list[Figure]:
    with bench.logged():
        slow = await _compared(SLOW_S, 3_000)
        instant = await _compared(0.0, 3_000)
    each = f"creations with {IN_FLIGHT} in flight, the house against a bare aiohttp loop"
    return [
        Figure.at_least(f"{each}, {SLOW_S * 1e3:.0f} ms answers", slow["house"] / slow["bare"], 0.9),
        _speeds(slow),
        Figure.told(f"{each}, instant answers (goal 0.6)", instant["house"] / instant["bare"], "x"),
        _speeds(instant),
    ]


def _speeds(found: dict[str, float]) -> Figure:
    names = {"bare": "bare loop", "house": "house", "naive": "naive daemon (APScheduler, gather, no ledger)"}
    return Figure("that is", ", ".join(f"{names[k]} {v:,.0f}/s" for k, v in found.items()))


async def _compared(slow_s: float, number: int) -> dict[str, float]:
    """The best of a few rounds of each, in turns, so that a busy machine hits all alike."""
    contenders: dict[str, Contender] = {"bare": _bare, "house": _house, "naive": _naive}
    best = dict.fromkeys(contenders, 0.0)
    for _ in range(ROUNDS):
        for name, contender in contenders.items():
            async with server.running(slow_s) as target:
                best[name] = max(best[name], number / await contender(target, number))
                assert len(set(await target.marks())) == (number if name == "house" else 1)
    return best


def _body(person: int) -> dict[str, object]:
    request = bench.REQUEST
    context = (request.conversational_context or "").replace("{{ participant.name }}", f"Person {person}")
    return {
        "persona_id": request.persona_id,
        "replica_id": request.replica_id,
        "conversation_name": f"{request.conversation_name} [cb-AAAAAAAAAAAAAAAA-1]",
        "conversational_context": context,
        "properties": {
            "max_call_duration": 1800,
            "participant_left_timeout": 60,
            "participant_absent_timeout": 600,
        },
    }


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(headers={"x-api-key": "bench"}, connector=aiohttp.TCPConnector(limit=0))


async def _bare(target: Server, number: int) -> float:
    url = f"{target.base_url}/v2/conversations"
    people = iter(range(number))

    async def post() -> None:
        for person in people:
            async with session.post(url, json=_body(person)) as answer:
                assert (await answer.json())["conversation_url"]

    async with _session() as session:
        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(IN_FLIGHT):
                group.create_task(post())
        return time.perf_counter() - began


async def _naive(target: Server, number: int) -> float:
    url = f"{target.base_url}/v2/conversations"
    log, quota, done = logging.getLogger("naive"), asyncio.Semaphore(IN_FLIGHT), asyncio.Event()

    async def practice(person: int) -> None:
        async with quota, session.post(url, json=_body(person)) as answer:
            log.info("link for %s: %s", person, (await answer.json())["conversation_url"])

    async def morning() -> None:
        await asyncio.gather(*map(practice, range(number)))
        done.set()

    scheduler = AsyncIOScheduler(timezone=UTC)
    async with _session() as session:
        scheduler.start()
        began = time.perf_counter()
        scheduler.add_job(morning, next_run_time=datetime.now(UTC))
        await done.wait()
        took_s = time.perf_counter() - began
    scheduler.shutdown(wait=False)
    return took_s


async def _house(target: Server, number: int) -> float:
    clock = bench.BenchClock(bench.OPENS_AT - 7200.0)
    using = bench.config(bench.schedule(number), target.base_url)
    quota, done, delivered = asyncio.Semaphore(IN_FLIGHT), asyncio.Event(), Counter[type]()
    with bench.folder() as at:
        async with connect(target.base_url, "bench-key") as tavus:
            hands = Hands(tavus, {"log": LogChannel()})

            async def perform(step: Step, sent: Sent) -> Outcome:
                if isinstance(step, Create):
                    async with quota:
                        return await hands.perform(step, sent)
                outcome = await hands.perform(step, sent)
                delivered.update([type(outcome)])
                if delivered[Delivered] == number:
                    done.set()
                return outcome

            async with bench.opened(at, perform, clock, using) as (daemon, _):
                await bench.promised(daemon, clock)
                began = time.perf_counter()
                await bench.run_up_to(daemon, done)
                took_s = time.perf_counter() - began
    return took_s
