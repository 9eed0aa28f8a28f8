"""What of a source line may be shown: never a value that stands at a secret's key.

Errors show the line they speak of, and a line can hold an API key that doesn't belong there
(semantics, section 7). This works on bare text, so that it also holds for files that can't be
parsed, and rather hides too much than too little. It finds no errors.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from scheduler.config.suggest import distance

MASK = "***"
LINES_BACK = 200
"""How far above a line the key of its value is looked for."""

_KEYED = re.compile(r"""(?<![\w.-])(?P<key>[\w.-]+)["']?\s*[:=]\s*""")
_REFERENCE = re.compile(
    r"""(\{\s*)?(env\s*:\s*[A-Z_][A-Z0-9_]*|file\s*:\s*["']?[/.][^\s"'}]*["']?)\s*(\}[\s,}]*)?(\s#.*)?"""
)
_IN_URL = re.compile(r"//[^/\s@]+@")
_PARTS = ("key", "token", "secret", "passw", "passphrase", "credential", "pwd")
_SLIPS = {"api_key": 2, "apikey": 2, "password": 2, "token": 1, "secret": 1}
"""How many slips of the pen still mean this word; `open` is not a `token`."""


def secret_like(word: str) -> bool:
    """Whether a key's value may be a secret: by its parts, or as a slip of a secret's name."""
    plain = word.lower().replace("-", "_").replace(".", "_")
    return any(part in plain for part in _PARTS) or any(
        abs(len(plain) - len(name)) <= slips and distance(plain, name) <= slips
        for name, slips in _SLIPS.items()
    )


def shown(lines: Sequence[str], index: int) -> str:
    """The line at `index` (from 0), cut off where a secret may begin."""
    line = lines[index]
    if _inside_secret(lines, index) and not _REFERENCE.fullmatch(line.strip()):
        return line[: _indent(line)] + MASK
    starts = [match.end() for match in _KEYED.finditer(line) if _hides(match, line)]
    starts += [match.start() + 2 for match in _IN_URL.finditer(line)]
    if line.lstrip().startswith(": "):  # the value of a `? key` on a line of its own
        starts.append(line.index(":") + 2)
    return line[: min(starts)] + MASK if starts else line


def _hides(match: re.Match[str], line: str) -> bool:
    rest = line[match.end() :]
    return bool(rest.strip()) and secret_like(match["key"]) and not _REFERENCE.fullmatch(rest.strip())


def _inside_secret(lines: Sequence[str], index: int) -> bool:
    """Whether a key further up, of which this line is the value, is a secret's."""
    indent = _indent(lines[index])
    for above in reversed(lines[max(0, index - LINES_BACK) : index]):
        if indent == 0:
            return False
        if above.strip() and _indent(above) < indent:
            indent = _indent(above)
            keys = [match["key"] for match in _KEYED.finditer(above)]
            if keys and _names_secret(keys[-1]):
                return True
    return False


def _names_secret(word: str) -> bool:
    """Stricter than `secret_like`: a roster `key-accounts` above hides nothing."""
    last = re.split(r"[-_.]", word)[-1]
    return secret_like(last) or distance(word.lower(), "api_key") <= 2


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))
