"""The mail server: can we log in there? No letter is handed over; `callboard mail test` sends one.

The stages are the probe's; this stops before the one that would send.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import aclosing

from jobs.channels.mail import Letter, probe
from scheduler.app.doctor.finding import Finding, failed, ok, skipped
from scheduler.app.mailserver import mail_server
from scheduler.model import Config, Smtp
from scheduler.settings import SettingsError

MAIL = "mail"
STAGE_S = 10.0
LAST_STAGE = "auth"


async def post(config: Config) -> Sequence[Finding]:
    """The mail server, up to the log-in; or the directory that letters are written to."""
    if config.mail is None:
        return (skipped(MAIL, "none is sent"),)
    if config.mail.smtp is None:
        return (_sink(config.mail.sink or ""),)
    try:
        return (await _logged_in(config.mail.smtp),)
    except SettingsError as error:
        return (skipped(MAIL, f"no log-in: {error}"),)


async def _logged_in(smtp: Smtp) -> Finding:
    nothing = Letter("", "", b"")
    async with aclosing(probe(mail_server(smtp), nothing, try_s=STAGE_S)) as stages:
        async for tried in stages:
            if tried.result == "failed":
                return failed(MAIL, tried.told, tried.fix or "callboard mail test tells more")
            if tried.stage == LAST_STAGE:
                break
    said = "takes our log-in" if smtp.username else "answers; no log-in is set up"
    return ok(MAIL, f"{smtp.host}:{smtp.port} {said}")


def _sink(folder: str) -> Finding:
    if os.path.isdir(folder) and not os.access(folder, os.W_OK | os.X_OK):
        return failed(MAIL, f"{folder} can't be written by this user", "chown it to who runs callboard")
    return ok(MAIL, f"letters are written to {folder}")
