"""Our mark: how a conversation is known as ours in the account's list (S12).

`conversation_name` always ends in ` [cb-XXXXXXXXXXXXXXXX-n]`: sixteen base32 characters of an HMAC
of the occurrence's key under a secret made with the ledger, and the attempt. A mark that this ledger
cannot have made is a stranger's. Nothing here knows the ledger or looks anything up.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

_MARK = re.compile(r" \[cb-([A-Z2-7]{16})-([1-9][0-9]{0,3})\]\Z")


def mark(secret: bytes, key: str) -> str:
    """The sixteen characters for an occurrence's key: 80 bits, so two never meet by chance."""
    digest = hmac.digest(secret, key.encode(), hashlib.sha256)
    return base64.b32encode(digest[:10]).decode()


def marked(name: str | None, of: str, attempt: int) -> str:
    """A conversation's name with the mark `of` its occurrence at the end."""
    return f"{name or 'Practice'} [{named(of, attempt)}]"


def named(of: str, attempt: int) -> str:
    """What one attempt of one occurrence is called, wherever that is said."""
    return f"cb-{of}-{attempt}"


def unmarked(name: str) -> str:
    """A conversation's name without the mark at its end."""
    return _MARK.sub("", name)


def read(name: str) -> tuple[str, int] | None:
    """The mark and the attempt at the end of a name, or `None` when there is none."""
    found = _MARK.search(name)
    return None if found is None else (found[1], int(found[2]))
