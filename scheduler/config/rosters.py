"""Who takes part: rosters from YAML and CSV, and one meaning for each participant id.

Ids are global (S1): the same id may be named again, but not with other data. Who takes part in
which schedule is decided elsewhere; a missing time zone is filled in by the schedule.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from jobs.model import Participant
from scheduler.config import files
from scheduler.config.models import PersonKeys, RosterFileKeys, RosterKeys
from scheduler.config.problems import Mark, Report, Source, quoted
from scheduler.config.reading import place, read, told_by
from scheduler.config.suggest import did_you_mean
from scheduler.config.tree import Entry

COLUMNS = PersonKeys.known_keys()
REQUIRED = ("id", "name")
MOST_BAD_ROWS = 50
"""A roster of another kind has as many errors as rows."""

Roster = tuple[Participant, ...]

_ROSTER: TypeAdapter[RosterFileKeys | list[PersonKeys]] = TypeAdapter(RosterKeys)


@dataclass(slots=True)
class People:
    """Everybody named so far, each with the place where they were named first."""

    report: Report
    _known: dict[str, tuple[Participant, Mark]] = field(default_factory=dict)

    def meet(self, person: PersonKeys, mark: Mark) -> Participant:
        """The participant, reported if this id was somebody else before."""
        found = Participant(person.id, person.name, person.email, person.timezone)
        first, where = self._known.setdefault(found.id, (found, mark))
        if first != found:
            self.report.error(
                mark, f"the participant {quoted(found.id)} has other data elsewhere", f"first at {where}"
            )
        return first


def roster(entry: Entry, people: People) -> Roster | None:
    """The people of one roster, or None when it couldn't be read."""
    found = read(_ROSTER, entry, people.report)
    if isinstance(found, RosterFileKeys):
        return _from_file(entry, found.file, people)
    if found is None:
        return None
    return tuple(people.meet(person, place(entry, index, "id")) for index, person in enumerate(found))


def _from_file(entry: Entry, name: str, people: People) -> Roster | None:
    mark = place(entry, "file")
    path = mark.source.path.parent / name
    try:
        source = Source(str(path), path, files.text(path, files.ROSTER_BYTES))
    except files.Unreadable as error:
        people.report.error(mark, f"the roster {quoted(str(path))}: {error}", _other_file(path))
        return None
    people.report.expect(source.name)
    bad = files.forbidden(source)
    if bad is not None:
        people.report.error(
            bad, "a character that can't stand in a roster (NUL or another control character)"
        )
        return None
    return _Table(source, people).roster()


def _other_file(path: Path) -> str | None:
    try:
        return did_you_mean(path.name, sorted(other.name for other in path.parent.glob("*.csv")))
    except OSError:
        return None


class _Table:
    """One CSV file, row by row; rows count from 1, the header included, as a spreadsheet does."""

    def __init__(self, source: Source, people: People) -> None:
        self._source = source
        self._people = people
        self._report = people.report
        self._bad_rows = 0

    def roster(self) -> Roster | None:
        rows = self._rows()
        _, line, header = next(rows, (1, 1, []))
        columns = [cell.strip().lower() for cell in header]
        if not self._header_is_good(columns, line):
            return None
        people: dict[Participant, None] = {}
        for row in rows:
            person = self._person(columns, *row)
            if person is not None:
                people[person] = None
            if self._bad_rows >= MOST_BAD_ROWS:
                below = Mark(self._source, min(row[1] + 1, len(self._source.lines)), 1)
                self._report.error(below, f"the rows after {MOST_BAD_ROWS} errors are not read")
                break
        if not people and not self._bad_rows:
            self._report.error(
                Mark(self._source, line, 1), "the roster is empty: there is nobody below its header"
            )
        return None if self._bad_rows or not people else tuple(people)

    def _rows(self) -> Iterator[tuple[int, int, list[str]]]:
        """(row, first line, cells) of each row that isn't blank."""
        reader = csv.reader((line + "\n" for line in self._source.lines), strict=True)
        number, line = 0, 1
        try:
            for cells in reader:
                number += 1
                if any(cell.strip() for cell in cells):
                    yield number, line, cells
                line = reader.line_num + 1
        except csv.Error as error:
            self._bad(
                number + 1, Mark(self._source, min(line, len(self._source.lines)), 1), f"not CSV: {error}"
            )

    def _header_is_good(self, columns: Sequence[str], line: int) -> bool:
        mark = Mark(self._source, line, 1)
        wanted = f"the first row names the columns: {','.join(COLUMNS)}"
        if not columns:
            self._report.error(mark, "the roster is empty", wanted)
            return False
        missing = [column for column in REQUIRED if column not in columns]
        if missing and len(columns) == 1 and any(sign in columns[0] for sign in ";\t"):
            self._report.error(mark, "the columns are not separated by commas", "save the roster with commas")
            return False
        for column in columns:
            if column not in COLUMNS or columns.count(column) > 1:
                free = [known for known in COLUMNS if known not in columns]
                self._report.error(
                    mark,
                    f"row 1: unknown or repeated column {quoted(column)}",
                    did_you_mean(column, free, wanted),
                )
                return False
        if missing:
            self._report.error(mark, f"row 1: the column {quoted(missing[0])} is missing", wanted)
        return not missing

    def _person(self, columns: Sequence[str], row: int, line: int, cells: list[str]) -> Participant | None:
        mark = Mark(self._source, line, 1)
        if len(cells) != len(columns):
            self._bad(row, mark, f"{len(cells)} values for {len(columns)} columns")
            return None
        values = {column: cell.strip() for column, cell in zip(columns, cells, strict=True) if cell.strip()}
        try:
            return self._people.meet(PersonKeys.model_validate(values), mark)
        except ValidationError as error:
            for found in error.errors(include_url=False):
                self._bad_cell(row, line, str(found["loc"][0]), values, found)
            return None

    def _bad_cell(
        self, row: int, line: int, column: str, values: dict[str, str], found: ErrorDetails
    ) -> None:
        value, told = values.get(column, ""), told_by(found)
        start = self._source.lines[line - 1].find(value) + 1
        message = told.message(quoted(value)) if value else "nothing is written here"
        self._bad(row, Mark(self._source, line, start or 1), f"{column}: {message}", told.hint)

    def _bad(self, row: int, mark: Mark, message: str, hint: str | None = None) -> None:
        self._bad_rows += 1
        self._report.error(mark, f"row {row}: {message}", hint)
