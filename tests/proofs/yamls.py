"""Files that nobody should have written, by seed: the input of `test_input`.

`case(seed)` is a small set of files: one of `configs/` (or the contract's example, `contract.yaml`) hurt a
few times in its text or in its lines, or a file made up from the known keys with any values, or one of the
shapes that are large or deep on purpose. Secrets are planted where people put them by mistake; every one
contains `CANARY`, and none may ever be seen in a message. The same seed gives the same files everywhere.
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.proofs.keys import KEYS
from tests.proofs.words import LARGE, SECRET_KEYS, SECRET_SHAPES, SIGNS, VALUES

HERE = Path(__file__).parent
CONFIGS = HERE.parents[1] / "configs"
ROSTER = (
    'id,name,email,timezone\nana,Ana Ruiz,ana@example.com,America/New_York\nben,"Ode, Ben",,Europe/Oslo\n'
)
LARGE_ONE_IN = 100
"""How seldom a seed makes a file of up to a mebibyte; all others stay below `SMALL_BYTES`."""
SMALL_BYTES = 64 << 10


@dataclass(frozen=True)
class Case:
    """The files of one seed by name; `a.yaml` is the one that is read."""

    seed: int
    files: dict[str, bytes]
    large: bool = False
    canary: str | None = None


def case(seed: int) -> Case:
    rng = random.Random(seed)
    if rng.randrange(LARGE_ONE_IN) == 0:
        return Case(seed, {"a.yaml": encoded(rng, rng.choice(LARGE)(rng))}, large=True)
    text, canary = made_up(rng) if rng.random() < 0.3 else (rng.choice(originals()), None)
    for _ in range(rng.choice((0, 1, 1, 2, 3, 6))):
        text = rng.choice(HURTS)(rng, text)
    if canary is None and rng.random() < 0.4:
        text, canary = with_secret(rng, text, seed)
    files = {"a.yaml": encoded(rng, text)[:SMALL_BYTES]}
    for name in ("west.csv", "sales-west.csv"):
        files[name] = encoded(rng, roster(rng))
    return Case(seed, files, canary=canary)


@cache
def originals() -> tuple[str, ...]:
    found = (*sorted(CONFIGS.glob("*.yaml")), HERE / "contract.yaml")
    return tuple(path.read_text("utf-8") for path in found)


def encoded(rng: random.Random, text: str) -> bytes:
    how = rng.random()
    if how < 0.03:
        text = text.replace("\n", rng.choice(("\r\n", "\r")))
    coding = "utf-8" if how < 0.97 else rng.choice(("utf-16", "latin-1", "utf-8-sig", "utf-32"))
    return text.encode(coding, "replace" if coding == "latin-1" else "surrogatepass")


# --- hurting what is right ------------------------------------------------------------------------


def span(rng: random.Random, text: str) -> tuple[int, int]:
    start = rng.randint(0, len(text))
    return start, min(len(text), start + rng.choice((0, 0, 1, 2, 5, 20)))


def sign_put(rng: random.Random, text: str) -> str:
    start, end = span(rng, text)
    return text[:start] + rng.choice(SIGNS) + text[end:]


def letter_changed(rng: random.Random, text: str) -> str:
    start = rng.randint(0, len(text))
    return text[:start] + rng.choice(string.printable) + text[start + rng.randint(0, 1) :]


def cut_off(rng: random.Random, text: str) -> str:
    return text[: rng.randint(0, len(text))]


def piece_repeated(rng: random.Random, text: str) -> str:
    start, end = span(rng, text)
    return text[:end] + text[start:end] * rng.choice((1, 2, 50)) + text[end:]


def by_lines(change: Callable[[random.Random, list[str], int], None]) -> Callable[[random.Random, str], str]:
    def hurt(rng: random.Random, text: str) -> str:
        lines = text.split("\n")
        change(rng, lines, rng.randrange(len(lines)))
        return "\n".join(lines)

    return hurt


def _line_moved(rng: random.Random, lines: list[str], at: int) -> None:
    lines.insert(rng.randrange(len(lines)), lines.pop(at))


def _line_twice(rng: random.Random, lines: list[str], at: int) -> None:
    lines.insert(rng.choice((at, rng.randrange(len(lines)))), lines[at])


def _line_gone(rng: random.Random, lines: list[str], at: int) -> None:
    del lines[at]


def _indented(rng: random.Random, lines: list[str], at: int) -> None:
    for each in range(at, min(len(lines), at + rng.choice((1, 1, 4)))):
        by = rng.choice((" ", "  ", "\t", "\u00a0"))
        lines[each] = by + lines[each] if rng.random() < 0.6 else lines[each].removeprefix("  ")


def _value_changed(rng: random.Random, lines: list[str], at: int) -> None:
    keyed = [n for n, line in enumerate(lines) if ": " in line] or [at]
    at = rng.choice(keyed)
    key, _, value = lines[at].partition(": ")
    change = rng.choice((rng.choice(VALUES), f"[{value}]", f"{{{value}}}", f'"{value}"', f"{value} {value}"))
    lines[at] = f"{key}: {change}"


def _key_changed(rng: random.Random, lines: list[str], at: int) -> None:
    keyed = [n for n, line in enumerate(lines) if ": " in line] or [at]
    at = rng.choice(keyed)
    key, colon, rest = lines[at].partition(":")
    indent = key[: len(key) - len(key.lstrip(" -"))]
    lines[at] = (
        indent
        + rng.choice((rng.choice(KEYS), key.strip()[::-1], "x" * rng.choice((1, 65, 2000))))
        + colon
        + rest
    )


def _nested(rng: random.Random, lines: list[str], at: int) -> None:
    depth, sign = rng.choice((5, 31, 33, 500)), rng.choice(("[]", "{}", "- "))
    key = lines[at].partition(":")[0]
    deep = "- " * depth + "x" if sign == "- " else sign[0] * depth + sign[1] * depth
    lines[at] = f"{key}: {deep}" if sign != "- " else f"{key}:\n  {deep}"


HURTS = (
    sign_put, sign_put, letter_changed, letter_changed, cut_off, piece_repeated,
    *map(by_lines, (_line_moved, _line_twice, _line_gone, _indented, _value_changed, _value_changed,
                    _key_changed, _nested)),
)  # fmt: skip


# --- secrets --------------------------------------------------------------------------------------


def with_secret(rng: random.Random, text: str, seed: int) -> tuple[str, str]:
    """The text with an account in which a secret stands where it may not; planted last, so it stays whole."""
    canary = f"sk{seed:08d}CANARY"
    words = rng.choice(SECRET_SHAPES)(rng.choice(SECRET_KEYS), canary)
    section = f"{rng.choice(('account', 'account', 'mail', 'service', 'defaults'))}:\n  {words}\n"
    lines = text.split("\n")
    tops = [n for n, line in enumerate(lines) if line[:1].isalpha()] or [0]
    lines.insert(rng.choice((*tops, len(lines))), section)
    return "\n".join(lines), canary


# --- made up from keys ----------------------------------------------------------------------------


def made_up(rng: random.Random) -> tuple[str, str | None]:
    lines = ["version: 1"] if rng.random() < 0.95 else []
    for section in ("service", "account", "rosters", "defaults", "schedules", "mail"):
        if rng.random() < 0.6:
            lines += [f"{section}:", *_mapping(rng, "  ", rng.randint(1, 3))]
    return "\n".join(lines) + "\n", None


def _mapping(rng: random.Random, indent: str, depth: int) -> list[str]:
    lines: list[str] = []
    for _ in range(rng.randint(1, 5)):
        key = (
            rng.choice(KEYS)
            if rng.random() < 0.9
            else rng.choice(("s", "ana", "*", "-", "a/b", "x y", "", "é"))
        )
        if depth and rng.random() < 0.4:
            lines += [f"{indent}{key}:", *_mapping(rng, indent + "  ", depth - 1)]
        elif rng.random() < 0.2:
            lines += [
                f"{indent}{key}:",
                *(f"{indent}  - {rng.choice(VALUES)}" for _ in range(rng.randint(1, 3))),
            ]
        else:
            lines.append(f"{indent}{key}: {rng.choice(VALUES)}")
    return lines


def roster(rng: random.Random) -> str:
    text = ROSTER
    for _ in range(rng.choice((0, 0, 1, 3))):
        start, end = span(rng, text)
        text = text[:start] + rng.choice((*SIGNS, '"', '""', ",", ";", "\n\n", "ana,Other\n")) + text[end:]
    return text
