"""From checked keys to the values that the house works with: every default filled in.

The one place that knows all sections at once. What single words mean, and the rules between them,
stand in their own modules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter

from jobs.model import Participant
from scheduler.config import channels, checks, mailing
from scheduler.config.calendars import Surroundings, calendar
from scheduler.config.channels import Hooks
from scheduler.config.conversation import request
from scheduler.config.fields import Strict
from scheduler.config.mailing import MailKeys, wording
from scheduler.config.merge import Joined, with_defaults
from scheduler.config.models import AccountKeys, PersonKeys, ScheduleKeys, ServiceKeys
from scheduler.config.problems import Mark, Report, quoted
from scheduler.config.reading import find, place, read, written
from scheduler.config.rosters import People, Roster, roster
from scheduler.config.suggest import did_you_mean
from scheduler.config.tree import Entries, Entry, Items, Scalar
from scheduler.databases import is_database
from scheduler.model import PARTICIPANT_ZONE, Account, Config, Mail, Schedule, Service, When
from scheduler.templates import Templates

LEDGER = "callboard.db"
MAX_S = 10**9
"""Longer than any call that can be written."""

_SERVES = {
    "listen": "listen",
    "admin_token": "admin_token",
    "heartbeat": "heartbeat",
    "keep_s": "keep",
    "reload": "reload",
}
_SERVICE = TypeAdapter(ServiceKeys)
_ACCOUNT = TypeAdapter(AccountKeys)
_MAIL = TypeAdapter(MailKeys)
_SCHEDULE = TypeAdapter(ScheduleKeys)


def resolve(files: Sequence[Entries], joined: Joined, report: Report) -> Config | None:
    """The configuration, or None after reporting why there is none."""
    service = _service(files, joined, report)
    account = _account(files, joined, report)
    mail = _mail(joined.once.get("mail"), report)
    people = People(report)
    rosters = {name: roster(entry, people) for name, entry in joined.rosters.items()}
    # An unreadable account must not make every schedule's call too long as well.
    resolver = _Resolver(joined, account or Account(max_call_duration_s=MAX_S), rosters, people)
    schedules = [schedule for entry in joined.schedules.values() if (schedule := resolver.schedule(entry))]
    if not joined.schedules:
        report.warn(_top(files), "there are no schedules: nothing will ever happen")
    if report.failed or account is None:
        return None
    if mail and schedules and not any(map(channels.mails, schedules)):
        report.warn(joined.once["mail"].key.mark, "no schedule delivers by mail", "write deliver: [mail]")
    return Config(
        service=service,
        account=account,
        mail=mail,
        schedules={schedule.name: schedule for schedule in schedules},
        webhook_secrets=resolver.hooks.secrets,
    )


def read_alone(joined: Joined, report: Report) -> None:
    """Report what is wrong within each section, and nothing that another file could put right."""
    alone: dict[str, TypeAdapter[Any]] = {
        "service": _SERVICE, "account": _ACCOUNT, "mail": _MAIL, "defaults": _SCHEDULE
    }  # fmt: skip
    for key, entry in joined.once.items():
        read(alone[key], entry, report)
    for entry in joined.rosters.values():
        roster(entry, People(report))
    for entry in joined.schedules.values():
        read(_SCHEDULE, entry, report)


class _Resolver:
    """Makes schedules out of their words, the defaults' words and the rosters."""

    def __init__(
        self, joined: Joined, account: Account, rosters: Mapping[str, Roster | None], people: People
    ) -> None:
        self._account = account
        self._rosters = rosters
        self._people = people
        self._report = people.report
        self.hooks = Hooks(people.report)
        self._can_mail = "mail" in joined.once
        self._templates = Templates()
        self._defaults = joined.once.get("defaults")
        self._default_keys = self._read(self._defaults) if self._defaults else ScheduleKeys()
        if self._defaults is not None:
            self._check_rosters(self._defaults)

    def schedule(self, own: Entry) -> Schedule | None:
        """One schedule, or None after reporting what is wrong with it."""
        keys = self._read(own)
        self._check_rosters(own)
        if keys is None or self._default_keys is None:
            return None
        entry = with_defaults(own, self._defaults)
        if self._defaults is not None:  # both halves are right, so the whole is: nothing is told twice
            keys = read(_SCHEDULE, entry, Report()) or keys
        participants = self._participants(entry, keys)
        around = Surroundings(keys.timezone, bool(keys.participants))
        when = self._when(entry, keys, around)
        if keys.conversation is None:
            self._report.error(own.key.mark, 'the key "conversation" is missing here')
        if participants is None or when is None or keys.conversation is None:
            return None
        schedule = _schedule(own.key.text, keys, participants, when, self._fallback_zone(keys))
        self._check_zones(entry, schedule)
        self._check_delivery(own, entry, keys, schedule)
        checks.check_schedule(entry, schedule, self._account, self._templates, self._report)
        return schedule

    def _read(self, entry: Entry) -> ScheduleKeys | None:
        checks.check_texts(entry, self._report)
        return read(_SCHEDULE, entry, self._report)

    def _when(self, entry: Entry, keys: ScheduleKeys, around: Surroundings) -> tuple[When, ...] | None:
        if keys.when is None:
            self._report.error(entry.key.mark, 'the key "when" is missing here')
            return None
        return calendar(entry, keys.when, around, self._report)

    def _participants(self, entry: Entry, keys: ScheduleKeys) -> Roster | None:
        """Everybody once, in the order of the rosters."""
        found: dict[Participant, None] = {}
        whole = True
        for index, who in enumerate(keys.participants or []):
            roster = self._roster(entry, index, who)
            found.update(dict.fromkeys(roster or ()))
            whole = whole and roster is not None
        return tuple(found) if whole else None

    def _roster(self, entry: Entry, index: int, who: str | PersonKeys) -> Roster | None:
        if isinstance(who, PersonKeys):
            return (self._people.meet(who, place(entry, "participants", index)),)
        return self._rosters.get(who)

    def _check_rosters(self, entry: Entry) -> None:
        """On the words themselves, so that an unknown roster is told beside the schedule's other errors."""
        named = written(entry, "participants")
        if named is None:
            return
        for node in named.value.items if isinstance(named.value, Items) else (named.value,):
            if isinstance(node, Scalar) and node.text and node.text not in self._rosters:
                every = f"there are {', '.join(self._rosters)}" if self._rosters else "there are no rosters"
                hint = did_you_mean(node.text, self._rosters, every)
                self._report.error(node.mark, f"unknown roster {quoted(node.text)}", hint)

    def _fallback_zone(self, keys: ScheduleKeys) -> str | None:
        """The schedule's zone; where that is each person's own, the defaults'."""
        default = self._default_keys and self._default_keys.timezone
        return next((zone for zone in (keys.timezone, default) if zone and zone != PARTICIPANT_ZONE), None)

    def _check_zones(self, entry: Entry, schedule: Schedule) -> None:
        """Each person's own wall time needs a zone for each person."""
        if schedule.fallback_zone or all(when.timezone != PARTICIPANT_ZONE for when in schedule.when):
            return
        lost = [person.id for person in schedule.participants if person.timezone is None]
        if lost:
            others = f" and {len(lost) - 1} more" if lost[1:] else ""
            message = f"no time zone for the participant {quoted(lost[0])}{others}, and none to fall back to"
            hint = "write `timezone` there, or in `defaults`"
            self._report.error(place(entry, "participants"), message, hint)

    def _check_delivery(self, own: Entry, entry: Entry, keys: ScheduleKeys, schedule: Schedule) -> None:
        told = keys.deliver or ("log",)
        self.hooks.meet(entry, told)
        channels.check_mail(entry, told, schedule, self._can_mail, self._report)
        if written(own, "mail") and not channels.mails(schedule):
            message = f"nobody reads these words: {quoted(schedule.name)} doesn't deliver by mail"
            self._report.warn(find(own, ("mail",)).key.mark, message, "write deliver: [mail]")


def _schedule(
    name: str, keys: ScheduleKeys, participants: Roster, when: tuple[When, ...], fallback_zone: str | None
) -> Schedule:
    return Schedule(
        name=name,
        when=when,
        participants=participants,
        request=request(keys.conversation),
        fallback_zone=fallback_zone,
        **_written(keys, lead_s="lead", start_window_s="start_window", spread_s="spread", overlap="overlap"),
        **_written(keys, enabled="enabled"),
        deliver=channels.addresses(keys.deliver or ("log",)),
        wording=wording(keys.mail),
    )


def _written(keys: Strict, **names: str) -> dict[str, Any]:
    """The values that somebody wrote, by the names of the model; its own defaults hold for the rest."""
    values = {name: getattr(keys, key) for name, key in names.items()}
    return {name: value for name, value in values.items() if value is not None}


def _service(files: Sequence[Entries], joined: Joined, report: Report) -> Service:
    """A ledger's file stands beside the file that names it, else beside the first one."""
    entry = joined.once.get("service")
    keys = read(_SERVICE, entry, report) if entry else None
    named = entry if entry is not None and keys is not None and keys.ledger else None
    beside = place(named, "ledger").source if named else files[0].mark.source
    name = keys.ledger if keys is not None and keys.ledger else LEDGER
    service = Service(
        ledger=name if is_database(name) else str((beside.path.parent / name).absolute()),
        **(_written(keys, **_SERVES) if keys else {}),
    )
    if entry is not None:
        checks.check_service(entry, service, report)
    return service


def _account(files: Sequence[Entries], joined: Joined, report: Report) -> Account | None:
    entry = joined.once.get("account")
    keys = read(_ACCOUNT, entry, report) if entry else AccountKeys()
    if keys is None:
        return None
    same = {
        name: name
        for name in ("base_url", "api_key", "ids", "requests", "concurrent_conversations", "reserve")
    }
    account = Account(**_written(keys, **same, max_call_duration_s="max_call_duration"))
    checks.check_account(entry, keys, account, _top(files), report)
    return account


def _mail(entry: Entry | None, report: Report) -> Mail | None:
    if entry is None:
        return None
    checks.check_words(entry, report)
    return mailing.mail(entry, report)


def _top(files: Sequence[Entries]) -> Mark:
    return next(iter(files[0].pairs.values())).key.mark if files[0].pairs else files[0].mark
