"""`callboard run` and `callboard demo`: the house at work, from the terminal's side.

Sets up the log, finds the key, and turns what keeps the house from opening into one line and an exit code.
What happens inside is `scheduler.app`'s. Log lines go to stdout, since here they are the data: the log
channel's line is a delivery.
"""

from __future__ import annotations

import errno
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scheduler.cli.durations import Duration
from scheduler.cli.ls import LATE_FROM_S, outcome
from scheduler.cli.paths import chosen, loaded, paths_argument
from scheduler.cli.places import worked_on
from scheduler.cli.shown import Refusal, aligned, as_text, conventions, count, write
from scheduler.settings import (
    LogStyle,
    Redaction,
    Secret,
    Settings,
    SettingsError,
    read_secret,
    read_settings,
)

if TYPE_CHECKING:
    from scheduler.app.demo import Played
    from scheduler.record import Record

TRY_LATER, NO_PERMISSION, BAD_CONFIG = 75, 77, 78
"""Exit codes as sysexits.h has them (EX_TEMPFAIL, EX_NOPERM, EX_CONFIG)."""

_LISTENING = {errno.EADDRINUSE: TRY_LATER, errno.EACCES: NO_PERMISSION}


@click.command()
@paths_argument
@click.option("--sandbox", is_flag=True, help="Rehearse: a sandbox, a new ledger, and no mail or post sent.")
@click.option("--once", is_flag=True, help="Do what is due now, and leave.")
@click.option("--for", "for_s", type=Duration(), help="Leave after a while: 90s, 10m, 1h30m.")
@conventions
def run(paths: Sequence[Path], sandbox: bool, once: bool, for_s: int | None, as_json: bool) -> int:
    """Run the daemon: create and deliver what is promised, on time.

    PATH is a YAML file or a directory of them; without one, CALLBOARD_CONFIG or ./callboard.yaml is read.
    SIGTERM and Ctrl-C drain, a second one forces; SIGHUP reads the files again.
    Exits 0; 75 when trying later may help, 77 without permission, 78 when the configuration is bad.
    """
    from scheduler import app
    from scheduler.ledger import Database

    if once and for_s is not None:
        raise click.UsageError("--once and --for don't go together")
    with exit_codes():
        settings = read_settings()
        files = chosen(paths)
        config = loaded(files, BAD_CONFIG)
        key = None if sandbox else read_secret(config.account.api_key.source, config.account.api_key.name)
        ledger = None if sandbox else worked_on(settings.ledger, config.service.ledger)
        secrets = [each for each in (key, ledger.password if isinstance(ledger, Database) else None) if each]
        redaction = _set_up_the_log(secrets, settings, as_json)
        _warn([*config.warnings, *(f"warning: {each.warning}" for each in secrets if each.warning)])
        options = app.Options(
            paths=files,
            ledger=ledger,
            sandbox=sandbox,
            once=once,
            for_s=for_s,
            notify=settings.notify,
            redaction=redaction,
        )
        return app.main(config, key, options)


def _warn(warnings: Iterable[str]) -> None:
    for warning in warnings:
        click.echo(warning, err=True)


@click.command()
@click.option(
    "--for", "for_s", type=Duration(), default="60s", show_default=True, help="Leave after a while."
)
@conventions
def demo(for_s: int, as_json: bool) -> int:
    """Watch the whole product for a minute: no key, no network.

    A sandbox, a ledger of its own, and a team of eight; their join links stand in the log and open in a
    browser, and each mail that would be sent is written to a file. Ctrl-C ends it sooner.
    """
    from scheduler import app

    with exit_codes():
        config = loaded([_demo_file()], BAD_CONFIG)
        settings = read_settings()
        _set_up_the_log([], settings, as_json, usual=LogStyle.CONSOLE)
        letters = Path(tempfile.mkdtemp(prefix="callboard-letters-"))
        if not as_json:
            write([*_DEMO, f"Their mails are files in {letters}; any mail program shows them.", ""])
        played = app.demo(config, for_s, letters)
    write([_summary(played)] if as_json else ["", *_told(played)])
    return 0


_DEMO = (
    "Eight reps are called for practice in the next seconds; six rooms may be open at",
    "once. The links are real: open one in a browser, and you are in the room.",
)


def _demo_file() -> Path:
    """It stands beside this room in a wheel, and in `configs/` in a checkout."""
    packed = Path(__file__).with_name("demo.yaml")
    return packed if packed.exists() else Path(__file__).parents[2] / "configs" / "demo.yaml"


def _told(played: Sequence[Played]) -> Iterator[str]:
    """What became of each promise whose time came."""
    yield from aligned([_HEADS, *map(_row, played)])
    stages = Counter(str(each.record.stage) for each in played)
    yield ""
    yield f"{count(len(played), 'promise')}: {', '.join(f'{n} {stage}' for stage, n in stages.items())}"
    yield "With a team of your own: callboard check, plan, run FILE.yaml (README.md)."


_HEADS = ("who", "created", "link", "the person", "the room")


def _row(each: Played) -> tuple[str, ...]:
    record, links = each.record, ", ".join(dict.fromkeys(str(d.state) for d in each.record.deliveries))
    return (record.participant or "-", _created(record), links or "-", each.did or "-", outcome(record))


def _created(record: Record) -> str:
    if record.created_at is None:
        return "-"
    late_s = record.lateness_s or 0.0
    late = f", {late_s:.0f} s late" if late_s >= LATE_FROM_S else ""
    return f"{datetime.fromtimestamp(record.created_at, UTC).astimezone():%H:%M:%S}{late}"


def _summary(played: Sequence[Played]) -> str:
    stages = Counter(str(each.record.stage) for each in played)
    return as_text({"summary": {"records": stages.total(), "stages": stages}})


def _set_up_the_log(
    secrets: Iterable[Secret], settings: Settings, as_json: bool, usual: LogStyle | None = None
) -> Redaction:
    from scheduler.telemetry import configure

    usual = usual or (LogStyle.CONSOLE if sys.stdout.isatty() else LogStyle.JSON)
    style = LogStyle.JSON if as_json else settings.log or usual
    color = sys.stdout.isatty() and click.get_current_context().color is not False
    return configure(style, sys.stdout, secrets, color=color)


@contextmanager
def exit_codes() -> Iterator[None]:
    """Known errors of a start become one line and the exit code that says whether trying later helps."""
    from scheduler.ledger import LedgerError, LedgerHeld, LedgerUnavailable
    from scheduler.web.server import ListenError

    try:
        yield
    except (LedgerHeld, LedgerUnavailable) as error:
        # The ledger says what is wrong in words; what the system said to it is behind them.
        denied = isinstance(error.__context__, PermissionError)
        raise Refusal(str(error), NO_PERMISSION if denied else TRY_LATER) from None
    except ListenError as error:
        raise Refusal(str(error), _LISTENING.get(error.number or 0, BAD_CONFIG)) from None
    except (LedgerError, SettingsError, ValueError) as error:
        raise Refusal(str(error), BAD_CONFIG) from None
