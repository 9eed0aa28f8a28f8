"""Where join links go: the items of `deliver`, and the secrets that sign what is posted.

`log`, `mail`, `{webhook: URL}` or `{slack: URL}`. A URL is a secret (semantics, section 7): people are
told its host. How a channel delivers is not known here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator

from jobs.model import POSTED, Address
from scheduler.config.fields import HookUrl, Kind, Secret, Strict, misread
from scheduler.config.problems import Mark, Report, quoted
from scheduler.config.reading import place
from scheduler.config.scalars import Misread
from scheduler.config.suggest import did_you_mean
from scheduler.config.tree import Entry
from scheduler.model import Schedule, SecretRef

WEBHOOK_SECRET = SecretRef("env", "CALLBOARD_WEBHOOK_SECRET")
PLAIN = ("log", "mail")
EXPECTED = "log, mail, {webhook: URL} or {slack: URL}"

_SHAPES: dict[str, Any] = {
    "oneOf": [{"required": ["webhook"]}, {"required": ["slack"], "not": {"required": ["secret"]}}]
}


def _plain(text: str) -> str:
    if text in PLAIN:
        return text
    if text in POSTED:
        raise Misread(f"{text} needs its URL", f"write {{{text}: https://example.com/hook}}")
    url = "write {webhook: URL}, or {slack: URL}" if "://" in text else None
    raise Misread(hint=url or did_you_mean(text, (*PLAIN, *POSTED)))


class HookKeys(Strict):
    """A service that is told by a post: a webhook, signed, or Slack."""

    model_config = ConfigDict(json_schema_extra=_SHAPES)
    hints: ClassVar[Mapping[str, str]] = {
        "url": "write webhook: URL, or slack: URL",
        **dict.fromkeys(PLAIN, "each channel is an item of its own: [log, {webhook: URL}]"),
    }
    webhook: HookUrl | None = Field(default=None, description="JSON is posted there, signed.")
    slack: HookUrl | None = Field(default=None, description="An incoming webhook of Slack.")
    secret: Annotated[SecretRef, Secret(WEBHOOK_SECRET.name)] | None = Field(
        default=None, description="Where the webhook's signing secret is found."
    )

    @model_validator(mode="after")
    def _one(self) -> HookKeys:
        if (self.webhook is None) == (self.slack is None):
            raise misread(EXPECTED, Misread("each item is one channel", f"write {EXPECTED}"))
        if self.slack is not None and self.secret is not None:
            message = "`secret` goes with `webhook`: nothing signs what is posted to Slack"
            raise misread(EXPECTED, Misread(message, "remove the secret"))
        return self

    @property
    def address(self) -> Address:
        """The channel and its URL."""
        return Address("webhook", self.webhook) if self.webhook else Address("slack", self.slack or "")


def _is_mapping(value: object) -> str:
    return "<mapping>" if isinstance(value, dict) else "<text>"


Channel = Annotated[
    Annotated[str, Kind(_plain, EXPECTED, {"enum": list(PLAIN)}), Tag("<text>")]
    | Annotated[HookKeys, Tag("<mapping>")],
    Discriminator(_is_mapping),
]


def addresses(channels: Sequence[str | HookKeys]) -> tuple[Address, ...]:
    """Each channel once, in the order of the list."""
    found = (Address(channel) if isinstance(channel, str) else channel.address for channel in channels)
    return tuple(dict.fromkeys(found))


def mails(schedule: Schedule) -> bool:
    """Whether its links go out by mail."""
    return any(address.channel == "mail" for address in schedule.deliver)


@dataclass(slots=True)
class Hooks:
    """The signing secret of each webhook that was named so far, and where it was named first."""

    report: Report
    secrets: dict[str, SecretRef] = field(default_factory=dict)
    _places: dict[str, Mark] = field(default_factory=dict)

    def meet(self, entry: Entry, channels: Sequence[str | HookKeys]) -> None:
        """Note a schedule's webhooks; one URL has one secret."""
        for index, channel in enumerate(channels):
            if isinstance(channel, HookKeys) and channel.webhook is not None:
                self._note(channel.webhook, channel.secret or WEBHOOK_SECRET, place(entry, "deliver", index))

    def _note(self, url: str, secret: SecretRef, mark: Mark) -> None:
        first = self._places.setdefault(url, mark)
        if self.secrets.setdefault(url, secret) != secret:
            host = quoted(Address("webhook", url).place)
            message = f"this webhook at {host} is signed with another secret elsewhere"
            self.report.error(mark, message, f"first at {first}")


def check_mail(
    entry: Entry, channels: Sequence[str | HookKeys], schedule: Schedule, can_mail: bool, report: Report
) -> None:
    """What a schedule needs if it says `deliver: mail` (S1): a server, people, an address for each."""
    if not mails(schedule):
        return
    mark = place(entry, "deliver", channels.index("mail"))
    if not can_mail:
        hint = "write mail: {from: practice@example.com, smtp: {host: smtp.example.com}} at the top of a file"
        report.error(mark, "`deliver: mail` needs the section `mail`", hint)
    if not schedule.participants:
        message = f"`deliver: mail` needs participants, and {quoted(schedule.name)} has none"
        report.error(mark, message, "write participants, or another deliver")
    lost = [person.id for person in schedule.participants if person.email is None]
    if lost:
        others = f" and {len(lost) - 1} more" if lost[1:] else ""
        message = f"`deliver: mail`, but no e-mail address for the participant {quoted(lost[0])}{others}"
        report.error(place(entry, "participants"), message, "write `email` in the roster")
