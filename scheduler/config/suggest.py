"""Which of the known words was probably meant.

An edit distance of our own and one ranking; it knows nothing of YAML or of what the words mean.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from difflib import SequenceMatcher

LONGEST_WORD = 64


def distance(a: str, b: str, most: int = LONGEST_WORD) -> int:
    """Edits from one word to the other: a letter more, less, other, or two neighbours swapped.

    Once they are known to be more than `most`, it stops with a number above that.
    """
    a, b = _without_common_ends(a, b)
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        older, before, row = before, row, [i]
        for j, other in enumerate(b, 1):
            cost = min(before[j] + 1, row[-1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == other:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        if min(row) > most and min(before) > most:
            return most + 1
    return row[-1]


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` is probably a slip of, or None when nothing is near.

    One slip for each three letters is forgiven, at least one; upper case and `-` for `_` are none.
    """
    meant = _plain(word)
    if len(meant) > LONGEST_WORD:
        return None
    fewest = LONGEST_WORD
    found: list[tuple[int, str, str]] = []
    letters, counts = set(meant), Counter(meant)
    for candidate in known:
        plain = _plain(candidate)
        allowed = min(fewest, max(1, len(plain) // 3))
        if abs(len(plain) - len(meant)) > allowed or len(letters - set(plain)) > allowed:
            continue  # each letter that isn't there is a slip: the cheap bounds first
        if max(len(plain), len(meant)) - (counts & Counter(plain)).total() > allowed:
            continue
        if (slips := distance(meant, plain, allowed)) <= allowed:
            fewest = slips
            found.append((slips, plain, candidate))
    alike = [
        (-SequenceMatcher(None, meant, plain).ratio(), candidate)
        for slips, plain, candidate in found
        if slips == fewest
    ]
    return min(alike)[1] if alike else None


def did_you_mean(word: str, known: Iterable[str], otherwise: str | None = None) -> str | None:
    """The hint for people; `otherwise` when no known word is near."""
    meant = nearest(word, known)
    return f'did you mean "{meant}"?' if meant is not None else otherwise


def _without_common_ends(a: str, b: str) -> tuple[str, str]:
    """What two words begin and end with alike costs nothing (`Europe/`)."""
    start = _alike(a, b)
    a, b = a[start:], b[start:]
    end = _alike(a[::-1], b[::-1])
    return a[: len(a) - end], b[: len(b) - end]


def _alike(a: str, b: str) -> int:
    """How many letters two words begin with alike."""
    pairs = enumerate(zip(a, b, strict=False))
    return next((place for place, (one, other) in pairs if one != other), min(len(a), len(b)))


def _plain(word: str) -> str:
    return word.lower().replace("-", "_").replace(" ", "_")
