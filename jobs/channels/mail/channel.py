"""The mail channel: a frozen letter to one recipient, over at most so many connections.

Whoever finds no connection free waits in order, and that waiting counts for nothing: the time of a try
begins when a connection is had. A connection that the server closed while it waited is not a failure: as
long as nothing of the letter's DATA has gone out, a new one takes over at once. When our set-up is
turned away, those who were in line don't ask again: every wrong password may count against the account. When
to try again, and when a link is too old, is decided elsewhere.
"""

from __future__ import annotations

import asyncio
import ssl
from email.utils import parseaddr
from types import TracebackType

from jobs.channels.mail.answers import ERRORS, Stage, failure, goes_on, says_goodbye, unwritable
from jobs.channels.mail.connection import Connection
from jobs.channels.mail.pool import Pool
from jobs.channels.mail.server import Letter, Security, Server
from jobs.errors import Blame, LetterError, Reason, StepFailed
from jobs.letter import on_the_wire
from jobs.model import Deliver, Delivered

TRY_S = 30.0
"""All of a try, from having a connection to the server's last word."""
IDLE_S = 10.0
LETTERS_MAX = 100
"""On one connection: servers bound it too, and less politely."""


class MailChannel:
    """Hands letters to one server; an asynchronous context that leaves its connections when it ends.

    `sender` is a From header; its bare address is the envelope's (LetterError if there is none). Without
    `tls` the system's roots are trusted and the server's name is checked. `connections` are open at once,
    at most.
    """

    def __init__(
        self,
        server: Server,
        sender: str,
        *,
        connections: int = 4,
        tls: ssl.SSLContext | None = None,
        try_s: float = TRY_S,
        idle_s: float = IDLE_S,
        letters_max: int = LETTERS_MAX,
    ) -> None:
        self._server = server
        self._sender = on_the_wire(parseaddr(sender)[1])
        self._tls = tls or (None if server.security is Security.NONE else ssl.create_default_context())
        self._free = asyncio.Semaphore(connections)
        self._pool = Pool(idle_s, letters_max)
        self._try_s = try_s
        self._times_closed, self._closed_by = 0, ""

    async def __aenter__(self) -> MailChannel:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.close()

    async def deliver(self, step: Deliver) -> Delivered:
        """Hand the letter over, once. Raises StepFailed: BUSY when it was not taken and may be tried
        again, REFUSED when it never will be, LOST when it may have arrived."""
        if step.message is None:
            raise StepFailed(Reason.REFUSED, "there is no letter to hand over")
        recipient = _on_the_wire(step.address.target)
        if recipient is None:
            raise unwritable()
        letter = Letter(self._sender, recipient, step.message, (step.url, self._server.password or ""))
        before = self._times_closed
        async with self._free:
            if self._times_closed > before:
                raise StepFailed(Reason.BUSY, self._closed_by, blame=Blame.SETUP)
            failed = await self._try(letter)
            if failed is not None and failed.blame is Blame.SETUP and failed.reason is Reason.BUSY:
                self._times_closed, self._closed_by = self._times_closed + 1, failed.detail
        if failed is not None:
            raise failed
        return Delivered(step.address)

    async def _try(self, letter: Letter) -> StepFailed | None:
        """Over a connection that was kept, and over a new one if the server had closed that."""
        until = asyncio.get_running_loop().time() + self._try_s
        kept = self._pool.take()
        if kept is not None:
            error = await self._over(kept, letter, until)
            if error is None or kept.stage is Stage.DATA or not says_goodbye(error):
                return None if error is None else failure(kept.stage, error, letter.hidden)
        fresh = Connection(self._server, self._tls)
        error = await self._over(fresh, letter, until)
        return None if error is None else failure(fresh.stage, error, letter.hidden)

    async def _over(self, connection: Connection, letter: Letter, until: float) -> Exception | None:
        """Send, and keep the connection if the server is still with us. Gives what went wrong."""
        try:
            async with asyncio.timeout_at(until):
                if not connection.is_open:
                    await connection.open()
                await connection.send(letter)
        except ERRORS as error:
            if goes_on(connection.stage, error):
                self._pool.keep(connection)
            else:
                connection.drop()
            return error
        except BaseException:
            connection.drop()
            raise
        self._pool.keep(connection)
        return None


def _on_the_wire(target: str) -> str | None:
    """The library would make `ab@c` of `a b@c`, and write to somebody else."""
    try:
        return on_the_wire(target)
    except LetterError:
        return None
