"""One invitation as the bytes for one address.

The door of the room: which kind of message a channel takes. What stands in it is `mail`'s and `posts`'.
"""

from __future__ import annotations

import hashlib

from jobs.letter.mail import Render, mail
from jobs.letter.posts import slack, webhook
from jobs.letter.words import Zone
from jobs.model import Address, Invitation, Wording


def compose(
    invitation: Invitation, address: Address, wording: Wording, render: Render, zone: Zone, sender: str | None
) -> bytes | None:
    """The message that brings the invitation to the address; the same bytes for the same arguments (S27).

    `mail` gives a whole message (RFC 5322, lines end in CRLF) for the one recipient, in the schedule's
    own words where `wording` has some; `webhook` and `slack` give the JSON body of a post; `None` is for
    channels that take no message. `sender` is a From header. Raises LetterError; what `render` and
    `zone` raise goes through.
    """
    # No dot: it parts what a webhook signs.
    id_ = f"{invitation.id}-{_short(address)}"
    if address.channel == "mail":
        return mail(invitation, address.target, id_, wording, render, zone, sender)
    if address.channel == "webhook":
        return webhook(invitation, id_)
    if address.channel == "slack":
        return slack(invitation, zone)
    return None


def _short(address: Address) -> str:
    """Tells the addresses of one occurrence apart, and tells nobody what they are."""
    told = f"{address.channel} {address.target}".encode(errors="surrogatepass")
    return hashlib.sha256(told).hexdigest()[:10]
