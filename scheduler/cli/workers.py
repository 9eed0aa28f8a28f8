"""Several workers on one ledger, as `status` shows them: who leads, who works, and how far behind they are.

Values to words and JSON; nothing is read here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from scheduler.cli.moments import rfc3339
from scheduler.cli.shown import count

if TYPE_CHECKING:
    from scheduler.desk import Status
    from scheduler.vitals import Worker


def worker_rows(found: Status) -> Iterator[tuple[str, str]]:
    """A row for all of them, and one for each; none where one process has the ledger for itself."""
    workers = found.standing.workers
    if not workers and _here(found) is None:
        return
    living = sum(each.state != "gone" for each in workers)
    yield "workers", f"{living:,}, {_behind(found)}"
    if not any(each.state == "leads" for each in workers):
        yield "leads", "nobody"
    several = len({each.version for each in workers if each.state != "gone"}) > 1
    for each in workers:
        yield str(each.state), ", ".join(_words(each, found, several))


def worker_fields(found: Status) -> dict[str, object]:
    """The same for programs: null and empty where one process has the ledger for itself."""
    crew, standing = found.vitals and found.vitals.crew, found.standing
    behind_s = found.at and round(standing.behind_s(found.at), 3)
    return {
        "worker": crew and crew.name,
        "leads": crew and crew.leads,
        "leader": next((each.name for each in standing.workers if each.state == "leads"), None),
        "workers": [_as_json(each) for each in standing.workers],
        "jobs_waiting": standing.jobs_waiting,
        "behind_s": behind_s,
    }


def _here(found: Status) -> str | None:
    """The one that answered, on this machine."""
    return found.vitals.crew.name if found.vitals and found.vitals.crew else None


def _behind(found: Status) -> str:
    waiting = found.standing.jobs_waiting
    if not waiting:
        return "no step waits for one"
    age = f", the oldest for {found.standing.behind_s(found.at):.0f} s" if found.at else ""
    return f"{count(waiting, 'step')} {'wait' if waiting > 1 else 'waits'} for one{age}"


def _words(worker: Worker, found: Status, with_version: bool) -> Iterator[str]:
    yield f"{worker.name} (here)" if worker.name == _here(found) else worker.name
    if worker.state == "gone":
        yield f"silent since {rfc3339(worker.seen_at)}"
        return
    yield f"{worker.in_hand:,} in hand"
    if with_version:
        yield f"version {worker.version}"


def _as_json(worker: Worker) -> dict[str, object]:
    times = {"since": rfc3339(worker.since), "seen_at": rfc3339(worker.seen_at)}
    return {**worker._asdict(), **times}
