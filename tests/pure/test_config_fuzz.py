"""Whatever a file holds: no traceback, every message inside the file, the right key first."""

from __future__ import annotations

import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduler.config import read
from scheduler.config.channels import HookKeys
from scheduler.config.conversation import ConversationKeys
from scheduler.config.fields import Strict
from scheduler.config.mailing import MailKeys, SmtpKeys, WordingKeys
from scheduler.config.models import (
    AccountKeys,
    FileKeys,
    MonthlyKeys,
    PersonKeys,
    RangeKeys,
    RosterFileKeys,
    ScheduleKeys,
    ServiceKeys,
    WhenKeys,
)
from scheduler.config.suggest import distance, nearest

MODELS: tuple[type[Strict], ...] = (
    FileKeys, ServiceKeys, AccountKeys, ScheduleKeys, WhenKeys, MonthlyKeys, RangeKeys, PersonKeys,
    RosterFileKeys, MailKeys, SmtpKeys, WordingKeys, HookKeys, ConversationKeys,
)  # fmt: skip

GOOD = """\
version: 1
account: {concurrent_conversations: 3, api_key: {env: KEY}}
mail: {from: "Practice <p@example.com>", smtp: {host: smtp.example.com, username: p, password: {env: PASS}}}
rosters:
  east:
    - {id: ana, name: "Ana: Ruiz", email: ana@example.com, timezone: America/New_York}
    - id: ben
      name: 'Ben'
      email: ben@example.com
defaults: {timezone: UTC, lead: 30s}
schedules:
  coach:   # every day
    when:
      - {days: [mon-wed, fri], at: {am: 9:00}, except: [2026-12-24]}
      - {cron: "0 12 * * sat"}
    participants: [east]
    deliver: [mail, {webhook: "https://example.com/hook", secret: {env: KEY}}]
    mail: {text: "Join: {{ link.url }}"}
    conversation:
      persona_id: p
      conversational_context: >-
        Hello {{ participant.name }},
        how are you?
      properties: {max_call_duration: 30m}
"""
PIECES = [
    "\t", "\n", ": ", " #", "{{", "}}", "{", "[", "]", "'", '"', "*a", "&a", "!!x", "- ", "? ", "|", ">",
    "%", "@", "~", "---\n", "...\n", "\x00", "\x85", "\u2028", "\N{CJK RADICAL SUN}", "\N{GRINNING FACE}",
    "<<: ", "api_key: ", "\ufeff", ",", "\r",
]  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> str:
    text = GOOD
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 12)))
        text = text[:start] + draw(st.sampled_from(PIECES) | st.text(max_size=3)) + text[end:]
    return text


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mutated())
def test_mutations_never_crash_and_every_message_is_inside_the_file(tmp_path: Path, text: str) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    config, found = read([file])
    assert (config is None) == any(problem.severity == "error" for problem in found)
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n")
    lines = lines.replace("\r", "\n").replace("\x85", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    for problem in found:
        assert problem.file == str(file)
        assert all(line.isprintable() for line in problem.render().split("\n"))
        if problem.line:
            assert 1 <= problem.column <= len(lines.split("\n")[problem.line - 1]) + 1


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=60)
    | st.text(max_size=60).map(lambda t: ("version: 1\n" + t).encode("utf-8", "replace"))
)
def test_anything_is_read_or_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.yaml").write_bytes(data)
    config, found = read([tmp_path / "a.yaml"])
    assert config is not None or found


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=60))
def test_rosters_are_read_or_refused(tmp_path: Path, rows: str) -> None:
    (tmp_path / "r.csv").write_text("id,name\n" + rows, encoding="utf-8", errors="replace", newline="")
    (tmp_path / "a.yaml").write_text("version: 1\nrosters: {r: {file: r.csv}}\n")
    for problem in read([tmp_path / "a.yaml"])[1]:
        assert problem.render()


def slips(word: str) -> Iterator[str]:
    """Every word one letter away."""
    for place in range(len(word) + 1):
        before, after = word[:place], word[place:]
        yield from (before + letter + after for letter in "aeinrstxy_")
        if after:
            yield before + after[1:]
            yield from (before + letter + after[1:] for letter in "aeinrstxy_")
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]


def test_a_slip_of_one_letter_finds_its_key_first() -> None:
    good = bad = 0
    for model in MODELS:
        known = model.known_keys()
        for key in known:
            wrong = {slip for slip in slips(key) if slip and slip not in known}
            right = sum(nearest(slip, known) == key for slip in wrong)
            good, bad = good + right, bad + len(wrong) - right
            if len(key) > 4:
                assert right == len(wrong), key
    assert good / (good + bad) > 0.95, (good, bad)


@pytest.mark.parametrize(
    "old",
    [
        "lead",
        "timezone",
        "persona_id",
        "rosters",
        "days",
        "email",
        "max_call_duration",
        "username",
        "password",
        "deliver",
        "webhook",
    ],
)
def test_a_slip_in_a_file_is_told_at_the_slip(tmp_path: Path, old: str) -> None:
    slip = old[0] + old[2] + old[1] + old[3:]
    (tmp_path / "a.yaml").write_text(GOOD.replace(f"{old}:", f"{slip}:", 1))
    hints = [problem.hint for problem in read([tmp_path / "a.yaml"])[1] if f'"{slip}"' in problem.message]
    assert hints == [f'did you mean "{old}"?']


@given(st.text(string.ascii_lowercase + "_", max_size=8), st.text(string.ascii_lowercase + "_", max_size=8))
def test_the_distance_is_one(one: str, other: str) -> None:
    assert distance(one, other) == distance(other, one) <= max(len(one), len(other))
    assert (distance(one, other) == 0) == (one == other)
