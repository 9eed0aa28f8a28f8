"""The signature of a webhook, as Standard Webhooks 1.0.0 has it. Pure.

Three headers tell which event this is, when it was sent, and that whoever sent it knows the secret and
wrote this body. Where a secret comes from and who checks the signature are not known here.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from hashlib import sha256
from hmac import digest

from jobs.model import Instant

PREFIX = "whsec_"
SHORTEST_KEY, LONGEST_KEY = 24, 64
"""Bytes, as the specification has it."""

_EVENT_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


def signing_key(secret: str) -> bytes:
    """The bytes that a secret stands for: `whsec_` and, in base64, 24 to 64 random bytes.

    Nothing else is taken: of a text without the prefix receivers' libraries make other bytes than one
    would think. Raises ValueError with a text for people that holds nothing of the secret.
    """
    try:
        key = b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or not SHORTEST_KEY <= len(key) <= LONGEST_KEY:
        raise ValueError(
            f"its secret is not {PREFIX} with {SHORTEST_KEY} to {LONGEST_KEY} bytes in base64 after it"
        )
    return key


def is_event_id(value: object) -> bool:
    """Whether this can be signed as an id: a dot in it would let two events have one signature."""
    return isinstance(value, str) and _EVENT_ID.fullmatch(value) is not None


def signed(event_id: str, at: Instant, body: bytes, key: bytes) -> dict[str, str]:
    """The three headers of one try at `at`. The id stays the same over retries, the rest doesn't."""
    moment = str(int(at))
    signature = digest(key, f"{event_id}.{moment}.".encode() + body, sha256)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{b64encode(signature).decode()}",
    }
