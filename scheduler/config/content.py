"""What stands in the files of a configuration, as one digest, and where it may change.

For whoever watches them: a file that was only touched, or written again as it was, is no change. Rosters
count, whether they can be read or not. Whether any of it is right is not asked here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from scheduler.config import files
from scheduler.config.problems import Report, Source
from scheduler.config.tree import Entries, Scalar, parse


class Content(NamedTuple):
    """A digest of all text that `load` would read, and the directories in which it stands: those that are
    named, and those that links lead to."""

    digest: str
    directories: tuple[Path, ...]


def content(paths: Sequence[Path]) -> Content:
    """What stands now in these files and directories, and in the rosters that they name."""
    report = Report()
    sources = [source for source in files.sources(paths, report) if source is not None]
    rosters = list(dict.fromkeys(roster for source in sources for roster in _rosters(source)))
    digest = blake2b(digest_size=16)
    for name, text in [*((each.name, each.text) for each in sources), *map(_roster, rosters)]:
        digest.update(f"{len(name)}:{name}{len(text)}:{text}".encode(errors="surrogatepass"))
    digest.update("".join(map(str, report.problems())).encode(errors="surrogatepass"))
    read = [each.path for each in sources] + rosters
    return Content(digest.hexdigest(), tuple(dict.fromkeys(_directories(paths, read))))


def _directories(paths: Sequence[Path], read: Sequence[Path]) -> Iterator[Path]:
    yield from (path.absolute() for path in paths if path.is_dir())
    places = [each for path in [*paths, *read] for each in (path.absolute(), path.resolve())]
    yield from (place.parent for place in places if place.parent.is_dir())


def _rosters(source: Source) -> Iterator[Path]:
    """The rosters that a file names; none while it can't be read as YAML."""
    tree = parse(source, Report())
    section = tree.pairs.get("rosters") if tree else None
    if section is None or not isinstance(section.value, Entries):
        return
    for entry in section.value.pairs.values():
        named = entry.value.pairs.get("file") if isinstance(entry.value, Entries) else None
        if named is not None and isinstance(named.value, Scalar):
            yield source.path.parent / named.value.text


def _roster(path: Path) -> tuple[str, str]:
    try:
        return str(path), files.text(path, files.ROSTER_BYTES)
    except files.Unreadable as error:
        return str(path), f"\0{error}"
