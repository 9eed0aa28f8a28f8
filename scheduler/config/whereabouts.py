"""Where the ledger of a configuration is, even of one that is wrong elsewhere.

Whoever wants to reach a house that runs must not be kept out by the file that it just refused. Nothing else
of the configuration is read here, and nothing is judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from scheduler.config.files import sources
from scheduler.config.problems import Report, Source
from scheduler.config.reading import written
from scheduler.config.resolve import LEDGER
from scheduler.config.tree import Entries, Scalar, parse
from scheduler.databases import is_database

_LINE = re.compile(r"""^\s*(?:service:\s*\{.*?\b)?ledger:\s*["']?([^"',}#\n]+)""", re.MULTILINE)
"""How it looks in a file that is no YAML any more."""


def ledger_of(paths: Sequence[Path]) -> str | None:
    """The ledger's absolute path or its URL, right or wrong, or `None` where no file can be read at all."""
    found = [source for source in sources(paths, Report()) if source is not None]
    if not found:
        return None
    named = next(((source, name) for source in found for name in _named(source)), (found[0], LEDGER))
    source, name = named
    return name if is_database(name) else str((source.path.parent / name).absolute())


def _named(source: Source) -> Iterator[str]:
    tree = parse(source, Report())
    if tree is None:
        yield from (match[1].strip() for match in _LINE.finditer(source.text))
        return
    service = tree.pairs.get("service")
    entry = written(service, "ledger") if service and isinstance(service.value, Entries) else None
    if entry is not None and isinstance(entry.value, Scalar) and entry.value.text:
        yield entry.value.text
