"""Mail: trying a server out tells each stage, and what puts a failure right."""

from __future__ import annotations

import ssl
from typing import Any

import pytest

from jobs.channels.mail import Letter, Security, Server, Tried, probe

from .mail_office import (
    DROP,
    LINK,
    PASSWORD,
    SILENCE,
    Certificate,
    certificate,
    knows_ana,
    letter,
    office,
    raw_office,
)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(tmp_path_factory.mktemp("own"))


async def tried(
    port: int, tls: ssl.SSLContext | None = None, host: str = "localhost", **how: Any
) -> list[Tried]:
    server = Server(host=host, port=port, **how)
    sent = Letter("practice@example.com", "ana@example.com", letter(), (LINK, PASSWORD))
    return [each async for each in probe(server, sent, tls=tls, try_s=0.5)]


def told(stages: list[Tried]) -> list[tuple[str, str]]:
    """Stage and result; nothing but a failure has a fix, and none shows a secret."""
    assert [each for each in stages if (each.fix is None) == (each.result == "failed")] == []
    assert [each for each in stages if LINK in each.told or PASSWORD in each.told] == []
    return [(each.stage, each.result) for each in stages]


async def test_all_is_well(own: Certificate) -> None:
    how = {"tls_context": own.server(), "authenticator": knows_ana, "ident": "Office 1"}
    async with office(**how) as at:
        stages = await tried(at.port, own.client(), username="ana", password=PASSWORD)
    assert told(stages) == [(stage, "ok") for stage in ("dns", "connect", "tls", "auth", "accepted")]
    shown = {each.stage: each.told for each in stages}
    assert "127.0.0.1" in shown["dns"]
    assert shown["connect"] == f"port {at.port} answers: office.example Office 1"
    assert shown["tls"].startswith("TLSv1.")
    assert shown["auth"] == "as ana (PLAIN)"
    assert shown["accepted"] == "250 2.0.0 OK"
    assert [message for *_, message in at.letters] == [letter()]


async def test_what_is_not_used_is_told_too() -> None:
    async with office() as at:
        stages = await tried(at.port, security=Security.NONE)
    assert told(stages) == [
        ("dns", "ok"), ("connect", "ok"), ("tls", "unused"), ("auth", "unused"), ("accepted", "ok")
    ]  # fmt: skip
    assert [each.told for each in stages[2:4]] == ["security is none", "no username is set up"]


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
async def test_a_certificate_that_nobody_signed(security: Security, own: Certificate) -> None:
    implicit = own.server() if security is Security.TLS else None
    async with office(implicit, tls_context=None if implicit else own.server()) as at:
        stages = await tried(at.port, security=security)
    assert told(stages) == [("dns", "ok"), ("connect", "ok"), ("tls", "failed")]


async def test_a_wrong_password(own: Certificate) -> None:
    async with office(tls_context=own.server(), authenticator=knows_ana) as at:
        stages = await tried(at.port, own.client(), username="ana", password="wrong")
    assert told(stages)[-1] == ("auth", "failed")
    assert at.letters == []


async def test_a_name_that_nobody_knows() -> None:
    stages = await tried(25, host="mail.invalid", security=Security.STARTTLS)
    assert told(stages) == [("dns", "failed")]


async def test_nobody_is_at_home() -> None:
    async with office() as at:
        pass
    assert told(await tried(at.port, security=Security.NONE)) == [("dns", "ok"), ("connect", "failed")]


@pytest.mark.parametrize(
    ("verb", "said", "fix"),
    [
        ("RCPT", "550 5.1.1 no such user", "look at the address"),
        ("RCPT", "554 5.7.1 relay access denied", "mail.from"),
        ("DATA", "554 5.7.1 spam", "mail.from"),
        ("RCPT", "450 4.2.0 greylisted", "in some minutes"),
        ("DATA", DROP, "in some minutes"),
    ],
)
async def test_a_letter_that_is_not_accepted(verb: str, said: str, fix: str) -> None:
    async with office() as at:
        at.says = {verb: said}
        stages = await tried(at.port, security=Security.NONE)
    assert told(stages)[-1] == ("accepted", "failed")
    assert fix in (stages[-1].fix or "")


@pytest.mark.parametrize(
    ("greeting", "answers", "stage"),
    [(None, {}, "connect"), ("554 no", {}, "connect"), ("220 hi", {"EHLO": SILENCE}, "connect")],
)
async def test_a_server_that_will_not_begin(
    greeting: str | None, answers: dict[str, str], stage: str
) -> None:
    async with raw_office(answers, greeting) as (port, _):
        stages = await tried(port, security=Security.NONE)
    assert told(stages)[-1] == (stage, "failed")
