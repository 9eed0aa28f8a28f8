"""Which ledger a command means: what was typed, else CALLBOARD_LEDGER's, else the configuration's.

A file or a database's URL becomes a place here, for every command, and a database's password is looked up
here and nowhere else. What stands in a ledger is `scheduler.ledger`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import click

from scheduler.cli.paths import environment, loaded
from scheduler.cli.shown import Refusal
from scheduler.databases import is_database
from scheduler.settings import SettingsError, find_password

if TYPE_CHECKING:
    from scheduler.ledger import Place
    from scheduler.ledger.snapshot import Snapshot

PASSWORD = "PGPASSWORD"  # noqa: S105
"""Where libpq's own tools look for a database's password, too."""


def placed(text: str) -> Place:
    """The ledger at this path or URL. Raises LedgerError for a bad URL, and SettingsError for a password that
    can't be used."""
    from scheduler.ledger.place import place_of

    return place_of(text, find_password(PASSWORD) if is_database(text) else None)


def worked_on(environment: str | None, configured: str) -> Place:
    """The ledger that a daemon works on. Raises as `placed`, and SettingsError where the environment's file
    would win over the configuration's database: several workers would each have a ledger of their own, and
    call everybody."""
    if environment and is_database(configured) and not is_database(environment):
        raise SettingsError(
            f"CALLBOARD_LEDGER names a file ({environment}), service.ledger a database, which is for several "
            "workers: unset the one, or change the other"
        )
    return placed(environment or configured)


class PlaceType(click.Path):
    """A ledger's path or URL, typed; files are completed."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The place. What is wrong is told without what was typed, which may hold a password."""
        from scheduler.ledger.errors import LedgerError

        try:
            return placed(value) if isinstance(value, str) else value
        except (LedgerError, SettingsError) as error:
            self.fail(str(error), param, ctx)


ledger_option = click.option(
    "--ledger",
    metavar="FILE|URL",
    type=PlaceType(),
    help="The ledger; else CALLBOARD_LEDGER's, else the configuration's.",
)
"""`--ledger`, as every command that reads a ledger takes it."""


def named(typed: Place | None) -> Place | None:
    """The ledger that was typed, else the environment's, which wins over the configuration's."""
    text = environment().ledger
    if typed is not None or text is None:
        return typed
    with refused():
        return placed(text)


def meant(typed: Place | None, usual: Callable[[], str]) -> Place:
    """The same, else the usual one, by its path or URL."""
    if place := named(typed):
        return place
    with refused():
        return placed(usual())


@contextmanager
def opened(typed: Place | None) -> Iterator[Snapshot]:
    """The ledger, open for reading; a `Refusal` when it is not there, damaged, or of another version."""
    from scheduler.ledger.snapshot import Snapshot

    place = meant(typed, lambda: loaded(()).service.ledger)
    with refused(), Snapshot.open(place) as snapshot:
        yield snapshot


@contextmanager
def opened_if_made(place: Place) -> Iterator[Snapshot | None]:
    """The same; `None` where none is made yet."""
    from scheduler.ledger.errors import LedgerMissing
    from scheduler.ledger.snapshot import Snapshot

    with refused(), ExitStack() as stack:
        try:
            snapshot = stack.enter_context(Snapshot.open(place))
        except LedgerMissing:
            snapshot = None
        yield snapshot


@contextmanager
def refused() -> Iterator[None]:
    """What is wrong with a ledger, or with a database's password, becomes a `Refusal`."""
    from scheduler.ledger.errors import LedgerError

    try:
        yield
    except (LedgerError, SettingsError) as error:
        raise Refusal(str(error)) from None
