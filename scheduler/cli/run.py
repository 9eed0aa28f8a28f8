"""`callboard run` and `callboard demo`: the house at work, from the terminal's side.

Sets up the log, finds the key, and turns what keeps the house from opening into one line and an exit code.
What happens inside is `scheduler.app`'s. Log lines go to stdout, since here they are the data: the log
channel's line is a delivery.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from scheduler.cli.durations import Duration
from scheduler.cli.ls import listed
from scheduler.cli.paths import chosen, loaded, paths_argument
from scheduler.cli.shown import Refusal, as_text, conventions, write
from scheduler.facts import Stage
from scheduler.record import Record
from scheduler.settings import LogStyle, Secret, Settings, SettingsError, read_secret, read_settings

TRY_LATER, NO_PERMISSION, BAD_CONFIG = 75, 77, 78
"""Exit codes as sysexits.h has them (EX_TEMPFAIL, EX_NOPERM, EX_CONFIG)."""


@click.command()
@paths_argument
@click.option("--sandbox", is_flag=True, help="Start a sandbox and use it, with a new ledger of its own.")
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

    if once and for_s is not None:
        raise click.UsageError("--once and --for don't go together")
    with exit_codes():
        settings = read_settings()
        files = chosen(paths)
        config = loaded(files, BAD_CONFIG)
        key = None if sandbox else read_secret(config.account.api_key.source, config.account.api_key.name)
        _set_up_the_log([key] if key else [], settings, as_json)
        _warn([*config.warnings, *([f"warning: {key.warning}"] if key and key.warning else [])])
        ledger = Path(settings.ledger) if settings.ledger and not sandbox else None
        options = app.Options(paths=files, ledger=ledger, sandbox=sandbox, once=once, for_s=for_s)
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
    """Watch the whole product for a minute: no key, no network, no file.

    A sandbox, a ledger of its own, and a team of eight with a slot every few seconds; their join links
    stand in the log, as they would in earnest.
    """
    from scheduler import app

    with exit_codes():
        config = loaded([_demo_file()], BAD_CONFIG)
        _set_up_the_log([], read_settings(), as_json)
        records = app.demo(config, for_s)
    write([_summary(records)] if as_json else ["", *_told(records)])
    return 0


def _demo_file() -> Path:
    """It stands beside this room in a wheel, and in `configs/` in a checkout."""
    packed = Path(__file__).with_name("demo.yaml")
    return packed if packed.exists() else Path(__file__).parents[2] / "configs" / "demo.yaml"


def _told(records: Iterable[Record]) -> Iterator[str]:
    """What became of the promises whose time came."""
    yield from listed((record for record in records if record.stage is not Stage.PLANNED), links=False)
    yield "With a team of your own: callboard check FILE, callboard plan FILE, callboard run FILE"


def _summary(records: Iterable[Record]) -> str:
    stages = Counter(str(record.stage) for record in records)
    return as_text({"summary": {"records": stages.total(), "stages": stages}})


def _set_up_the_log(secrets: Iterable[Secret], settings: Settings, as_json: bool) -> None:
    from scheduler.telemetry import configure

    usual = LogStyle.CONSOLE if sys.stdout.isatty() else LogStyle.JSON
    style = LogStyle.JSON if as_json else settings.log or usual
    color = sys.stdout.isatty() and click.get_current_context().color is not False
    configure(style, sys.stdout, secrets, color=color)


@contextmanager
def exit_codes() -> Iterator[None]:
    """Known errors of a start become one line and the exit code that says whether trying later helps."""
    from scheduler.ledger import LedgerError, LedgerHeld, LedgerUnavailable

    try:
        yield
    except (LedgerHeld, LedgerUnavailable) as error:
        # The ledger says what is wrong in words; what the system said to it is behind them.
        denied = isinstance(error.__context__, PermissionError)
        raise Refusal(str(error), NO_PERMISSION if denied else TRY_LATER) from None
    except (LedgerError, SettingsError, ValueError) as error:
        raise Refusal(str(error), BAD_CONFIG) from None
