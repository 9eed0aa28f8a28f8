"""`explain` as a user meets it: dates to come, dates on which nothing is promised, slips, widths, JSON."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from scheduler.config import load
from scheduler.ledger import Ledger
from scheduler.planner import find

Run = Callable[..., "subprocess.CompletedProcess[str]"]

CONFIG = """\
version: 1
account: {concurrent_conversations: 2}
rosters:
  east:
    - {id: ana, name: Ana Ruiz, timezone: America/New_York}
    - {id: ben, name: Ben Ode, timezone: America/Chicago}
schedules:
  coach:
    when:
      days: mon-fri
      at: "09:00"
      timezone: participant
      except: [{from: 2099-12-24, until: 2099-12-26, name: Christmas}]
    participants: [east]
    conversation: {persona_id: pdced222244b, replica_id: rfe12d8b9597}
  weekly:
    when: {days: [fri], at: {review: "15:00"}, timezone: UTC}
    participants: [east]
    conversation: {persona_id: pdced222244b, replica_id: rfe12d8b9597}
"""
FRIDAY, THURSDAY, SATURDAY = "2099-12-04", "2099-12-03", "2099-12-05"


@pytest.fixture
def explained(callboard: Run, tmp_path: Path) -> Run:
    """`callboard explain` beside this configuration, which has no ledger yet."""
    (tmp_path / "callboard.yaml").write_text(CONFIG)
    return lambda *words, **env: callboard("explain", *words, **env)


def test_a_date_that_has_not_come(explained: Run) -> None:
    done = explained("ana", THURSDAY)
    assert (done.returncode, done.stderr) == (0, "")
    heading, _, key, *_ = done.stdout.splitlines()
    assert (heading, key) == ("Thursday 3 December 2099", f"coach/09:00/{THURSDAY}/ana")
    assert "due 09:00 in America/New_York, ana's own, 2099-12-03 14:00Z" in done.stdout
    assert "to come: written at 08:44:30, created from 08:59:30" in done.stdout
    assert "weekly: nothing: Thursday 3 December 2099 is none of its days" in done.stdout


def test_a_date_on_which_nothing_is_promised(explained: Run) -> None:
    done = explained("ana", SATURDAY)
    assert done.returncode == 0
    assert done.stdout.count("nothing: Saturday 5 December 2099 is none of its days") == 2
    assert "next: 2099-12-07 09:00 America/New_York" in " ".join(done.stdout.split())


def test_a_whole_schedule_on_a_date(explained: Run) -> None:
    told = json.loads(explained("coach", FRIDAY, "--json").stdout)
    assert [each["key"] for each in told["promises"]] == [
        f"coach/09:00/{FRIDAY}/{who}" for who in ("ana", "ben")
    ]
    assert told["nothing"] == []


def test_json_has_the_chain_of_a_key(explained: Run) -> None:
    told = json.loads(explained("coach/09:00/2099-12-24/ana", "--json").stdout)
    assert (told["stage"], told["due"], told["story"]) == (None, "2099-12-24T14:00:00Z", [])
    assert [(each["link"], each["verdict"]) for each in told["chain"]] == [
        ("schedule", "holds"),
        ("zone", "holds"),
        ("calendar", "stops"),
        ("outcome", "stops"),
    ]
    assert told["chain"][2]["words"] == "excluded by `except`: Christmas (2099-12-24 to 2099-12-26)"


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal(explained: Run, columns: int) -> None:
    done = explained("ana", FRIDAY, COLUMNS=str(columns))
    widths = [len(line) for line in done.stdout.splitlines()]
    assert max(widths) <= columns
    assert max(widths) > min(columns, 100) - 20


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["anna", FRIDAY], 1, 'nobody and no schedule is called anna; did you mean "ana"?'),
        ([f"coach/9:00/{FRIDAY}/ana"], 1, f"did you mean coach/09:00/{FRIDAY}/ana?"),
        ([f"coahc/09:00/{FRIDAY}/ana"], 1, 'did you mean "coach"?'),
        ([f"coach/09:00/{FRIDAY}/bem"], 1, 'did you mean "ben"?'),
        (["coach/09:00"], 1, "coach/09:00 is no key: schedule/slot/date/participant"),
        (["ana"], 2, "which date? callboard explain ana 2026-12-01"),
        (["ana", "monday"], 2, "monday"),
        (["ana", "9999-12-31"], 2, "9999-12-31 is too far away"),
        (["ana", "0001-01-01"], 2, "0001-01-01 is too far away"),
    ],
)
def test_slips_are_met_with_what_was_meant(explained: Run, words: list[str], code: int, says: str) -> None:
    done = explained(*words)
    assert (done.returncode, done.stdout) == (code, "")
    assert says in done.stderr


def test_a_configuration_may_stand_elsewhere_and_a_broken_one_is_told(
    callboard: Run, explained: Run, tmp_path: Path
) -> None:
    (tmp_path / "callboard.yaml").rename(tmp_path / "team.yaml")
    assert explained("ana", FRIDAY).returncode == 2
    assert explained("ana", FRIDAY, "--config", "team.yaml").returncode == 0
    assert explained("ana", FRIDAY, CALLBOARD_CONFIG="team.yaml").returncode == 0
    (tmp_path / "team.yaml").write_text("version: 1\nschedule: {}\n")
    done = explained("ana", FRIDAY, "--config", "team.yaml", "--ledger", "none.db")
    assert done.returncode == 1
    assert done.stderr.startswith("the configuration has ")


async def test_a_day_that_is_cut_short_keeps_what_was_written(explained: Run, tmp_path: Path) -> None:
    often = CONFIG + "  often: {when: {every: 10m, timezone: UTC}, participants: [east], "
    often += "conversation: {persona_id: pdced222244b, replica_id: rfe12d8b9597}}\n"
    (tmp_path / "callboard.yaml").write_text(often)
    config, key = load([tmp_path / "callboard.yaml"]), f"often/15:10Z/{THURSDAY}/ana"
    promise = find(config.schedules.values(), key)
    assert promise is not None
    begun, ledger = promise.opens - 60, tmp_path / "callboard.db"
    house = Ledger.open(ledger, config.account.base_url, begun)
    await house.promise([promise], config.schedules, begun, promise.opens)
    house.close()
    _, _, first, *rest = explained("ana", THURSDAY).stdout.splitlines()
    assert first == key
    assert f"and 95 more: callboard ls --date {THURSDAY} and callboard plan list them" in rest
