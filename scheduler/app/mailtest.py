"""Trying the mail set-up out: one short letter, and how far it came (`callboard mail test`).

It takes the way that links take, the same server, sender and secrets, and tells each stage. No link is in
the letter, and neither ledger nor schedules are asked.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime, parseaddr
from pathlib import Path

from jobs.channels.mail import Letter, Server, Sink, Tried, probe
from jobs.errors import LetterError, StepFailed
from jobs.letter import on_the_wire
from jobs.letter.headers import sender
from jobs.model import Address, Deliver, Instant
from scheduler.app.mailserver import mail_server
from scheduler.model import Mail

__all__ = ["Tried", "try_mail"]

TEXT = (
    "This is a letter of trial from callboard, sent by hand with `callboard mail test`.\r\n"
    "\r\n"
    "That you can read it means that join links can reach this address. How long it took is worth a look:\r\n"
    "a link lives for minutes only. There is nothing to do with this letter, and no answer is expected.\r\n"
)


def try_mail(mail: Mail, to: str, now: Instant, tell: Callable[[Tried], None]) -> None:
    """Send one letter and `tell` each stage as it is passed, up to the first that fails.

    Raises LetterError when an address can't stand in a letter, and SettingsError when the password can't
    be read.
    """
    letter = _letter(mail, to, now)
    if mail.smtp is None:
        tell(asyncio.run(_sunk(Path(mail.sink or ""), letter)))
        return
    asyncio.run(_told(mail_server(mail.smtp), letter, tell))


async def _told(server: Server, letter: Letter, tell: Callable[[Tried], None]) -> None:
    async for tried in probe(server, letter):
        tell(tried)


async def _sunk(directory: Path, letter: Letter) -> Tried:
    step = Deliver("mail-test", None, Address("mail", letter.recipient), "", 0.0, letter.message)
    try:
        await Sink(directory).deliver(step)
    except StepFailed as error:
        return Tried("accepted", "failed", error.detail, "look at mail.sink: a directory that can be written")
    return Tried("accepted", "ok", f"written to {directory}")


def _letter(mail: Mail, to: str, now: Instant) -> Letter:
    if parseaddr(to)[1] != to:
        raise LetterError("write an address alone, such as you@example.com")
    origin, recipient = sender(mail.sender), on_the_wire(to)
    lines = {
        "From": origin.mailbox,
        "To": f"<{recipient}>",
        "Subject": "A letter of trial",
        "Date": format_datetime(datetime.fromtimestamp(now, UTC)),
        "Message-ID": f"<trial-{secrets.token_hex(10)}@{origin.domain}>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=us-ascii",
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return Letter(on_the_wire(parseaddr(mail.sender)[1]), recipient, f"{head}\r\n{TEXT}".encode())
