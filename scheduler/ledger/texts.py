"""Texts that PostgreSQL can't store, and lists of texts: how they go there and come back the same.

Its texts hold neither a NUL nor half of a surrogate pair, and people and services may send both. Each becomes
`\\ufdd0`, which is no character and so in nobody's text, and its number in four hex digits. Nothing else is
changed, and so what is ordinary is found and ordered as it is.
"""

from __future__ import annotations

import re
from typing import Any

from psycopg import Connection
from psycopg.adapt import Dumper, Loader

from scheduler.ledger.driver import Listed

_MARK = "\ufdd0"
_MARK_BYTES = _MARK.encode()
_UNFIT = re.compile(f"[\0\ud800-\udfff{_MARK}]")
_HIDDEN = re.compile(f"{_MARK}([0-9a-f]{{4}})")
_QUOTED = re.compile(rb'(["\\])')
_TEXT_ARRAY_OID = 1009


class _TextDumper(Dumper):
    def dump(self, obj: str) -> bytes:
        """The text in UTF-8."""
        return _fit(obj)


class _ListDumper(Dumper):
    oid = _TEXT_ARRAY_OID

    def dump(self, obj: Listed) -> bytes:
        """An array of texts, each in quotes."""
        return b"{%s}" % b",".join(b'"%s"' % _QUOTED.sub(rb"\\\1", _fit(text)) for text in obj)


class _TextLoader(Loader):
    def load(self, data: bytes | bytearray | memoryview) -> str:
        """The text as it was given."""
        raw = bytes(data)
        text = raw.decode()
        return _HIDDEN.sub(lambda found: chr(int(found[1], 16)), text) if _MARK_BYTES in raw else text


def adapt(connection: Connection[Any]) -> None:
    """Have this connection take and give such texts."""
    connection.adapters.register_dumper(str, _TextDumper)
    connection.adapters.register_dumper(Listed, _ListDumper)
    connection.adapters.register_loader("text", _TextLoader)


def _fit(text: str) -> bytes:
    return _UNFIT.sub(lambda found: f"{_MARK}{ord(found[0]):04x}", text).encode()
