"""What may stand in a header, and how it is written there (S31).

Headers are written here character by character instead of by `email.policy`: Python 3.11 to 3.13 fold and
quote differently, and 3.11.7 turns an encoded word in a subject into a header of its own. What is hostile
is refused before it is encoded, and what is not plain ASCII becomes encoded words (RFC 2047), so that no
character of a roster or a template can end a line. Knows nothing of letters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from email.charset import Charset
from functools import lru_cache
from typing import NamedTuple

from jobs.errors import LetterError

FOLD = "\r\n "

_WORD_OCTETS = 45
"""Of UTF-8 in one encoded word: in base64 and with its frame within the 75 characters of RFC 2047."""
_PLAIN_CHARS = 60
"""What is longer is folded, and only encoded words can be folded anywhere."""
_HOSTILE = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode's controls, halves of surrogates, line and paragraph separators."""
_REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They make a text read as another one; right-to-left names do without them."""

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u0080-\U0010ffff]+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_SENDER = re.compile(
    r"""(?:"(?P<quoted>[^"\\]*)"|(?P<plain>[^"\\<>]*?))\s*<(?P<address>[^<>\s]+)>|(?P<bare>[^<>\s]+)"""
)


def is_fit(text: str) -> bool:
    """Whether a text may reach a header: no CR, LF, control or separator, and nothing that looks encoded."""
    if "=?" in text:
        return False
    if text.isascii():
        return text.isprintable()
    return not any(unicodedata.category(char) in _HOSTILE or char in _REORDERING for char in text)


def written(text: str) -> str:
    """A text that is fit, as a header's value: itself when it is short and ASCII, else encoded words."""
    plain = text.isascii() and len(text) <= _PLAIN_CHARS and text == text.strip()
    return text if plain else FOLD.join(_words(text))


def _words(text: str) -> Iterator[str]:
    """Encoded words, none of which splits a character."""
    charset = Charset("utf-8")
    piece, octets = "", 0
    for char in text:
        size = len(char.encode())
        if octets + size > _WORD_OCTETS:
            yield charset.header_encode(piece)
            piece, octets = "", 0
        piece, octets = piece + char, octets + size
    yield charset.header_encode(piece)


def mailbox(name: str, address: str) -> str:
    """`"Ana Ruiz" <ana@example.com>`; a name that isn't fit is left out. LetterError for a bad address."""
    at = on_the_wire(address)
    if not name.strip() or not is_fit(name):
        return at
    if name.isascii() and len(name) <= _PLAIN_CHARS:
        quoted = re.sub(r'(["\\])', r"\\\1", name)
        return f'"{quoted}" <{at}>'
    return f"{FOLD.join(_words(name))}{FOLD}<{at}>"


@lru_cache(maxsize=1024)
def on_the_wire(address: str) -> str:
    """An address as mail servers take it: its domain in ASCII (IDNA), its local part as it is.

    If that isn't ASCII, the server has to speak SMTPUTF8. Raises LetterError for what is no address, or
    not fit for a header; quoted local parts and address literals are among it.
    """
    local, _, domain = address.rpartition("@")
    host = _ascii_domain(domain)
    wire = f"{local}@{host}"
    if not host or not is_fit(address) or not _LOCAL.fullmatch(local) or not local.isprintable():
        raise LetterError("an address that is none, or can't stand in a header")
    if len(local) > 64 or len(wire) > 254:
        raise LetterError("an address is longer than mail allows")
    return wire


def _ascii_domain(domain: str) -> str:
    """The domain in ASCII; empty when it is none."""
    try:
        host = domain if domain.isascii() else domain.encode("idna").decode()
    except UnicodeError:
        return ""
    return host.lower() if all(map(_LABEL.fullmatch, host.split("."))) else ""


class Sender(NamedTuple):
    """Whom letters are from: the header, and the domain that message ids end in."""

    mailbox: str
    domain: str


@lru_cache(maxsize=8)
def sender(written_as: str) -> Sender:
    """What `Practice <practice@example.com>` says. Raises LetterError when it can't be a From."""
    found = _SENDER.fullmatch(written_as.strip())
    if found is None or not is_fit(written_as):
        raise LetterError("the sender of letters is no mailbox like `Practice <practice@example.com>`")
    address = found["address"] or found["bare"]
    at = mailbox((found["quoted"] or found["plain"] or "").strip(), address)
    return Sender(at, on_the_wire(address).rpartition("@")[2])
