"""What a mail server's answer, or its silence, means (S29). Pure.

An error of the SMTP library and the stage at which it came go in, a StepFailed comes out. 4xx and all that
happened before the letter was on its way may be tried again; 5xx to a letter may not; from DATA on, no
answer means that it may have arrived. What servers write is hostile: one short line of it is shown, without
addresses, links or anything that was to be hidden; where it may echo a password or the letter itself,
nothing but the codes.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterable
from enum import StrEnum
from socket import gaierror

from aiosmtplib import SMTPException, SMTPResponseException

from jobs.errors import Blame, Reason, StepFailed

LONGEST_SHOWN = 160
"""Characters of a server's text."""
LONGEST_WORD = 60
SHORTEST_HIDDEN = 4
"""Characters: shorter parts of a hidden text would take ordinary words apart."""

ERRORS = (SMTPException, OSError, UnicodeError, StepFailed)
"""What can go wrong outside; anything else is a fault of ours and stays one."""

CLOSING = 421
"""The server says goodbye; it may say so at any time (RFC 5321, section 3.8)."""


class Stage(StrEnum):
    """How far a try has come."""

    CONNECT = "connect"
    TLS = "tls"
    HELLO = "hello"
    AUTH = "auth"
    SENDER = "sender"
    RECIPIENT = "recipient"
    DATA = "data"

    @property
    def is_set_up(self) -> bool:
        """Whether what goes wrong here concerns every letter, and not this one."""
        return self in (Stage.CONNECT, Stage.TLS, Stage.HELLO, Stage.AUTH)


_PLACES = {
    Stage.CONNECT: "the connection",
    Stage.TLS: "TLS",
    Stage.HELLO: "the greeting",
    Stage.AUTH: "the login",
    Stage.SENDER: "the sender",
    Stage.RECIPIENT: "the recipient",
    Stage.DATA: "the letter",
}

_ECHOES = (Stage.AUTH, Stage.DATA)
"""Where a server's text may hold what we had just sent it."""

_BLAMES = {"1": Blame.ADDRESS, "2": Blame.ADDRESS, "3": Blame.SETUP, "5": Blame.SETUP, "7": Blame.SETUP}
"""By the subject of an enhanced code (RFC 3463): addresses and mailboxes; systems, protocol, policy."""

_OUR_ADDRESS = ("5.1.7", "5.1.8")
"""It is the sender's address that is bad (RFC 3463, section 3.2)."""

_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})\b")


def failure(stage: Stage, error: Exception, hidden: Iterable[str] = ()) -> StepFailed:
    """What is known after `error` came at `stage`. Holds nothing of the error itself."""
    place = _PLACES[stage]
    match error:
        case StepFailed():
            return error
        case SMTPResponseException(code=code, message=text):
            return _answered(stage, code, text, hidden)
        case TimeoutError():
            return _unanswered(stage, f"no answer from the mail server in time, at {place}")
    return _broken(stage, _root(error))


def stage_of(stage: Stage, error: Exception) -> Stage:
    """The stage that `error` is about: over implicit TLS, connecting and the handshake are one."""
    return Stage.TLS if stage is Stage.CONNECT and isinstance(_root(error), ssl.SSLError) else stage


def says_goodbye(error: Exception) -> bool:
    """Whether the connection is gone, or about to go, by the server's own doing."""
    if isinstance(error, SMTPResponseException):
        return error.code == CLOSING
    return isinstance(error, ConnectionError) and not isinstance(error, TimeoutError)


def goes_on(stage: Stage, error: Exception) -> bool:
    """Whether the connection is good for another letter: this one got a definite no, and no more."""
    if isinstance(error, SMTPResponseException):
        return not stage.is_set_up and 400 <= error.code < 600 and error.code != CLOSING
    return isinstance(error, StepFailed) and not stage.is_set_up


def not_offered(what: str) -> StepFailed:
    """The server can't do what our set-up asks of it."""
    return StepFailed(Reason.BUSY, f"the mail server offers no {what}", blame=Blame.SETUP)


def too_plain(extension: str) -> StepFailed:
    """The server can't take what this letter needs."""
    detail = f"the mail server lacks {extension}, which this address or letter needs"
    return StepFailed(Reason.REFUSED, detail, blame=Blame.ADDRESS)


def unwritable() -> StepFailed:
    """This is no address: what has another meaning in a command is never sent in one."""
    return StepFailed(Reason.REFUSED, "the address can't be written to", blame=Blame.ADDRESS)


def cleaned(text: str, hidden: Iterable[str] = ()) -> str:
    """A server's text as one short line, without what looks like an address, a link or a token."""
    pieces = {piece.casefold() for each in hidden for piece in re.split(r"[\W_]+", each)}
    telling = [piece for piece in pieces if len(piece) >= SHORTEST_HIDDEN]
    line = "".join(char if char.isprintable() else " " for char in text)
    words = ("[...]" if _tells(word.casefold(), telling) else word for word in line.split())
    return " ".join(words)[:LONGEST_SHOWN]


def _tells(word: str, telling: Iterable[str]) -> bool:
    if "@" in word or "://" in word or len(word) > LONGEST_WORD:
        return True
    return any(piece in word for piece in telling)


def _answered(stage: Stage, code: int, text: str, hidden: Iterable[str]) -> StepFailed:
    found = _ENHANCED.match(text)
    enhanced = found[1] if found else ""
    shown = enhanced if stage in _ECHOES else cleaned(text, hidden)
    detail = f"the mail server turned {_PLACES[stage]} away: {code} {shown}".rstrip()
    if 400 <= code < 500:
        return StepFailed(Reason.BUSY, detail)
    if not 500 <= code < 600:
        return _unanswered(stage, f"the mail server's answer can't be read, at {_PLACES[stage]}")
    if stage.is_set_up:
        return StepFailed(Reason.BUSY, detail, blame=Blame.SETUP)
    return StepFailed(Reason.REFUSED, detail, blame=_blame(stage, enhanced))


def _blame(stage: Stage, enhanced: str) -> Blame:
    """Whose a 5xx is: told by its enhanced code, else by what it answers."""
    if enhanced in _OUR_ADDRESS:
        return Blame.SETUP
    by_stage = Blame.ADDRESS if stage is Stage.RECIPIENT else Blame.SETUP
    return _BLAMES.get(enhanced.split(".")[1], by_stage) if enhanced else by_stage


def _unanswered(stage: Stage, detail: str) -> StepFailed:
    return StepFailed(Reason.LOST if stage is Stage.DATA else Reason.BUSY, detail)


def _root(error: BaseException) -> BaseException:
    """The library wraps what the system said; its own text repeats host and port."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def _broken(stage: Stage, root: BaseException) -> StepFailed:
    match root:
        case ssl.SSLCertVerificationError():
            detail = f"the mail server's certificate is not accepted: {cleaned(root.verify_message)}"
            return StepFailed(Reason.BUSY, detail, blame=Blame.SETUP)
        case ssl.SSLError():
            return _unanswered(stage, f"no TLS with the mail server: {cleaned(root.reason or 'broken off')}")
        case gaierror() | UnicodeError():
            return StepFailed(Reason.BUSY, "the mail server's name can't be resolved")
        case ConnectionRefusedError():
            return StepFailed(Reason.BUSY, "the mail server refused the connection")
        case _ if stage is Stage.CONNECT and isinstance(root, OSError):
            return StepFailed(
                Reason.BUSY, f"the mail server can't be reached: {root.strerror or 'no way there'}"
            )
    return _unanswered(stage, f"the connection to the mail server was lost, at {_PLACES[stage]}")
