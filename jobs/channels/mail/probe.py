"""Trying a mail server out: how far does one letter come, and what puts it right if it doesn't?

The stages are those of a real delivery, over a connection of its own, told one by one as they are passed.
It sends one letter and no second; what stands in it is the caller's.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from jobs.channels.mail.answers import ERRORS, Stage, cleaned, failure, stage_of
from jobs.channels.mail.connection import Connection
from jobs.channels.mail.server import Letter, Security, Server
from jobs.errors import Blame, StepFailed

TRY_S = 30.0

ProbeStage = Literal["dns", "connect", "tls", "auth", "accepted"]


@dataclass(frozen=True, slots=True)
class Tried:
    """One stage, and how it went; `told` is one line for people, `fix` stands beside a failure."""

    stage: ProbeStage
    result: Literal["ok", "failed", "unused"]
    told: str
    fix: str | None = None


_STAGES: dict[Stage, ProbeStage] = {
    Stage.CONNECT: "connect",
    Stage.TLS: "tls",
    Stage.HELLO: "connect",
    Stage.AUTH: "auth",
}
"""What comes after is `accepted`."""

_FIXES: dict[ProbeStage, str] = {
    "dns": "look at mail.smtp.host: this machine finds no address for it",
    "connect": (
        "look at mail.smtp.host and port (587 with starttls, 465 with tls), and at firewalls between; "
        "a server that turns the connection away must be told to take this machine's mail"
    ),
    "tls": (
        "security: starttls goes with port 587, tls with 465; the certificate must be for the name in "
        "mail.smtp.host, and its authority among the system's roots; a server on this machine may do "
        "without: security: none"
    ),
    "auth": "look at mail.smtp.username and password; accounts with two factors want an app password",
    "accepted": "try again in some minutes: the server put the letter off (greylisting, or a limit)",
}
_UNUSED: dict[ProbeStage, str] = {"tls": "security is none", "auth": "no username is set up"}
_FIXES_BY_BLAME = {
    Blame.ADDRESS: "look at the address: the server does not take letters for it",
    Blame.SETUP: "the server does not take letters from us: may this account send as mail.from?",
}


async def probe(
    server: Server, letter: Letter, *, tls: ssl.SSLContext | None = None, try_s: float = TRY_S
) -> AsyncGenerator[Tried, None]:
    """Each stage as it is passed, up to the first that fails. `try_s` is the time for each stage."""
    tried = await _resolved(server, try_s)
    yield tried
    if tried.result == "failed":
        return
    if tls is None and server.security is not Security.NONE:
        tls = ssl.create_default_context()
    connection = Connection(server, tls)
    try:
        for stage, act in _acts(server, letter, connection):
            for tried in await _passed(stage, act, connection, letter, try_s):
                yield tried
            if tried.result == "failed":
                return
    finally:
        connection.leave()


async def _resolved(server: Server, try_s: float) -> Tried:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(try_s):
            found = await loop.getaddrinfo(server.host, server.port)
    except (OSError, UnicodeError) as error:
        return Tried("dns", "failed", f"{server.host}: {cleaned(str(error))}", _FIXES["dns"])
    addresses = dict.fromkeys(str(address[0]) for *_, address in found)
    return Tried("dns", "ok", f"{server.host} is {', '.join(addresses)}")


_Act = Callable[[], Awaitable[str | None]]


def _acts(server: Server, letter: Letter, connection: Connection) -> list[tuple[ProbeStage, _Act]]:
    """The stages after the name is found, each with what says how it went; None is "not used"."""

    async def connected() -> str:
        return f"port {server.port} answers: {cleaned(await connection.connect())}"

    async def logged_in() -> str | None:
        method = await connection.log_in()
        return method and f"as {server.username} ({method})"

    async def accepted() -> str:
        return cleaned(await connection.send(letter), letter.hidden)

    return [
        ("connect", connected),
        ("tls", connection.protect),
        ("auth", logged_in),
        ("accepted", accepted),
    ]


async def _passed(
    stage: ProbeStage, act: _Act, connection: Connection, letter: Letter, try_s: float
) -> list[Tried]:
    try:
        async with asyncio.timeout(try_s):
            told = await act()
    except ERRORS as error:
        at = _STAGES.get(stage_of(connection.stage, error), "accepted")
        failed = failure(connection.stage, error, letter.hidden)
        reached = [Tried(stage, "ok", "the port answers")] if at != stage == "connect" else []
        return [*reached, Tried(at, "failed", failed.detail, _fix(at, failed))]
    return [Tried(stage, "unused", _UNUSED[stage]) if told is None else Tried(stage, "ok", told)]


def _fix(stage: ProbeStage, failed: StepFailed) -> str:
    if stage == "accepted" and failed.blame is not None:
        return _FIXES_BY_BLAME[failed.blame]
    return _FIXES[stage]
