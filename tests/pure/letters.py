"""An invitation and the means of a letter, for the tests of letters."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from jobs.letter import compose
from jobs.model import Address, Invitation, Participant, Wording
from scheduler.templates import Templates
from scheduler.zones import zone

NINE = 1_795_442_400.0
"""2026-11-23T14:00:00Z, a Monday: 09:00 in New York."""
LINK = "https://tavus.example/c123?t=a&b=1"
MAIL = Address("mail", "ana@example.com")
SENDER = "Practice <practice@example.com>"
OURS = Wording()
TEMPLATES = Templates()
INVITATION = Invitation(
    id="cb-ABCDEFGHIJKLMNOP-1",
    key="coach/09:00/2026-11-23/ana",
    schedule="coach",
    slot="09:00",
    date="2026-11-23",
    participant=Participant("ana", "Ana Ruiz", "ana@example.com"),
    timezone="America/New_York",
    due=NINE,
    url=LINK,
    created_at=NINE - 29.6,
    not_after=NINE - 29.6 + 90,
    max_call_s=1800,
    practice="Improve Sales Technique",
)


def written(
    to: Address = MAIL, wording: Wording = OURS, sender: str | None = SENDER, **changes: Any
) -> bytes:
    """The bytes of a letter; `changes` are fields of the invitation."""
    message = compose(replace(INVITATION, **changes), to, wording, TEMPLATES.letter, zone, sender)
    assert message is not None
    return message


def named(name: str) -> Participant:
    return Participant("ana", name, "ana@example.com")


def parsed(message: bytes) -> EmailMessage:
    return message_from_bytes(message, _class=EmailMessage, policy=policy.default)


def bodies(message: bytes) -> tuple[str, str]:
    """The text and the HTML."""
    text, html = (part.get_content().replace("\r\n", "\n") for part in parsed(message).iter_parts())
    return text, html
