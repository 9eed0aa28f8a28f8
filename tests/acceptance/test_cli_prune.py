"""`callboard prune`: what was over long ago goes, the count stays, and a running daemon keeps its ledger."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from scheduler.facts import SkipReason
from scheduler.ledger import Ledger
from scheduler.ledger.files import Lock
from tests.contract.ledger.world import BASE_URL, SCHEDULES, occurrence

Run = Callable[..., "subprocess.CompletedProcess[str]"]
DAY_S = 86_400


@pytest.fixture
async def ledger(tmp_path: Path) -> Path:
    """Three promises that were skipped 200 days ago, and one that was skipped yesterday."""
    now = time.time()
    path = tmp_path / "callboard.db"
    book = Ledger.open(path, BASE_URL, now)
    old = [occurrence(who, due=now - 200 * DAY_S, skip=SkipReason.DISABLED) for who in ("ana", "ben", "cai")]
    young = occurrence("dee", due=now - DAY_S, slot="late", skip=SkipReason.DISABLED)
    await book.promise([*old, young], SCHEDULES, now, None)
    book.close()
    return path


def names(callboard: Run, ledger: Path) -> list[str]:
    listed = callboard("ls", "--ledger", ledger, "--json").stdout.splitlines()
    return sorted(json.loads(line)["participant"] for line in listed)


def test_what_is_old_goes_and_the_audit_still_balances(callboard: Run, ledger: Path) -> None:
    done = callboard("prune", "--older", "180d", "--ledger", ledger)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("forgot 3 records over before ")
    assert names(callboard, ledger) == ["dee"]
    audit = callboard("audit", "--ledger", ledger)
    assert (audit.returncode, "4 promises (3 of them pruned)" in audit.stdout) == (0, True)
    told = json.loads(callboard("audit", "--ledger", ledger, "--json").stdout)
    assert (told["ok"], [day["pruned"] for day in told["days"]]) == (True, [{"skipped": 3}])
    again = json.loads(callboard("prune", "--older", "180d", "--ledger", ledger, "--json").stdout)
    assert (again["records"], again["facts"], again["dry_run"]) == (0, 0, False)


def test_a_dry_run_only_says_it(callboard: Run, ledger: Path) -> None:
    done = callboard("prune", "--older", "180d", "--dry-run", "--ledger", ledger)
    assert (done.returncode, "would forget 3 records" in done.stdout) == (0, True)
    told = json.loads(
        callboard("prune", "--older", "4320h", "--dry-run", "--json", "--ledger", ledger).stdout
    )
    assert (told["records"], told["stages"], told["dry_run"]) == (3, {"skipped": 3}, True)
    assert len(names(callboard, ledger)) == 4


def test_a_ledger_that_is_written_is_left_alone(callboard: Run, ledger: Path) -> None:
    lock = Lock(ledger)
    held = callboard("prune", "--older", "180d", "--ledger", ledger)
    dry = callboard("prune", "--older", "180d", "--dry-run", "--ledger", ledger)
    lock.release()
    assert (held.returncode, held.stdout, "service.keep" in held.stderr) == (75, "", True)
    assert dry.returncode == 0
    assert len(names(callboard, ledger)) == 4


@pytest.mark.parametrize("older", ["7d", "1h", "0", "soon", "-5d", "180 days"])
def test_what_might_be_caught_up_is_never_forgotten(callboard: Run, ledger: Path, older: str) -> None:
    done = callboard("prune", f"--older={older}", "--ledger", ledger)
    assert (done.returncode, done.stdout, "--older" in done.stderr) == (2, "", True)
    assert len(names(callboard, ledger)) == 4


def test_without_a_ledger_it_makes_none(callboard: Run, tmp_path: Path) -> None:
    done = callboard("prune", "--older", "180d", "--ledger", tmp_path / "none.db")
    assert (done.returncode, "no ledger there" in done.stderr) == (1, True)
    assert list(tmp_path.iterdir()) == []
