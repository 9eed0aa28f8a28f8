"""Time zones: which names are good, and the data behind them.

tz data is a dependency with a version (S3): of the system's and the `tzdata` package's the newer is taken,
for every zone alike. This room reads files and nothing else; it computes no times - turning wall times into
instants is `triggers`' work - and it never changes what `zoneinfo` does for anybody else.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo, available_timezones

_PLACE = re.compile(r"UTC|Etc/UTC|(?!Etc/)[A-Z][A-Za-z]*/.+|(?!Factory$)[A-Z][a-z]+")
"""`Area/Location`, a country's name, or UTC: not EST, EST5EDT, W-SU, Etc/GMT+5, Factory."""


@lru_cache(maxsize=1)
def _versions() -> tuple[str, str]:
    """(the system's, the package's) version; empty for the system's when it has none or doesn't say."""
    told = (_version(Path(folder, name)) for folder in TZPATH for name in ("tzdata.zi", "+VERSION"))
    return next(filter(None, told), ""), _version(files("tzdata") / "zoneinfo" / "tzdata.zi")


def _version(file: Traversable) -> str:
    """The version that stands in a file's first line, such as `2026f`."""
    if not file.is_file():
        return ""
    with file.open(encoding="utf-8") as lines:
        return "".join(re.findall(r"\b\d{4}[a-z]+", lines.readline())[:1])


def _system_is_newer() -> bool:
    system, package = _versions()
    return system > package


def tz_versions() -> tuple[str, str]:
    """The IANA versions of (the system's, the package's) tz data; empty where there is none."""
    return _versions()


def tz_version() -> str:
    """The IANA version of the tz data in use, such as `2026f`."""
    return max(_versions())


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Every name that may be written as a zone: places and UTC, no abbreviations and no offsets (S3)."""
    if _system_is_newer():
        known = available_timezones()
    else:
        known = set((files("tzdata") / "zones").read_text("utf-8").split())
    return frozenset(name for name in known if _PLACE.fullmatch(name))


def is_zone(name: str) -> bool:
    """Whether `name` may be written as a zone (S3)."""
    return name in zone_names()


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The zone called `name`; one object for each name. ValueError when `is_zone` refuses it."""
    if not is_zone(name):
        raise ValueError(f"{name!r} is not an IANA time zone")
    if _system_is_newer():
        return ZoneInfo(name)
    with (files("tzdata") / "zoneinfo" / name).open("rb") as data:
        return ZoneInfo.from_file(data, key=name)


def both(name: str) -> tuple[ZoneInfo | None, ZoneInfo | None]:
    """(the system's, the package's) idea of a zone; None where it isn't known."""
    system = (Path(folder, name) for folder in TZPATH)
    return next(filter(None, map(_read, system)), None), _read(files("tzdata") / "zoneinfo" / name)


def _read(file: Traversable) -> ZoneInfo | None:
    if not file.is_file():
        return None
    with file.open("rb") as data:
        return ZoneInfo.from_file(data)
