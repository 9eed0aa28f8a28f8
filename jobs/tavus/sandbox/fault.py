"""What can go wrong, as values: a closed set of kinds, each with the parameters it reads. Nothing is done
here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from pydantic import ConfigDict, TypeAdapter, ValidationError


class Kind(StrEnum):
    """Every fault there is; README.md beside this file says what each does."""

    STATUS = "status"
    FULL = "full"
    REDIRECT = "redirect"
    HANG = "hang"
    DROP = "drop"
    TRUNCATED = "truncated"
    HTML = "html"
    WRONG_JSON = "wrong_json"
    HUGE = "huge"
    GZIP_BOMB = "gzip_bomb"
    SLOW = "slow"
    SKEWED = "skewed"
    LIST_LAG = "list_lag"
    LIST_ORDER = "list_order"
    WEBHOOK_FIRST = "webhook_first"
    WEBHOOK_TWICE = "webhook_twice"
    WEBHOOK_LATE = "webhook_late"
    WEBHOOK_LOST = "webhook_lost"


class Operation(StrEnum):
    """What a fault applies to; `any` is any API request, and no webhook."""

    CREATE = "create"
    LIST = "list"
    GET = "get"
    END = "end"
    DELETE = "delete"
    PERSONA = "persona"
    REPLICA = "replica"
    ANY = "any"
    WEBHOOK = "webhook"


class When(StrEnum):
    """Before the request is even read, or after it took effect: a conversation was made, or ended."""

    BEFORE = "before"
    AFTER = "after"


class Wrong(StrEnum):
    """What is wrong with a JSON answer."""

    NO_ID = "no_id"
    NO_URL = "no_url"
    TYPES = "types"
    ARRAY = "array"
    NULL = "null"


class ListOrder(StrEnum):
    """How a list is ordered instead of newest first; a shuffle stays the same over pages."""

    OLDEST = "oldest"
    SHUFFLED = "shuffled"


class Shape(NamedTuple):
    """The parameters that a kind reads, and the moments at which it can strike, the default first.
    A shaper changes how an answer comes about; anything else takes its place, one at a time."""

    reads: frozenset[str]
    whens: tuple[When, ...]
    shaper: bool = False


_EITHER = (When.BEFORE, When.AFTER)
_AFTER = (When.AFTER,)
_STATUS = frozenset({"status", "retry_after", "body", "content_type"})

SHAPES: Mapping[Kind, Shape] = MappingProxyType(
    {
        Kind.STATUS: Shape(_STATUS, _EITHER),
        Kind.FULL: Shape(frozenset(), (When.BEFORE,)),
        Kind.REDIRECT: Shape(frozenset({"location"}), _EITHER),
        Kind.HANG: Shape(frozenset(), _EITHER),
        Kind.DROP: Shape(frozenset(), _EITHER),
        Kind.TRUNCATED: Shape(frozenset(), _AFTER),
        Kind.HTML: Shape(frozenset(), (When.AFTER, When.BEFORE)),
        Kind.WRONG_JSON: Shape(frozenset({"wrong"}), _AFTER),
        Kind.HUGE: Shape(frozenset({"size_bytes"}), _AFTER),
        Kind.GZIP_BOMB: Shape(frozenset({"size_bytes"}), _AFTER),
        Kind.SLOW: Shape(frozenset({"seconds"}), _EITHER, shaper=True),
        Kind.SKEWED: Shape(frozenset({"seconds"}), _AFTER, shaper=True),
        Kind.LIST_LAG: Shape(frozenset({"seconds"}), _AFTER, shaper=True),
        Kind.LIST_ORDER: Shape(frozenset({"order"}), _AFTER, shaper=True),
        Kind.WEBHOOK_FIRST: Shape(frozenset(), _AFTER, shaper=True),
        Kind.WEBHOOK_TWICE: Shape(frozenset(), _AFTER),
        Kind.WEBHOOK_LATE: Shape(frozenset({"seconds"}), _AFTER),
        Kind.WEBHOOK_LOST: Shape(frozenset(), _AFTER),
    }
)

_EVERY_KIND = frozenset({"kind", "operation", "count", "probability", "seed", "when"})

_ONLY_FOR: Mapping[Kind, Operation] = MappingProxyType(
    {
        Kind.LIST_LAG: Operation.LIST,
        Kind.LIST_ORDER: Operation.LIST,
        Kind.FULL: Operation.CREATE,
        Kind.WEBHOOK_FIRST: Operation.CREATE,
        Kind.WEBHOOK_TWICE: Operation.WEBHOOK,
        Kind.WEBHOOK_LATE: Operation.WEBHOOK,
        Kind.WEBHOOK_LOST: Operation.WEBHOOK,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault. It strikes the next `count` requests of its operation (None: for ever), each with
    `probability`, by dice of its own from `seed`. `when` left out means the kind's usual moment.

    `retry_after` is sent as it stands: seconds, a date or nonsense. Raises ValueError for a parameter that
    its kind doesn't read, or a moment or an operation that makes no sense for it.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    kind: Kind
    operation: Operation = Operation.ANY
    count: int | None = 1
    probability: float = 1.0
    seed: int = 0
    when: When | None = None
    status: int = 500
    retry_after: str | None = None
    body: str | None = None
    content_type: str = "application/json"
    location: str | None = None
    seconds: float = 1.0
    order: ListOrder = ListOrder.OLDEST
    wrong: Wrong = Wrong.NO_ID
    size_bytes: int = 16 * 1024 * 1024

    def __post_init__(self) -> None:
        idle = self._set() - _EVERY_KIND - SHAPES[self.kind].reads
        if idle:
            raise ValueError(f"{self.kind} doesn't read {', '.join(sorted(idle))}")
        if self.when is not None and self.when not in SHAPES[self.kind].whens:
            raise ValueError(f"{self.kind} can't strike {self.when}")
        if not self._may_strike(self.operation):
            raise ValueError(f"{self.kind} can't strike {self.operation}")
        if not 0 <= self.probability <= 1 or not (self.count is None or self.count > 0):
            raise ValueError("probability is from 0 to 1, count at least 1 or null")
        if not 200 <= self.status <= 599 or self.size_bytes < 0:
            raise ValueError("status is from 200 to 599, size_bytes at least 0")

    @property
    def strikes(self) -> When:
        """The moment at which it strikes."""
        return self.when or SHAPES[self.kind].whens[0]

    def applies_to(self, operation: Operation) -> bool:
        """Whether a request (or webhook) of this operation can be struck."""
        return self._may_strike(operation) and self.operation in (operation, Operation.ANY)

    def _may_strike(self, operation: Operation) -> bool:
        only = _ONLY_FOR.get(self.kind)
        if only is None:
            return operation != Operation.WEBHOOK
        return operation in (only, Operation.ANY)

    def _set(self) -> set[str]:
        return {field.name for field in fields(self) if getattr(self, field.name) != field.default}


_READER = TypeAdapter(list[Fault])
_WRITER = TypeAdapter(Fault)


def read_faults(raw: bytes) -> list[Fault]:
    """One fault, or an array of them, as JSON. Raises ValueError in one line with the first thing wrong."""
    try:
        return _READER.validate_json(raw if raw.lstrip().startswith(b"[") else b"[" + raw + b"]")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ValueError(f"{'.'.join(map(str, first['loc'][1:])) or 'fault'}: {first['msg']}") from None


def as_json(fault: Fault) -> dict[str, Any]:
    """What was said of the fault, as `read_faults` reads it: parameters at their defaults are left out."""
    said: dict[str, Any] = _WRITER.dump_python(fault, mode="json", exclude_defaults=True)
    return said
