"""`callboard init [DIR]`: the files that a team begins with.

Writes a commented configuration, a roster and a sample of the environment, all of them or none, and never
over anything that is there. What stands in them is under `starter/`; whether they are right is `check`'s.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import click

from scheduler.cli.shown import Refusal, aligned, conventions, document, write

STARTER = (
    ("callboard.yaml", 0o644, "schedules, account, limits: every key with what it means"),
    ("team.csv", 0o644, "the roster: put your people in"),
    ("callboard.env", 0o600, "the environment: put your API key in"),
)
"""What is written, with its mode (the umask takes from it), and what it is."""


@click.command()
@click.argument("directory", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
@conventions
def init(directory: Path, as_json: bool) -> int:
    """Write a configuration, a roster and an environment sample to begin with.

    DIR is made if need be; without one, they are written here. Nothing is ever overwritten: exits 1 when
    one of them is there, and then nothing is written.
    """
    there = [name for name, _, _ in STARTER if os.path.lexists(directory / name)]
    if not there:
        _write_all(directory)
    if as_json:
        document(_as_json(directory, there))
    elif there:
        raise Refusal(
            f"{directory}: {', '.join(there)} {'is' if len(there) == 1 else 'are'} there already, and "
            "nothing is overwritten; nothing was written. Name another directory: callboard init DIR"
        )
    else:
        write(_text_lines(directory))
    return 1 if there else 0


def _write_all(directory: Path) -> None:
    """All of them or none; raises Refusal."""
    from importlib.resources import files

    with ExitStack() as undo:
        try:
            for folder in _missing(directory):
                folder.mkdir()
                undo.callback(folder.rmdir)
            for name, mode, _ in STARTER:
                content = (files("scheduler.cli") / "starter" / name).read_bytes()
                _write_new(directory / name, mode, content, undo)
        except OSError as error:
            raise Refusal(
                f"{error.filename or directory}: {error.strerror}; nothing was written. "
                "Name a directory that you may write to: callboard init DIR"
            ) from None
        undo.pop_all()


def _missing(directory: Path) -> list[Path]:
    """The directories that have to be made, the outermost first."""
    return [folder for folder in (*reversed(directory.parents), directory) if not folder.is_dir()]


def _write_new(path: Path, mode: int, content: bytes, undo: ExitStack) -> None:
    # "Exclusive" also refuses what has come since we looked, and a link that leads nowhere.
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    undo.callback(path.unlink)
    with os.fdopen(handle, "wb") as file:
        file.write(content)


def _next(directory: Path) -> Sequence[tuple[str, str]]:
    """The commands that come next, and what each answers."""
    config, env = (shlex.quote(str(directory / name)) for name in ("callboard.yaml", "callboard.env"))
    if "/" not in env:
        env = f"./{env}"  # a shell looks for a bare name on its path
    return (
        (f"callboard check {config}", "is it right?"),
        (f"callboard plan {config} --days 3", "who is called when?"),
        (f"callboard run {config} --sandbox", "a rehearsal: nothing is billed"),
        (f"set -a; . {env}; set +a; callboard run {config}", "in earnest"),
    )


def _as_json(directory: Path, there: Sequence[str]) -> dict[str, object]:
    return {
        "ok": not there,
        "written": [] if there else [str(directory / name) for name, _, _ in STARTER],
        "there": [str(directory / name) for name in there],
        "next": [] if there else [command for command, _ in _next(directory)],
    }


def _text_lines(directory: Path) -> Iterator[str]:
    yield from aligned((f"wrote {directory / name}", what) for name, _, what in STARTER)
    yield ""
    yield "Next:"
    yield from aligned(("", command, f"# {why}") for command, why in _next(directory))
