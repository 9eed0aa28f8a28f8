"""A Survey: the account's list, read once, and what its rows mean for every record (S12, S13).

Pure: it names the next page to ask for, takes pages, and at the end turns rows into notes. A row
without a mark that this ledger made is a stranger's, and is not even remembered. Absence of a row
proves nothing about a conversation that is known: it only makes an Inspect due.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from jobs.model import Address, Instant, Listed, Page
from jobs.model import Survey as PageStep
from scheduler import marks, policy
from scheduler.facts import Fact, Found, NothingThere, Stage, StrayFound, Unlisted
from scheduler.ledger import Note
from scheduler.lifecycle import last_look
from scheduler.record import Record

PAGES_MAX = 50
"""A list longer than this is not read to its end (S12)."""

SETTLED_S = 30.0
"""A conversation younger than this, or asked after as lately, may well be missing from a list."""

Addressed = Mapping[str, tuple[Address, ...]]


class Survey:
    """One walk over the list: `step` names the next page until it is `None`, `take` brings it."""

    def __init__(self, since: Instant, looking: Sequence[Record]) -> None:
        self.since = since
        self.looking = looking
        self.rows: dict[str, Listed] = {}
        self.overflowed = False
        last = [r for r in looking if r.stage is Stage.CREATING and last_look(r, since)]
        self._with_ended = bool(last)
        oldest = min((r.attempted_at or since for r in last), default=since)
        self._back_to = oldest - policy.MARGIN_S
        self._newest_first = True
        self.step: PageStep | None = PageStep("active")

    def take(self, page: Page) -> None:
        """Read one page, the one that `step` asked for."""
        asked = self.step
        if asked is None:
            return
        for row in page.rows:
            if marks.read(row.name) is not None:
                self.rows.setdefault(row.conversation_id, row)
        self.step = self._next(asked, page)

    def marks(self) -> list[str]:
        """The marks that were seen, ours or not."""
        return sorted({found[0] for row in self.rows.values() if (found := marks.read(row.name))})

    def notes(
        self, by_mark: Mapping[str, Record], live: Iterable[Record], to: Addressed, at: Instant
    ) -> Iterator[Note]:
        """What the list says: adoptions, strays, looks in vain, and conversations to be asked after.

        `to` has the addresses of every record that may be adopted, by its key.
        """
        seen: set[str] = set()
        for mark, rows in self._by_mark().items():
            record = by_mark.get(mark)
            if record is not None:
                seen.add(record.key)
                yield from (
                    Note(record.key, fact, at, to.get(record.key, ())) for fact in _meant(record, rows)
                )
        for record in self.looking:
            if record.key not in seen:
                yield from (Note(record.key, fact, at) for fact in self._in_vain(record))
        for record in live:
            if record.key not in seen and not self.overflowed and self._settled(record):
                yield Note(record.key, NothingThere(self.since), at)

    def _next(self, asked: PageStep, page: Page) -> PageStep | None:
        times = [row.created_at for row in page.rows]
        self._newest_first = self._newest_first and times == sorted(times, reverse=True)
        read = (asked.page - 1) * asked.limit + len(page.rows)
        done = len(page.rows) < asked.limit if page.total is None else read >= page.total or not page.rows
        if asked.status == "ended" and self._newest_first and times and times[0] < self._back_to:
            done = True
        if not done and asked.page >= PAGES_MAX:
            self.overflowed = done = True
        if not done:
            return PageStep(asked.status, asked.page + 1, asked.limit)
        return PageStep("ended") if asked.status == "active" and self._with_ended else None

    def _by_mark(self) -> dict[str, list[Listed]]:
        """Rows by mark: active before ended, the oldest first, since that one is kept."""
        grouped: dict[str, list[Listed]] = {}
        for row in sorted(self.rows.values(), key=lambda row: (not row.active, row.created_at)):
            found = marks.read(row.name)
            if found is not None:
                grouped.setdefault(found[0], []).append(row)
        return grouped

    def _in_vain(self, record: Record) -> Iterator[Fact]:
        last = record.stage is Stage.CREATING and last_look(record, self.since)
        if self.overflowed:
            if last:
                yield Unlisted()
        elif self._with_ended or not last:
            yield NothingThere(self.since)

    def _settled(self, record: Record) -> bool:
        known_at = max(record.created_at or 0.0, record.inspected_at or 0.0)
        return known_at < self.since - SETTLED_S


def _meant(record: Record, rows: Sequence[Listed]) -> Iterator[Fact]:
    """The facts of one record's rows: one is adopted where one is wanted, other active ones are strays."""
    if record.stage is Stage.CREATING and record.attempt_ended_at is None:
        return  # its own answer is on the way
    wanted = record.stage in (Stage.PLANNED, Stage.CREATING)
    strays = {stray.conversation_id for stray in record.strays}
    adopted = next((row for row in rows if row.conversation_id not in strays), None) if wanted else None
    if adopted is not None:
        yield _found(adopted)
    for row in rows:
        if row is adopted or row.conversation_id in strays or not row.active:
            continue
        if row.conversation_id != record.conversation_id:
            yield StrayFound(row.conversation_id)
        elif record.look_at is not None or record.stage is not Stage.LIVE:
            yield _found(row)


def _found(row: Listed) -> Found:
    return Found(row.conversation_id, row.url, row.created_at, row.active)
