"""`callboard audit`: is every promise accounted for?

Shows what the ledger's own conservation check found (S15). It changes nothing, also when something is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from scheduler.cli.places import ledger_option, opened
from scheduler.cli.shown import aligned, conventions, count, document, write
from scheduler.facts import Stage

if TYPE_CHECKING:
    from scheduler.ledger import Place
    from scheduler.ledger.audit import Audit, Day


@click.command()
@ledger_option
@conventions
def audit(ledger: Place | None, as_json: bool) -> int:
    """Check that every promise is accounted for; exit 1 when one isn't."""
    from scheduler.ledger.audit import audit as check_conservation

    with opened(ledger) as snapshot:
        found = check_conservation(snapshot)
    if as_json:
        days = [
            {
                "schedule": day.schedule,
                "date": day.date,
                "planned": day.promised,
                "stages": day.stages,
                "pruned": day.pruned,
            }
            for day in found.days
        ]
        document({"ok": not found.faults, "days": days, "faults": found.faults})
    else:
        write(_text_lines(found))
    return 1 if found.faults else 0


def _text_lines(found: Audit) -> Iterator[str]:
    if left := [day for day in found.days if day.stages or not day.conserved]:
        yield from aligned(_row(day) for day in left)
        yield ""
    yield from (f"{click.style('fault', fg='red')}: {fault}" for fault in found.faults)
    promised = count(sum(day.promised for day in found.days), "promise")
    if pruned := sum(sum(day.pruned.values()) for day in found.days):
        promised += f" ({pruned:,} of them pruned)"
    yield (
        f"{promised}, {count(len(found.faults), 'fault')}"
        if found.faults
        else f"ok: {promised}, all accounted for"
    )


def _row(day: Day) -> tuple[str, ...]:
    stages = ", ".join(f"{day.stages[stage]:,} {stage}" for stage in Stage if day.stages.get(stage))
    if pruned := sum(day.pruned.values()):
        stages += f", {pruned:,} pruned"
    return (
        "",
        day.date,
        day.schedule,
        f"{day.promised:,} planned",
        f"= {stages}" if day.conserved else f"but {stages}",
    )
