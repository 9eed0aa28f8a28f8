"""How the texts of a file become the fields of pydantic models, and what an editor is told of them.

A `Kind` joins a reader of single texts to the words for what it expects and to its JSON Schema.
`Strict` is the ground of every model. Which keys there are is said in `models`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Annotated, Any, ClassVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    Tag,
    ValidationInfo,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from scheduler.config import addresses, cron, scalars, zones
from scheduler.config.scalars import Misread
from scheduler.model import Cron, Listen, Rate, SecretRef

Shape = Mapping[str, Any]
"""A piece of JSON Schema."""

TEXT: Shape = {"type": ["string", "number", "boolean"]}
"""An editor resolves plain scalars (`007`, `no`); here they are text all the same."""


class Plain(dict[str, Any]):
    """A mapping as it was read; `place` tells which one it is (see `reading`)."""

    place: object = None


@dataclass(frozen=True, slots=True)
class Told:
    """What was wrong with one value: in words of its own, or only what was expected."""

    expected: str
    error: Misread | None

    @property
    def hint(self) -> str | None:
        """Worked out only when somebody asks."""
        hint = self.error.hint if self.error else None
        return hint() if callable(hint) else hint

    def message(self, seen: str) -> str:
        """The sentence; `seen` is what stands there."""
        return (self.error and self.error.message) or f"expected {self.expected}, found {seen}"


def misread(expected: str, error: Misread | None = None) -> PydanticCustomError:
    """What pydantic carries to `reading`, which finds the place and the words."""
    return PydanticCustomError("misread", "misread", {"told": Told(expected, error)})


@dataclass(frozen=True, eq=False)
class Kind:
    """One text: its reader, what it expects (as in "expected ..., found ..."), its JSON Schema."""

    parse: Callable[[str], object]
    expected: str
    shape: Shape

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._read)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return dict(self.shape)

    def _read(self, value: object) -> object:
        if not isinstance(value, str):
            raise misread(self.expected)
        try:
            return self.parse(value)
        except Misread as error:
            raise misread(self.expected, error) from None


@dataclass(frozen=True)
class OneOrMany:
    """A list that may be written as its only item; never empty, and not longer than a person would write."""

    what: str
    most: int = 1000

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._as_list, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        many = handler(schema)
        return {"anyOf": [many["items"], {**many, "minItems": 1}]}

    def _as_list(self, value: object) -> object:
        if value == []:
            raise misread(self.what, Misread(f"the list is empty: expected {self.what}"))
        if isinstance(value, list) and len(value) > self.most:
            raise misread(self.what, Misread(f"the list has {len(value)} items: at most {self.most}"))
        return value if isinstance(value, list) else [value]


class Strict(BaseModel):
    """A mapping with known keys only; every value is kept as it was read, nothing can be changed.

    `not_yet` are keys of the contract that come with a later version, `hints` are ways out for keys
    that people bring from elsewhere.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())
    not_yet: ClassVar[frozenset[str]] = frozenset()
    hints: ClassVar[Mapping[str, str]] = {}

    @model_validator(mode="before")
    @classmethod
    def _tell_whose(cls, value: object, info: ValidationInfo) -> object:
        """Note which model reads which mapping, so that an unknown key meets the known ones."""
        if isinstance(value, Plain) and isinstance(info.context, dict):
            info.context[value.place] = cls
        return value

    @classmethod
    def known_keys(cls) -> tuple[str, ...]:
        """The keys as they are written."""
        return tuple(field.alias or name for name, field in cls.model_fields.items())


def words(choices: tuple[str, ...], not_yet: tuple[str, ...] = (), hint: str | None = None) -> Kind:
    """One of some words."""
    return Kind(scalars.choice(choices, not_yet, hint), " or ".join(choices), {"enum": list(choices)})


def whole(least: int, most: int | None = None) -> Kind:
    """A whole number of at least `least`, and at most `most`."""
    bounds = {"minimum": least} if most is None else {"minimum": least, "maximum": most}
    shape = {"anyOf": [{"type": "integer", **bounds}, {"type": "string", "pattern": "^[0-9]+$"}]}
    if most is None:
        return Kind(scalars.integer(least), f"a whole number, {least} or more", shape)
    return Kind(scalars.integer(least, most), f"a whole number, {least} to {most}", shape)


def _texts(pattern: str) -> Shape:
    return {"type": "string", "pattern": pattern}


_BOOLEAN = {"anyOf": [{"type": "boolean"}, {"enum": ["true", "yes", "on", "false", "no", "off"]}]}
_DURATION = {"anyOf": [{"type": "integer", "minimum": 0}, _texts(r"^(?=.)([0-9]+h)?([0-9]+m)?([0-9]+s?)?$")]}
_AGE = {"anyOf": [*_DURATION["anyOf"], _texts(r"^[0-9]+d$")]}
_CLOCK = _texts("^[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?$")
_DATE = _texts("^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
_NAME = {"type": ["string", "number", "boolean"], "maxLength": 64, "pattern": "^[^/\\s]+$"}
_WEEKDAYS = "mon-fri, mon, daily or a list of weekdays"

Text = Annotated[str, Kind(scalars.text_of_any_kind, "text", TEXT)]
Line = Annotated[str, Kind(scalars.line, "text of one line, at most 200 characters", TEXT)]
Name = Annotated[str, Kind(scalars.name, "a name", _NAME)]
Boolean = Annotated[bool, Kind(scalars.boolean, "true or false", _BOOLEAN)]
Duration = Annotated[int, Kind(scalars.duration, "a duration such as 90s, 15m or 1h30m", _DURATION)]
Age = Annotated[int, Kind(scalars.age, "days such as 180d", _AGE)]
Clock = Annotated[time, Kind(scalars.clock_time, 'a time of day such as "09:00" or "09:00:30"', _CLOCK)]
Date = Annotated[date, Kind(scalars.local_date, "a date such as 2026-12-24", _DATE)]
Moment = Annotated[
    datetime,
    Kind(
        scalars.moment, 'a local time such as "2026-12-01T09:00"', _texts("^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]")
    ),
]
Zone = Annotated[str, Kind(zones.zone, "an IANA time zone", {"type": "string"})]
AnyZone = Annotated[
    str, Kind(zones.zone_or_participant, "an IANA time zone or participant", {"type": "string"})
]
Requests = Annotated[
    Rate, Kind(scalars.rate, "a rate such as 5/s, 60/min or 500/h", _texts(r"^[0-9]+ */ *(s|min|h)$"))
]
Email = Annotated[str, Kind(addresses.email, "an e-mail address such as ana@example.com", {"type": "string"})]
WebUrl = Annotated[str, Kind(addresses.web_url, "a URL such as https://example.com/hook", {"type": "string"})]
BaseUrl = Annotated[str, Kind(addresses.base_url, "a URL such as https://tavusapi.com", {"type": "string"})]
HookUrl = Annotated[
    str, Kind(addresses.hook_url, "a URL such as https://example.com/hook", {"type": "string"})
]
Host = Annotated[str, Kind(addresses.host, "a host such as smtp.example.com", {"type": "string"})]
Listens = Annotated[
    Listen,
    Kind(addresses.listen, "a host and a port such as 127.0.0.1:8710", _texts("^[^/]+:[1-9][0-9]{0,4}$")),
]
Sender = Annotated[
    str, Kind(addresses.sender, "an address such as Practice <practice@example.com>", {"type": "string"})
]
Wording = Annotated[str, Kind(scalars.wording, "text", TEXT)]
Subject = Annotated[str, Kind(scalars.subject, "text of one line", TEXT)]
CronText = Annotated[Cron, Kind(cron.cron, 'five fields such as "0 9 * * mon-fri"', {"type": "string"})]
Weekdays = Annotated[frozenset[int], Kind(cron.weekdays, _WEEKDAYS, {"type": "string"})]
MonthDay = Annotated[
    str, Kind(cron.month_day, "1 to 31, last, or as in first mon", {"type": ["integer", "string"]})
]


def _list_or_names(value: object) -> str:
    return "<names>" if isinstance(value, dict) else "<list>"


Times = Annotated[
    Annotated[list[Clock], OneOrMany("at least one time of day"), Tag("<list>")]
    | Annotated[dict[Name, Clock], Tag("<names>")],
    Discriminator(_list_or_names),
]
"""`"09:00"`, `["09:00", "15:30"]` or `{morning: "09:00"}`."""


@dataclass(frozen=True)
class Secret:
    """`{env: NAME}` or `{file: PATH}`; `usual` is the name in the hint. What else stands there is never
    repeated."""

    usual: str

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._read)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        forms = [
            {"properties": {key: _texts(pattern)}, "required": [key]} for key, pattern in _SOURCES.items()
        ]
        return {"anyOf": [{"type": "object", "additionalProperties": False, **form} for form in forms]}

    def _read(self, value: object) -> SecretRef:
        if isinstance(value, dict) and len(value) == 1:
            ((source, name),) = value.items()
            if source in _SOURCES and isinstance(name, str) and re.fullmatch(_SOURCES[source], name):
                return SecretRef(source, name)
        refused = Misread(
            "a secret never stands in this file: expected {env: NAME} or {file: PATH}",
            f"put it into the environment and write {{env: {self.usual}}}",
        )
        raise misread("{env: NAME} or {file: PATH}", refused)


_SOURCES = {"env": "^[A-Z_][A-Z0-9_]*$", "file": r"^\S.*$"}
