"""500 letters to a local mail server: the channel against a bare aiosmtplib loop over as many connections.

The server is a process of its own that accepts everything at once and says nothing that takes thought, so
that what is measured is the client.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import aiosmtplib

from jobs.channels.mail import MailChannel, Security, Server
from jobs.model import Address, Deliver
from tests.benchmarks.figure import Figure

LETTERS = 500
CONNECTIONS = 4
ROUNDS = 7
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
    bare_s, ours_s = min(took_s["bare"]), min(took_s["ours"])
    what = f"{LETTERS} letters over {CONNECTIONS} connections, best of {ROUNDS}"
    return [
        Figure.at_least(f"{what}: the mail channel against a bare aiosmtplib loop", bare_s / ours_s, 0.7),
        Figure("that is", f"bare loop {LETTERS / bare_s:,.0f}/s, the mail channel {LETTERS / ours_s:,.0f}/s"),
    ]


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
