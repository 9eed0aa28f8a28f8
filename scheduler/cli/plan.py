"""`callboard plan`: the promises to come, as the planner sees them.

Reads schedules and shows local times, zones and clock changes. It knows no ledger: what was already promised
or moved by hand is `ls`'s to say. Rows are streamed; only the days that are still being filled are held.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from jobs.model import Instant
from scheduler.cli.moments import by_local_date, heading, local, rfc3339, wall_time
from scheduler.cli.paths import loaded, paths_argument
from scheduler.cli.shown import aligned, as_text, conventions, count, write
from scheduler.model import Occurrence

DAY_S = 86_400.0
CLOCK_CHANGES = {"gap": "the clocks go forward over this time", "fold": "the clocks go back: it comes twice"}
"""What the planner's notes mean to people (S2)."""


class Moment(click.ParamType[Instant]):
    """A date, or a date and time; in UTC unless it says otherwise."""

    name = "T"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Instant:
        """`2026-12-01`, `2026-12-01T09:00`, `2026-12-01T09:00-05:00` as an instant; else a usage error."""
        from scheduler.triggers import YEARS

        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not like 2026-12-01 or 2026-12-01T09:00Z", param, ctx)
        if moment.year not in YEARS:
            self.fail(f"{value!r} is too far away to be reckoned with", param, ctx)
        return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()


@click.command()
@paths_argument
@click.option(
    "--from", "start", type=Moment(), help="Begin here instead of now: 2026-12-01, 2026-12-01T09:00Z."
)
@click.option("--days", type=click.IntRange(1, 3660), default=7, show_default=True, help="Look so far ahead.")
@conventions
def plan(paths: Sequence[Path], start: Instant | None, days: int, as_json: bool) -> int:
    """Show the promises to come: local times, zones, clock changes.

    PATH is a YAML file or a directory of them; without one, CALLBOARD_CONFIG or ./callboard.yaml is read.
    """
    from scheduler.clock import Clock
    from scheduler.planner import occurrences

    config = loaded(paths)
    after = math.floor(Clock().now()) if start is None else start
    until = after + days * DAY_S
    tally: Counter[str] = Counter()
    coming = _counted(occurrences(config.schedules.values(), after, until), tally)
    write(_json_lines(coming) if as_json else _text_lines(coming))
    _summarize(tally, after, until, as_json)
    return 0


def _counted(coming: Iterable[Occurrence], tally: Counter[str]) -> Iterator[Occurrence]:
    """The same rows; `tally` has their number by note, and without one under ''."""
    for each in coming:
        tally[each.skip or each.note or ""] += 1
        yield each


def _json_lines(coming: Iterable[Occurrence]) -> Iterator[str]:
    for each in coming:
        yield as_text(
            {
                "key": each.key,
                "schedule": each.schedule,
                "slot": each.slot,
                "date": each.date,
                "participant": each.participant,
                "local": local(each.due, each.timezone).isoformat(),
                "timezone": each.timezone,
                "due": rfc3339(each.due),
                "note": each.note or each.skip,
            }
        )


def _text_lines(coming: Iterable[Occurrence]) -> Iterator[str]:
    for day, rows in by_local_date(coming):
        yield heading(day)
        yield from aligned(_row(each) for each in rows)
        yield ""


def _row(each: Occurrence) -> tuple[str, ...]:
    note = each.skip or each.note or ""
    time = wall_time(each.due, each.timezone)
    shown = (time, each.timezone, each.key, click.style(note, fg="yellow") if note else "")
    return ("", *(click.style(cell, dim=True) if each.skip else cell for cell in shown))


def _summarize(tally: Counter[str], after: Instant, until: Instant, as_json: bool) -> None:
    notes = {note: number for note, number in sorted(tally.items()) if note}
    if as_json:
        counts = {"promises": tally.total(), "notes": notes, "from": rfc3339(after), "until": rfc3339(until)}
        write([as_text({"summary": counts})])
        return
    write(f"{note}: {number:,} ({CLOCK_CHANGES.get(note, 'skipped')})" for note, number in notes.items())
    write([f"{count(tally.total(), 'promise')} until {rfc3339(until)}"])
