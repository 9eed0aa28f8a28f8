"""The bodies of posts: a webhook's event for programs, and Slack's message for a channel's readers.

Only JSON is made here; headers, signatures and sending are the channels'.
"""

from __future__ import annotations

import json
import re

from jobs.letter.words import Zone, rfc3339, told
from jobs.model import Invitation

EVENT = "join_link.ready"

_SECTION_CHARS = 500
"""Of one text in a Slack section, which takes 3,000: an `&` grows to five."""


def webhook(invitation: Invitation, id_: str) -> bytes:
    """The event, as Standard Webhooks has it: id, type, timestamp, and its data. Times are UTC (RFC 3339)."""
    person = invitation.participant
    return _json(
        {
            "id": id_,
            "type": EVENT,
            "timestamp": rfc3339(invitation.created_at),
            "data": {
                "occurrence": invitation.key,
                "schedule": invitation.schedule,
                "slot": invitation.slot,
                "date": invitation.date,
                "participant": {"id": person.id, "name": person.name} if person else None,
                "link": invitation.url,
                "not_after": rfc3339(invitation.not_after),
            },
        }
    )


def slack(invitation: Invitation, zone: Zone) -> bytes:
    """The message: what, who, when, and the link; `text` is what a notification shows."""
    said = {name: _mrkdwn(value) for name, value in told(invitation, zone).items()}
    who = f"{said['participant.name']} · " if invitation.participant else ""
    when = f"{said['slot.day']}, {said['slot.time']} in {said['slot.zone']}"
    lines = (
        f"*{said['practice.name']}*",
        f"{who}{when}, up to {said['practice.length']}",
        f"<{_target(invitation.url)}|Join the practice> · open until {said['link.until']}",
    )
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": line}} for line in lines]
    return _json({"text": f"Practice: {who}{when}", "blocks": blocks})


def _mrkdwn(text: str) -> str:
    """User text as Slack wants it: `&`, `<` and `>` escaped, so that no mention or link is made; one line."""
    line = " ".join(text.split())[:_SECTION_CHARS]
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _target(url: str) -> str:
    """A link between Slack's own signs, which it must not hold itself."""
    signs = {"|": "%7C", "<": "%3C", ">": "%3E"}
    return re.sub(r"[|<>]", lambda found: signs[found[0]], url).replace("&", "&amp;")


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
