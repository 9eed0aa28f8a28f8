"""What of a source line may be shown: never a value that stands at a secret's key, of a webhook its host.

Errors show the line they speak of, and a line can hold an API key that doesn't belong there, or a
webhook's URL, which is a secret too (semantics, section 7). This works on bare text, so that it also
holds for files that can't be parsed, and rather hides too much than too little. It finds no errors.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from scheduler.config.suggest import distance

MASK = "***"
LINES_BACK = 200
"""How far above a line the key of its value is looked for."""

_KEYED = re.compile(r"""(?<![\w.-])(?P<key>[\w.-]+)["']?\s*[:=]\s*""")
_REFERENCE = re.compile(
    r"""(\{\s*)?(env\s*:\s*[A-Z_][A-Z0-9_]*|file\s*:\s*["']?[/.][^\s"'}]*["']?)\s*(\}[\s,}]*)?(\s#.*)?"""
)
_IN_URL = re.compile(r"//[^/\s@]+@")
_AFTER_HOST = re.compile(r"""://[^\s/?#"',}\]]*[/?#](?=[^\s"',}\]])""")
_AFTER_BARE_HOST = re.compile(
    r"""(?<![\w.-])(?<![^/]/)[\w-]+(\.[\w-]+)*\.[a-z]{2,}(:[0-9]+)?/(?=[^\s"',}\]])""", re.I
)
"""A URL whose scheme was forgotten or misspelt; a path (`/run/x.service/key`) is none."""
_DATABASE = re.compile(r"""(?<![\w.-])(?:ledger["']?\s*:\s*["']?[a-z]+|postgres\w*):/*(?=\S)""", re.I)
_PLAIN_DATABASE = re.compile(
    r"""(?<![\w.-])postgres(?:ql)?://([\w.~%+-]+@)?([\w.-]+|\[[0-9a-f:]+\])?(:[0-9]{1,5})?"""
    r"""/[\w.~-]*([?&](?!\w*password)[a-z_]+=[\w.~%/-]+)*(?=["'}\s]|$)""",
    re.I,
)
"""A database's URL that can hold no password; every other one is hidden whole."""
_PUBLIC_URL = re.compile(r"""_url["']?\s*:\s*["']?(https?:?/*)?$""")
_HOST = re.compile(r"""["']?(https?://[\w.:\[\]-]*|[\w-]+(\.[\w-]+)+(:[0-9]+)?)[/?#]?""")
_PARTS = ("key", "token", "secret", "pass", "credential", "pwd")
_SLIPS = {"api_key": 2, "apikey": 2, "password": 2, "token": 1, "secret": 1}
"""How many slips of the pen still mean this word; `open` is not a `token`."""
_HOOKS = {"webhook": 2, "hook": 0, "slack": 1, "heartbeat": 2}


def secret_like(word: str) -> bool:
    """Whether a key's value may be a secret: by its parts, or as a slip of a secret's name."""
    plain = word.lower().replace("-", "_").replace(".", "_")
    return any(part in plain for part in _PARTS) or _slip_of(plain, _SLIPS)


def _slip_of(word: str, known: Mapping[str, int]) -> bool:
    return any(
        abs(len(word) - len(name)) <= slips and distance(word, name) <= slips for name, slips in known.items()
    )


def shown(lines: Sequence[str], index: int) -> str:
    """The line at `index` (from 0), cut off where a secret may begin."""
    line = lines[index]
    if _inside_secret(lines, index) and not _REFERENCE.fullmatch(line.strip()):
        return line[: _indent(line)] + MASK
    whole, line = line, _PLAIN_DATABASE.sub(lambda found: "-" * len(found[0]), line)
    starts = [match.end() for match in _KEYED.finditer(line) if _hides(match, line)]
    starts += [match.start() + 2 for match in _IN_URL.finditer(line)]
    starts += [match.end() for match in _DATABASE.finditer(line)]
    urls = (*_AFTER_HOST.finditer(line), *_AFTER_BARE_HOST.finditer(line))
    starts += [match.end() for match in urls if not _is_public(line, match.start())]
    starts += [_host_end(line, match.end()) for match in _KEYED.finditer(line) if _names_hook(match["key"])]
    starts = [start for start in starts if line[start:].strip()]
    if line.lstrip().startswith(": "):  # the value of a `? key` on a line of its own
        starts.append(line.index(":") + 2)
    return whole[: min(starts)] + MASK if starts else whole


def _hides(match: re.Match[str], line: str) -> bool:
    rest = line[match.end() :]
    return bool(rest.strip()) and secret_like(match["key"]) and not _REFERENCE.fullmatch(rest.strip())


def _is_public(line: str, sign: int) -> bool:
    """Whether the URL with its `://` or its host here stands at a key such as `callback_url`."""
    return _PUBLIC_URL.search(line, 0, sign) is not None


def _names_hook(word: str) -> bool:
    return _slip_of(word.lower(), _HOOKS)


def _host_end(line: str, start: int) -> int:
    """Where a webhook's URL goes on after its host, if it does; where it begins, if that is no URL."""
    host = _HOST.match(line, start)
    if host is None:
        return start
    return len(line) if line[host.end() : host.end() + 1] in "\"',}]" else host.end()


def _inside_secret(lines: Sequence[str], index: int) -> bool:
    """Whether a key further up, of which this line is the value, is a secret's."""
    indent = _indent(lines[index])
    text = not _KEYED.search(lines[index])  # a schedule may be called `slack`; its keys are no URL
    for above in reversed(lines[max(0, index - LINES_BACK) : index]):
        if indent == 0:
            return False
        if above.strip() and _indent(above) < indent:
            indent = _indent(above)
            keys = [match["key"] for match in _KEYED.finditer(above)]
            if keys and (_names_secret(keys[-1]) or (text and _names_hook(keys[-1]))):
                return True
    return False


def _names_secret(word: str) -> bool:
    """Stricter than `secret_like`: a roster `key-accounts` above hides nothing."""
    last = re.split(r"[-_.]", word)[-1]
    return secret_like(last) or distance(word.lower(), "api_key") <= 2


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))
