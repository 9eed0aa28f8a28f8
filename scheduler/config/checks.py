"""Rules over several keys of a checked schedule or account, each told at the words it is about.

S21 and its kin, doubtful texts, templates. Every rule only reports; nothing is changed here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module

from jobs.loopback import is_loopback
from scheduler.config import conversation, mailing
from scheduler.config.calendars import shortest_pause_s
from scheduler.config.channels import mails
from scheduler.config.models import ADMIN_TOKEN, AccountKeys
from scheduler.config.problems import Mark, Report
from scheduler.config.reading import find, place, written
from scheduler.config.tree import Entries, Entry, Items, Scalar
from scheduler.databases import is_database
from scheduler.model import Account, Schedule, Service
from scheduler.policy import KEEP_AT_LEAST_S, LINK_MARGIN_S
from scheduler.templates import Templates

LATE_JOINER_S = 60
"""A person who opens the mail at once is in the room within this time (S21)."""
GREYLISTED = "15m"
"""Long enough for a server that takes a stranger's mail only after 5 minutes."""

_TEXT_KEYS = conversation.TEXT_KEYS | mailing.TEXT_KEYS
_PROPERTIES = ("conversation", "properties")
_ABSENT = (*_PROPERTIES, "participant_absent_timeout")
_LEFT = (*_PROPERTIES, "participant_left_timeout")
_LONGEST = (*_PROPERTIES, "max_call_duration")


def check_service(entry: Entry, service: Service, report: Report) -> None:
    """Others than this machine are let in only where somebody signs in (semantics, section 7); what could
    still be caught up is not forgotten; a database can be reached only with what talks to it."""
    if is_database(service.ledger) and not _talks_to_databases():
        message = "a ledger in PostgreSQL needs an extra that is not installed"
        report.error(place(entry, "ledger"), message, "pip install 'callboard[postgres]'")
    if service.keep_s is not None and service.keep_s < KEEP_AT_LEAST_S:
        message = "what is younger than 8 days is never forgotten: it might still be caught up"
        report.error(place(entry, "keep"), message, "write keep: 180d, or leave it out")
    listen = service.listen
    if listen is not None and service.admin_token is None and not is_loopback(listen.host):
        message = (
            f"others reach {listen.host}, and nothing keeps them from steering: `admin_token` is missing"
        )
        hint = f"write admin_token: {{env: {ADMIN_TOKEN}}}, or listen: 127.0.0.1:{listen.port}"
        report.error(place(entry, "listen"), message, hint)
    elif listen is None and service.admin_token is not None:
        report.warn(place(entry, "admin_token"), "nobody can sign in: `listen` is missing")


def _talks_to_databases() -> bool:
    """It is tried rather than looked for: psycopg is of no use without the C library below it."""
    try:
        import_module("psycopg")
    except ImportError:
        return False
    return True


def check_account(
    entry: Entry | None, keys: AccountKeys, account: Account, top: Mark, report: Report
) -> None:
    """The account's limits; `top` is where a missing account is told."""
    if keys.concurrent_conversations is None:
        told = entry.key.mark if entry is not None else top
        report.warn(
            told,
            "concurrent_conversations is left out: only 1 conversation at a time",
            "write the plan's number",
        )
    if entry is not None and account.reserve >= account.concurrent_conversations:
        mark = place(entry, "reserve")
        report.error(mark, f"reserve {account.reserve} leaves nothing of {account.concurrent_conversations}")
    if entry is not None and account.max_call_duration_s < 1:
        report.error(place(entry, "max_call_duration"), "the longest call is at least one second")


def check_schedule(
    entry: Entry, schedule: Schedule, account: Account, templates: Templates, report: Report
) -> None:
    """One schedule, whole."""
    _clocks(entry, schedule, account, report)
    _window(entry, schedule, report)
    _spread(entry, schedule, report)
    _templates(entry, schedule, templates, report)
    if schedule.request.persona_id is None and schedule.request.replica_id is None:
        mark = find(entry, ("conversation",)).key.mark
        report.warn(mark, "neither persona_id nor replica_id: the API may refuse this")


def check_texts(entry: Entry, report: Report) -> None:
    """Doubts about a schedule's texts, whole or of `defaults`."""
    for key in ("conversation", "mail"):
        if holder := written(entry, key):
            check_words(holder, report)


def check_words(holder: Entry, report: Report) -> None:
    """Doubts about words of the user's own: a comment that was text, a `null` that is text."""
    for key, scalar in _texts(holder.key.text, holder):
        if scalar.text in ("null", "~"):
            hint = "leave the key out for nothing, or put the word in quotes"
            report.warn(scalar.mark, f"{key} is the text {scalar.text}, not nothing", hint)
        if re.match(r"\s+#\S| #|\t#", scalar.rest):
            hint = "put the text in quotes, or two blanks before the # of a comment"
            report.warn(scalar.mark, f"the text of {key} ends before the ` #`: the rest is a comment", hint)


def _texts(key: str, entry: Entry) -> Iterator[tuple[str, Scalar]]:
    node = entry.value
    if isinstance(node, Entries):
        for name, below in node.pairs.items():
            inside = key if key in _TEXT_KEYS else name  # a mapping of texts, as recording_storage is
            yield from _texts(inside, below)
    elif isinstance(node, Items):
        for item in node.items:
            yield from _texts(key, Entry(entry.key, item))
    elif node.plain and key in _TEXT_KEYS:
        yield key, node


def _clocks(entry: Entry, schedule: Schedule, account: Account, report: Report) -> None:
    """S21: the API's timers start at creation."""
    properties, lead_s = schedule.request.properties, schedule.lead_s
    absent_s, longest_s = properties.participant_absent_timeout, properties.max_call_duration
    mark = place(entry, *(_ABSENT if written(entry, *_ABSENT) or not written(entry, "lead") else ("lead",)))
    hint = f"write at least {lead_s + LATE_JOINER_S}s"
    if absent_s < max(lead_s, 1):
        message = (
            f"participant_absent_timeout ({absent_s} s) counts from creation, {lead_s} s before the slot"
        )
        report.error(mark, message, f"{hint}, or a shorter lead")
    elif absent_s <= LINK_MARGIN_S:
        margin = f"no link is sent in a room's last {LINK_MARGIN_S:.0f} s"
        message = f"participant_absent_timeout ({absent_s} s) is too short: {margin}"
        report.error(mark, message, hint)
    elif absent_s < lead_s + LATE_JOINER_S:
        message = (
            f"participant_absent_timeout ({absent_s} s) leaves {absent_s - lead_s} s of the slot to join"
        )
        if mails(schedule):
            message += ", too short for a mail"
            hint += f" for a mail that comes at once, {GREYLISTED} for one that is greylisted"
        report.warn(mark, message, hint)
    if not 1 <= longest_s <= account.max_call_duration_s:
        limit = f"1 s to the account's max_call_duration, {account.max_call_duration_s} s"
        report.error(place(entry, *_LONGEST), f"max_call_duration ({longest_s} s) can't be held: {limit}")
    if properties.participant_left_timeout == 0:
        message = "participant_left_timeout 0: one dropped connection ends the call"
        report.warn(place(entry, *_LEFT), message, "write 60s")


def _window(entry: Entry, schedule: Schedule, report: Report) -> None:
    """S4: creation opens `lead` before the slot and shuts `start_window` after it."""
    if schedule.lead_s + schedule.start_window_s < 1:
        message = "with lead 0 and start_window 0 there is no time in which to create anything"
        report.error(place(entry, "start_window"), message, "write start_window: 10m")


def _spread(entry: Entry, schedule: Schedule, report: Report) -> None:
    """S8: never past the next slot."""
    shortest_s = min(shortest_pause_s(when.form) for when in schedule.when)
    if schedule.spread_s and schedule.spread_s >= shortest_s:
        message = f"spread ({schedule.spread_s} s) reaches the next slot, {shortest_s:.0f} s later"
        report.error(place(entry, "spread"), message, "write a shorter spread")


def _templates(entry: Entry, schedule: Schedule, templates: Templates, report: Report) -> None:
    requests = templates.check(schedule.request, with_participant=bool(schedule.participants))
    letters = templates.check_letter(schedule.wording)
    told = [("conversation", *each) for each in requests] + [("mail", *each) for each in letters]
    for key, path, message in told:
        steps = [int(step) if step.isdecimal() else step for step in path.split(".")]
        mark = _within(place(entry, key, *steps), message)
        report.error(mark, f"template: {message}")


def _within(mark: Mark, message: str) -> Mark:
    """The place inside a text of the name that the message quotes, else where the text begins."""
    name = re.match(r"`([^`]+)`", message)
    if name is None:
        return mark
    used = re.compile(r"\{[{%][^}]*?(?P<name>" + re.escape(name[1]) + ")")
    for down, line in enumerate(mark.source.lines[mark.line - 1 :]):
        if found := used.search(line, 0 if down else mark.column - 1):
            return Mark(mark.source, mark.line + down, found.start("name") + 1)
    return mark
