"""The message with the join link, as bytes: a mail, the body of a webhook's post, or of Slack's.

Composed once and then frozen (S27): the same invitation gives the same bytes. Pure: the time is in the
invitation, templates are rendered and zones looked up by functions that are handed in. This room sends
nothing, retries nothing and knows neither the ledger nor the YAML.
"""

from jobs.errors import LetterError
from jobs.letter.compose import compose
from jobs.letter.headers import on_the_wire
from jobs.letter.mail import Render
from jobs.letter.words import Zone

__all__ = ["LetterError", "Render", "Zone", "compose", "on_the_wire"]
