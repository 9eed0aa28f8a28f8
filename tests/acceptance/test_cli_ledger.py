"""`ls`, `explain` and `audit` over a real ledger: what was noted is what is shown."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Callable
from datetime import time
from pathlib import Path

import pytest

from jobs.model import Address, ConversationRequest, Created, Delivered, Ended, EndReason, Participant
from scheduler.config import freeze
from scheduler.facts import Missed, MissReason
from scheduler.ledger import Ledger, Note
from scheduler.model import Days, Occurrence, Schedule, Slot, When

Run = Callable[..., "subprocess.CompletedProcess[str]"]

PEOPLE = ("ana", "ben", "cai", "dee")
DUE = 1_772_632_800.0
"""2026-03-04T14:00:00Z."""
LOG = Address("log")
LINK = "https://tavus.example/secret-room"
FIELDS = [
    *(
        "key",
        "schedule",
        "slot",
        "date",
        "participant",
        "due",
        "stage",
        "reason",
        "attempt",
        "conversation_id",
    ),
    *("created_at", "ended_at", "lateness_s", "deliveries"),
]


def key(person: str, day: str = "2026-03-04") -> str:
    return f"coach/09:00/{day}/{person}"


def occurrence(person: str, due: float = DUE, day: str = "2026-03-04") -> Occurrence:
    return Occurrence("coach", "09:00", day, person, due, due - 30, due + 600, 0, "America/New_York")


def schedule() -> Schedule:
    return Schedule(
        name="coach",
        when=(When(Days(frozenset(range(5)), (Slot("09:00", time(9)),)), "America/New_York"),),
        participants=tuple(Participant(person, person) for person in PEOPLE),
        request=ConversationRequest(),
    )


@pytest.fixture
async def ledger(tmp_path: Path) -> Path:
    """ana is live and has her link, ben's call is over, cai was missed, dee waits; a day later all wait."""
    path = tmp_path / "team.db"
    house = Ledger.open(path, "https://tavus.example", DUE - 3600)
    both = [occurrence(p) for p in PEOPLE] + [occurrence(p, DUE + 86_400, "2026-03-05") for p in PEOPLE]
    await house.promise(both, {"coach": schedule()}, DUE - 900, DUE + 86_400)
    generation = await house.generation(freeze({"coach": schedule()}), DUE - 900)
    claimed = await house.claim(DUE - 30, 2, generation)
    for n, record in enumerate(claimed):
        made = Created(f"c{n}", LINK, DUE + 12 * n)
        await house.note(Note(record.key, made, DUE + 12 * n, (LOG,)))
        await house.note(Note(record.key, Delivered(LOG), DUE + 12 * n + 1))
    await house.note(Note(claimed[1].key, Ended(EndReason.LEFT, DUE + 700), DUE + 701))
    await house.note(Note(key("cai"), Missed(MissReason.NO_CAPACITY), DUE + 601))
    await house.hold("denied", DUE + 5)
    house.close()
    return path


def rows(done: subprocess.CompletedProcess[str]) -> list[dict[str, object]]:
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_ls_has_the_promised_fields_and_no_links(callboard: Run, ledger: Path) -> None:
    done = callboard("ls", "--json", "--ledger", ledger)
    listed = rows(done)
    assert [list(row) for row in listed] == [FIELDS] * 8
    ben = next(row for row in listed if row["key"] == key("ben"))
    assert ben == {
        "key": key("ben"),
        "schedule": "coach",
        "slot": "09:00",
        "date": "2026-03-04",
        "participant": "ben",
        "due": "2026-03-04T14:00:00Z",
        "stage": "ended",
        "reason": "left",
        "attempt": 1,
        "conversation_id": "c1",
        "created_at": "2026-03-04T14:00:12Z",
        "ended_at": "2026-03-04T14:11:40Z",
        "lateness_s": 12.0,
        "deliveries": [
            {"channel": "log", "address": None, "state": "delivered", "at": "2026-03-04T14:00:13Z"}
        ],
    }
    assert LINK not in done.stdout + done.stderr


def test_links_are_shown_when_they_are_asked_for(callboard: Run, ledger: Path) -> None:
    listed = rows(callboard("ls", "--json", "--links", "--ledger", ledger))
    assert [row["conversation_url"] for row in listed if row["stage"] == "live"] == [LINK]
    assert {row["conversation_url"] for row in listed if row["stage"] == "planned"} == {None}
    assert LINK in callboard("ls", "--links", "--ledger", ledger).stdout
    assert LINK not in callboard("ls", "--ledger", ledger).stdout


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--stage", "missed"], [key("cai")]),
        (["--participant", "ana"], [key("ana"), key("ana", "2026-03-05")]),
        (["--date", "2026-03-05", "--participant", "ben"], [key("ben", "2026-03-05")]),
        (["--schedule", "another"], []),
    ],
)
def test_filters_narrow_the_list(callboard: Run, ledger: Path, words: list[str], expected: list[str]) -> None:
    assert [row["key"] for row in rows(callboard("ls", "--json", *words, "--ledger", ledger))] == expected


def test_a_filter_that_can_match_nothing_is_refused(callboard: Run, ledger: Path) -> None:
    assert callboard("ls", "--stage", "lvie", "--ledger", ledger).returncode == 2
    assert callboard("ls", "--date", "tomorrow", "--ledger", ledger).returncode == 2


def test_people_get_rows_by_date_with_whole_keys(callboard: Run, ledger: Path) -> None:
    done = callboard("ls", "--ledger", ledger)
    assert done.stdout.splitlines()[:2] == [
        "Wednesday 4 March 2026",
        "  14:00Z  live                coach/09:00/2026-03-04/ana  log",
    ]
    assert "  14:00Z  ended left          coach/09:00/2026-03-04/ben  log, 12 s late" in done.stdout
    assert done.stdout.endswith("8 records: 5 planned, 1 live, 1 ended, 1 missed\n")
    assert done.stderr == "hold: denied since 2026-03-04T14:00:05Z\n"


def test_explain_tells_the_story_in_order(callboard: Run, ledger: Path) -> None:
    done = callboard("explain", key("ben"), "--json", "--ledger", ledger)
    told = json.loads(done.stdout)
    assert [each["fact"] for each in told["story"]] == ["attempted", "created", "delivered", "ended"]
    assert told["story"][1]["data"]["created_at"] == "2026-03-04T14:00:12Z"
    assert (told["stage"], told["opens"]) == ("ended", "2026-03-04T13:59:30Z")
    people = callboard("explain", key("ben"), "--ledger", ledger)
    assert "ended left" in people.stdout
    assert "2026-03-04T14:00:13Z  delivered" in people.stdout
    assert LINK not in done.stdout + people.stdout


def test_an_unknown_key_gets_a_suggestion(callboard: Run, ledger: Path) -> None:
    done = callboard("explain", "coach/9:00/2026-03-04/ana", "--ledger", ledger)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.strip().endswith(f"did you mean {key('ana')}?")


def test_audit_accounts_for_every_promise(callboard: Run, ledger: Path) -> None:
    done = callboard("audit", "--ledger", ledger)
    assert (done.returncode, done.stderr) == (0, "")
    assert "2026-03-04  coach  4 planned  = 1 planned, 1 live, 1 ended, 1 missed" in done.stdout
    assert done.stdout.endswith("ok: 8 promises, all accounted for\n")
    assert json.loads(callboard("audit", "--json", "--ledger", ledger).stdout)["ok"] is True


def test_audit_fails_when_a_promise_is_lost(callboard: Run, ledger: Path) -> None:
    with sqlite3.connect(ledger) as raw:
        raw.execute("DELETE FROM records WHERE key = ?", (key("dee"),))
    raw.close()
    done = callboard("audit", "--ledger", ledger)
    assert done.returncode == 1
    assert "4 promised, 3 accounted for" in done.stdout
    assert json.loads(callboard("audit", "--json", "--ledger", ledger).stdout)["ok"] is False


@pytest.mark.parametrize("command", [["ls"], ["explain", key("ana")], ["audit"]])
def test_where_there_is_no_ledger_one_line_says_so(
    callboard: Run, tmp_path: Path, command: list[str]
) -> None:
    done = callboard(*command, "--ledger", tmp_path / "none.db")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert "no ledger there" in done.stderr


def test_another_programs_file_is_no_ledger(callboard: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello, this is not a database at all\n" * 100)
    done = callboard("ls", "--ledger", tmp_path / "notes.txt")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)


def test_the_ledger_is_the_one_of_the_environment_or_of_the_file(callboard: Run, ledger: Path) -> None:
    config = ledger.with_name("callboard.yaml")
    config.write_text(
        "version: 1\nservice: {ledger: team.db}\naccount: {concurrent_conversations: 2}\n"
        "schedules:\n  coach:\n"
        "    when: {days: daily, at: '09:00', timezone: UTC}\n"
        "    conversation: {persona_id: p1, replica_id: r1}\n"
    )
    named = config.rename(config.with_name("named.yaml"))
    assert callboard("ls").returncode == 2
    assert len(rows(callboard("ls", "--json", CALLBOARD_LEDGER=str(ledger)))) == 8
    assert len(rows(callboard("ls", "--json", CALLBOARD_CONFIG=str(named)))) == 8
    named.rename(config)
    assert len(rows(callboard("ls", "--json"))) == 8
    assert callboard("ls", CALLBOARD_LEDGER="elsewhere.db").returncode == 1


@pytest.mark.parametrize(("at", "warns"), [("09:00", 0), ("09:30", 1)])
def test_check_says_when_an_unnamed_time_is_another_one_than_the_house_went_by(
    callboard: Run, ledger: Path, at: str, warns: int
) -> None:
    config = ledger.with_name("callboard.yaml")
    config.write_text(
        "version: 1\nservice: {ledger: team.db}\naccount: {concurrent_conversations: 2}\n"
        f"schedules:\n  coach:\n    when: {{days: daily, at: '{at}', timezone: UTC}}\n"
        "    conversation: {persona_id: p1, replica_id: r1}\n"
    )
    told = json.loads(callboard("check", config, "--json").stdout)
    assert [told["ok"], told["warnings"]] == [True, warns]
    for problem in told["problems"]:
        assert "schedule coach has other times than the house last went by" in problem["message"]
        assert "name the slot" in problem["message"]
