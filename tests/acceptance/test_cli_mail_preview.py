"""`callboard mail preview`: the letter that waits or would be, and what to do when there can't be one."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.model import Created, Wording
from scheduler.config import read
from scheduler.ledger import Ledger, Note
from scheduler.model import Occurrence
from tests.pure.letters import LINK, MAIL, written

Run = Callable[..., "subprocess.CompletedProcess[str]"]

DUE = 1_772_632_800.0
"""2026-03-04T14:00:00Z."""
TEAM = """\
version: 1
mail: {from: Practice <practice@example.com>, sink: letters}
account: {concurrent_conversations: 2}
rosters:
  team:
    - {id: ana, name: Ana Ruiz, email: ana@example.com, timezone: America/New_York}
    - {id: ben, name: Ben & Ode, email: ben@example.com, timezone: America/Chicago}
defaults: {conversation: {persona_id: p1, replica_id: r1}}
schedules:
  coach:
    when: {days: daily, at: "09:00", timezone: participant}
    participants: [team]
    deliver: [mail]
    conversation:
      conversation_name: "Objections, {{ participant.name }}"
      properties: {participant_absent_timeout: 5m}
  quiet:
    when: {days: daily, at: "10:00", timezone: Europe/Oslo}
    participants: [team]
    deliver: [log]
    mail: {subject: "{{ slot.time }}!", text: "Go, {{ participant.name }}: {{ link.url }}"}
  room: {when: {days: daily, at: "11:00", timezone: Europe/Oslo}, deliver: [log]}
  past:
    when: {days: daily, at: "12:00", timezone: Europe/Oslo, until: 2026-01-01}
    participants: [{id: cai, name: Cai}]
    deliver: [log]
"""
NO_MAIL = TEAM.replace("mail: {from: Practice <practice@example.com>, sink: letters}\n", "").replace(
    "deliver: [mail]", "deliver: [log]"
)


@pytest.fixture
def team(tmp_path: Path) -> Path:
    file = tmp_path / "callboard.yaml"
    file.write_text(TEAM, "utf-8")
    return file


def test_the_next_letter_of_a_schedule(callboard: Run, team: Path) -> None:
    done = callboard("mail", "preview", "coach", team)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[:2] == ["From: Practice <practice@example.com>", "To: Ana Ruiz <ana@example.com>"]
    assert re.fullmatch(r"Subject: Your practice: \w+day \d+ \w+, 09:00", lines[2])
    assert (
        "Please come by 09:04: the room is kept for 4 minutes 30 seconds, and closes if nobody has come."
        in lines
    )
    assert "up to 30 minutes: Objections, Ana Ruiz" in lines
    assert "https://tavus.example/your-room" in lines
    assert callboard("mail", "preview", "coach").stdout == done.stdout, "./callboard.yaml is found"


def test_a_promise_by_its_key(callboard: Run, team: Path) -> None:
    done = callboard("mail", "preview", "coach/09:00/2026-12-01/ben", team)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Tuesday 1 December, 09:00 in Chicago (UTC-6)" in done.stdout
    assert "To: Ben & Ode <ben@example.com>" in done.stdout


def test_the_html_goes_to_a_file(callboard: Run, team: Path, tmp_path: Path) -> None:
    file = tmp_path / "letter.html"
    done = callboard("mail", "preview", "coach", "--participant", "ben", "--html", file, team)
    assert (done.returncode, done.stdout) == (0, "")
    assert f"written to {file}" in done.stderr
    assert "Hello <bdi>Ben &amp; Ode</bdi>" in file.read_text("utf-8")


def test_a_letter_in_json(callboard: Run, team: Path) -> None:
    done = callboard("mail", "preview", "coach/09:00/2026-12-01/ana", "--json", team)
    shown = json.loads(done.stdout)
    assert list(shown) == ["key", "from", "to", "subject", "text", "html"]
    assert shown["key"] == "coach/09:00/2026-12-01/ana"
    assert shown["subject"] == "Your practice: Tuesday 1 December, 09:00"
    assert shown["text"].startswith("Hello Ana Ruiz,\n")


def test_a_schedules_own_words_before_it_mails(callboard: Run, team: Path) -> None:
    done = callboard("mail", "preview", "quiet/10:00/2026-12-01/ben", team)
    assert done.stdout.splitlines()[2:] == [
        "Subject: 03:00!",
        "",
        "Go, Ben & Ode: https://tavus.example/your-room",
    ]
    assert done.stderr == "quiet sends no mail yet: write `deliver: [mail]`\n"


@pytest.mark.parametrize(
    ("words", "code", "hint"),
    [
        (("caoch",), 1, "there is no schedule caoch; did you mean coach?"),
        (("coach", "--participant", "bne"), 1, "coach has no participant bne; did you mean ben?"),
        (("coach/09:00/2026-12-01/bne",), 1, "is no promise of this configuration; `callboard plan`"),
        (("caoch/09:00/2026-12-01/ben",), 1, "did you mean coach?"),
        (("coach/09:00/2026-12-01/ben", "--participant", "ben"), 2, "--participant goes with a SCHEDULE"),
        (("room",), 1, "room has no participants: nobody would get a letter"),
        (("past",), 1, "past has no slot within a year"),
        (("past/12:00/2025-12-01/cai",), 1, "the participant has no `email`"),
        (("coach", "--html", "none/there.html"), 1, "name a file that can be written"),
        ((), 2, "Missing argument 'KEY|SCHEDULE'"),
    ],
)
def test_what_can_not_be_shown_is_told_with_its_fix(
    callboard: Run, team: Path, words: tuple[str, ...], code: int, hint: str
) -> None:
    done = callboard("mail", "preview", *words)
    assert (done.returncode, done.stdout) == (code, "")
    assert hint in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
async def waiting(team: Path) -> str:
    """The key of a record in the configuration's ledger whose letter waits to be handed over."""
    book = Ledger.open(team.with_name("callboard.db"), "https://tavus.example", DUE - 3600)
    promise = Occurrence(
        "coach", "09:00", "2026-03-04", "ana", DUE, DUE - 30, DUE + 600, 0, "America/New_York"
    )
    config, _ = read([team])
    assert config is not None
    await book.promise([promise], config.schedules, DUE - 900, DUE)
    (record,) = await book.claim(DUE - 30, 1, await book.generation("{}", DUE - 900))
    message = written(MAIL, Wording(subject="Frozen"), url=LINK)
    made = Created("c1", LINK, DUE - 29)
    await book.note(Note(record.key, made, DUE - 29, (MAIL,), messages={MAIL: message}))
    book.close()
    return record.key


def test_the_letter_that_waits_is_shown_and_its_link_only_when_asked_for(
    callboard: Run, team: Path, waiting: str, tmp_path: Path
) -> None:
    file = tmp_path / "letter.html"
    done = callboard("mail", "preview", waiting, "--json", "--html", file)
    shown = json.loads(done.stdout)
    assert (shown["key"], shown["subject"]) == (waiting, "Frozen")
    assert "https://tavus.example/..." in shown["text"]
    assert "c123" not in done.stdout + done.stderr + file.read_text("utf-8")
    asked = callboard("mail", "preview", waiting, "--links", "--ledger", team.with_name("callboard.db"))
    assert LINK in asked.stdout
    assert "Frozen" in callboard("mail", "preview", waiting).stdout
    composed = callboard("mail", "preview", waiting.replace("ana", "ben")).stdout
    assert "Frozen" not in composed
    assert "https://tavus.example/your-room" in composed


def test_without_a_mail_section_nobody_writes(callboard: Run, team: Path) -> None:
    team.write_text(NO_MAIL, "utf-8")
    done = callboard("mail", "preview", "coach")
    assert (done.returncode, done.stdout) == (1, "")
    assert "`mail:`" in done.stderr
