"""What a worker tells the leader of its requests, so that the limits of the account stay in one place (S17).

Each word is one list: the job's number, what happened, and with what. They are only the quick way: of a job
that is gone without a word the leader assumes the worst. Nothing is sent here, and no limit is known.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from jobs.model import Instant
from scheduler.facts import KINDS, NAMES, Fact, Failed
from scheduler.ledger import codec
from scheduler.ledger.shared.jobs import Job
from scheduler.limits import LONGEST_RETRY_AFTER_S, Lane

Word = list[Any]
Tell = Callable[[Word], None]

SENT, UNSENT, DONE, TURNED_AWAY = "sent", "unsent", "done", "turned_away"
ABOUT_ALL = frozenset({"accepted", "opened", "full", TURNED_AWAY, "undecided"})
"""What an answer says of everybody's next request: verbs of the limits, by their names."""

DETAIL_MAX = 500
"""Characters of a failure's text that are passed on: it is for one log line."""


class Told:
    """The limits, as one job's request sees them."""

    def __init__(self, job: Job, tell: Tell) -> None:
        self._job = job
        self._tell = tell

    def sent(self, now: Instant) -> None:
        """Its bytes go out now."""
        self._say(SENT, now)

    def unsent(self, lane: Lane) -> None:
        """They never will."""
        self._say(UNSENT, int(lane))

    def accepted(self) -> None:
        """It was answered normally."""
        self._say("accepted")

    def opened(self) -> None:
        """It was a create, and succeeded."""
        self._say("opened")

    def full(self, now: Instant) -> None:
        """It was refused for concurrency."""
        self._say("full", now)

    def turned_away(self, now: Instant, sent_at: Instant | None, retry_after_s: float | None) -> None:
        """It was turned away, or could not be sent."""
        self._say(TURNED_AWAY, now, sent_at, retry_after_s)

    def undecided(self, now: Instant) -> None:
        """It was a create, and says nothing about the line."""
        self._say("undecided", now)

    def _say(self, what: str, *args: object) -> None:
        self._tell([self._job.id, what, *args])


def done(job: Job, fact: Fact | None) -> Word:
    """The job is over: what was noted of its delivery, if it was one."""
    return [job.id, DONE, *([] if fact is None else [NAMES[type(fact)], codec.encode(_short(fact), ())])]


def asked_for(word: Word) -> Instant | None:
    """Until when the other side wants to be left alone, if that is what it said (Retry-After)."""
    if word[1] != TURNED_AWAY or word[4] is None:
        return None
    return float(word[2]) + min(LONGEST_RETRY_AFTER_S, max(0.0, float(word[4])))


def fact_of(word: Word) -> Fact | None:
    """What `done` said of a delivery; `None` for what only a newer program's worker would say."""
    return codec.decode(word[2], word[3])[0] if len(word) > 2 and word[2] in KINDS else None


def packed(words: Sequence[Word], most: int) -> Iterator[str]:
    """Words as texts of at most `most` bytes each; one that is longer by itself is lost, as any may be."""
    held, size = list[str](), 2
    for word in words:
        text = json.dumps(word)
        if len(text) + 2 > most:
            continue
        if held and size + len(text) + 1 > most:
            yield f"[{','.join(held)}]"
            held, size = [], 2
        held.append(text)
        size += len(text) + 1
    if held:
        yield f"[{','.join(held)}]"


def _short(fact: Fact) -> Fact:
    return replace(fact, detail=fact.detail[:DETAIL_MAX]) if isinstance(fact, Failed) else fact
