"""From paths to the text of files: what can be read, how large, in which encoding.

It finds the YAML files of a path and reads them and the rosters beside them; it doesn't know what
stands in them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from scheduler.config.problems import Mark, Report, Source

YAML_BYTES = 1 << 20
"""At most 1 MiB a file (semantics, section 7)."""
ROSTER_BYTES = 8 << 20
"""Room for 100,000 people."""

_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufeff\uff00-\ufffd\U00010000-\U0010ffff]")
"""What YAML 1.2 calls not printable (5.1), and a byte order mark anywhere but at the start."""


class Unreadable(Exception):
    """A path whose content can't be used, in a few words for people."""


def sources(paths: Sequence[Path], report: Report) -> list[Source | None]:
    """The YAML files of these paths in order, each once; None for one that is reported as unreadable."""
    if not paths:
        report.refuse("(no path)", "no configuration was given")
    found: dict[Path, Source | None] = {}
    for path in paths:
        for file in _files(path, report):
            if file.absolute() not in found:
                report.expect(str(file))
                found[file.absolute()] = _source(file, report)
    return list(found.values())


def text(path: Path, most_bytes: int) -> str:
    """The file as text, without a byte order mark; raises Unreadable."""
    data = _bytes(path, most_bytes)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Unreadable("the file is UTF-16; save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Unreadable(f"the file is not UTF-8 (line {line}, byte {error.start + 1})") from None


def forbidden(source: Source) -> Mark | None:
    """Where the first character stands that no text file should hold (NUL, other controls)."""
    match = _FORBIDDEN.search(source.text)
    if match is None:
        return None
    before = Source(source.name, source.path, source.text[: match.start()]).lines
    return Mark(source, len(before), len(before[-1]) + 1)


def _files(path: Path, report: Report) -> Iterator[Path]:
    try:
        if not path.is_dir():
            yield path
            return
        inside = sorted(child for child in path.iterdir() if _is_ours(child))
    except (OSError, ValueError) as error:
        report.refuse(str(path), _reason(error))
        return
    if not inside:
        report.refuse(str(path), "no *.yaml or *.yml file directly inside this directory")
    yield from inside


def _is_ours(child: Path) -> bool:
    return child.suffix in (".yaml", ".yml") and not child.name.startswith(".") and not child.is_dir()


def _source(path: Path, report: Report) -> Source | None:
    try:
        source = Source(str(path), path, text(path, YAML_BYTES))
    except Unreadable as error:
        report.refuse(str(path), str(error))
        return None
    mark = forbidden(source)
    if mark is None:
        return source
    report.error(mark, "a character that can't stand in YAML (NUL or another control character)")
    return None


def _bytes(path: Path, most_bytes: int) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise Unreadable(
                "this is neither a file nor a directory" if not path.is_dir() else "this is a directory"
            )
        with path.open("rb") as file:
            data = file.read(most_bytes + 1)
    except (OSError, ValueError) as error:
        raise Unreadable(_reason(error)) from None
    if len(data) > most_bytes:
        raise Unreadable(f"the file is larger than {most_bytes >> 20} MiB")
    return data


def _reason(error: OSError | ValueError) -> str:
    known = error.strerror if isinstance(error, OSError) else None
    return f"can't be read: {(known or 'not a path').lower()}"
