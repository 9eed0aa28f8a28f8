"""Mail: TLS and the login. Nothing in clear leaves the machine; what isn't right is told as our set-up's."""

from __future__ import annotations

import asyncio

import pytest
from aiosmtpd.smtp import AuthResult

from jobs.channels.mail import Security, Server
from jobs.errors import Blame, Reason

from .mail_office import (
    DROP,
    PASSWORD,
    SILENCE,
    Certificate,
    certificate,
    channel,
    delivered,
    failed,
    knows_ana,
    office,
    raw_office,
    step,
)

STARTTLS, TLS, NONE = Security.STARTTLS, Security.TLS, Security.NONE
LOGIN = {"username": "ana", "password": PASSWORD}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(tmp_path_factory.mktemp("own"))


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Of another name, from an authority that is trusted."""
    return certificate(tmp_path_factory.mktemp("others"), "mail.elsewhere.example")


async def test_starttls_and_a_login_and_a_burst_on_one_connection(own: Certificate) -> None:
    how = {"tls_context": own.server(), "require_starttls": True, "authenticator": knows_ana}
    async with (
        office(**how, auth_required=True) as at,
        channel(at.port, STARTTLS, tls=own.client(), **LOGIN) as mail,
    ):
        for n in range(3):
            await delivered(mail, step(n))
    assert (len(at.letters), at.opened) == (3, 1)


async def test_implicit_tls_and_a_login(own: Certificate) -> None:
    async with (
        office(own.server(), authenticator=knows_ana, auth_require_tls=False) as at,
        channel(at.port, TLS, tls=own.client(), **LOGIN) as mail,
    ):
        await delivered(mail)
    assert len(at.letters) == 1


@pytest.mark.parametrize("methods", ["LOGIN", "PLAIN", "LOGIN PLAIN CRAM-MD5"])
async def test_the_login_is_tried_by_one_method_once(methods: str, own: Certificate) -> None:
    tried: list[str] = []

    def nobody(server: object, session: object, envelope: object, mechanism: str, data: object) -> AuthResult:
        tried.append(mechanism)
        return AuthResult(success=False, handled=False)

    unwanted = {"LOGIN", "PLAIN"} - set(methods.split())
    how = {"tls_context": own.server(), "authenticator": nobody, "auth_exclude_mechanism": unwanted}
    async with office(**how) as at, channel(at.port, STARTTLS, tls=own.client(), **LOGIN) as mail:
        error = await failed(mail)
    assert (error.reason, error.blame) == (Reason.BUSY, Blame.SETUP)
    assert error.detail == "the mail server turned the login away: 535 5.7.8"
    assert tried == ["PLAIN" if "PLAIN" in methods else "LOGIN"]
    assert at.letters == []


async def test_a_wrong_password_is_not_tried_again_by_those_in_line(own: Certificate) -> None:
    tried: list[str] = []

    def counts(server: object, session: object, envelope: object, mechanism: str, data: object) -> AuthResult:
        tried.append(mechanism)
        return AuthResult(success=len(tried) > 2, handled=False)

    how = {"tls_context": own.server(), "authenticator": counts}
    two = {"tls": own.client(), "connections": 2}
    async with office(**how) as at, channel(at.port, STARTTLS, **two, **LOGIN) as mail:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(failed(mail, step(n))) for n in range(20)]
        errors = [task.result() for task in tasks]
        assert len(tried) == 2
        assert {(error.reason, error.blame) for error in errors} == {(Reason.BUSY, Blame.SETUP)}
        assert {error.detail for error in errors} == {"the mail server turned the login away: 535 5.7.8"}
        await delivered(mail)
    assert len(tried) == 3


async def test_in_clear_on_loopback_a_login_is_allowed() -> None:
    async with (
        office(authenticator=knows_ana, auth_require_tls=False) as at,
        channel(at.port, NONE, **LOGIN) as mail,
    ):
        await delivered(mail)
    assert len(at.letters) == 1


async def test_a_login_that_the_server_does_not_offer(own: Certificate) -> None:
    async with (
        raw_office({"EHLO": "250 plain and simple"}) as (port, heard),
        channel(port, NONE, **LOGIN) as mail,
    ):
        error = await failed(mail)
    assert (error.reason, error.blame) == (Reason.BUSY, Blame.SETUP)
    assert [line.split()[0] for line in heard] == ["EHLO"]


# --- TLS that doesn't come about ---------------------------------------------------------------------------


async def test_no_starttls_no_letter_and_no_password() -> None:
    async with (
        raw_office({"EHLO": "250-raw\r\n250 AUTH PLAIN"}) as (port, heard),
        channel(port, STARTTLS, **LOGIN) as mail,
    ):
        error = await failed(mail)
    assert (error.reason, error.blame) == (Reason.BUSY, Blame.SETUP)
    assert error.detail == "the mail server offers no STARTTLS"
    assert [line.split()[0] for line in heard] == ["EHLO"]


@pytest.mark.parametrize(
    ("said", "blame"),
    [
        ("454 4.7.0 TLS not available", None),
        ("554 5.7.3 no", Blame.SETUP),
        ("220 go ahead\r\nHTTP/1.1 400 Bad", None),
        (DROP, None),
        (SILENCE, None),
    ],
)
async def test_tls_that_is_refused_after_all(said: str, blame: Blame | None) -> None:
    async with (
        raw_office({"EHLO": "250-raw\r\n250 STARTTLS", "STARTTLS": said}) as (port, heard),
        channel(port, STARTTLS, try_s=0.3, **LOGIN) as mail,
    ):
        error = await failed(mail)
    assert (error.reason, error.blame) == (Reason.BUSY, blame)
    assert not any(line.startswith(("AUTH", "MAIL")) for line in heard)


@pytest.mark.parametrize("security", [STARTTLS, TLS])
@pytest.mark.parametrize("trusted", ["nobody", "others"])
async def test_a_certificate_that_is_not_right(
    security: Security, trusted: str, own: Certificate, others: Certificate
) -> None:
    """One whose authority is unknown, and one for another name."""
    shown, roots = (own, None) if trusted == "nobody" else (others, others.client())
    implicit = shown.server() if security is TLS else None
    async with (
        office(implicit, tls_context=None if implicit else shown.server()) as at,
        channel(at.port, security, tls=roots, **LOGIN) as mail,
    ):
        error = await failed(mail)
    assert (error.reason, error.blame) == (Reason.BUSY, Blame.SETUP)
    assert error.detail.startswith("the mail server's certificate is not accepted: ")
    assert at.letters == []


async def test_implicit_tls_where_the_server_speaks_in_clear(own: Certificate) -> None:
    async with office() as at, channel(at.port, TLS, tls=own.client()) as mail:
        error = await failed(mail)
    assert error.reason is Reason.BUSY
    assert error.detail.startswith("no TLS with the mail server: ")


async def test_in_clear_where_the_server_speaks_tls(own: Certificate) -> None:
    async with office(own.server()) as at, channel(at.port, NONE, try_s=0.3) as mail:
        assert (await failed(mail)).reason is Reason.BUSY


# --- what can be set up ------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["mail.example.com", "192.0.2.1", "localhost.example.com", "0.0.0.0", "::"])
def test_nothing_in_clear_leaves_the_machine(host: str) -> None:
    with pytest.raises(ValueError, match="loopback"):
        Server(host=host, security=NONE)
    assert Server(host=host, security=STARTTLS).host == host


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "127.0.0.1", "127.1.2.3", "::1"])
def test_loopback_by_every_name(host: str) -> None:
    assert Server(host=host, security=NONE).host == host


def test_a_password_has_a_user_and_shows_nowhere() -> None:
    with pytest.raises(ValueError, match="together"):
        Server(host="localhost", password=PASSWORD)
    assert PASSWORD not in repr(Server(host="localhost", **LOGIN))
