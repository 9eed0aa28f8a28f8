"""A secret that stands where it may not: refused, and never repeated by any message."""

from __future__ import annotations

from pathlib import Path

import pytest

from scheduler.config import Problem, read
from scheduler.config.channels import HookKeys
from scheduler.config.mailing import MailKeys, SmtpKeys, WordingKeys
from scheduler.config.masking import secret_like, shown
from scheduler.config.models import AccountKeys, FileKeys, PersonKeys, ScheduleKeys, WhenKeys

ACCOUNT = """\
version: 1
account:
  concurrent_conversations: 3
  WORDS
  ids: persona
schedules:
  s: {timezone: UTC, when: {every: 15m}, conversation: {persona_id: p}}
"""


def problems(folder: Path, words: str) -> tuple[Problem, ...]:
    (folder / "a.yaml").write_text(ACCOUNT.replace("WORDS", words))
    return read([folder / "a.yaml"])[1]


SECRETS = [
    "api_key: s3cr3t",
    'api_key: "s3cr3t"',
    '"api_key":   s3cr3t',
    "api_key: {s3cr3t}",
    "api_key: {s3cr3t: x}",
    "api_key: {env: s3cr3t}",
    "api_key: [s3cr3t]",
    "? api_key\n  : s3cr3t",
    "api_key:\n    s3cr3t",
    "api_key: >-\n    s3cr3t",
    "api_key:\n    - s3cr3t",
    "api_key:\n    key: s3cr3t",
    "api_kye: s3cr3t",
    "apikey: s3cr3t",
    "api-key: s3cr3t",
    "token: s3cr3t",
    "password: s3cr3t",
    "smtp_secret: s3cr3t",
    "api_key: s3cr3t: x",
    "api_key: *s3cr3t",
    "api_key: @s3cr3t",
    'api_key: "s3cr3t" x',
    'api_key: "s3cr3t',
    "api_key: {env: X, token: s3cr3t}",
    "pass: s3cr3t",
    "smtp: {host: h, pass: s3cr3t}",
    "deliver: [log, {webhook: https://x.example/s3cr3t}]",
    "deliver: {webhook: 'https://x.example?key=s3cr3t'}",
    "deliver: {webhook: x.example/s3cr3t}",
    "deliver: {webhok: s3cr3t}",
    "deliver: {slack: http://x.example/s3cr3t}",
    "deliver: {slack: //x.example/s3cr3t}",
    "deliver: [https://x.example/s3cr3t]",
    "deliver:\n    - webhook:\n        x.example/s3cr3t",
    "deliver:\n    - webhook: >-\n        https://x.example/s3cr3t",
    "deliver: {webhook: https://x.example/, secret: s3cr3t}",
    "base_url: https://me:s3cr3t@example.com\n  api_key: {env: TAVUS_API_KEY}",
    *(
        f"ledger: {url}"
        for url in (
            "postgresql://me:s3cr3t@db/x",
            "postgres://me:s3cr3t/a@db/x",
            "'postgresql://me:a/s3cr3t@db/x'",
            "postgresql://me@db/x?password=s3cr3t",
            "postgresql://me@db/x?sslmode=require&sslp%61ssword=s3cr3t",
            "postgresql://me@db:s3cr3t/x",
            "postgresql:me:s3cr3t@db/x",
            "mysql://me:s3cr3t@db/x",
            ">-\n    postgresql://me:a/s3cr3t@db/x",
        )
    ),
]


@pytest.mark.parametrize("words", SECRETS)
def test_a_secret_is_refused_and_never_repeated(tmp_path: Path, words: str) -> None:
    found = problems(tmp_path, words)
    assert any(problem.severity == "error" for problem in found)
    told = "".join(f"{problem.render()} {problem}" for problem in found) + repr(found)
    assert "s3cr3t" not in told, told


def test_references_to_secrets_are_shown(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, "api_key: {env: TAVUS_API_KEY}\n  api_key: {env: OTHER}")
    assert found.source_line == "  api_key: {env: OTHER}"


def test_none_of_our_own_keys_is_hidden_but_the_secret() -> None:
    models = (
        AccountKeys,
        FileKeys,
        ScheduleKeys,
        WhenKeys,
        PersonKeys,
        MailKeys,
        SmtpKeys,
        WordingKeys,
        HookKeys,
    )
    hidden = {key for model in models for key in model.known_keys() if secret_like(key)}
    assert hidden == {"api_key", "password", "secret"}


@pytest.mark.parametrize(
    ("lines", "seen"),
    [
        (["  api_key: abc"], "  api_key: ***"),
        (["  api_key: {env: KEY}"], "  api_key: {env: KEY}"),
        (["  api_key: {file: /run/key}  # there"], "  api_key: {file: /run/key}  # there"),
        (["  api_key: {env: abc}"], "  api_key: ***"),
        (["- {id: a, token: abc, name: b}"], "- {id: a, token: ***"),
        (["api_key:", "  env: KEY"], "  env: KEY"),
        (["api_key:", "", "    abc"], "    ***"),
        (["key-accounts:", "  - {id: a}"], "  - {id: a}"),
        (["url: https://me:abc@x.y/z"], "url: https://***"),
        (["# api_key: abc"], "# api_key: ***"),
        (["- {webhook: https://x.y/abc}"], "- {webhook: https://x.y/***"),
        (["- {webhook: https://x.y:8}"], "- {webhook: https://x.y:8}"),
        (['- slack: "x.y/abc"'], '- slack: "x.y/***'),
        (["- webhok: abc"], "- webhok: ***"),
        (["- webhook:", "    x.y/abc"], "    ***"),
        (["slack:", "  lead: 3s"], "  lead: 3s"),
        (["- https://x.y/abc"], "- https://x.y/***"),
        (["callback_url: https://x.y/{{ a }}"], "callback_url: https://x.y/{{ a }}"),
        (["  ledger: postgresql://me@db:5432/x # ours"], "  ledger: postgresql://me@db:5432/x # ours"),
        (
            ["{ledger: 'postgres:///x?host=/run/pg', keep: 8d}"],
            "{ledger: 'postgres:///x?host=/run/pg', keep: 8d}",
        ),
        (["  ledger: postgresql://me:a/b@db/x"], "  ledger: postgresql://***"),
        (["  ledger: >-", "    postgresql://me@db:pw/x"], "    postgresql://***"),
        (["{ledger: postgresql://db/x, api_key: abc}"], "{ledger: postgresql://***"),
    ],
)
def test_what_may_be_shown_of_a_line(lines: list[str], seen: str) -> None:
    assert shown(lines, len(lines) - 1) == seen
