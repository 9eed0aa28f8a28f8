"""A mail server in this process that misbehaves on purpose, one of raw lines for what no library does, and
a certificate for both; deliveries to hand to them."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from jobs.channels import Channel
from jobs.channels.mail import MailChannel, Security, Server
from jobs.errors import StepFailed
from jobs.model import Address, Deliver, Delivered

from .conftest import listening

LINK = "https://tavus.daily.co/c9f1e2d3a4b5?t=token-of-one-person"
PASSWORD = "pa55-word-sesame"
SENDER = "Practice <practice@example.com>"
PATIENCE_S = 5.0
DROP, SILENCE = "drop", "silence"
"""Instead of an answer: the connection is cut, or nothing ever comes."""

Said = str | Callable[[], Awaitable[str]]


def letter(n: int = 1, body: str = f"Your link: {LINK}") -> bytes:
    lines = [f"From: {SENDER}", f"Message-ID: <{n}@example.com>", "Subject: Hi", "", body, ".", "Bye", ""]
    return "\r\n".join(lines).encode()


def step(n: int = 1, to: str = "ana@example.com", message: bytes | None = None) -> Deliver:
    key = f"team/09:00/2026-11-22/p{n}"
    return Deliver(key, None, Address("mail", to), LINK, not_after=0.0, message=message or letter(n))


@dataclass
class Office:
    """Answers each command as it is told in `says`: one answer, or a list of them, one for each time; what
    isn't told there is done. `letters` are (sender, recipient, bytes) in the order of their final dots."""

    says: dict[str, Said | list[Said]] = field(default_factory=dict)
    letters: list[tuple[str, str, bytes]] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    goodbyes: int = 0
    open: list[Desk] = field(default_factory=list)
    most_open: int = 0
    opened: int = 0
    port: int = 0
    idle: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, verb: str, desk: Desk) -> str:
        self.heard.append(verb)
        said = self.says.get(verb, "250 2.0.0 OK")
        if isinstance(said, list):
            said = said.pop(0) if said else "250 2.0.0 OK"
        if callable(said):
            return await said()
        if said == SILENCE:
            await asyncio.Event().wait()
        if said == DROP:
            desk.transport.abort()
        return said

    async def handle_MAIL(self, desk: Desk, _: Any, envelope: Any, address: str, options: list[str]) -> str:
        envelope.mail_from = address
        return await self.answer("MAIL", desk)

    async def handle_RCPT(self, desk: Desk, _: Any, envelope: Any, address: str, options: list[str]) -> str:
        said = await self.answer("RCPT", desk)
        if said.startswith("250"):
            envelope.rcpt_tos.append(address)
        return said

    async def handle_DATA(self, desk: Desk, _: Any, envelope: Any) -> str:
        self.letters.append((envelope.mail_from, *envelope.rcpt_tos, envelope.content))
        return await self.answer("DATA", desk)

    async def handle_RSET(self, desk: Desk, _: Any, envelope: Any) -> str:
        return await self.answer("RSET", desk)

    async def handle_QUIT(self, desk: Desk, _: Any, envelope: Any) -> str:
        self.goodbyes += 1
        return "221 2.0.0 Bye"

    def hang_up(self) -> None:
        """Close all connections, as a server does that waited long enough."""
        for desk in list(self.open):
            desk.transport.write(b"421 4.4.2 idle too long\r\n")
            desk.transport.close()


class Desk(SMTP):
    """One connection of an office."""

    transport: asyncio.Transport

    def __init__(self, office: Office, **how: Any) -> None:
        super().__init__(office, hostname="office.example", loop=asyncio.get_running_loop(), **how)
        self.office = office
        self.plain: asyncio.Transport | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if self in self.office.open:  # STARTTLS is done
            self.plain = None
        else:
            self.plain = transport
            self.office.open.append(self)
            self.office.opened += 1
            self.office.most_open = max(self.office.most_open, len(self.office.open))
            self.office.idle.clear()

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self.office.open.remove(self)
        if not self.office.open:
            self.office.idle.set()


@asynccontextmanager
async def office(tls: ssl.SSLContext | None = None, **how: Any) -> AsyncIterator[Office]:
    """An office on loopback; `tls` protects every connection from its first byte."""
    made = Office()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Desk(made, **how), "127.0.0.1", 0, ssl=tls, backlog=512)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for desk in list(made.open):
            desk.transport.abort()
            if desk.plain is not None:
                desk.plain.abort()
        await asyncio.sleep(0)


def knows_ana(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    """An office's authenticator: one user, one password."""
    right = LoginPassword(b"ana", PASSWORD.encode())
    return AuthResult(success=data == right, handled=False)


@asynccontextmanager
async def raw_office(
    answers: Mapping[str, str], greeting: str | None = "220 raw.example ESMTP"
) -> AsyncIterator[tuple[int, list[str]]]:
    """Says `answers[verb]` to each verb, a greeting first (None: never); gives its port and what it heard."""
    heard: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if greeting is not None:
            writer.write(f"{greeting}\r\n".encode())
        while line := (await reader.readline()).decode(errors="replace").strip():
            heard.append(line)
            said = answers.get(line.split(" ")[0].split(":")[0], "250 OK")
            if said == DROP:
                break
            if said != SILENCE:
                writer.write(f"{said}\r\n".encode())

    async with listening(serve) as port:
        yield port, heard


def channel(port: int, security: Security = Security.NONE, **how: Any) -> MailChannel:
    """A channel to a server on loopback; `username` and `password` are the server's."""
    login = {name: how.pop(name) for name in ("username", "password") if name in how}
    server = Server(host="localhost", port=port, security=security, **login)
    return MailChannel(server, SENDER, **{"try_s": PATIENCE_S, **how})


async def failed(hands: Channel, what: Deliver | None = None) -> StepFailed:
    """The delivery's failure: one short line, no secret, and no other exception dragged along."""
    what = what or step()
    with pytest.raises(StepFailed) as caught:
        await hands.deliver(what)
    error = caught.value
    assert error.__context__ is None
    assert error.__cause__ is None
    assert len(error.detail.splitlines()) == 1
    shown = repr(error) + "".join(traceback.format_exception(error))
    assert [
        each for each in (LINK, "token-of", PASSWORD, "sesame", what.address.target) if each in shown
    ] == []
    return error


async def delivered(hands: Channel, what: Deliver | None = None) -> None:
    what = what or step()
    assert await hands.deliver(what) == Delivered(what.address)


@dataclass(frozen=True)
class Certificate:
    """For `localhost`, signed by itself."""

    file: Path
    key: Path

    def server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file, self.key)
        return context

    def client(self) -> ssl.SSLContext:
        """The system's way of checking, with this one authority."""
        return ssl.create_default_context(cafile=self.file)


def certificate(directory: Path, name: str = "localhost") -> Certificate:
    made = Certificate(directory / f"{name}.pem", directory / f"{name}.key")
    words = ["openssl", "req", "-x509", "-days", "2", "-nodes", "-batch"]
    about = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    files = [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-keyout",
        str(made.key),
        "-out",
        str(made.file),
    ]
    try:
        subprocess.run([*words, *about, *files], check=True, capture_output=True, timeout=60)
    except FileNotFoundError:
        pytest.skip("the openssl command makes the certificates of this test, and is not here")
    return made
