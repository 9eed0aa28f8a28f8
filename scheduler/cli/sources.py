"""What `explain` answers from: a configuration, a ledger, or both, whichever there is.

Without a configuration the one that was in force last stands in the ledger; without a ledger the plan
still tells what is to come. What they say is not judged here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scheduler.cli.paths import chosen, summed_up
from scheduler.cli.places import meant, named, opened, opened_if_made
from scheduler.cli.shown import Refusal

if TYPE_CHECKING:
    from scheduler.explaining import Explanation, Known
    from scheduler.ledger import Place
    from scheduler.ledger.snapshot import Snapshot
    from scheduler.model import Config


@dataclass(frozen=True, slots=True)
class Sources:
    """A ledger, if there is one, and what is known beside its records."""

    snapshot: Snapshot | None
    known: Known

    def explained(self, key: str) -> Explanation:
        """The chain of one key; a `Refusal` when it is none."""
        from scheduler.explaining import explain
        from scheduler.ledger.recalling import explained

        try:
            return explained(self.snapshot, key, self.known) if self.snapshot else explain(key, self.known)
        except ValueError as error:
            raise Refusal(str(error)) from None

    def keys(self, day: date, *, person: str | None = None, schedule: str | None = None) -> list[str]:
        """The keys of a local date, of one person, one schedule or all: what was written, then what else is
        planned, so that a day that is cut short keeps what has happened."""
        from scheduler.explaining import keys_on
        from scheduler.ledger.snapshot import Filters

        planned = (
            key
            for key in keys_on(self.known.schedules or {}, day, person)
            if schedule in (None, key.split("/")[0])
        )
        filters = Filters(None, schedule, person, day.isoformat())
        written = (each.key for each in self.snapshot.records(filters)) if self.snapshot else ()
        return list(dict.fromkeys([*written, *planned]))


@contextmanager
def sources(paths: Sequence[Path], ledger: Place | None) -> Iterator[Sources]:
    """What is to be had, for as long as the block lasts; a `Refusal` when that is nothing."""
    config = _configuration(paths)
    with _reading(ledger, config) as snapshot:
        yield Sources(snapshot, _known(snapshot, config))


def _configuration(paths: Sequence[Path]) -> Config | None:
    """What the files say, if there are any and they are good."""
    from scheduler.config import read

    try:
        config, problems = read(chosen(paths))
    except click.UsageError:
        return None
    if config is None:
        click.echo(f"the configuration has {summed_up(problems)}: told from the ledger alone", err=True)
    return config


@contextmanager
def _reading(ledger: Place | None, config: Config | None) -> Iterator[Snapshot | None]:
    """The ledger that is meant; `None` when the configuration's isn't made yet."""
    place = named(ledger)
    if place is None and config is not None:
        reading: AbstractContextManager[Snapshot | None] = opened_if_made(
            meant(None, lambda: config.service.ledger)
        )
    else:
        reading = opened(place)
    with reading as snapshot:
        yield snapshot


def _known(snapshot: Snapshot | None, config: Config | None) -> Known:
    from scheduler.clock import Clock
    from scheduler.explaining import Known
    from scheduler.ledger.recalling import known, newest

    now = Clock().now()
    schedules, limits = (config.schedules, config.account) if config else (None, None)
    if snapshot is None:
        return Known(now=now, schedules=schedules, account=limits)
    return known(snapshot, newest(snapshot) if schedules is None else schedules, limits, now)
