"""Letters bound to what they need here: the sandboxed templates, the zones, and whom they are from.

Used by the house, which freezes what is composed, and by `mail preview`, which shows it. It sends nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

from jobs import letter
from jobs.errors import LetterError
from jobs.model import Address, Instant, Invitation, Participant, Wording
from scheduler.model import Config, Occurrence, Schedule
from scheduler.planner import occurrences
from scheduler.policy import link_dies_at
from scheduler.templates import Context, SlotView, TemplateError, Templates
from scheduler.zones import zone

Compose = Callable[[Invitation, Address, Wording], bytes | None]
"""The message for one address, `None` where none is needed. Raises LetterError, and nothing else."""

MADE_UP_LINK = "https://tavus.example/your-room"
"""The link of a letter that is only looked at; `.example` leads nowhere (RFC 2606)."""

YEAR_S = 366 * 86_400.0


def composer(sender: str | None) -> Compose:
    """Letters from `sender` (`Config.mail.sender`); without one, only those that are no mail."""
    templates = Templates()

    def compose(invitation: Invitation, address: Address, wording: Wording) -> bytes | None:
        try:
            return letter.compose(invitation, address, wording, templates.letter, zone, sender)
        except (TemplateError, ValueError) as error:
            raise LetterError(str(error)) from None

    return compose


@dataclass(frozen=True, slots=True)
class Shown:
    """A mail as a person reads it."""

    sender: str
    to: str
    subject: str
    text: str
    html: str


def read_mail(message: bytes) -> Shown:
    """What a composed mail says."""
    mail = message_from_bytes(message, _class=EmailMessage, policy=policy.default)
    text, html = (part.get_content().replace("\r\n", "\n") for part in mail.iter_parts())
    return Shown(str(mail["From"]), str(mail["To"]), str(mail["Subject"]), text, html)


def coming(schedule: Schedule, person: Participant, after: Instant) -> Occurrence | None:
    """A person's next occurrence within a year."""
    theirs = replace(schedule, participants=(person,))
    return next(occurrences([theirs], after, after + YEAR_S), None)


def preview(config: Config, promise: Occurrence) -> Shown:
    """The mail of a promise as it would be now, its link made up. Raises LetterError with what to do."""
    schedule = config.schedules[promise.schedule]
    person = next((each for each in schedule.participants if each.id == promise.participant), None)
    if config.mail is None:
        raise LetterError("no letter can be written: `mail:` with its `from` is missing in the configuration")
    if person is None or not person.email:
        raise LetterError(f"nobody gets a letter for {promise.key}: the participant has no `email`")
    invitation = _rehearsed(schedule, promise, person)
    message = composer(config.mail.sender)(invitation, Address("mail", person.email), schedule.wording)
    return read_mail(message or b"")


def _rehearsed(schedule: Schedule, promise: Occurrence, person: Participant) -> Invitation:
    """What the letter would tell, were everything on time."""
    local = datetime.fromtimestamp(promise.due, zone(promise.timezone))
    context = Context(schedule.name, SlotView(promise.slot, promise.date, f"{local:%H:%M}"), person)
    try:
        request = Templates().render(schedule.request, context)
    except TemplateError as error:
        raise LetterError(str(error)) from None
    clocks = request.properties
    return Invitation(
        id="cb-PREVIEW-1",
        key=promise.key,
        schedule=schedule.name,
        slot=promise.slot,
        date=promise.date,
        participant=person,
        timezone=person.timezone or promise.timezone,
        due=promise.due,
        url=MADE_UP_LINK,
        created_at=promise.opens,
        not_after=link_dies_at(promise.opens, clocks.participant_absent_timeout),
        max_call_s=clocks.max_call_duration,
        practice=request.conversation_name,
    )
