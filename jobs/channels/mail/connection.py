"""One connection to a mail server: opened, used for one letter after the other, left.

It knows how far it has come (`stage`), which is what an error means; it doesn't know when it is kept, when
a letter is tried again, or how long anything may take. One command at a time: nothing is pipelined, so that
each answer belongs to its question.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress

from aiosmtplib import SMTP, SMTPServerDisconnected

from jobs.channels.mail.answers import Stage, not_offered, too_plain
from jobs.channels.mail.server import Letter, Security, Server


class Connection:
    """Not connected until it is opened. `letters` is how many it has carried.

    Its verbs raise what aiosmtplib and the system raise, and StepFailed where the server lacks what is
    needed; `answers.failure` makes one of the other, with the stage.
    """

    def __init__(self, server: Server, tls: ssl.SSLContext | None) -> None:
        self.stage = Stage.CONNECT
        self.letters = 0
        self._server = server
        self._unfinished = False
        self._client = SMTP(
            hostname=server.host,
            port=server.port,
            local_hostname=_own_name(),
            timeout=None,
            use_tls=server.security is Security.TLS,
            start_tls=False,
            tls_context=tls,
        )

    @property
    def is_open(self) -> bool:
        """Whether it can be used, as far as this side has heard."""
        return self._client.is_connected

    async def open(self) -> None:
        """From nothing to where a letter can be handed over."""
        await self.connect()
        await self.protect()
        await self.log_in()

    async def connect(self) -> str:
        """Reach the server, over implicit TLS with its handshake, and say hello; gives its greeting."""
        greeting = await self._client.connect()
        self.stage = Stage.HELLO
        await self._client.ehlo()
        return greeting.message

    async def protect(self) -> str | None:
        """Upgrade to TLS where the set-up says so; gives protocol and cipher, or None in clear."""
        if self._server.security is Security.STARTTLS:
            self.stage = Stage.TLS
            if not self._client.supports_extension("starttls"):
                raise not_offered("STARTTLS")
            await self._client.starttls()
            await self._client.ehlo()
        cipher = self._client.get_transport_info("cipher")
        return f"{cipher[1]}, {cipher[0]}" if cipher else None

    async def log_in(self) -> str | None:
        """Log in where the set-up says so, by one method and once: a try that fails may count against the
        account (the library's own `login` goes through all of them). Gives the method, or None."""
        if self._server.username is None or self._server.password is None:
            return None
        self.stage = Stage.AUTH
        client = self._client
        ways = {"plain": client.auth_plain, "login": client.auth_login, "cram-md5": client.auth_crammd5}
        method = next((name for name in ways if name in client.server_auth_methods), None)
        if method is None:
            raise not_offered("login that we know (AUTH PLAIN, LOGIN, CRAM-MD5)")
        await ways[method](self._server.username, self._server.password)
        return method.upper()

    async def send(self, letter: Letter) -> str:
        """Hand a letter over; gives the server's last word."""
        self.stage = Stage.SENDER
        options = self._options(letter)
        if self._unfinished:
            await self._client.rset()
        self._unfinished = True
        encoding = "utf-8" if "SMTPUTF8" in options else "ascii"
        await self._client.mail(letter.sender, options=options, encoding=encoding)
        self.stage = Stage.RECIPIENT
        await self._client.rcpt(letter.recipient, encoding=encoding)
        self.stage = Stage.DATA
        answer = await self._client.data(letter.message)
        self._unfinished = False
        self.letters += 1
        return f"{answer.code} {answer.message}"

    def leave(self) -> None:
        """Close it, saying goodbye but not waiting for an answer."""
        if self._client.protocol is not None:
            with suppress(SMTPServerDisconnected):
                self._client.protocol.write(b"QUIT\r\n")
        self.drop()

    def drop(self) -> None:
        """Close it at once, whatever it was doing."""
        if isinstance(self._client.transport, asyncio.WriteTransport):
            self._client.transport.abort()
        self._client.close()

    def _options(self, letter: Letter) -> list[str]:
        """What MAIL must ask for, given what this letter is made of (RFC 6531, RFC 6152)."""
        headers = letter.message.partition(b"\r\n\r\n")[0]
        international = not (letter.sender + letter.recipient).isascii() or not headers.isascii()
        asked = ["SMTPUTF8"] * international + ["BODY=8BITMIME"] * (not letter.message.isascii())
        for option in asked:
            if not self._client.supports_extension(extension := option.removeprefix("BODY=")):
                raise too_plain(extension)
        return asked


def _own_name() -> str:
    """Our name for EHLO, without asking the network: a full one, else an address (RFC 5321, 4.1.3)."""
    name = socket.gethostname()
    return name if "." in name and name.isascii() else "[127.0.0.1]"
