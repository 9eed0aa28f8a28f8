"""The environment and the secrets: the only room that reads `os.environ`.

A secret is looked up in systemd's credentials, then in the file that `NAME_FILE` names, then in
`NAME` itself (semantics, section 7); never in YAML. Its value never shows in a repr, an error or a
format; `Redaction` takes it out of any other text. No secret is kept here: whoever needs one reads
it and holds it. Which secrets there are, and what the defaults of a setting are, is not known here.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import quote

ENVIRONMENT = (
    "CALLBOARD_CONFIG",
    "CALLBOARD_LEDGER",
    "CALLBOARD_LOG",
    "CREDENTIALS_DIRECTORY",
    "NOTIFY_SOCKET",
    "PGPASSWORD",
    "PGPASSWORD_FILE",
    "TAVUS_API_KEY",
    "TAVUS_API_KEY_FILE",
)
"""Every variable that is read, but for those that a configuration names itself (`{env: NAME}`)."""

NO_BREAK = "\u00a0"
"""The blank that comes along when a password is copied from a web page."""

REDACTED = "[redacted]"
LONGEST_SECRET_BYTES = 8192
SHORTEST_REDACTED = 4
"""Characters; a shorter value would take ordinary words apart, and is no secret anyway."""


class SettingsError(Exception):
    """A variable or a secret can't be used. The text is one line for people, and holds no value."""


class LogStyle(StrEnum):
    """How log lines are written."""

    CONSOLE = "console"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says about this process; `None` where it says nothing."""

    config: str | None
    ledger: str | None
    log: LogStyle | None
    notify: str | None = None
    """Where the supervisor listens (`notifying`)."""


class Secret:
    """A value that shows itself only to `reveal`.

    `origin` tells people where it came from; `warning` is one line about that place, or `None`.
    """

    __slots__ = ("_value", "origin", "warning")

    def __init__(self, value: str, origin: str, warning: str | None = None) -> None:
        self._value = value
        self.origin = origin
        self.warning = warning

    def reveal(self) -> str:
        """The value itself."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({self.origin})"

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)


def read_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """The process's own settings; empty counts as unset. Raises SettingsError."""
    return Settings(
        config=environ.get("CALLBOARD_CONFIG") or None,
        ledger=environ.get("CALLBOARD_LEDGER") or None,
        log=_log_style(environ.get("CALLBOARD_LOG", "")),
        notify=environ.get("NOTIFY_SOCKET") or None,
    )


def read_secret(source: str, name: str, environ: Mapping[str, str] = os.environ) -> Secret:
    """The secret that a configuration refers to as `{env: name}` or `{file: name}` (a path).

    One newline at the end is dropped. Raises SettingsError when it is nowhere, can't be read, is
    empty, or holds blanks or control characters.
    """
    secret = _found(source, name, environ)
    if " " in secret.reveal() or not secret.reveal().isprintable():
        raise SettingsError(f"{secret.origin} holds a blank, a line break or a control character")
    return secret


def read_password(source: str, name: str, environ: Mapping[str, str] = os.environ) -> Secret:
    """As `read_secret`, for what people choose and type: there may be blanks in it, but not around it."""
    secret = _found(source, name, environ)
    value = secret.reveal()
    if value != value.strip() or not value.replace(NO_BREAK, " ").isprintable():
        complaint = "begins or ends with a blank, or holds a line break or a control character"
        raise SettingsError(f"{secret.origin} {complaint}")
    return secret


def find_password(name: str, environ: Mapping[str, str] = os.environ) -> Secret | None:
    """As `read_password` of `{env: name}`; `None` where nobody set it. Empty counts as unset."""
    set_ = environ.get(name) or environ.get(f"{name}_FILE") or _credential(name, environ)
    return read_password("env", name, environ) if set_ else None


class Redaction:
    """Takes the values of secrets out of any text; more of them may become known, none is forgotten."""

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        self._longest_first: tuple[str, ...] = ()
        self.learn(secrets)

    def learn(self, secrets: Iterable[Secret]) -> None:
        """Take these out too, from now on."""
        known = {spelling for secret in secrets for spelling in _spellings(secret.reveal())}
        # A value that holds another must not leave its rest behind.
        self._longest_first = tuple(sorted({*self._longest_first, *known}, key=len, reverse=True))

    def __call__(self, text: str) -> str:
        """The text without any of the values, also as JSON or a URL would spell them."""
        for spelling in self._longest_first:
            text = text.replace(spelling, REDACTED)
        return text


def _log_style(word: str) -> LogStyle | None:
    if not word:
        return None
    try:
        return LogStyle(word)
    except ValueError:
        raise SettingsError(f"CALLBOARD_LOG is {word!r}; it can be console or json") from None


def _found(source: str, name: str, environ: Mapping[str, str]) -> Secret:
    return _from_file(Path(name)) if source == "file" else _from_environment(name, environ)


def _from_environment(name: str, environ: Mapping[str, str]) -> Secret:
    if credential := _credential(name, environ):
        # The directory is closed to others, whatever the file's own mode says.
        return Secret(_read(Path(credential)), credential)
    if path := environ.get(f"{name}_FILE"):
        return _from_file(Path(path), f"{name}_FILE: ")
    if name not in environ:
        raise SettingsError(f"{name} is not set, nor is {name}_FILE, and no systemd credential has its name")
    return Secret(_whole(environ[name], name), name)


def _credential(name: str, environ: Mapping[str, str]) -> str | None:
    path = os.path.join(environ.get("CREDENTIALS_DIRECTORY", ""), name)
    return path if os.path.isabs(path) and os.path.isfile(path) else None


def _from_file(path: Path, named_by: str = "") -> Secret:
    try:
        value = _read(path)
    except SettingsError as error:
        raise SettingsError(f"{named_by}{error}") from None
    warning = f"{path} can be read by everybody; chmod 600 it" if _open_to_all(path) else None
    return Secret(value, str(path), warning)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(LONGEST_SECRET_BYTES + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise SettingsError(f"{path} can't be read: {why}") from None
    if len(raw) > LONGEST_SECRET_BYTES:
        raise SettingsError(f"{path} is longer than {LONGEST_SECRET_BYTES} bytes, too long for a secret")
    # Bytes that are no text become unprintable, and are refused as such: a decoding error would hold
    # the value.
    return _whole(raw.decode(errors="surrogateescape"), str(path))


def _open_to_all(path: Path) -> bool:
    return bool(path.stat().st_mode & stat.S_IROTH)


def _whole(raw: str, origin: str) -> str:
    value = raw.removesuffix("\n").removesuffix("\r")
    if not value:
        raise SettingsError(f"{origin} is empty")
    return value


def _spellings(value: str) -> set[str]:
    quoted = (json.dumps(value), json.dumps(value, ensure_ascii=False))
    found = {value, quote(value, safe=""), *(text[1:-1] for text in quoted)}
    return {spelling for spelling in found if len(spelling) >= SHORTEST_REDACTED}
