"""What this Tavus allows, and which of the documented spellings it uses. Values only, nothing is enforced
here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Plan:
    """The account's plan (tavus-api, section 1). `requests` None means no rate limit; otherwise the request
    after `requests` in any `per_s` seconds is answered 429. A slot frees `release_lag_s` after the end."""

    concurrent: int = 10
    max_call_duration_s: int = 3600
    release_lag_s: float = 0.0
    requests: int | None = None
    per_s: float = 1.0


class ReasonAt(StrEnum):
    """Where `?verbose=true` tells the shutdown reason: the three places that have been seen."""

    TOP = "top"
    SHUTDOWN_REASON = "shutdown_reason"
    REASON = "reason"


@dataclass(frozen=True, slots=True)
class Dialect:
    """Choices that the API description leaves open, so that a client can be tried against each.

    `reason_suffix` follows a timer's reason (" reached" has been seen); `wrapped` puts a persona or replica
    into `data[]`; `fractions` gives times with microseconds.
    """

    reason_at: ReasonAt = ReasonAt.TOP
    reason_suffix: str = ""
    wrapped: bool = False
    fractions: bool = True
