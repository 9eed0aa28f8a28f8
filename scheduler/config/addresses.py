"""What texts mean that name a place in the network: e-mail addresses, hosts, URLs.

As in `scalars`, each function takes the text as it was written and returns its value, or raises
Misread. Nobody is asked whether a place exists. A webhook's URL is a secret (semantics, section 7):
what is said of one never repeats it.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from jobs.loopback import is_loopback
from scheduler.config.scalars import Misread
from scheduler.model import Listen

LONGEST_ADDRESS = 254
LONGEST_URL = 2000
LAST_PORT = 65_535

_LOCAL = re.compile(r"[^\s@.,;:<>()\[\]\\\"]+(?:\.[^\s@.,;:<>()\[\]\\\"]+)*")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_-]{1,63})*")
_SENDER = re.compile(r'\s*(?:"(?P<quoted>[^"\\]*)"|(?P<plain>[^"\\<>@]*?))\s*<(?P<address>[^<>]*)>\s*')
_SPECIAL = re.compile(r"""[()<>\[\]:;@\\,."]""")
"""What may stand in a display name only between quotes (RFC 5322, 3.2.3)."""
_URL = re.compile(r"[A-Za-z0-9!#$%&'()*+,./:;=?@\[\]_~-]+")


def email(text: str) -> str:
    """`ana@example.com`: nothing that could become a header or a second address (S31).

    A domain may be international, if IDNA has an ASCII form of it.
    """
    local, _, domain = text.rpartition("@")
    if len(text) > LONGEST_ADDRESS or len(local) > 64 or not text.isprintable() or "=?" in text:
        raise Misread
    if not _LOCAL.fullmatch(local) or _ascii_domain(domain) is None:
        raise Misread
    return text


def sender(text: str) -> str:
    """`practice@example.com` or `Practice <practice@example.com>`, as it stands in a From header.

    A display name is put in quotes where it needs them. The address is plain ASCII: every server
    takes it.
    """
    if not text.isprintable() or "=?" in text or len(text) > 2 * LONGEST_ADDRESS:
        raise Misread
    named = _SENDER.fullmatch(text)
    address = _ascii_address(named["address"] if named else text)
    name = (named["quoted"] or named["plain"] or "").strip() if named else ""
    if not name:
        return address
    return f'"{name}" <{address}>' if _SPECIAL.search(name) else f"{name} <{address}>"


def _ascii_address(text: str) -> str:
    address = email(text)
    if not address.isascii():
        local, _, domain = address.rpartition("@")
        hint = f"write the domain as {_ascii_domain(domain)}" if local.isascii() else None
        raise Misread("the sender's address is written in ASCII", hint)
    return address


def _ascii_domain(text: str) -> str | None:
    """The domain as DNS has it, or None if it can't be one."""
    try:
        plain = text if text.isascii() else text.encode("idna").decode("ascii")
        if "xn--" in plain.lower():
            plain.encode("ascii").decode("idna")  # what looks encoded must be so
    except UnicodeError:
        return None
    return plain if len(plain) <= 253 and _DOMAIN.fullmatch(plain) else None


def host(text: str) -> str:
    """A host's name or IP address, without a scheme or a port."""
    if _is_ip(text):
        return text
    if "/" in text:
        raise Misread(hint="write the host's name alone, without a scheme or a path")
    if re.fullmatch(r"[^:]*:[0-9]+", text):
        raise Misread(hint="the port stands at `port`")
    if len(text) > 253 or not _HOST.fullmatch(text) or text.rpartition(".")[2].isdecimal():
        raise Misread
    return text


def listen(text: str) -> Listen:
    """`127.0.0.1:8710`, `localhost:8710` or `[::1]:8710`: a host and a port, both of them."""
    if "://" in text:
        raise Misread(hint="write the host and the port alone, without a scheme")
    name, colon, port = text.rpartition(":")
    if text.isdecimal() or (colon and not name):
        raise Misread(hint=f"write 127.0.0.1:{port}")
    if not colon or not re.fullmatch(r"[1-9][0-9]{0,4}", port) or int(port) > LAST_PORT:
        raise Misread
    if name.startswith("[") and name.endswith("]"):
        name = name[1:-1]
        if not _is_ip(name):
            raise Misread
    elif ":" in name:
        raise Misread(hint='an IPv6 address stands in brackets: "[::1]:8710"')
    return Listen(host(name), int(port))


def web_url(text: str) -> str:
    """An http(s) URL, or a template of which nobody knows yet."""
    if "{{" not in text and not re.match(r"https?://[^\s/]", text):
        raise Misread
    return text


def base_url(text: str) -> str:
    """https; http for loopback only (semantics, section 7). Without a slash at the end."""
    parts = _parts(text)
    if parts is None or re.search(r"\s", text):
        raise Misread
    if parts.username is not None or parts.query or parts.fragment:
        raise Misread("a base URL has no user, query or fragment")
    _guarded(parts)
    return text.rstrip("/")


def hook_url(text: str) -> str:
    """https; http for loopback only. No message holds any of it."""
    parts = _parts(text)
    if parts is None or len(text) > LONGEST_URL or not _URL.fullmatch(text):
        raise Misread("expected a URL such as https://example.com/hook")
    if parts.username is not None or parts.fragment:
        raise Misread("a webhook's URL has no user and no fragment")
    _guarded(parts)
    return text


def _parts(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text)
        name, _ = parts.hostname, parts.port
    except ValueError:
        return None
    return parts if parts.scheme in ("http", "https") and name else None


def _guarded(parts: SplitResult) -> None:
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise Misread("http is for this machine only (127.0.0.1, localhost)", "write https://")


def _is_ip(text: str) -> bool:
    try:
        return bool(ip_address(text))
    except ValueError:
        return False
