"""`status` of several workers: every row fits a terminal of 80 columns, with names as long as Kubernetes'."""

from __future__ import annotations

from dataclasses import replace

from scheduler.cli.shown import aligned
from scheduler.cli.workers import worker_fields, worker_rows
from scheduler.desk import Status
from scheduler.vitals import Standing
from tests.pure.test_metrics import BUSY, CREWED, LEADING, T0, WELL

POD = "callboard-6d4cf56db6-"
LONG = CREWED._replace(
    workers=tuple(
        worker._replace(name=f"{POD}{tail}:1", in_hand=1234, version=version)
        for worker, tail, version in zip(
            CREWED.workers, ("x7k2p", "9qz4m", "ab12c"), ("0.2.0", "0.2.1", "0.1"), strict=True
        )
    )
)


def status(standing: Standing, name: str | None = f"{POD}x7k2p:1") -> Status:
    crew = LEADING.crew and LEADING.crew._replace(name=name or "")
    vitals = replace(LEADING, crew=crew) if name else None
    return Status(unready=(), version=7, standing=standing, pauses=(), last_missed=None, vitals=vitals, at=T0)


def lines(found: Status) -> list[str]:
    return aligned(("", *row) for row in worker_rows(found))


def test_who_leads_who_works_and_how_far_behind() -> None:
    shown = lines(status(LONG))
    assert [line.split(",")[0].split() for line in shown[1:]] == [
        ["leads", f"{POD}x7k2p:1", "(here)"],
        ["works", f"{POD}9qz4m:1"],
        ["gone", f"{POD}ab12c:1"],
    ]
    assert shown[0].split(maxsplit=1)[1] == "2, 12 steps wait for one, the oldest for 2 s"
    assert "silent since 2026-11-22T" in shown[3] and "version 0.2.1" in shown[2]
    assert max(map(len, shown)) <= 78  # and so with the longest of the other rows' labels


def test_without_a_leader_or_a_daemon_here_that_is_said() -> None:
    nobody = LONG._replace(workers=LONG.workers[1:], jobs_waiting=0, oldest_job_at=None)
    shown = lines(status(nobody, None))
    assert [line.split()[:2] for line in shown[:2]] == [["workers", "1,"], ["leads", "nobody"]]
    assert "no step waits" in shown[0] and not [line for line in shown if "(here)" in line]


def test_one_process_has_no_such_rows() -> None:
    alone = Status(unready=(), version=7, standing=BUSY, pauses=(), last_missed=None, vitals=WELL, at=T0)
    assert lines(alone) == []
    assert worker_fields(alone) == {
        "worker": None,
        "leads": None,
        "leader": None,
        "workers": [],
        "jobs_waiting": 0,
        "behind_s": 0.0,
    }


def test_programs_get_all_of_it() -> None:
    fields = worker_fields(status(LONG))
    assert (fields["worker"], fields["leads"]) == (f"{POD}x7k2p:1", True)
    assert (fields["leader"], fields["jobs_waiting"], fields["behind_s"]) == (f"{POD}x7k2p:1", 12, 1.5)
    assert isinstance(fields["workers"], list)
    assert fields["workers"][2] == {
        "name": f"{POD}ab12c:1",
        "version": "0.1",
        "state": "gone",
        "since": "2026-11-22T08:58:30Z",
        "seen_at": "2026-11-22T08:59:53Z",
        "in_hand": 1234,
    }
