"""Single values out of an answer, each checked before anybody trusts it.

An answer is a stranger's text: an id becomes part of a path, a link is shown to people, a time
starts clocks, a message is logged. Every reader here takes any object and returns the value, or
`None` when it isn't one; none raises. What a missing value means is decided by whoever asked.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from jobs.model import Instant

LONGEST_ID = 128
LONGEST_LINK = 4096
LONGEST_LINE = 200

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LINK = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)


def is_id(text: str) -> bool:
    """Whether `text` can be an id. Ids are opaque, but they stand in paths: 1 to 128 characters
    without blanks, controls or slashes, and never a path's dots."""
    return len(text) <= LONGEST_ID and _is_word(text) and "/" not in text and text not in (".", "..")


def opaque_id(value: object) -> str | None:
    """An id as `is_id` wants it."""
    return value if isinstance(value, str) and is_id(value) else None


def token(value: object) -> str | None:
    """One unbroken word of at most 4096 characters, such as a JWT."""
    return value if isinstance(value, str) and len(value) <= LONGEST_LINK and _is_word(value) else None


def link(value: object) -> str | None:
    """An http(s) address with a host, without blanks or controls, of at most 4096 characters."""
    text = token(value)
    if text is None:
        return None
    try:
        parts = urlsplit(text)
        reachable = parts.hostname and parts.port != 0
    except ValueError:
        return None
    return text if reachable and parts.scheme in ("http", "https") else None


def instant(value: object) -> Instant | None:
    """An ISO 8601 time as seconds since the epoch, never before it (an unset year 1 is no time);
    without an offset it is UTC, as the API's are."""
    if not isinstance(value, str):
        return None
    try:
        at = _since_epoch(datetime.fromisoformat(value))
    except (ValueError, OverflowError):
        return None
    return at if at >= 0 else None


def http_date(text: str | None) -> Instant | None:
    """The time of a `Date` or `Retry-After` header (RFC 9110, section 5.6.7)."""
    try:
        return _since_epoch(parsedate_to_datetime(text)) if text else None
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def count(value: object) -> int | None:
    """A whole number, zero or more."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def text(value: object) -> str:
    """Any text, made fit for storage (no lone surrogates); empty when it isn't text."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def line(value: object) -> str:
    """Text as one printable line of at most 200 characters, links taken out; empty when it isn't text."""
    if not isinstance(value, str):
        return ""
    printable = "".join(c if c.isprintable() else " " for c in value)
    return " ".join(_LINK.sub("(link)", printable).split())[:LONGEST_LINE]


def _is_word(value: str) -> bool:
    return bool(value) and value.isprintable() and not any(c.isspace() for c in value)


def _since_epoch(moment: datetime) -> Instant:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH).total_seconds()
