"""How much may go out now: the account's request rate and the line for its conversations (S17, S18).

Pure arithmetic over instants that are given to it. Nobody waits in here: whoever is not admitted
stays where they are, and is told when asking again makes sense. It does not know *who* waits, only
how many in each lane, so the order within a lane is the caller's: a grant of k means its first k.
It doesn't count conversations (`free` is a query on the ledger) and doesn't decide whether anything
is tried again (`policy`).

Every grant ends in exactly one `sent` or `unsent`; until then it counts as if it were being sent,
so a burst that leaves late can't meet the next one. A sent one counts for the window from its
sending, widened by 2 % for the network. A wall clock that is set back costs at most one window; one
that is set forward can't be told from time that passed (S9 holds the large ones).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from jobs.model import Instant
from scheduler.limits.line import Line
from scheduler.limits.penalty import Penalty
from scheduler.limits.window import Window
from scheduler.model import Rate


class Lane(IntEnum):
    """What a request is for; a lower number goes first."""

    END = 0
    SURVEY = 1
    CREATE = 2
    INSPECT = 3


@dataclass(frozen=True, slots=True)
class Admission:
    """How many of each lane may go now (every lane is in it), and when to ask again.

    `next_at` is the earliest instant at which somebody still waiting can be granted more; `None` when
    nobody waits, or only an answer or a freed slot can change it.
    """

    granted: Mapping[Lane, int]
    next_at: Instant | None


class Limits:
    """Both limiters of S17 and the global penalty.

    What an admission costs doesn't grow with who waits, only with what is granted and expires.
    """

    def __init__(self, rate: Rate) -> None:
        self._window = Window(rate)
        self._inspects = Window(_tenth(rate))
        self._penalty = Penalty()
        self._line = Line()

    def set_rate(self, rate: Rate) -> None:
        """Apply another rate at once (S7). A longer window remembers only what the old one still did."""
        self._window.set_rate(rate)
        self._inspects.set_rate(_tenth(rate))

    def begin(self, sent: Iterable[Instant], outstanding: int = 0, held_until: Instant | None = None) -> None:
        """Begin anew, with what another process left: requests that were sent, in any order, grants that are
        still outstanding, and until when the account wants to be left alone."""
        rate = self._window.rate
        self._window, self._inspects = Window(rate), Window(_tenth(rate))
        self._penalty, self._line = Penalty(held_until), Line()
        self._window.seed(sent)
        self._window.outstanding = outstanding

    def admit(self, now: Instant, waiting: Mapping[Lane, int], free: int) -> Admission:
        """Take as many grants as there are; `free` is how many more conversations there may be."""
        for part in (self._window, self._inspects, self._penalty, self._line):
            part.look(now)
        granted = {lane: self._grant(now, lane, waiting.get(lane, 0), free) for lane in Lane}
        still = [lane for lane in Lane if waiting.get(lane, 0) > granted[lane]]
        times = [self._opens_at(now, lane, free - granted[Lane.CREATE]) for lane in still]
        return Admission(granted, min((at for at in times if at is not None), default=None))

    def sent(self, now: Instant) -> None:
        """The headers of one granted request went out: it counts from now."""
        self._window.give_back()
        self._window.sent(now)

    def unsent(self, lane: Lane = Lane.CREATE, count: int = 1) -> None:
        """Granted requests of this lane that were never sent, and won't be: their grants are free again,
        and if they were creates, so is the head of a shut line."""
        self._window.give_back(count)
        if count and lane is Lane.CREATE:
            self._line.given_back()

    def outstanding(self, count: int) -> None:
        """Count so many grants that somebody else gave out: each will end in one `sent` or `unsent` too."""
        self._window.outstanding += count

    def remember(self, sent: Iterable[Instant]) -> None:
        """Count requests that went out without a word; if one was told all the same it errs to our cost."""
        self._window.seed(sent)

    def turned_away(self, now: Instant, sent_at: Instant | None, retry_after_s: float | None) -> None:
        """A request was answered 429 or 408, or could not be sent (`sent_at` None): all lanes wait.

        For `retry_after_s` (0 to 300) where the answer had one; else a step further of 1, 2, 4, 8,
        16, 30 s - unless the request was on its way before the penalty began: that is no news. Whether it
        was a create, and so perhaps the head of a shut line, is said by `undecided`.
        """
        self._penalty.look(now)
        self._penalty.turned_away(now, sent_at, retry_after_s)

    def accepted(self) -> None:
        """A request was answered normally: the next penalty starts from 1 s again."""
        self._penalty.accepted()

    def full(self, now: Instant) -> None:
        """A create was refused for concurrency: the line is shut, its head tries after 3, 5, 10, 10 s."""
        self._line.full(now)

    def opened(self) -> None:
        """A create succeeded. It opens the line if it was the head's; an answer to a create that went
        out before the line was shut says nothing about now."""
        self._line.opened()

    def undecided(self, now: Instant) -> None:
        """A create ended otherwise (turned away, lost, refused, denied, spent): if it was the head's, the
        next head tries after the same wait again. Without this call it tries after 75 s."""
        self._line.undecided(now)

    def in_window(self, now: Instant) -> int:
        """How many grants count now: on their way, or sent within the window."""
        return self._window.counted(now)

    @property
    def window_s(self) -> float:
        """For how long a request counts, widened."""
        return self._window.length_s

    @property
    def shut(self) -> bool:
        """The account was full when it was last asked, whatever we count: only the head tries (S17)."""
        return self._line.shut

    @property
    def held_until(self) -> Instant | None:
        """When the last penalty ends; `None` once an admission has seen it over."""
        return self._penalty.until

    def _grant(self, now: Instant, lane: Lane, wanted: int, free: int) -> int:
        if self._penalty.opens_at(now) > now:
            return 0
        count = min(wanted, self._window.room())
        if lane is Lane.CREATE:
            count = self._line.grant(now, min(count, max(0, free)))
        elif lane is Lane.INSPECT:
            # Counted when granted, not when sent: a fair share among ourselves, not the account's law.
            count = min(count, self._inspects.room())
            self._inspects.sent(now, count)
        self._window.outstanding += count
        return count

    def _opens_at(self, now: Instant, lane: Lane, free: int) -> Instant | None:
        """When this lane can be granted one more; `None` when no mere passing of time does it."""
        gates = [self._penalty.opens_at(now), self._window.opens_at(now)]
        if lane is Lane.CREATE:
            gates.append(self._line.opens_at(now) if free > 0 else None)
        elif lane is Lane.INSPECT:
            gates.append(self._inspects.opens_at(now))
        known = [at for at in gates if at is not None]
        return max(known) if len(known) == len(gates) else None


def _tenth(rate: Rate) -> Rate:
    return Rate(max(1, rate.count // 10), rate.per_s)
