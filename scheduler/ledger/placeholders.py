"""The ledger's SQL in psycopg's spelling: `?`, `?1` and `:name` become `%s` and `%(name)s`.

Text in quotes and comments is left as it is, but for the percent sign, which psycopg wants doubled. What a
statement means is not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from scheduler.ledger.driver import Params

_NUMBERED = re.compile(r"\?\d")
_TOKENS = re.compile(
    r"(?P<kept>'[^']*'|\"[^\"]*\"|--[^\n]*|::|%)|\?(?P<nth>\d+)|(?P<next>\?)|:(?P<name>[a-z_]\w*)", re.I
)


@lru_cache(maxsize=1_000)
def spelled(sql: str) -> str:
    """The statement as psycopg reads it."""
    return _TOKENS.sub(_placeholder, sql)


def given(sql: str, params: Params) -> Mapping[str, Any] | Sequence[Any]:
    """The parameters of such a statement as psycopg takes them: numbered ones have their number as a name."""
    if isinstance(params, Mapping) or not _NUMBERED.search(sql):
        return params
    return {f"p{number}": value for number, value in enumerate(params, 1)}


def _placeholder(found: re.Match[str]) -> str:
    if kept := found["kept"]:
        return kept.replace("%", "%%")
    if found["next"]:
        return "%s"
    return f"%({found['name'] or 'p' + found['nth']})s"
