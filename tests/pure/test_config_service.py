"""The section `service`: where it listens, for whom, and whom it tells that it lives."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from scheduler.config import Problem, read
from scheduler.model import Config, Listen, ReadAgain, SecretRef

SECRET = "8a1f-secret"
PING = f"https://hc-ping.example/{SECRET}"


def reading(tmp_path: Path, service: str) -> tuple[Config | None, Sequence[Problem]]:
    path = tmp_path / "callboard.yaml"
    path.write_text(
        f"version: 1\nservice: {{{service}}}\naccount: {{concurrent_conversations: 2}}\n"
        "schedules:\n  practice: {timezone: UTC, when: {every: 6h}, conversation: {persona_id: p}}\n"
    )
    return read([path])


def good(tmp_path: Path, service: str) -> Config:
    config, problems = reading(tmp_path, service)
    assert config is not None and not problems, problems
    return config


def only(tmp_path: Path, service: str) -> Problem:
    _, problems = reading(tmp_path, service)
    assert len(problems) == 1, problems
    return problems[0]


def test_nothing_is_served_and_nobody_told_unless_it_is_written(tmp_path: Path) -> None:
    service = good(tmp_path, "reload: signal").service
    assert (service.listen, service.admin_token, service.heartbeat) == (None, None, None)


@pytest.mark.parametrize(
    ("text", "reload"),
    [
        ("ledger: x.db", ReadAgain.SIGNAL),
        ("reload: signal", ReadAgain.SIGNAL),
        ("reload: watch", ReadAgain.WATCH),
    ],
)
def test_what_makes_it_read_its_files_again(tmp_path: Path, text: str, reload: ReadAgain) -> None:
    assert good(tmp_path, text).service.reload is reload


@pytest.mark.parametrize(
    ("text", "listen"),
    [
        ("127.0.0.1:8710", Listen("127.0.0.1", 8710)),
        ("localhost:80", Listen("localhost", 80)),
        ("'[::1]:65535'", Listen("::1", 65535)),
        ("127.3.2.1:1", Listen("127.3.2.1", 1)),
    ],
)
def test_this_machine_needs_no_token(tmp_path: Path, text: str, listen: Listen) -> None:
    assert good(tmp_path, f"listen: {text}").service.listen == listen


@pytest.mark.parametrize("host", ["0.0.0.0", "'[::]'", "10.1.2.3", "board.example.com", "localhost.example"])
def test_other_machines_come_in_only_with_a_token(tmp_path: Path, host: str) -> None:
    listen = f"listen: {host}:8710" if "[" not in host else "listen: '[::]:8710'"
    problem = only(tmp_path, listen)
    assert (problem.severity, problem.line) == ("error", 2)
    assert "`admin_token` is missing" in problem.message
    assert problem.hint is not None and "admin_token: {env: CALLBOARD_ADMIN_TOKEN}" in problem.hint
    found = good(tmp_path, f"{listen}, admin_token: {{env: BOARD}}").service
    assert found.listen is not None and found.admin_token == SecretRef("env", "BOARD")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("8710", "write 127.0.0.1:8710"),
        ("':8710'", "write 127.0.0.1:8710"),
        ("http://localhost:8710", "without a scheme"),
        ("'::1:8710'", "in brackets"),
        ("localhost", None),
        ("localhost:0", None),
        ("localhost:65536", None),
        ("localhost:08710", None),
        ("'[x]:80'", None),
        ("a_b c:80", None),
    ],
)
def test_what_is_no_host_with_a_port_is_told(tmp_path: Path, text: str, hint: str | None) -> None:
    problem = only(tmp_path, f"listen: {text}")
    assert "a host and a port such as 127.0.0.1:8710" in problem.message
    assert hint is None or (problem.hint is not None and hint in problem.hint)


def test_a_token_without_a_door_is_a_warning(tmp_path: Path) -> None:
    problem = only(tmp_path, "admin_token: {env: BOARD}")
    assert problem.severity == "warning" and "`listen`" in problem.message


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (PING, PING),
        ("{env: PING}", SecretRef("env", "PING")),
        ("{file: /run/secrets/ping}", SecretRef("file", "/run/secrets/ping")),
        ("http://127.0.0.1:9/x", "http://127.0.0.1:9/x"),
    ],
)
def test_a_heartbeat_is_a_url_or_where_one_is_found(tmp_path: Path, text: str, found: object) -> None:
    assert good(tmp_path, f"heartbeat: {text}").service.heartbeat == found


@pytest.mark.parametrize(
    "service",
    [
        f"heartbeat: {PING.replace('https', 'http')}",
        f"heartbeat: [{SECRET}]",
        f"heartbeat: {PING.removeprefix('https://')}",
        f"heartbaet: {PING}",
        f"admin_token: {SECRET}",
        f"heartbeat: {{url: {PING}}}",
    ],
)
def test_no_error_shows_a_secret(tmp_path: Path, service: str) -> None:
    problem = only(tmp_path, service)
    assert problem.severity == "error" and SECRET not in repr(problem)


def test_no_repr_shows_a_heartbeat(tmp_path: Path) -> None:
    assert SECRET not in repr(good(tmp_path, f"heartbeat: {PING}"))


@pytest.mark.parametrize(("written", "keep_s"), [("180d", 180 * 86_400), ("8d", 691_200), ("192h", 691_200)])
def test_what_is_over_can_be_forgotten(tmp_path: Path, written: str, keep_s: int) -> None:
    assert good(tmp_path, f"keep: {written}").service.keep_s == keep_s


def test_what_might_be_caught_up_can_not(tmp_path: Path) -> None:
    assert "8 days" in only(tmp_path, "keep: 7d").message


@pytest.mark.parametrize("written", ["ever", "180 days", "1.5d", "-1d", "d"])
def test_an_age_is_days_or_a_duration(tmp_path: Path, written: str) -> None:
    assert "180d" in only(tmp_path, f'keep: "{written}"').message


def test_days_are_for_ages_alone(tmp_path: Path) -> None:
    path = tmp_path / "callboard.yaml"
    path.write_text(
        "version: 1\naccount: {concurrent_conversations: 2}\n"
        "schedules:\n  a: {timezone: UTC, when: {every: 6h}, lead: 1d, conversation: {persona_id: p}}\n"
    )
    _, problems = read([path])
    assert ["a duration such as" in problem.message for problem in problems] == [True]


DATABASE = "postgresql://me@db.example:5432/callboard?sslmode=require"


def test_a_ledger_is_a_file_beside_this_one_or_a_database(tmp_path: Path) -> None:
    assert good(tmp_path, "ledger: sub/x.db").service.ledger == str(tmp_path / "sub" / "x.db")
    assert good(tmp_path, f"ledger: '{DATABASE}'").service.ledger == DATABASE


@pytest.mark.parametrize(
    ("url", "said", "hint"),
    [
        ("postgresql://me:s3cr3t@db/x", "holds a password", "PGPASSWORD_FILE, or use ~/.pgpass"),
        ("postgresql://me@db/x?password=s3cr3t", "holds a password", "take it out"),
        ("postgresql://me@db", "names no database", "user@host:5432/database"),
        ("postgresql://me@db:54x2/y", "a port that is no number", "user@host:5432/database"),
        ("postgresql://me@db:65536/y", "from 1 to 65535", "user@host:5432/database"),
        ("postgresql://me:s3cr3t/more@db/x", "is not postgresql://user", "written as %40"),
        ("mysql://me@db/x", "a database of PostgreSQL's", "or a file's path"),
        ("sqlite:///x.db", "a file, or", "write the file's path alone"),
    ],
)
def test_a_url_that_is_no_ledger_is_told_at_its_place(tmp_path: Path, url: str, said: str, hint: str) -> None:
    problem = only(tmp_path, f"ledger: '{url}'")
    assert (problem.severity, problem.line, problem.column) == ("error", 2, 19)
    assert said in problem.message and hint in (problem.hint or "")
    assert "s3cr3t" not in repr(problem)
