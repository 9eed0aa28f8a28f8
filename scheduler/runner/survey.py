"""A Survey: the account's list, read once, and what its rows mean for every record (S12, S13).

Pure: it names the next page to ask for, takes pages, and at the end turns rows into notes. A row
without a mark is not even remembered; one whose mark this ledger did not make is a stranger's, and
nothing is said of it. Absence of a row proves nothing about a conversation that is known: it only
makes an Inspect due.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from jobs.model import Address, Instant, Listed, Page
from jobs.model import Survey as PageStep
from scheduler import marks, policy
from scheduler.facts import Doubted, Fact, Found, NothingThere, Stage, StrayFound, Unlisted
from scheduler.ledger import Note
from scheduler.lifecycle import last_look
from scheduler.record import Record

PAGES_MAX = 50
"""Ended rows in an order that can't be trusted are not read beyond this (S12), nor is any list of which this
many pages brought nothing new."""

PAGES_MOST = 1000
"""No list is longer: active rows are bounded by the plan, ended ones by time."""

SETTLED_S = 30.0
"""A conversation younger than this, or asked after as lately, may well be missing from a list."""

WANTS_ONE = (Stage.PLANNED, Stage.CREATING)
"""The stages in which a conversation that is found is adopted."""

Addressed = Mapping[str, tuple[Address, ...]]


class Survey:
    """One walk over the list: `step` names the next page until it is `None`, `take` brings it.

    It is `complete` unless it stopped early: when it was begun for looks, none of them the last one, and all
    are found, the rest of a long list is left to the next regular Survey.
    """

    def __init__(self, since: Instant, looking: Sequence[Record]) -> None:
        self.since = since
        self.looking = looking
        self.rows: dict[str, Listed] = {}
        self.overflowed = False
        last = [r.attempted_at or since for r in looking if self._looks_last(r)]
        self._back_to = min(last) - policy.MARGIN_S if last else None
        self._walk = _Walk("active", float("-inf"))
        self._stops = bool(looking) and not last and all(_at_most_one(r) for r in looking)
        self._missing = {r.mark for r in looking}
        self.complete = True

    @property
    def step(self) -> PageStep | None:
        """The page to ask for; `None` when the list is read."""
        return self._walk.step

    def take(self, page: Page) -> None:
        """Read one page, the one that `step` asked for."""
        for row in page.rows:
            if (found := marks.read(row.name)) is not None:
                self.rows.setdefault(row.conversation_id, row)
                if row.active and row.url:
                    self._missing.discard(found[0])
        walk = self._walk
        walk.take(page)
        self.overflowed = self.overflowed or walk.overflowed
        if walk.step is None and walk.status == "active" and self._back_to is not None:
            self._walk = _Walk("ended", self._back_to)
        if walk.step is not None and self._stops and not self._missing:
            walk.step, self.complete = None, False

    def marks(self) -> list[str]:
        """The marks that were seen, ours or not."""
        return sorted(self._by_mark())

    def notes(
        self, by_mark: Mapping[str, Record], live: Iterable[Record], to: Addressed, at: Instant
    ) -> Iterator[Note]:
        """What the list says: adoptions, strays, looks in vain, and conversations to be asked after.

        Every record of `looking` is either adopted or has looked in vain, so that no look stays due.
        `to` has the addresses of every record that may be adopted, by its key.
        """
        found: set[str] = set()
        for mark, rows in self._by_mark().items():
            if (record := by_mark.get(mark)) is None:
                continue
            for fact in _meant(record, rows):
                if isinstance(fact, Found):
                    found.add(record.key)
                yield Note(record.key, fact, at, to.get(record.key, ()))
        for record in self.looking:
            if record.key not in found:
                yield Note(record.key, self._in_vain(record), at)
        for record in live:
            if self.complete and not self.overflowed and self._absent(record):
                yield Note(record.key, Doubted("survey"), at)

    def _by_mark(self) -> dict[str, list[Listed]]:
        """Rows by mark: active before ended, the oldest first, since that one is kept."""
        grouped: dict[str, list[Listed]] = {}
        for row in sorted(self.rows.values(), key=lambda row: (not row.active, row.created_at)):
            found = marks.read(row.name)
            if found is not None:
                grouped.setdefault(found[0], []).append(row)
        return grouped

    def _looks_last(self, record: Record) -> bool:
        return record.stage is Stage.CREATING and last_look(record, self.since)

    def _in_vain(self, record: Record) -> Fact:
        return Unlisted() if self.overflowed and self._looks_last(record) else NothingThere(self.since)

    def _absent(self, record: Record) -> bool:
        row = self.rows.get(record.conversation_id or "")
        # A time ahead is of a clock that was set back since: it must not blind us until it comes again.
        times = (at for at in (record.created_at, record.inspected_at) if at is not None)
        known_at = max((at for at in times if at <= self.since), default=0.0)
        return (row is None or not row.active) and known_at < self.since - SETTLED_S


class _Walk:
    """The pages of one status, in order. It ends with the list, or at a page that is wholly older than
    `back_to` when rows come newest first; a list that doesn't end is given up."""

    def __init__(self, status: Literal["active", "ended"], back_to: Instant) -> None:
        self.status = status
        self.step: PageStep | None = PageStep(status)
        self.overflowed = False
        self._back_to = back_to
        self._newest_first = True
        self._taken = 0
        self._idle = 0
        self._seen: set[str] = set()
        self._total: int | None = None

    def take(self, page: Page) -> None:
        """Decide what to read after this page."""
        step = self.step
        if step is None:
            return
        self._taken += 1
        before, self._total = self._total, page.total
        if before is not None and page.total is not None and page.total < before:
            # Rows moved up, maybe onto the page just read: that is read again, and counting begins anew.
            self._seen.clear()
            self.step = PageStep(self.status, max(1, step.page - 1))
        elif self._at_end(page):
            self.step = None
        else:
            self.step = PageStep(self.status, step.page + 1)
        if self.step is not None and self._is_endless():
            self.step, self.overflowed = None, True

    def _is_endless(self) -> bool:
        trusted = self.status == "active" or self._newest_first
        return self._taken >= (PAGES_MOST if trusted else PAGES_MAX) or self._idle >= PAGES_MAX

    def _at_end(self, page: Page) -> bool:
        """Pages may be shorter than they were asked to be, so ids are counted, not pages."""
        fresh = {row.conversation_id for row in page.rows} - self._seen
        self._seen |= fresh
        self._idle += not fresh
        times = [row.created_at for row in page.rows]
        self._newest_first = self._newest_first and times == sorted(times, reverse=True)
        if not times or (self._newest_first and times[0] < self._back_to):
            return True
        return not fresh if page.total is None else len(self._seen) >= page.total


def _at_most_one(record: Record) -> bool:
    """Whether no second conversation of its own, the better one, can stand further down the list."""
    return record.attempt == 1 and not record.strays


def _meant(record: Record, rows: Sequence[Listed]) -> Iterator[Fact]:
    """The facts of one record's rows: one is adopted where one is wanted, other active ones are strays."""
    if record.stage is Stage.CREATING and record.attempt_ended_at is None:
        return  # its own answer is on the way
    strays = {stray.conversation_id for stray in record.strays}
    unknown = [row for row in rows if row.conversation_id not in strays]
    adopted = None
    if record.stage in WANTS_ONE:
        adopted = next((row for row in unknown if row.url or not row.active), None)
    if adopted is not None:
        yield Found(adopted.conversation_id, adopted.url, adopted.created_at, adopted.active)
    for row in unknown:
        if row is adopted or not row.active:
            continue
        if row.conversation_id != record.conversation_id:
            yield StrayFound(row.conversation_id)
        elif record.stage is not Stage.LIVE:
            yield Found(row.conversation_id, row.url, row.created_at, row.active)
