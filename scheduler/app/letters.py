"""Letters bound to what they need here: the sandboxed templates, the zones, and whom they are from.

Used by the house, which freezes what is composed, and by `preview`, which shows it. It sends nothing.
"""

from __future__ import annotations

from jobs import letter
from jobs.errors import LetterError
from jobs.model import Address, Invitation, Wording
from scheduler.runner.letters import Compose
from scheduler.templates import TemplateError, Templates
from scheduler.zones import zone


def composer(sender: str | None) -> Compose:
    """Letters from `sender` (`Config.mail.sender`); without one, only those that are no mail."""
    templates = Templates()

    def compose(invitation: Invitation, address: Address, wording: Wording) -> bytes | None:
        try:
            return letter.compose(invitation, address, wording, templates.letter, zone, sender)
        except (TemplateError, ValueError) as error:
            raise LetterError(str(error)) from None

    return compose
