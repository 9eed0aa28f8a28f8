"""`check` and `plan`: what a person who writes schedules is told, and what a program is told."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]

GOOD = """\
version: 1
account: {concurrent_conversations: 2}
rosters:
  team:
    - {id: ana, name: Ana Ruiz, timezone: America/New_York}
    - {id: kei, name: Kei Abe, timezone: Asia/Tokyo}
schedules:
  coach:
    when:
      days: daily
      at: "02:30"
      timezone: participant
      except: ["2026-03-10"]
    participants: [team]
    conversation: {persona_id: p1, replica_id: r1}
"""
WARNED = GOOD.replace("account: {concurrent_conversations: 2}\n", "")
BAD = WARNED.replace("days: daily", "days: dayly").replace("persona_id", "personna_id")
SPRING = ["--from", "2026-03-07T12:00Z", "--days", "3"]
"""The clocks of New York go forward at 02:00 on 8 March 2026."""


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def write_to_disk(text: str) -> Path:
        (tmp_path / "team.yaml").write_text(text, "utf-8")
        return tmp_path / "team.yaml"

    return write_to_disk


def test_a_webhooks_secret_that_run_would_not_find_is_a_warning(
    callboard: Run, write: Callable[[str], Path]
) -> None:
    file = write(f"{GOOD}    deliver: [{{webhook: https://board.example/hook}}]\n")
    (told,) = json.loads(callboard("check", file, "--json").stdout)["problems"]
    assert (told["severity"], "CALLBOARD_WEBHOOK_SECRET is not set" in told["message"]) == ("warning", True)
    done = callboard("check", file, "--strict", CALLBOARD_WEBHOOK_SECRET="whsec_c2VzYW1lLXNlc2FtZS1zZXNhbWU=")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("text", "words", "code"),
    [
        (GOOD, [], 0),
        (GOOD, ["--strict"], 0),
        (WARNED, [], 0),
        (WARNED, ["--strict"], 3),
        (BAD, ["--strict"], 1),
    ],
)
def test_check_exits_as_it_promises(
    callboard: Run, write: Callable[[str], Path], text: str, words: list[str], code: int
) -> None:
    for more in ([], ["--json"]):
        done = callboard("check", write(text), *words, *more)
        assert (done.returncode, done.stderr) == (code, "")


def test_check_says_what_comes_next(callboard: Run, write: Callable[[str], Path]) -> None:
    done = callboard("check", write(GOOD))
    assert done.stdout.startswith("ok: 1 schedule, 2 participants, next: coach/02:30/2")
    assert done.stdout.count("\n") == 1


def test_check_shows_every_problem_with_its_caret_and_a_count(
    callboard: Run, write: Callable[[str], Path]
) -> None:
    file = write(BAD)
    done = callboard("check", file)
    assert f"{file}:9:13: error" in done.stdout
    assert 'did you mean "persona_id"?' in done.stdout
    assert done.stdout.count("^\n") == 3
    assert done.stdout.endswith("\n2 errors, 1 warning\n")


def test_check_in_json_is_one_document(callboard: Run, write: Callable[[str], Path]) -> None:
    told = json.loads(callboard("check", write(BAD), "--json").stdout)
    assert (told["ok"], told["errors"], told["warnings"], told["next"]) == (False, 2, 1, None)
    first = told["problems"][1]
    assert (first["line"], first["column"], first["severity"]) == (9, 13, "error")
    assert set(first) == {"file", "line", "column", "severity", "message", "hint"}
    good = json.loads(callboard("check", write(GOOD), "--json").stdout)
    assert (good["ok"], good["schedules"], good["participants"], good["problems"]) == (True, 1, 2, [])
    assert set(good["next"]) == {"key", "due"}


def test_check_of_what_is_not_there_is_one_clear_line(callboard: Run, tmp_path: Path) -> None:
    done = callboard("check", tmp_path / "none.yaml")
    assert done.returncode == 1
    assert "none.yaml: error: can't be read: no such file or directory" in done.stdout


def test_plan_in_json_has_the_promised_fields_and_then_a_summary(
    callboard: Run, write: Callable[[str], Path]
) -> None:
    *rows, last = map(json.loads, callboard("plan", write(GOOD), "--json", *SPRING).stdout.splitlines())
    assert rows[1] == {
        "key": "coach/02:30/2026-03-08/ana",
        "schedule": "coach",
        "slot": "02:30",
        "date": "2026-03-08",
        "participant": "ana",
        "local": "2026-03-08T03:30:00-04:00",
        "timezone": "America/New_York",
        "due": "2026-03-08T07:30:00Z",
        "note": "gap",
    }
    assert [(row["key"], row["note"]) for row in rows[2:]] == [
        ("coach/02:30/2026-03-09/kei", None),
        ("coach/02:30/2026-03-09/ana", None),
        ("coach/02:30/2026-03-10/kei", "excluded"),
        ("coach/02:30/2026-03-10/ana", "excluded"),
    ]
    assert last == {
        "summary": {
            "promises": 6,
            "notes": {"excluded": 2, "gap": 1},
            "from": "2026-03-07T12:00:00Z",
            "until": "2026-03-10T12:00:00Z",
        }
    }


def test_plan_for_people_is_by_date_and_marks_clock_changes(
    callboard: Run, write: Callable[[str], Path]
) -> None:
    done = callboard("plan", write(GOOD), *SPRING)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "Sunday 8 March 2026",
        "  02:30  Asia/Tokyo        coach/02:30/2026-03-08/kei",
        "  03:30  America/New_York  coach/02:30/2026-03-08/ana  gap",
        "",
        "Monday 9 March 2026",
        "  02:30  Asia/Tokyo        coach/02:30/2026-03-09/kei",
        "  02:30  America/New_York  coach/02:30/2026-03-09/ana",
        "",
        "Tuesday 10 March 2026",
        "  02:30  Asia/Tokyo        coach/02:30/2026-03-10/kei  excluded",
        "  02:30  America/New_York  coach/02:30/2026-03-10/ana  excluded",
        "",
        "excluded: 2 (skipped)",
        "gap: 1 (the clocks go forward over this time)",
        "6 promises until 2026-03-10T12:00:00Z",
    ]


def test_plan_of_a_bad_file_shows_the_problems_on_stderr(
    callboard: Run, write: Callable[[str], Path]
) -> None:
    done = callboard("plan", write(BAD), "--json")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith("Error: the configuration has 2 errors, 1 warning\n")


@pytest.mark.parametrize(
    "words", [["--from", "tomorrow"], ["--from", "9999-12-31"], ["--days", "0"], ["--days", "many"]]
)
def test_plan_refuses_what_is_no_time(callboard: Run, write: Callable[[str], Path], words: list[str]) -> None:
    done = callboard("plan", write(GOOD), *words)
    assert (done.returncode, done.stdout) == (2, "")
