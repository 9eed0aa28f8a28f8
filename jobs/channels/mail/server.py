"""A mail server as it is set up, and a letter as it is handed over: values only.

What may be combined is held here, whoever builds the values: nothing in clear leaves the machine. It
doesn't know where a password is kept or how a letter was written.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from jobs.loopback import is_loopback


class Security(StrEnum):
    """How the connection is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where letters are handed over.

    Raises ValueError when it is in clear and not on loopback, or has one of user name and password only.
    """

    host: str
    port: int = 587
    security: Security = Security.STARTTLS
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.security is Security.NONE and not is_loopback(self.host):
            raise ValueError("a mail server without TLS is used on loopback only")
        if (self.username is None) != (self.password is None):
            raise ValueError("a user name and a password go together")


@dataclass(frozen=True, slots=True)
class Letter:
    """One message for one recipient.

    `sender` and `recipient` are bare addresses, fit for a command (as `letter.on_the_wire` gives them);
    `message` is a whole RFC 5322 message with CRLF. `hidden` are texts that no error may show, such as the
    join link.
    """

    sender: str
    recipient: str
    message: bytes = field(repr=False)
    hidden: tuple[str, ...] = field(default=(), repr=False)
