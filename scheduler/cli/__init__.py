"""The command line: words in, exit codes out.

Parses what the user typed, calls the room that does it, and shows what came back: data on stdout, all else
on stderr. Nothing is decided here about promises, and nothing heavy is imported before a command needs it
(`--help` has 0.2 s), which is why imports stand inside functions in this room alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import click

from scheduler.cli import (
    audit,
    check,
    doctor,
    explain,
    init,
    ledger,
    ls,
    mail,
    plan,
    prune,
    run,
    sandbox,
    schema,
    status,
    steering,
)
from scheduler.cli.shown import Refusal

INTERRUPTED = 130
"""What a shell expects of a command that Ctrl-C ended: 128 and the signal's number."""


def callboard(argv: Sequence[str] | None = None) -> int:
    """Do what `argv` says and return the exit code; a known error is one line on stderr, no traceback."""
    try:
        return int(commands.main(argv, prog_name="callboard", standalone_mode=False) or 0)
    except click.exceptions.NoArgsIsHelpError as shown:
        click.echo(shown.format_message())
        return 0
    except click.ClickException as error:
        error.show()
        return error.code if isinstance(error, Refusal) else error.exit_code
    except click.Abort:
        return INTERRUPTED


def _show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    import platform
    import sqlite3
    from importlib.metadata import version

    from scheduler.zones import tz_version

    versions = {
        "callboard": version("callboard"),
        "time zones": tz_version(),
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
    }
    click.echo(", ".join(f"{name} {number}" for name, number in versions.items()))
    ctx.exit()


class _AsWritten(click.Group):
    """Lists its commands in the order in which they were added: the way they are met."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(
    cls=_AsWritten,
    epilog="Begin with `callboard demo`: it needs no key, no network and no file.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the versions of callboard, its time zones, Python and SQLite.",
)
def commands() -> None:
    """Creates each promised AI-coach conversation exactly once, on time, and delivers the join link."""


for _command in (
    run.demo,
    init.init,
    run.run,
    check.check,
    plan.plan,
    ls.ls,
    explain.explain,
    audit.audit,
    prune.prune,
    ledger.ledger,
    doctor.doctor,
    status.status,
    steering.pause,
    steering.resume,
    steering.skip,
    steering.make_up,
    steering.end,
    steering.resend,
    steering.retry,
    steering.resume_account,
    steering.reload,
    mail.mail,
    schema.schema,
    sandbox.sandbox,
):
    commands.add_command(_command)
