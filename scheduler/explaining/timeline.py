"""Where the time of a creation went: attempt by attempt, from the facts that were noted.

Between the opening and a conversation lie the line (for the rate, for a free conversation), each POST, and
the waits between tries. Here they are only measured; `told` puts them into words.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from jobs.errors import Reason
from jobs.model import Created, Instant
from scheduler.explaining.values import Story
from scheduler.facts import Attempted, Failed, Found, StepKind


class Attempt(NamedTuple):
    """One POST: when it was claimed, when its outcome was noted, and what it was if it failed."""

    at: Instant
    over_at: Instant | None
    failed: Failed | None

    @property
    def took_s(self) -> float:
        """From claim to outcome; 0 while that is not known."""
        return 0.0 if self.over_at is None else self.over_at - self.at


def attempts(story: Story) -> list[Attempt]:
    """The POSTs of a story, in their order."""
    found: list[Attempt] = []
    for at, fact in story:
        if isinstance(fact, Attempted):
            found.append(Attempt(at, None, None))
        elif found and found[-1].over_at is None:
            if isinstance(fact, Created | Found):
                found[-1] = found[-1]._replace(over_at=at)
            elif isinstance(fact, Failed) and fact.step is StepKind.CREATE:
                found[-1] = found[-1]._replace(over_at=at, failed=fact)
    return found


def waited_s(opens: Instant, tries: list[Attempt]) -> float:
    """How long it stood in line before its first POST."""
    return max(0.0, tries[0].at - opens) if tries else 0.0


def between_s(tries: list[Attempt], *reasons: Reason) -> float:
    """How long it waited after tries that failed for these reasons, until the next one."""
    return sum(
        later.at - earlier.over_at
        for earlier, later in pairwise(tries)
        if earlier.over_at is not None and earlier.failed is not None and earlier.failed.reason in reasons
    )
