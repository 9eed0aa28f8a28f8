"""The desk: what a person may ask of the house, and what the house answers.

Values and one Protocol, so that pages and the control socket know what they may ask without knowing the
daemon, which answers. Whoever asks says who they are and why; both stand in the ledger. Every verb is
idempotent: asked twice, the second answer is `already`. How anything is done is not said here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from enum import StrEnum
from typing import NamedTuple, Protocol

from jobs.model import Instant
from scheduler.vitals import Reload, Standing, Vitals

WHY_MAX = 500


class Breadth(StrEnum):
    """How much a pause stops."""

    ALL = "all"
    SCHEDULE = "schedule"
    PARTICIPANT = "participant"


class Scope(NamedTuple):
    """What a pause is for; `name` is a schedule's name or a participant's id, empty for all."""

    breadth: Breadth = Breadth.ALL
    name: str = ""

    def __str__(self) -> str:
        """`everything`, `schedule morning`, `participant ana`."""
        return f"{self.breadth} {self.name}" if self.name else "everything"


class Pause(NamedTuple):
    """What opens from `since` on, and before `until` if that is known, is skipped (S5)."""

    scope: Scope
    since: Instant
    until: Instant | None
    by: str
    why: str | None


class Asker(NamedTuple):
    """Who asks (the user of the system, or the name that signed in), and why, if they said so."""

    by: str
    why: str | None = None


def reason(text: str | None) -> str | None:
    """Why, as it may stand in the ledger and on a terminal: one short line of printable signs, or `None`."""
    shown = "".join(sign if sign.isprintable() else " " for sign in text or "")
    return " ".join(shown.split())[:WHY_MAX] or None


class Missed(NamedTuple):
    """Everything that was missed on this local date and isn't made up yet; `None`: within the last week."""

    on: date | None = None


class Effect(StrEnum):
    """What came of asking."""

    DONE = "done"
    ALREADY = "already"
    WOULD = "would"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of asking: in sentences for people, one for each thing; `keys` are the promises concerned
    (of a make-up: the new ones), `numbers` what there is to count (of a reload: added, removed, moved)."""

    effect: Effect
    said: tuple[str, ...]
    keys: tuple[str, ...] = ()
    numbers: Mapping[str, int] = field(default_factory=dict)


class Refused(Exception):
    """It can't be done; the text is one line that says why, and what can be done instead. `details` are
    the errors of a configuration, if that is what is refused (`file:line:column: message`)."""

    def __init__(self, message: str, details: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.details = tuple(details)


class LastMissed(NamedTuple):
    """The promise that was missed most lately."""

    key: str
    due: Instant
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How the house stands `at` this moment. `unready` are the reasons why it doesn't do its work, none when
    it does; `vitals` are `None` where no daemon runs, and so is `reload`, how it last read its files; the
    rest is what the ledger says."""

    unready: tuple[str, ...]
    version: int
    standing: Standing
    pauses: tuple[Pause, ...]
    last_missed: LastMissed | None
    vitals: Vitals | None = None
    reload: Reload | None = None
    at: Instant | None = None


class Desk(Protocol):
    """The verbs. All but `status` raise Refused, and LedgerError while the ledger can't be written."""

    async def pause(self, scope: Scope, until: Instant | None, asker: Asker) -> Answer:
        """Skip what opens from now on (S5); asked again, only `until` changes."""

    async def resume(self, scope: Scope, asker: Asker) -> Answer:
        """End the pause of exactly this scope. What was skipped meanwhile stays so."""

    async def skip(self, key: str, asker: Asker) -> Answer:
        """Take one promise back, also one whose date has not come."""

    async def make_up(
        self, of: str | Missed, on: date, at: time | None, asker: Asker, *, dry_run: bool
    ) -> Answer:
        """Promise again, on this local date, what came to nothing: a key, or all that was missed. `at` is a
        local time of the person's zone; without it, the slot's."""

    async def end(self, key: str, asker: Asker) -> Answer:
        """End a conversation of ours (S13)."""

    async def resend(self, key: str, channel: str | None, asker: Asker) -> Answer:
        """Hand over a link that is still alive once more (S28), through one channel or all of its."""

    async def retry(self, key: str, asker: Asker) -> Answer:
        """Put a failed promise back into line while its window is open; where an answer may be lost, it is
        looked for first (S12)."""

    async def resume_account(self, asker: Asker) -> Answer:
        """Lift the holds that a person may lift (S14)."""

    async def reload(self, asker: Asker) -> Answer:
        """Read the files again, whole or not at all (S7)."""

    async def status(self) -> Status:
        """How the house stands now."""
