"""The mail server of a configuration as the channel takes it, with its password.

Used by whoever connects to it: the house, `mail test`, the doctor. It connects to nothing itself.
"""

from __future__ import annotations

from jobs.channels.mail import Security, Server
from scheduler.model import Smtp
from scheduler.settings import read_password

GOOGLE = ("smtp.gmail.com", "smtp.googlemail.com", "smtp-relay.gmail.com")


def mail_server(smtp: Smtp) -> Server:
    """The server, its password looked up. Raises SettingsError."""
    return Server(
        host=smtp.host,
        port=smtp.port,
        security=Security(smtp.security),
        username=smtp.username,
        password=_password(smtp),
    )


def _password(smtp: Smtp) -> str | None:
    """Google takes app passwords only, and shows them in four groups: the blanks are no part of them."""
    if smtp.password is None:
        return None
    written = read_password(smtp.password.source, smtp.password.name).reveal()
    return "".join(written.split()) if smtp.host.lower() in GOOGLE else written
