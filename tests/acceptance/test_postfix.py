"""Letters through Debian's Postfix: a real queue on loopback, with files, queue and user of its own.

What is handed over over STARTTLS arrives whole, once each, byte for byte below the queue's own headers.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from jobs.channels.mail import MailChannel, Security, Server
from jobs.errors import Blame, Reason, StepFailed
from jobs.letter import compose
from jobs.model import Address, Deliver, Invitation, Participant, Wording
from scheduler.templates import Templates
from scheduler.zones import zone
from tests.acceptance.processes import soon
from tests.contract.mail_office import Certificate, certificate

MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {at}/queue
data_directory = {at}/data
mail_owner = postfix
myhostname = queue.example
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
local_recipient_maps =
maillog_file = {at}/log/mail.log
maillog_file_prefixes = {at}
virtual_mailbox_domains = example.com
virtual_mailbox_base = {at}/box
virtual_mailbox_maps = texthash:{at}/people
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
smtpd_relay_restrictions = reject_unauth_destination
smtpd_tls_security_level = encrypt
smtpd_tls_chain_files = {key}, {cert}
smtpd_client_connection_rate_limit = 0
message_size_limit = 30000
default_transport = discard
"""
"""No relaying, not even from loopback; mailboxes of their own for `p1` to `p49`."""

SERVICES = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True)
class Postfix:
    """A running instance: where it listens, and the letters that have arrived, by person."""

    port: int
    directory: Path
    own: Certificate

    def letters(self, person: str) -> list[bytes]:
        return [file.read_bytes() for file in sorted((self.directory / "box" / person / "new").glob("*"))]


def why_not() -> str | None:
    if shutil.which("postfix", path=f"{os.environ.get('PATH', '')}:/usr/sbin") is None:
        return "Postfix is not installed (Debian: apt-get install postfix)"
    return None if os.geteuid() == 0 else "Postfix is started by root only"


@pytest.fixture(scope="module")
def queue() -> Iterator[Postfix]:
    if reason := why_not():
        pytest.skip(reason)
    # Its processes run as other users, who may not look into pytest's directories.
    with tempfile.TemporaryDirectory(prefix="callboard-postfix-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        made = _set_up(directory)
        with _running(directory):
            yield made


def _set_up(at: Path) -> Postfix:
    """The files of an instance."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    owner, reader = pwd.getpwnam("postfix"), pwd.getpwnam("nobody")
    own = certificate(at)
    for part in ("queue", "data", "log", "box", "etc"):
        (at / part).mkdir()
    os.chown(at / "data", owner.pw_uid, owner.pw_gid)
    os.chown(at / "box", reader.pw_uid, reader.pw_gid)
    filled = {"at": at, "uid": reader.pw_uid, "gid": reader.pw_gid, "key": own.key, "cert": own.file}
    (at / "people").write_text("".join(f"p{n}@example.com p{n}/\n" for n in range(1, 50)))
    (at / "etc" / "main.cf").write_text(MAIN_CF.format(**filled))
    (at / "etc" / "master.cf").write_text(SERVICES.format(port=port))
    return Postfix(port, at, own)


@contextmanager
def _running(at: Path) -> Iterator[None]:
    """Its master's pid is in a file of its own, and that process alone is ended."""
    command = ["/usr/sbin/postfix", "-c", str(at / "etc")]
    started = subprocess.run([*command, "start"], capture_output=True, text=True, timeout=60)
    if started.returncode:
        pytest.skip(f"Postfix doesn't start here: {started.stderr.strip().splitlines()[-1:]}")
    try:
        yield
    finally:
        pid = int((at / "queue" / "pid" / "master.pid").read_text())
        os.kill(pid, signal.SIGTERM)
        soon(lambda: not Path(f"/proc/{pid}").exists())


def step(n: int, to: str | None = None, text: str | None = None) -> Deliver:
    person = Participant(f"p{n}", f"Zoë Nº {n}", to or f"p{n}@example.com", "UTC")
    invitation = Invitation(
        id=f"cb-AAAAAAAAAAAAAAA{n % 10}-1",
        key=f"team/09:00/2026-11-22/p{n}",
        schedule="team",
        slot="09:00",
        date="2026-11-22",
        participant=person,
        timezone="America/New_York",
        due=1_795_000_000.0,
        url=f"https://tavus.daily.co/c{n:08}?t=only-for-{n}",
        created_at=1_794_999_970.0,
        not_after=1_795_000_240.0,
        max_call_s=1800,
    )
    address = Address("mail", person.email or "")
    sender = "Practice <practice@example.com>"
    wording = Wording(text=text)
    message = compose(invitation, address, wording, Templates().letter, zone, sender)
    return Deliver(invitation.key, person, address, invitation.url, invitation.not_after, message)


def channel(queue: Postfix) -> MailChannel:
    server = Server(host="localhost", port=queue.port, security=Security.STARTTLS)
    return MailChannel(server, "practice@example.com", tls=queue.own.client())


async def test_a_burst_arrives_whole_once_each_and_to_the_right_person(queue: Postfix) -> None:
    steps = [step(n) for n in range(1, 31)]
    async with channel(queue) as mail, asyncio.TaskGroup() as group:
        for each in steps:
            group.create_task(mail.deliver(each))
    await asyncio.to_thread(soon, lambda: all(queue.letters(f"p{n}") for n in range(1, 31)))
    for n, each in enumerate(steps, 1):
        (raw,) = queue.letters(f"p{n}")
        arrived = message_from_bytes(raw, policy=policy.default)
        assert (arrived["Return-Path"], arrived["Delivered-To"]) == (
            "<practice@example.com>",
            f"p{n}@example.com",
        )
        assert "ESMTPS" in arrived["Received"]
        assert not arrived.defects
        sent = (each.message or b"").replace(b"\r\n", b"\n")
        assert raw.rstrip(b"\n").endswith(sent.rstrip(b"\n")), "byte for byte below the queue's headers"
        text = arrived.get_body(("plain",))
        assert text is not None
        assert each.url in text.get_content()


async def test_a_line_that_is_a_dot_ends_nothing(queue: Postfix) -> None:
    async with channel(queue) as mail:
        await mail.deliver(step(40, text="one\n.\n..two\n.three {{ link.url }}"))
    await asyncio.to_thread(soon, lambda: queue.letters("p40"))
    text = message_from_bytes(queue.letters("p40")[0], policy=policy.default).get_body(("plain",))
    assert text is not None
    assert text.get_content().startswith("one\n.\n..two\n.three https://")


@pytest.mark.parametrize(
    ("to", "text", "reason", "blame", "code"),
    [
        ("nobody@example.com", None, Reason.REFUSED, Blame.ADDRESS, "550 5.1.1"),
        ("ana@elsewhere.example", None, Reason.REFUSED, Blame.SETUP, "554 5.7.1"),
        ("p41@example.com", "long " * 3_000 + "{{ link.url }}", Reason.REFUSED, Blame.SETUP, "552 5.3.4"),
    ],
)
async def test_what_it_refuses_is_told_apart(
    queue: Postfix, to: str, text: str | None, reason: Reason, blame: Blame, code: str
) -> None:
    async with channel(queue) as mail:
        with pytest.raises(StepFailed) as caught:
            await mail.deliver(step(41, to, text))
        assert (caught.value.reason, caught.value.blame) == (reason, blame)
        assert code in caught.value.detail
        assert to not in caught.value.detail
        await mail.deliver(step(42))
    await asyncio.to_thread(soon, lambda: queue.letters("p42"))
    assert queue.letters("p41") == []
