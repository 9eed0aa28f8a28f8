"""Facts as the ledger keeps them: a kind and a JSON object, and back.

A join link stands once, beside the record, and nowhere in its story: a fact only keeps whether there
was one, since a replay must come to the same record.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from enum import StrEnum
from types import UnionType
from typing import Any, get_args, get_type_hints

from jobs.model import Address
from scheduler.facts import KINDS, Fact

_HINTS: Mapping[type, Mapping[str, Any]] = {kind: get_type_hints(kind) for kind in KINDS.values()}
_LINK = "url"
_ENCODER = json.JSONEncoder(separators=(",", ":"))

KEPT_ELSEWHERE = "(kept with the record)"
"""Stands for a join link."""


def encode(fact: Fact, addresses: tuple[Address, ...] = ()) -> str:
    """The fact's data as JSON; with the addresses that it opened deliveries to, if any."""
    data = {name: _plain(getattr(fact, name)) for name in _HINTS[type(fact)]}
    if data.get(_LINK):
        data[_LINK] = KEPT_ELSEWHERE
    if addresses:
        data["addresses"] = [_plain(address) for address in addresses]
    return _ENCODER.encode(data)


def decode(kind: str, data: str) -> tuple[Fact, tuple[Address, ...]]:
    """The fact of this kind, without its join link, and its addresses."""
    values = json.loads(data)
    addresses = tuple(Address(*pair) for pair in values.pop("addresses", ()))
    of = KINDS[kind]
    known = ((name, hint) for name, hint in _HINTS[of].items() if name in values)  # an older ledger has fewer
    fact: Fact = of(**{name: _typed(hint, values[name]) for name, hint in known})
    return fact, addresses


def _plain(value: Any) -> Any:
    if isinstance(value, Address):
        return [value.channel, value.target]
    return str(value) if isinstance(value, StrEnum) else value


def _typed(hint: Any, value: Any) -> Any:
    if value is None or not isinstance(hint, type | UnionType):
        return value
    kinds = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    for kind in kinds:
        if kind is Address:
            return Address(*value)
        if dataclasses.is_dataclass(kind) or issubclass(kind, StrEnum):
            return kind(value)
    return value
