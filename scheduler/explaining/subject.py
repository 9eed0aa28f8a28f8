"""What one explanation is about: a key, with all that is known of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from jobs.model import Instant
from scheduler.explaining.values import Known, Story
from scheduler.explaining.words import wall
from scheduler.model import Occurrence, Schedule
from scheduler.record import Record

F = TypeVar("F")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One key. `held` is how many conversations were in use when it opened, if that is known."""

    key: str
    known: Known
    occurrence: Occurrence | None
    record: Record | None
    story: Story
    held: int | None

    @property
    def name(self) -> str:
        """The schedule's."""
        return self.key.split("/")[0]

    @property
    def slot(self) -> str:
        """The slot's name."""
        return self.key.split("/")[1]

    @property
    def date(self) -> str:
        """The local date, as it is written."""
        return self.key.split("/")[2]

    @property
    def participant(self) -> str | None:
        """The person's id."""
        person = self.key.split("/")[3]
        return None if person == "-" else person

    @property
    def schedule(self) -> Schedule | None:
        """As the configuration has it now."""
        return (self.known.schedules or {}).get(self.name)

    @property
    def promise(self) -> Record | Occurrence | None:
        """What was promised, else what is: both know `due`, `opens`, `shuts` and `timezone`."""
        return self.record or self.occurrence

    def facts(self, kind: type[F]) -> Iterator[tuple[Instant, F]]:
        """The facts of one kind, with their times."""
        return ((at, fact) for at, fact in self.story if isinstance(fact, kind))

    def clock(self, at: Instant) -> str:
        """An instant on the promise's own clock."""
        return wall(at, self.promise.timezone if self.promise else "UTC", self.date)
