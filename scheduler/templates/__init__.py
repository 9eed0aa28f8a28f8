"""The texts that a user writes as templates: those of a conversation, and those of a letter.

`language` is what a template may say at all, `requests` where a conversation's texts stand and what they
can name, `templates` the door that checks and renders both. What a participant is called is data and
never becomes a template. This room reads no YAML, writes no letter, and knows nothing of marks (S12) or of
what the API thinks of the texts.
"""

from scheduler.templates.language import FILTERS, MAX_OUTPUT_CHARS, MAX_SOURCE_CHARS, TemplateError
from scheduler.templates.requests import NAMES, Context, SlotView
from scheduler.templates.templates import Templates

__all__ = [
    "FILTERS",
    "MAX_OUTPUT_CHARS",
    "MAX_SOURCE_CHARS",
    "NAMES",
    "Context",
    "SlotView",
    "TemplateError",
    "Templates",
]
