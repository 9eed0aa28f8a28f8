"""Where an exception arose, in words that are safe to keep: its type and place, never its text.

A text may hold a link or a secret; a function and a line can't. What becomes of a fault is not known here.
"""

from __future__ import annotations

import traceback


def place(error: Exception) -> str:
    """The fault's type and where it arose."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].name}:{frames[-1].lineno}" if frames else "unknown"
    return f"{type(error).__name__} in {where}"
