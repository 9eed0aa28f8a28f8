"""`callboard mail`: looking after letters by hand.

`preview` shows one without sending it, `test` sends one and tells how far it came. What letters say is
`jobs.letter`'s and the schedules'; how they are sent is the channel's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jobs.model import Participant
from scheduler.cli.paths import loaded, paths_argument
from scheduler.cli.places import ledger_option, meant, opened_if_made
from scheduler.cli.shown import Refusal, as_text, conventions, document, folded, write
from scheduler.model import Config, Occurrence, Schedule

if TYPE_CHECKING:
    from scheduler.app import Shown, Tried
    from scheduler.ledger import Place


COLUMNS = 10
"""For the name of a stage."""


@click.group()
def mail() -> None:
    """Look at letters without sending them, and try the mail server out."""


@mail.command()
@click.argument("of", metavar="KEY|SCHEDULE")
@paths_argument
@click.option("--participant", metavar="ID", help="Whose next letter, of a SCHEDULE; else the first one's.")
@click.option(
    "--html",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the letter's HTML there instead of showing its text.",
)
@click.option("--links", is_flag=True, help="Show the join link of a letter that waits, too.")
@ledger_option
@conventions
def preview(
    of: str,
    paths: Sequence[Path],
    participant: str | None,
    html: Path | None,
    links: bool,
    ledger: Place | None,
    as_json: bool,
) -> int:
    """Show a letter without sending it.

    KEY is schedule/slot/date/participant, as `plan` and `ls` show it: the letter that waits in the ledger, if
    one does, else as it would be now, with a made-up link. A SCHEDULE's name means its next slot. PATH is a
    YAML file or a directory of them, as for `plan`.
    """
    config = loaded(paths)
    place = meant(ledger, lambda: config.service.ledger)
    key, shown = _waiting(place, of, links) or _composed(config, of, participant)
    if html is not None:
        _write(html, shown.html)
    if as_json:
        write([as_text({"key": key, **_fields(shown)})])
    elif html is None:
        head = (f"From: {shown.sender}", f"To: {shown.to}", f"Subject: {shown.subject}")
        write([*head, "", shown.text.rstrip()])
    return 0


@mail.command()
@click.argument("address")
@paths_argument
@conventions
def test(address: str, paths: Sequence[Path], as_json: bool) -> int:
    """Send one letter to ADDRESS and tell each stage: DNS, connection, TLS, login, accepted.

    PATH is a YAML file or a directory of them, as for `run`; its section `mail` is used. Exits 0 when the
    letter was accepted, and 1 with what to do when it was not.
    """
    from jobs.errors import LetterError
    from scheduler import app
    from scheduler.clock import Clock
    from scheduler.settings import SettingsError

    config = loaded(paths)
    if config.mail is None:
        raise Refusal("the configuration has no `mail:` section; configs/README.md has one to begin with")
    stages: list[Tried] = []
    try:
        app.try_mail(config.mail, address, Clock().now(), lambda tried: _tell(tried, stages, as_json))
    except (LetterError, SettingsError) as error:
        raise Refusal(str(error)) from None
    if as_json:
        document({"ok": _went_well(stages), "stages": [asdict(each) for each in stages]})
    return 0 if _went_well(stages) else 1


def _tell(tried: Tried, stages: list[Tried], as_json: bool) -> None:
    stages.append(tried)
    if as_json:
        return
    word = click.style(tried.result, fg={"ok": "green", "failed": "red"}.get(tried.result))
    write([f"{tried.stage:<{COLUMNS}}{word}: {tried.told}"])
    if tried.fix:
        write([" " * COLUMNS + folded(COLUMNS, f"fix: {tried.fix}")])


def _went_well(stages: Sequence[Tried]) -> bool:
    return (stages[-1].stage, stages[-1].result) == ("accepted", "ok")


def _waiting(place: Place, of: str, links: bool) -> tuple[str, Shown] | None:
    """The letter that is frozen for a key, where there is a ledger."""
    from scheduler import app

    if "/" not in of:
        return None
    with opened_if_made(place) as snapshot:
        shown = app.frozen(snapshot, of, links=links) if snapshot else None
    return (of, shown) if shown else None


def _composed(config: Config, of: str, participant: str | None) -> tuple[str, Shown]:
    from jobs.errors import LetterError
    from scheduler import app

    promise = _promise(config, of, participant)
    try:
        shown = app.composed(config, promise)
    except LetterError as error:
        raise Refusal(str(error)) from None
    if not any(address.channel == "mail" for address in config.schedules[promise.schedule].deliver):
        click.echo(f"{promise.schedule} sends no mail yet: write `deliver: [mail]`", err=True)
    return promise.key, shown


def _promise(config: Config, of: str, participant: str | None) -> Occurrence:
    from scheduler.planner import find

    if "/" not in of:
        return _next(_schedule(config, of), participant)
    if participant is not None:
        raise click.UsageError("--participant goes with a SCHEDULE: a KEY names its own")
    promise = find(config.schedules.values(), of)
    if promise is None:
        _schedule(config, of.partition("/")[0])
        raise Refusal(f"{of} is no promise of this configuration; `callboard plan` shows the keys")
    return promise


def _schedule(config: Config, name: str) -> Schedule:
    schedule = config.schedules.get(name)
    if schedule is None:
        raise Refusal(f"there is no schedule {name}; {_instead(name, list(config.schedules))}")
    return schedule


def _next(schedule: Schedule, participant: str | None) -> Occurrence:
    from scheduler import app
    from scheduler.clock import Clock

    promise = app.coming(schedule, _person(schedule, participant), Clock().now())
    if promise is None:
        raise Refusal(f"{schedule.name} has no slot within a year; `callboard plan` shows what is to come")
    return promise


def _person(schedule: Schedule, participant: str | None) -> Participant:
    people = {each.id: each for each in schedule.participants}
    if not people:
        raise Refusal(f"{schedule.name} has no participants: nobody would get a letter")
    if participant is None:
        return schedule.participants[0]
    if participant not in people:
        raise Refusal(
            f"{schedule.name} has no participant {participant}; {_instead(participant, list(people))}"
        )
    return people[participant]


def _instead(word: str, known: Sequence[str]) -> str:
    near = get_close_matches(word, known, n=1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(known[:10])}"


def _write(file: Path, html: str) -> None:
    try:
        file.write_text(html, "utf-8")
    except OSError as error:
        raise Refusal(f"{file}: {error.strerror}; name a file that can be written") from None
    click.echo(f"written to {file}", err=True)


def _fields(shown: Shown) -> dict[str, str]:
    told = asdict(shown)
    return {"from": told.pop("sender"), **told}
