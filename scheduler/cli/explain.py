"""`callboard explain`: why it ran, was late, was skipped, or will (not) run.

Finds out what is meant and shows the chain that `scheduler.explaining` makes of it; of one key also the
ledger's whole story, fact by fact. It judges nothing itself and shows no join link.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scheduler.cli.ls import fields
from scheduler.cli.moments import heading, rfc3339
from scheduler.cli.places import ledger_option
from scheduler.cli.shown import Refusal, conventions, document, write
from scheduler.cli.sources import Sources, sources
from scheduler.cli.story import chain_json, chain_lines, hanging, more, story_lines, told_json

if TYPE_CHECKING:
    from scheduler.explaining import Absence, Explanation
    from scheduler.ledger import Place
    from scheduler.model import Schedule

MOST_PROMISES = 50
"""Of one date so many are shown; `ls` has them all."""


@click.command()
@click.argument("what", metavar="KEY|PARTICIPANT|SCHEDULE")
@click.argument("day", metavar="[DATE]", required=False, type=click.DateTime(["%Y-%m-%d"]))
@click.option(
    "--config",
    "paths",
    multiple=True,
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="The configuration; else CALLBOARD_CONFIG's, else ./callboard.yaml.",
)
@ledger_option
@conventions
def explain(
    what: str, day: datetime | None, paths: Sequence[Path], ledger: Place | None, as_json: bool
) -> int:
    """Tell why it ran, was late, was skipped, or will (not) run.

    KEY is schedule/slot/date/participant, as `ls` and `plan` show it; or name a participant or a schedule,
    and the local DATE (2026-12-01), which may be one to come. The chain goes from the schedule over its
    zone, calendar, pauses and the account's limits to the POST, the delivery and the outcome.
    """
    if "/" not in what and day is None:
        raise click.UsageError(f"which date? callboard explain {what} 2026-12-01, or give a whole key")
    with sources(paths, ledger) as here:
        if "/" in what or day is None:
            return _one(what, here, as_json)
        return _date(what, day.date(), here, as_json)


def _one(key: str, here: Sources, as_json: bool) -> int:
    found = here.explained(key)
    record = here.snapshot.record(key) if here.snapshot else None
    if record is None and found.occurrence is None:
        _refuse_slips(found, here)
    story = here.snapshot.story(key) if here.snapshot else []
    if as_json:
        told = {**fields(record, links=False), **more(record)} if record else _unwritten(found)
        document({**told, "chain": chain_json(found), "story": [told_json(each) for each in story]})
    else:
        write([*chain_lines(found), *(["", *story_lines(record, story)] if record else [])])
    return 0


def _unwritten(found: Explanation) -> dict[str, object]:
    promise = found.occurrence
    return {
        "key": found.key,
        "stage": None,
        "due": rfc3339(promise and promise.due),
        "opens": rfc3339(promise and promise.opens),
        "shuts": rfc3339(promise and promise.shuts),
    }


def _date(name: str, day: date, here: Sources, as_json: bool) -> int:
    from scheduler.explaining import nothing_on
    from scheduler.triggers import YEARS

    if day.year not in YEARS:
        raise click.UsageError(f"{day} is too far away to be reckoned with")
    schedules = here.known.schedules or {}
    person = name if name in _people(schedules) or name not in schedules else None
    schedule = name if person is None else None
    keys = here.keys(day, person=person, schedule=schedule)
    if not keys and name not in _people(schedules) and name not in schedules:
        raise Refusal(_nobody(name, schedules))
    concerned = schedules if person else {name: schedules[name]}
    absences = list(nothing_on(concerned, day, person, here.known.now))
    found = [here.explained(key) for key in keys[:MOST_PROMISES]]
    if as_json:
        told = [{"key": each.key, "said": each.said, "chain": chain_json(each)} for each in found]
        nothing = [each._asdict() for each in absences]
        document({"name": name, "date": day.isoformat(), "promises": told, "nothing": nothing})
    else:
        write(_date_lines(day, found, absences, len(keys)))
    return 0


def _date_lines(
    day: date, found: Sequence[Explanation], absences: Sequence[Absence], promises: int
) -> Iterator[str]:
    yield heading(day.isoformat())
    for each in found:
        yield ""
        yield from chain_lines(each)
    if promises > len(found):
        yield f"and {promises - len(found):,} more: callboard ls --date {day} and callboard plan list them"
    if absences:
        yield ""
    for absent in absences:
        yield from hanging(f"  {absent.schedule}: ", f"nothing: {absent.words}")


def _refuse_slips(found: Explanation, here: Sources) -> None:
    """A slip in a name is no promise that isn't there: say what was probably meant."""
    name, _, day, person = found.key.split("/")
    schedules = here.known.schedules or {}
    same_day = [key for key in _keys_on(here, day) if key.split("/")[0::3] == [name, person]]
    if same_day:
        near = get_close_matches(found.key, same_day, n=1, cutoff=0.0)
        raise Refusal(f"no record has the key {found.key}; did you mean {near[0]}?")
    if name not in schedules:
        raise Refusal(f"no record has the key {found.key}; {_meant(name, schedules)}")
    people = {each.id for each in schedules[name].participants} or {"-"}
    if person not in people:
        raise Refusal(f"no record has the key {found.key}; {found.chain[0].words}; {_meant(person, people)}")


def _keys_on(here: Sources, day: str) -> list[str]:
    try:
        return here.keys(date.fromisoformat(day))
    except ValueError:
        return []


def _people(schedules: Mapping[str, Schedule]) -> set[str]:
    return {person.id for schedule in schedules.values() for person in schedule.participants}


def _nobody(name: str, schedules: Mapping[str, Schedule]) -> str:
    return f"nobody and no schedule is called {name}; {_meant(name, {*schedules, *_people(schedules)})}"


def _meant(name: str, known: set[str] | Mapping[str, object]) -> str:
    from scheduler.config.suggest import did_you_mean

    return did_you_mean(name, sorted(known)) or "`callboard ls` shows the keys"
