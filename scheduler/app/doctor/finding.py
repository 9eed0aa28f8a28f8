"""What a check found, in one line, and beside it what puts it right.

Only values; how they are shown is the command's.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Verdict(StrEnum):
    """How it is: a failure keeps the house from its promises, a warning may."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


class Finding(NamedTuple):
    """One line for people, without secrets; `fix` stands beside every failure and warning."""

    check: str
    verdict: Verdict
    said: str
    fix: str | None = None


def ok(check: str, said: str) -> Finding:
    """It is as it should be."""
    return Finding(check, Verdict.OK, said)


def warning(check: str, said: str, fix: str) -> Finding:
    """It works, for now."""
    return Finding(check, Verdict.WARNING, said, fix)


def failed(check: str, said: str, fix: str) -> Finding:
    """It doesn't work."""
    return Finding(check, Verdict.FAILED, said, fix)


def skipped(check: str, said: str) -> Finding:
    """It was not looked at, and why."""
    return Finding(check, Verdict.SKIPPED, said)
