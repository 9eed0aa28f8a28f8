"""The section `mail` - whom letters are from, and who takes them - and a schedule's own words for them.

Here stand the keys and the rules between them, so that a server is never given a password in the
clear. Whether the server is there, and what the secrets are, is not known here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field, TypeAdapter

from jobs.loopback import is_loopback
from jobs.model import Wording
from scheduler.config import fields
from scheduler.config.fields import Host, Line, Secret, Sender, Strict, Subject, Text, whole, words
from scheduler.config.problems import Report, quoted
from scheduler.config.reading import place, read
from scheduler.config.tree import Entry
from scheduler.model import Mail, SecretRef, Security, Smtp

SUBMISSION_PORT, TLS_PORT, RELAY_PORT = 587, 465, 25
USUAL = "SMTP_PASSWORD"
"""The variable that hints name."""
WORDING_KEYS = ("subject", "text", "html")
TEXT_KEYS = frozenset({"from", *WORDING_KEYS})
"""The keys at which a person writes words, so that a `#` or a `null` may be meant as such."""
MOST_CONNECTIONS = 100

_WORDING = "the words stand in a schedule, or in `defaults`: mail: {subject, text, html}"
_BELOW = "it stands below `smtp`"
_AT_TOP = "it stands in the section `mail`, at the top of a file"


class SmtpKeys(Strict):
    """The mail server."""

    hints: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("server", "hostname", "address"), "write host"),
        **dict.fromkeys(("user", "login"), "write username"),
        **dict.fromkeys(("pass", "pw"), f"write password: {{env: {USUAL}}}"),
        **dict.fromkeys(("tls", "ssl", "starttls", "encryption"), "write security: starttls, tls or none"),
    }
    host: Host = Field(description="Its name or IP address.")
    port: Annotated[int, whole(1, 65_535)] | None = None
    security: Annotated[Security, words(tuple(Security))] | None = Field(
        default=None, description="starttls; tls where TLS comes first (port 465); none on loopback only."
    )
    username: Line | None = None
    password: Annotated[SecretRef, Secret(USUAL)] | None = Field(
        default=None, description="Where the password is found; never the password itself."
    )


class MailKeys(Strict):
    """Letters: whom they are from, and where they are handed over."""

    hints: ClassVar[Mapping[str, str]] = {
        "sender": "write from",
        **dict.fromkeys(("to", "recipient", "recipients"), "a letter goes to each participant's `email`"),
        **dict.fromkeys(("host", "port", "security", "username", "password"), _BELOW),
        **dict.fromkeys(WORDING_KEYS, _WORDING),
    }
    sender: Sender = Field(alias="from", description="An address, or Name <address>.")
    smtp: SmtpKeys | None = None
    sink: Text | None = Field(
        default=None, description="In place of smtp: a directory for the letters, relative to this file."
    )
    connections: Annotated[int, whole(1, MOST_CONNECTIONS)] | None = Field(
        default=None, description="At most so many connections to the server at once."
    )


class WordingKeys(Strict):
    """A schedule's own words for its letters, as templates."""

    hints: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("from", "smtp", "sink", "connections"), _AT_TOP),
        "body": "write text, html or both",
    }
    subject: Subject | None = None
    text: fields.Wording | None = None
    html: fields.Wording | None = None


_MAIL = TypeAdapter(MailKeys)


def wording(keys: WordingKeys | None) -> Wording:
    """What was written; `None` for our own words."""
    return Wording() if keys is None else Wording(keys.subject, keys.text, keys.html)


def mail(entry: Entry, report: Report) -> Mail | None:
    """The section, or None after reporting what is wrong with it."""
    keys = read(_MAIL, entry, report)
    if keys is None:
        return None
    if (keys.smtp is None) == (keys.sink is None):
        told = entry.key.mark if keys.sink is None else place(entry, "sink")
        message = "letters go to a server, `smtp`, or into a directory, `sink`: exactly one of them"
        report.error(told, message, "write smtp: {host: smtp.example.com}, or sink: letters to try it out")
        return None
    return Mail(
        sender=keys.sender,
        smtp=_smtp(entry, keys.smtp, report) if keys.smtp else None,
        sink=keys.sink and str((place(entry, "sink").source.path.parent / keys.sink).absolute()),
        **({"connections": keys.connections} if keys.connections else {}),
    )


def _smtp(entry: Entry, keys: SmtpKeys, report: Report) -> Smtp:
    """Port 465 means tls, and tls means port 465, when only one of them is written."""
    security = keys.security or (Security.TLS if keys.port == TLS_PORT else Security.STARTTLS)
    port = keys.port or (TLS_PORT if security is Security.TLS else SUBMISSION_PORT)
    smtp = Smtp(host=keys.host, port=port, security=security, username=keys.username, password=keys.password)
    _check_security(entry, smtp, report)
    _check_login(entry, smtp, report)
    return smtp


def _check_security(entry: Entry, smtp: Smtp, report: Report) -> None:
    mark = place(entry, "smtp", "security")
    if smtp.security is Security.NONE and not is_loopback(smtp.host):
        message = f"security none is for this machine only: {quoted(smtp.host)} is another one"
        report.error(mark, message, "write security: starttls, or security: tls")
    elif smtp.security is Security.STARTTLS and smtp.port == TLS_PORT:
        report.warn(mark, f"port {smtp.port} speaks TLS from its first byte", "write security: tls")
    elif smtp.security is Security.TLS and smtp.port in (SUBMISSION_PORT, RELAY_PORT):
        message = f"port {smtp.port} speaks TLS only after STARTTLS"
        report.warn(mark, message, "write security: starttls, or port: 465")


def _check_login(entry: Entry, smtp: Smtp, report: Report) -> None:
    if smtp.username is not None and smtp.password is None:
        hint = f"write password: {{env: {USUAL}}}, or remove username"
        report.error(place(entry, "smtp", "username"), "a username without a password", hint)
    elif smtp.password is not None and smtp.username is None:
        hint = "write username, or remove password"
        report.error(place(entry, "smtp", "password"), "a password without a username", hint)
