"""500 letters to a local mail server: the channel against a bare aiosmtplib loop over as many connections,
and the whole house, which mails as many links of one slot, against itself with the log alone.

The server is a process of its own that accepts everything at once and says nothing that takes thought, so
that what is measured is the client.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import NamedTuple

import aiosmtplib

from jobs.channels.log import LogChannel
from jobs.channels.mail import MailChannel, Security, Server
from jobs.model import Address, Created, Deliver, Delivered, Outcome, Sent, Step
from jobs.perform import Hands
from jobs.tavus.client import connect
from tests.benchmarks import bench
from tests.benchmarks import server as sandbox
from tests.benchmarks.figure import Figure

LETTERS = 500
CONNECTIONS = 4
ROUNDS = 7
HOUSES = 3
SLOW_S = 0.05
SENDER = "Practice <practice@example.com>"
BODY = b"".join(
    b"A line of a letter as long as such lines are, with a link in it: %d\r\n" % n for n in range(120)
)
HEAD = "From: practice@example.com\r\nTo: p{n}@example.com\r\nMessage-ID: <{n}@example.com>\r\n\r\n"

Way = Callable[[int, list[Deliver]], Awaitable[None]]


async def figures() -> list[Figure]:
    steps = [_step(n) for n in range(LETTERS)]
    took_s: dict[str, list[float]] = {"bare": [], "ours": []}
    async with _serving() as port:
        for _ in range(ROUNDS):
            for name, way in (("bare", _bare), ("ours", _ours)):
                took_s[name].append(await _timed(way, port, steps))
        house = await _houses(port)
    bare_s, ours_s = min(took_s["bare"]), min(took_s["ours"])
    what = f"{LETTERS} letters over {CONNECTIONS} connections, best of {ROUNDS}"
    return [
        Figure.at_least(f"{what}: the mail channel against a bare aiosmtplib loop", bare_s / ours_s, 0.7),
        Figure("that is", f"bare loop {LETTERS / bare_s:,.0f}/s, the mail channel {LETTERS / ours_s:,.0f}/s"),
        *house,
    ]


async def _houses(port: int) -> list[Figure]:
    """The best of a few, in turns: one that only logs links, and one that mails them too."""
    quiet: list[_Times] = []
    mailing: list[_Times] = []
    with bench.logged():
        for _ in range(HOUSES):
            quiet.append(await _house(port, (Address("log"),)))
            mailing.append(await _house(port, (Address("log"), Address("mail"))))
    alone_s, beside_s = min(each.created_s for each in quiet), min(each.created_s for each in mailing)
    after_s = min(each.handed_s - each.created_s for each in mailing)
    what = f"{LETTERS} links of one slot, the whole house"
    return [
        Figure.at_most(f"{what}: the last mail is handed over after the last creation", after_s, 10.0),
        Figure.at_least(f"{what}: creating with the log alone against mailing too", alone_s / beside_s, 0.9),
    ]


class _Times(NamedTuple):
    """From the moment at which the slot opened."""

    created_s: float
    handed_s: float


async def _house(port: int, deliver: tuple[Address, ...]) -> _Times:
    clock = bench.BenchClock(bench.OPENS_AT - 7200.0)
    schedule = replace(bench.schedule(LETTERS), deliver=deliver)
    done, last, number = asyncio.Event(), dict.fromkeys((Created, Delivered), 0.0), 0
    server = Server(host="127.0.0.1", port=port, security=Security.NONE)
    async with sandbox.running(SLOW_S) as target:
        channel = MailChannel(server, SENDER, connections=CONNECTIONS)
        async with connect(target.base_url, "bench-key") as tavus, channel:
            hands = Hands(tavus, {"log": LogChannel(), "mail": channel})

            async def perform(step: Step, sent: Sent) -> Outcome:
                nonlocal number
                outcome = await hands.perform(step, sent)
                last[type(outcome)] = time.perf_counter()
                number += isinstance(outcome, Delivered)
                if number == LETTERS * len(deliver):
                    done.set()
                return outcome

            using = bench.config(schedule, target.base_url)
            with bench.folder() as at:
                async with bench.opened(at, perform, clock, using, SENDER) as (daemon, _):
                    await bench.promised(daemon, clock)
                    began = time.perf_counter()
                    await bench.run_up_to(daemon, done)
    return _Times(last[Created] - began, last[Delivered] - began)


async def _timed(way: Way, port: int, steps: list[Deliver]) -> float:
    began = time.perf_counter()
    await way(port, steps)
    return time.perf_counter() - began


async def _ours(port: int, steps: list[Deliver]) -> None:
    server = Server(host="127.0.0.1", port=port, security=Security.NONE)
    channel = MailChannel(server, "practice@example.com", connections=CONNECTIONS)
    async with channel, asyncio.TaskGroup() as group:
        for step in steps:
            group.create_task(channel.deliver(step))


async def _bare(port: int, steps: list[Deliver]) -> None:
    waiting = iter(steps)
    async with asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS):
            group.create_task(_worker(port, waiting))


async def _worker(port: int, waiting: Iterator[Deliver]) -> None:
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
        for step in waiting:
            await client.sendmail("practice@example.com", step.address.target, step.message or b"")


def _step(n: int) -> Deliver:
    address = Address("mail", f"p{n}@example.com")
    link = f"https://tavus.daily.co/c{n}"
    return Deliver(
        f"practice/slot/2026-11-30/p{n}", None, address, link, 0.0, HEAD.format(n=n).encode() + BODY
    )


@asynccontextmanager
async def _serving() -> AsyncIterator[int]:
    command = [sys.executable, "-m", "tests.benchmarks.mail"]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield int(await process.stdout.readline())
    finally:
        process.terminate()
        await process.wait()


async def _accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 bench\r\n")
    while line := await reader.readline():
        verb = line[:4].upper()
        if verb == b"EHLO":
            writer.write(b"250-bench\r\n250 8BITMIME\r\n")
        elif verb == b"DATA":
            writer.write(b"354 go on\r\n")
            await reader.readuntil(b"\r\n.\r\n")
            writer.write(b"250 taken\r\n")
        elif verb == b"QUIT":
            writer.write(b"221 bye\r\n")
            break
        else:
            writer.write(b"250 well\r\n")
    writer.close()


async def _serve() -> None:
    server = await asyncio.start_server(_accept, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
