"""`callboard ledger`: looking after the ledger itself.

`migrate` brings its schema to this version before any worker of this version is there. What a migration does
and who may work beside it is the ledger's to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from scheduler.cli.calling import ledger_at
from scheduler.cli.paths import ledger_option, loaded
from scheduler.cli.run import BAD_CONFIG, exit_codes
from scheduler.cli.shown import conventions, document, write
from scheduler.cli.steering import config_option


@click.group()
def ledger() -> None:
    """Look after the ledger itself."""


@ledger.command()
@config_option
@ledger_option
@conventions
def migrate(files: Sequence[Path], ledger: Path | None, as_json: bool) -> int:
    """Bring the ledger to this version's schema; an empty one is begun.

    Workers of a ledger in PostgreSQL may run meanwhile, those of one version before, too; twice does no harm.
    Exits 0; 75 when trying later may help, 77 without permission, 78 when it can't be done.
    """
    from scheduler.clock import Clock
    from scheduler.ledger import Ledger
    from scheduler.ledger.reporting import report
    from scheduler.ledger.snapshot import Snapshot

    place, now = ledger_at(ledger, files), Clock().now()
    with exit_codes():
        Ledger.open(place, loaded(files, BAD_CONFIG).account.base_url, now).close()
        with Snapshot.open(place) as snapshot:
            version = report(snapshot, now, [], None).version
    if as_json:
        document({"ledger": str(place), "ledger_version": version})
    else:
        write([f"{place}: version {version}"])
    return 0
