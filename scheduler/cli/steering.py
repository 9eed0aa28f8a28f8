"""`callboard pause`, `resume`, `skip`, `make-up`, `end`, `resend`, `retry`, `resume-account`, `reload`.

Turns words into a wish, has it asked, and shows the answer. What may be asked of what, and what it does, is
the desk's (`scheduler.desk`); that it was asked, by whom and why, stands in the ledger.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from jobs.model import Instant
from scheduler.cli.calling import ask, ask_workers, ledger_at, user
from scheduler.cli.places import ledger_option
from scheduler.cli.shown import Refusal, conventions, document, write
from scheduler.cli.until import Until

if TYPE_CHECKING:
    from scheduler.desk import Answer, Asker, Missed, Scope
    from scheduler.desk.wishes import ToMakeUp, Wish
    from scheduler.ledger import Place

F = TypeVar("F", bound=Callable[..., Any])

reason_option = click.option("--reason", metavar="TEXT", help="Why; it stands in the ledger.")
config_option = click.option(
    "--config",
    "files",
    multiple=True,
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="The configuration; else CALLBOARD_CONFIG's, else ./callboard.yaml.",
)


def steering(command: F) -> F:
    """Give a command what all of these have."""
    return reason_option(config_option(ledger_option(conventions(command))))


def scoped(command: F) -> F:
    """Give a command what names the scope of a pause."""
    command = click.option("--all", "everything", is_flag=True, help="Everything.")(command)
    command = click.option("--participant", metavar="ID", help="One person, in every schedule.")(command)
    return click.argument("schedule", required=False)(command)


@click.command()
@scoped
@click.option(
    "--until", type=Until(), help="When it ends: 09:30, 2026-12-01T09:00 (of this machine), RFC 3339, or 90m."
)
@steering
def pause(
    schedule: str | None,
    participant: str | None,
    everything: bool,
    until: Instant | None,
    **rest: Any,
) -> int:
    """Skip what opens from now on, of a schedule, a person, or all.

    Live conversations go on. What is skipped stays skipped; `make-up` promises it anew.
    """
    from scheduler.desk.wishes import ToPause

    scope = _scope(schedule, participant, everything)
    return _asked(lambda asker: ToPause(scope=scope, until=until, asker=asker), **rest)


@click.command()
@scoped
@steering
def resume(schedule: str | None, participant: str | None, everything: bool, **rest: Any) -> int:
    """End a pause; what was skipped meanwhile stays skipped."""
    from scheduler.desk.wishes import ToResume

    scope = _scope(schedule, participant, everything)
    return _asked(lambda asker: ToResume(scope=scope, asker=asker), **rest)


@click.command()
@click.argument("key")
@steering
def skip(key: str, **rest: Any) -> int:
    """Take one promise back, also one whose date has not come.

    KEY is schedule/slot/date/participant, as `ls` and `plan` show it.
    """
    from scheduler.desk.wishes import ToSkip

    return _asked(lambda asker: ToSkip(key=key, asker=asker), **rest)


@click.command("make-up")
@click.argument("key", required=False)
@click.option(
    "--missed",
    is_flag=False,
    flag_value="",
    metavar="[DATE]",
    help="All that was missed on this local date; without one, within the last week.",
)
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), required=True, metavar="DATE", help="The new date.")
@click.option(
    "--at",
    type=click.DateTime(["%H:%M", "%H:%M:%S"]),
    metavar="TIME",
    help="The new time, of the person's zone; else the same as before.",
)
@click.option("--dry-run", is_flag=True, help="Only show what would be promised.")
@click.option("--yes", is_flag=True, help="Do it without asking.")
@steering
def make_up(
    key: str | None,
    missed: str | None,
    on: datetime,
    at: datetime | None,
    dry_run: bool,
    yes: bool,
    **rest: Any,
) -> int:
    """Promise anew, on another date, what came to nothing.

    It shows what it would promise, and asks first. Each is one new promise, linked to the one that it makes
    up; asked again, there is no second one.
    """
    from scheduler.desk import Effect

    of, clock_time = _of(key, missed), None if at is None else at.time()
    look = _make_up_wish(of, on, clock_time)
    if not yes:
        answer = _ask(look, **rest)
        if dry_run or answer.effect is not Effect.WOULD:
            return _show(answer, rest["as_json"])
        _confirm(answer)

    def wish(asker: Asker) -> ToMakeUp:
        return replace(look(asker), dry_run=dry_run)

    return _asked(wish, **rest)


@click.command()
@click.argument("key")
@steering
def end(key: str, **rest: Any) -> int:
    """End a live conversation of ours, now."""
    from scheduler.desk.wishes import ToEnd

    return _asked(lambda asker: ToEnd(key=key, asker=asker), daemon_only=True, **rest)


@click.command()
@click.argument("key")
@click.option("--channel", metavar="NAME", help="Only by this channel: log, mail, webhook or slack.")
@steering
def resend(key: str, channel: str | None, **rest: Any) -> int:
    """Hand over a join link once more, while it is alive."""
    from scheduler.desk.wishes import ToResend

    return _asked(lambda asker: ToResend(key=key, channel=channel, asker=asker), daemon_only=True, **rest)


@click.command()
@click.argument("key")
@steering
def retry(key: str, **rest: Any) -> int:
    """Put a failed promise back into line while its window is open.

    Where an answer may be lost it is looked for first: there is never a second conversation.
    """
    from scheduler.desk.wishes import ToRetry

    return _asked(lambda asker: ToRetry(key=key, asker=asker), daemon_only=True, **rest)


@click.command("resume-account")
@steering
def resume_account(**rest: Any) -> int:
    """Lift the account's holds: credits were bought, or the key is good again."""
    from scheduler.desk.wishes import ToResumeAccount

    return _asked(lambda asker: ToResumeAccount(asker=asker), **rest)


@click.command()
@steering
def reload(**rest: Any) -> int:
    """Have the daemon read its files again, and tell what that changes.

    Exits 78 when they are refused: then the last good ones stay in force.
    """
    from scheduler.desk.wishes import ToReload

    return _asked(lambda asker: ToReload(asker=asker), daemon_only=True, **rest)


def _scope(schedule: str | None, participant: str | None, everything: bool) -> Scope:
    from scheduler.desk import Breadth, Scope

    if sum((schedule is not None, participant is not None, everything)) != 1:
        raise click.UsageError("name one of: a SCHEDULE, --participant ID, --all")
    if everything:
        return Scope()
    if schedule is not None:
        return Scope(Breadth.SCHEDULE, schedule)
    return Scope(Breadth.PARTICIPANT, participant or "")


def _of(key: str | None, missed: str | None) -> str | Missed:
    from datetime import date

    from scheduler.desk import Missed

    if (key is None) == (missed is None):
        raise click.UsageError("name one of: a KEY, --missed [DATE]")
    if key is not None:
        return key
    try:
        return Missed(date.fromisoformat(missed) if missed else None)
    except ValueError:
        raise click.UsageError(f"--missed: {missed!r} is not like 2026-12-01") from None


def _make_up_wish(of: str | Missed, on: datetime, at: time | None) -> Callable[[Asker], ToMakeUp]:
    from scheduler.desk.wishes import ToMakeUp

    return lambda asker: ToMakeUp(of=of, on=on.date(), at=at, dry_run=True, asker=asker)


def _confirm(answer: Answer) -> None:
    """Show what would be done, and go on only if a person says so."""
    for line in answer.said:
        click.echo(line, err=True)
    if not sys.stdin.isatty():
        raise Refusal("nothing is promised yet; --yes does it, --dry-run only shows it")
    click.confirm("Promise this?", abort=True, err=True)


def _ask(
    wish: Callable[[Asker], Wish],
    *,
    reason: str | None,
    files: Sequence[Path],
    ledger: Place | None,
    as_json: bool,
    daemon_only: bool = False,
) -> Answer:
    from scheduler import desk

    place, wanted = ledger_at(ledger, files), wish(desk.Asker(user(), desk.reason(reason)))
    return (ask_workers if daemon_only else ask)(place, files, wanted)


def _asked(wish: Callable[[Asker], Wish], **rest: Any) -> int:
    return _show(_ask(wish, **rest), rest["as_json"])


def _show(answer: Answer, as_json: bool) -> int:
    if as_json:
        numbers = dict(answer.numbers)
        document({"effect": answer.effect, "said": answer.said, "keys": answer.keys, "numbers": numbers})
    else:
        write(answer.said)
    return 0
