"""A directory instead of a mail server: each letter becomes a file, for trying out.

`.eml` files open in any mail program. They hold join links, so they are the owner's alone. Nothing is ever
removed here, and nothing is sent.
"""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from jobs.errors import Reason, StepFailed
from jobs.model import Deliver, Delivered

LONGEST_KEY = 120
"""Characters of a key in a file's name."""


class Sink:
    """Delivers by writing `directory/KEY-HASH.eml`, mode 0600; a missing directory is made with 0700.

    What isn't a letter but a post gets a `suffix` of its own.
    """

    def __init__(self, directory: Path, suffix: str = ".eml") -> None:
        self._directory = directory
        self._suffix = suffix

    async def deliver(self, step: Deliver) -> Delivered:
        """Write the letter; the same letter again is the same file. Raises StepFailed(BUSY) when it can't
        be written, and REFUSED when there is none."""
        if step.message is None:
            raise StepFailed(Reason.REFUSED, "there is no letter to hand over")
        name = f"{_stem(step.key, step.address.target, step.message)}{self._suffix}"
        failed = await asyncio.to_thread(_write, self._directory, name, step.message)
        if failed is not None:
            raise StepFailed(Reason.BUSY, f"the letter can't be written to the mail sink: {failed}")
        return Delivered(step.address)


def _stem(key: str, target: str, message: bytes) -> str:
    """A name that no key can lead out of the directory, or hide, or make too long."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", key).lstrip(".")[:LONGEST_KEY]
    digest = sha256(b"\0".join((key.encode(), target.encode(), message))).hexdigest()
    return f"{plain}-{digest[:12]}"


def _write(directory: Path, name: str, message: bytes) -> str | None:
    """A whole file or none; gives the system's word when it can't be."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=directory, prefix=".", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(message)
            os.replace(part, directory / name)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(part)
    except OSError as error:
        return error.strerror or type(error).__name__
    return None
