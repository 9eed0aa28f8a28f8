"""`callboard status`: how the house stands, for people and for containers.

Asks the daemon by its control socket; where none runs, what the ledger says is shown, and the exit code tells
the two apart. What is healthy is `scheduler.vitals`' to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scheduler.cli.calling import NobodyThere, ledger_at, status_of
from scheduler.cli.moments import rfc3339
from scheduler.cli.places import ledger_option
from scheduler.cli.shown import Refusal, aligned, conventions, count, document, write
from scheduler.cli.steering import config_option
from scheduler.cli.workers import worker_fields, worker_rows

if TYPE_CHECKING:
    from jobs.model import Instant
    from scheduler.desk import Pause, Status
    from scheduler.ledger import Place
    from scheduler.vitals import Reload

HEALTHY, NOT_READY, NOT_RUNNING = 0, 1, 3


@click.command()
@click.option("--quiet", is_flag=True, help="Say nothing; only the exit code counts.")
@config_option
@ledger_option
@conventions
def status(quiet: bool, files: Sequence[Path], ledger: Place | None, as_json: bool) -> int:
    """Tell how the house stands.

    Exits 0 when the daemon does its work, 1 when it runs but doesn't (the reasons are told), 3 when no daemon
    runs: then the ledger is read, if there is one.
    """
    place = ledger_at(ledger, files)
    try:
        found = status_of(place)
    except NobodyThere:
        found = None
    except Refusal as told:
        if quiet:
            return NOT_READY
        raise Refusal(f"not ready: {told}", NOT_READY) from None
    shown = found or _alone(place, quiet)
    if shown is not None and not quiet:
        _show(shown, place, as_json)
    if found is None:
        return NOT_RUNNING
    return NOT_READY if found.unready else HEALTHY


def _alone(place: Place, quiet: bool) -> Status | None:
    """What the ledger says by itself."""
    from scheduler.ledger import LedgerError
    from scheduler.ledger.reporting import report
    from scheduler.ledger.snapshot import Snapshot

    try:
        with Snapshot.open(place) as snapshot:
            return report(snapshot, _now(place), ["no daemon runs on this machine"], None)
    except LedgerError as error:
        if quiet:
            return None
        raise Refusal(f"no daemon runs on this machine, and {error}", NOT_RUNNING) from None


def _now(place: Place) -> Instant:
    """By the clock that workers' leases go by: a database's is its own."""
    from scheduler.clock import Clock
    from scheduler.ledger import Database

    if not isinstance(place, Database):
        return Clock().now()
    import asyncio

    from scheduler.ledger.shared.wire import time_of

    return asyncio.run(time_of(place))


def _show(found: Status, place: Place, as_json: bool) -> None:
    if as_json:
        document(_as_json(found, place))
    else:
        write([f"{_state(found)}: {place}", *aligned(("", *row) for row in _rows(found))])


def _state(found: Status) -> str:
    if found.vitals is None:
        return "not running here" if found.standing.workers else "not running"
    return f"not ready ({'; '.join(found.unready)})" if found.unready else "running"


def _rows(found: Status) -> Iterator[tuple[str, str]]:
    """What people want to know, in the order in which they ask."""
    now = found.standing
    yield "live", f"{count(now.live, 'conversation')}, {now.waiting:,} waiting"
    if now.unknown or now.strays:
        yield "unsettled", f"{count(now.unknown, 'lost answer')}, {count(now.strays, 'stray')}"
    yield "next due", rfc3339(_next_due(found)) or "-"
    yield from worker_rows(found)
    if found.last_missed is not None:
        missed = found.last_missed
        yield "last missed", f"{missed.key} ({missed.reason}), due {rfc3339(missed.due)}"
    if found.reload is not None:
        yield from _reload_rows(found.reload)
    for reason, since in now.holds.items():
        yield "hold", f"{reason} since {rfc3339(since)}"
    for pause in found.pauses:
        yield "pause", _paused(pause)
    yield "ledger", f"version {found.version}"


def _reload_rows(last: Reload) -> Iterator[tuple[str, str]]:
    changes = f": {last.changes}" if last.changes else ""
    yield "configuration", f"of {rfc3339(last.at)}{changes}"
    if not last.ok:
        rest = f" (callboard check shows all {len(last.errors)})" if len(last.errors) > 1 else ""
        yield "refused", f"{last.errors[0]}{rest}"


def _paused(pause: Pause) -> str:
    until = f" until {rfc3339(pause.until)}" if pause.until is not None else ""
    why = f": {pause.why}" if pause.why else ""
    return f"{pause.scope} since {rfc3339(pause.since)}{until}, by {pause.by}{why}"


def _next_due(found: Status) -> float | None:
    """Of the promises that are written and of those that the daemon has planned, the first."""
    times = [found.standing.next_due, *([found.vitals.next_due] if found.vitals else [])]
    return min((at for at in times if at is not None), default=None)


def _as_json(found: Status, place: Place) -> dict[str, object]:
    now, vitals, missed = found.standing, found.vitals, found.last_missed
    return {
        "state": "not_running" if vitals is None else "not_ready" if found.unready else "running",
        "unready": found.unready,
        "ledger": str(place),
        "ledger_version": found.version,
        "live": now.live,
        "waiting": now.waiting,
        "held": now.held,
        "unknown": now.unknown,
        "strays": now.strays,
        "next_due": rfc3339(_next_due(found)),
        "last_missed": missed and {**missed._asdict(), "due": rfc3339(missed.due)},
        "holds": [{"reason": reason, "since": rfc3339(since)} for reason, since in now.holds.items()],
        "pauses": [_pause_json(pause) for pause in found.pauses],
        "reload": found.reload and _reload_json(found.reload),
        "turns": vitals and vitals.turns,
        "in_hand": vitals and vitals.in_hand,
        **worker_fields(found),
    }


def _reload_json(last: Reload) -> dict[str, object]:
    changes = last.changes
    return {
        "ok": last.ok,
        "at": rfc3339(last.at),
        "said": changes and str(changes),
        "today": changes and changes.today._asdict(),
        "later": changes and changes.later._asdict(),
        "warnings": last.warnings,
        "errors": last.errors,
    }


def _pause_json(pause: Pause) -> dict[str, object]:
    return {
        **pause.scope._asdict(),
        "since": rfc3339(pause.since),
        "until": rfc3339(pause.until),
        "by": pause.by,
        "why": pause.why,
    }
