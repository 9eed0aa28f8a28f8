"""`callboard mail test`: one letter, told stage by stage, with what to do beside what fails."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from tests.acceptance.conftest import Run
from tests.contract.mail_office import PASSWORD, certificate, knows_ana

CONFIG = """\
version: 1
rosters: {team: [{id: ana, name: Ana, email: ana@example.com, timezone: UTC}]}
schedules:
  coach:
    when: {days: daily, at: "09:00", timezone: UTC}
    participants: [team]
    conversation: {persona_id: p1, replica_id: r1}
mail:
  from: Practice <practice@example.com>
"""


class Box:
    """Takes every letter but those to `nobody@example.com`."""

    def __init__(self) -> None:
        self.letters: list[bytes] = []

    async def handle_RCPT(self, _: Any, __: Any, envelope: Any, to: str, ___: list[str]) -> str:
        if to.startswith("nobody@"):
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(to)
        return "250 OK"

    async def handle_DATA(self, _: Any, __: Any, envelope: Any) -> str:
        self.letters.append(envelope.content)
        return "250 2.0.0 queued as 4711"


class Loopback(Controller):
    """On a port that is free."""

    def _create_server(self) -> Any:
        return self.loop.create_server(self._factory_invoker, host="127.0.0.1", port=0)

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture
def box() -> Box:
    return Box()


def served(box: Box, **how: Any) -> Iterator[int]:
    controller = Loopback(box, hostname="127.0.0.1", loop=asyncio.new_event_loop(), **how)
    controller.start()
    yield controller.port
    controller.stop()


@pytest.fixture
def clear(box: Box) -> Iterator[int]:
    yield from served(box)


def config(directory: Path, mail: str) -> Path:
    file = directory / "callboard.yaml"
    file.write_text(f"{CONFIG}  {mail}\n", "utf-8")
    return file


def in_clear(port: int) -> str:
    return f"smtp: {{host: localhost, port: {port}, security: none}}"


def test_a_letter_that_is_accepted(callboard: Run, tmp_path: Path, box: Box, clear: int) -> None:
    done = callboard("mail", "test", "you@example.com", config(tmp_path, in_clear(clear)))
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split(":")[0].split() for line in done.stdout.splitlines()] == [
        ["dns", "ok"], ["connect", "ok"], ["tls", "unused"], ["auth", "unused"], ["accepted", "ok"]
    ]  # fmt: skip
    assert done.stdout.endswith(": 250 2.0.0 queued as 4711\n")
    (raw,) = box.letters
    letter = message_from_bytes(raw, policy=policy.default)
    assert (letter["From"], letter["To"]) == ("Practice <practice@example.com>", "you@example.com")
    assert letter["Message-ID"].endswith("@example.com>")
    assert not letter.defects


def test_an_address_that_is_refused(callboard: Run, tmp_path: Path, clear: int) -> None:
    done = callboard("mail", "test", "nobody@example.com", config(tmp_path, in_clear(clear)))
    assert done.returncode == 1
    failed, *fix = done.stdout.splitlines()[4:]
    assert failed.startswith("accepted  failed: the mail server turned the recipient away: 550 5.1.1")
    assert fix[0].startswith("          fix: look at the address")


def test_a_fix_fits_the_terminal_and_says_what_a_server_of_ones_own_wants(
    callboard: Run, tmp_path: Path, clear: int
) -> None:
    file = config(tmp_path, f"smtp: {{host: localhost, port: {clear}}}")
    done = callboard("mail", "test", "you@example.com", file, COLUMNS="80")
    failed, *fix = done.stdout.splitlines()[2:]
    assert failed == "tls       failed: the mail server offers no STARTTLS"
    assert max(map(len, fix)) <= 80
    assert " ".join(line.strip() for line in fix).endswith(
        "a server on this machine may do without: security: none"
    )


def test_in_json(callboard: Run, tmp_path: Path, clear: int) -> None:
    file = config(tmp_path, in_clear(clear))
    good = json.loads(callboard("mail", "test", "you@example.com", file, "--json").stdout)
    bad = json.loads(callboard("mail", "test", "nobody@example.com", file, "--json").stdout)
    assert (good["ok"], bad["ok"]) == (True, False)
    assert [set(each) for each in good["stages"]] == [{"stage", "result", "told", "fix"}] * 5
    assert good["stages"][-1]["fix"] is None
    assert bad["stages"][-1]["fix"]


@pytest.mark.parametrize(("password", "code", "last"), [(PASSWORD, 0, "accepted"), ("wrong", 1, "auth")])
def test_over_starttls_with_a_login(
    callboard: Run, tmp_path: Path, box: Box, password: str, code: int, last: str
) -> None:
    own = certificate(tmp_path)
    smtp = "smtp: {host: localhost, port: %d, username: ana, password: {file: %s}}"
    secret = tmp_path / "password"
    secret.write_text(password)
    secret.chmod(0o600)
    for port in served(box, tls_context=own.server(), authenticator=knows_ana):
        file = config(tmp_path, smtp % (port, secret))
        done = callboard("mail", "test", "you@example.com", file, SSL_CERT_FILE=str(own.file))
    assert done.returncode == code
    assert [line for line in done.stdout.splitlines() if line[0] != " "][-1].split()[0] == last
    assert password not in done.stdout + done.stderr
    assert len(box.letters) == 1 - code


def test_a_sink_has_one_stage(callboard: Run, tmp_path: Path) -> None:
    done = callboard("mail", "test", "you@example.com", config(tmp_path, "sink: letters"))
    assert (done.returncode, done.stdout.split()[:2]) == (0, ["accepted", "ok:"])
    assert len(list((tmp_path / "letters").glob("*.eml"))) == 1


@pytest.mark.parametrize("address", ["Ana <ana@example.com>", "ana", "a@b.example\nBcc: c@d.example", ""])
def test_what_is_no_address_is_told_before_anything_is_asked(
    callboard: Run, tmp_path: Path, address: str
) -> None:
    done = callboard("mail", "test", address, config(tmp_path, in_clear(1)))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: ")


def test_what_is_missing_is_told(callboard: Run, tmp_path: Path) -> None:
    file = config(tmp_path, "smtp: {host: localhost, username: ana, password: {env: NOT_SET_AT_ALL}}")
    done = callboard("mail", "test", "you@example.com", file)
    assert (done.returncode, "NOT_SET_AT_ALL is not set" in done.stderr) == (1, True)
    file.write_text(CONFIG.partition("\nmail:")[0], "utf-8")
    done = callboard("mail", "test", "you@example.com", file)
    assert (done.returncode, "no `mail:` section" in done.stderr) == (1, True)
