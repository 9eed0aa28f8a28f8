"""The doctor at the mail server: it logs in and hands over nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword

from scheduler.app.doctor import Finding
from scheduler.app.doctor.post import post
from scheduler.app.doctor.secret import secrets
from scheduler.app.mailserver import mail_server
from scheduler.model import Account, Config, Mail, SecretRef, Security, Service, Smtp

from .mail_office import PASSWORD, SENDER, knows_ana, office

EMPTY = Config(service=Service(ledger="/nowhere/callboard.db"), account=Account(), schedules={})


def mailing(folder: Path, port: int, password: str | None = PASSWORD) -> Config:
    """A server on loopback; with a password, one that wants a log-in."""
    ref = None
    if password is not None:
        (folder / "password").write_text(password)
        (folder / "password").chmod(0o600)
        ref = SecretRef("file", str(folder / "password"))
    user = "ana" if password else None
    smtp = Smtp(host="localhost", port=port, security=Security.NONE, username=user, password=ref)
    return replace(EMPTY, mail=Mail(sender=SENDER, smtp=smtp))


async def found(config: Config) -> Finding:
    (finding,) = await post(config)
    assert finding.check == "mail"
    assert PASSWORD not in repr(finding)
    assert bool(finding.fix) == (finding.verdict == "failed")
    return finding


async def test_it_logs_in_and_hands_over_nothing(tmp_path: Path) -> None:
    async with office(authenticator=knows_ana, auth_require_tls=False) as at:
        finding = await found(mailing(tmp_path, at.port))
        await at.idle.wait()
    assert (finding.verdict, finding.said) == ("ok", f"localhost:{at.port} takes our log-in")
    assert (at.heard, at.letters) == ([], [])


async def test_a_server_without_a_log_in(tmp_path: Path) -> None:
    async with office() as at:
        assert (await found(mailing(tmp_path, at.port, None))).said.endswith("no log-in is set up")


async def test_a_wrong_password_has_its_fix(tmp_path: Path) -> None:
    async with office(authenticator=knows_ana, auth_require_tls=False) as at:
        finding = await found(mailing(tmp_path, at.port, "another"))
    assert (finding.verdict, "mail.smtp.username" in (finding.fix or "")) == ("failed", True)


@pytest.mark.parametrize("blank", [" ", "\u00a0"])
@pytest.mark.parametrize(("host", "taken"), [("smtp.gmail.com", "abcdefgh"), ("smtp.example.com", None)])
def test_an_app_password_as_google_shows_it(tmp_path: Path, blank: str, host: str, taken: str | None) -> None:
    mail = mailing(tmp_path, 587, written := f"abcd{blank}efgh").mail
    assert mail is not None and mail.smtp is not None
    server = mail_server(replace(mail.smtp, host=host, security=Security.STARTTLS))
    assert server.password == (taken or written)


async def test_a_password_with_blanks_is_sent_as_it_is(tmp_path: Path) -> None:
    passwords: list[bytes] = []

    def hears(_: object, __: object, ___: object, ____: object, data: LoginPassword) -> AuthResult:
        passwords.append(data.password)
        return AuthResult(success=True)

    config = mailing(tmp_path, 0, "open sesame")
    async with office(authenticator=hears, auth_require_tls=False) as at:
        assert config.mail is not None and config.mail.smtp is not None
        smtp = replace(config.mail.smtp, port=at.port)
        assert (await found(replace(config, mail=replace(config.mail, smtp=smtp)))).verdict == "ok"
    assert passwords == [b"open sesame"]
    assert [each.verdict for each in secrets(config)][1:] == ["ok"]


async def test_nobody_there(tmp_path: Path) -> None:
    async with office() as at:
        closed = at.port
    assert (await found(mailing(tmp_path, closed))).verdict == "failed"


async def test_a_password_that_is_nowhere_is_told_by_its_own_line(tmp_path: Path) -> None:
    config = mailing(tmp_path, 1)
    (tmp_path / "password").unlink()
    assert (await found(config)).verdict == "skipped"


@pytest.mark.parametrize("there", [True, False])
async def test_a_directory_instead_of_a_server(tmp_path: Path, there: bool) -> None:
    folder = tmp_path if there else tmp_path / "later"
    finding = await found(replace(EMPTY, mail=Mail(sender=SENDER, sink=str(folder))))
    assert (finding.verdict, str(folder) in finding.said) == ("ok", True)


async def test_no_mail_at_all() -> None:
    assert (await found(EMPTY)).verdict == "skipped"
