"""Which of the known words was probably meant.

An edit distance of our own and one ranking; it knows nothing of YAML or of what the words mean.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher

LONGEST_WORD = 64


def distance(a: str, b: str) -> int:
    """Edits from one word to the other: a letter more, less, other, or two neighbours swapped."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        older, before, row = before, row, [i]
        for j, other in enumerate(b, 1):
            cost = min(before[j] + 1, row[-1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == other:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return row[-1]


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` is probably a slip of, or None when nothing is near.

    One slip for each three letters is forgiven, at least one; upper case and `-` for `_` are none.
    """
    meant = _plain(word)
    if len(meant) > LONGEST_WORD:
        return None
    ranked: list[tuple[int, float, str]] = []
    for candidate in known:
        plain = _plain(candidate)
        allowed = max(1, len(plain) // 3)
        if abs(len(plain) - len(meant)) > allowed or len(set(meant) - set(plain)) > allowed:
            continue  # each letter that isn't there is a slip: the cheap bound first
        if (slips := distance(meant, plain)) <= allowed:
            ranked.append((slips, -SequenceMatcher(None, meant, plain).ratio(), candidate))
    return min(ranked)[2] if ranked else None


def did_you_mean(word: str, known: Iterable[str], otherwise: str | None = None) -> str | None:
    """The hint for people; `otherwise` when no known word is near."""
    meant = nearest(word, known)
    return f'did you mean "{meant}"?' if meant is not None else otherwise


def _plain(word: str) -> str:
    return word.lower().replace("-", "_").replace(" ", "_")
