"""Letters as a person reads them, before they are sent (`callboard mail preview`).

Shows the letter that is frozen for a record, or composes the one that a promise would get. Nothing is sent
and nothing is written; a join link that works is shown only to those who ask for it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import escape as html_escape
from urllib.parse import urlsplit

from markupsafe import escape as markup_escape

from jobs.errors import LetterError
from jobs.model import Address, Instant, Invitation, Participant
from scheduler.app.letters import composer
from scheduler.ledger.snapshot import Snapshot
from scheduler.model import Config, Occurrence, Schedule
from scheduler.planner import occurrences
from scheduler.policy import link_dies_at
from scheduler.templates import Context, SlotView, TemplateError, Templates
from scheduler.zones import zone

MADE_UP_LINK = "https://tavus.example/your-room"
"""The link of a letter that is only looked at; `.example` leads nowhere (RFC 2606)."""

YEAR_S = 366 * 86_400.0


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


def frozen(snapshot: Snapshot, key: str, *, links: bool) -> Shown | None:
    """The mail that waits to be handed over for a record; `None` when none does. Raises LedgerError.

    Without `links` the join link is shortened to its host.
    """
    record = snapshot.record(key)
    if record is None or record.url is None:
        return None
    mails = [each.address for each in record.deliveries if each.address.channel == "mail"]
    message = next(filter(None, (snapshot.message(key, address) for address in mails)), None)
    if message is None:
        return None
    return read_mail(message) if links else _shortened(read_mail(message), record.url)


def _shortened(shown: Shown, link: str) -> Shown:
    text, html, host = shown.text, shown.html, f"https://{urlsplit(link).hostname}/..."
    for spelled in (link, html_escape(link), str(markup_escape(link))):
        text, html = text.replace(spelled, host), html.replace(spelled, host)
    return replace(shown, text=text, html=html)


def coming(schedule: Schedule, person: Participant, after: Instant) -> Occurrence | None:
    """A person's next occurrence within a year."""
    theirs = replace(schedule, participants=(person,))
    return next(occurrences([theirs], after, after + YEAR_S), None)


def composed(config: Config, promise: Occurrence) -> Shown:
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
