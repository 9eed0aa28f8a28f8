"""The keys of `conversation`, built from the request's own fields.

`jobs.model` is the only list of what the API takes; this turns its types into kinds of text, and
what was read back into the request. What the API makes of a value is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import GetCoreSchemaHandler, create_model
from pydantic_core import CoreSchema

from jobs.model import ConversationRequest, Properties, Seconds
from scheduler.config.fields import Boolean, Duration, OneOrMany, Strict, Text, WebUrl, whole, words

_URLS = ("callback_url", "meeting_url")
_SPELLING = "write {}; `ids: pal` at `account` sends it in the newer spelling"


class _Request(Strict):
    hints: ClassVar[Mapping[str, str]] = {
        "pal_id": _SPELLING.format("persona_id"),
        "face_id": _SPELLING.format("replica_id"),
    }


def _types(holder: type) -> Iterator[tuple[str, Any]]:
    """(field, type) without the `None` of what may be left out."""
    for name, hint in get_type_hints(holder, include_extras=True).items():
        if get_origin(hint) in (Union, UnionType):
            (hint,) = (part for part in get_args(hint) if part is not NoneType)
        yield name, hint


def _kind(name: str, hint: Any) -> Any:
    """The kind of text for one field."""
    origin, parts = get_origin(hint), get_args(hint)
    if hint == Seconds:
        return Duration
    if origin is Annotated:  # a bound in words, "at least 2"
        return Annotated[int, whole(int(parts[1].rpartition(" ")[2]))]
    if origin is Literal:
        return Annotated[str, words(parts)]
    if origin is tuple:
        return Annotated[list[Text], OneOrMany("at least one text")]
    if origin is Mapping:
        return dict[Text, Text]
    if name in _URLS:
        return WebUrl
    return (
        _model("Properties", Properties, Strict) if hint is Properties else {bool: Boolean, str: Text}[hint]
    )


def _model(name: str, holder: type, base: type[Strict]) -> type[Strict]:
    keys: dict[str, Any] = {key: (_kind(key, hint) | None, None) for key, hint in _types(holder)}
    return create_model(name, __base__=base, **keys)


ConversationKeys = _model("Conversation", ConversationRequest, _Request)


@dataclass(frozen=True)
class _Built:
    """Reads a mapping by the model that was built above, which a type checker can't see."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return handler.generate_schema(ConversationKeys)


Conversation = Annotated[Strict, _Built()]

TEXT_KEYS = frozenset(
    key
    for holder in (ConversationRequest, Properties)
    for key, hint in _types(holder)
    if hint in (str, tuple[str, ...]) or get_origin(hint) is Mapping
)
"""The keys at which a person writes words, so that a `#` or a `null` may be meant as such."""


def request(read: Strict | None) -> ConversationRequest:
    """The request that was written; what was left out has the request's own defaults (S22)."""
    written = _written(read)
    properties = Properties(**_written(written.pop("properties", None)))
    return ConversationRequest(**written, properties=properties)


def _written(read: Strict | None) -> dict[str, Any]:
    found = {key: getattr(read, key) for key in read.model_fields_set} if read is not None else {}
    return {key: tuple(value) if isinstance(value, list) else value for key, value in found.items()}
