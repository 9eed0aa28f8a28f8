"""Every key that may be written, by the mapping that it stands in: read off the product's own models."""

from __future__ import annotations

from scheduler.config.channels import HookKeys
from scheduler.config.conversation import ConversationKeys
from scheduler.config.fields import Strict
from scheduler.config.mailing import MailKeys, SmtpKeys, WordingKeys
from scheduler.config.models import (
    AccountKeys,
    FileKeys,
    MonthlyKeys,
    PersonKeys,
    RangeKeys,
    RosterFileKeys,
    ScheduleKeys,
    ServiceKeys,
    WhenKeys,
)


def _properties() -> type[Strict]:
    found = ConversationKeys.model_fields["properties"].annotation
    return next(part for part in found.__args__ if isinstance(part, type) and issubclass(part, Strict))


MODELS: tuple[type[Strict], ...] = (
    FileKeys, ServiceKeys, AccountKeys, ScheduleKeys, WhenKeys, MonthlyKeys, RangeKeys, PersonKeys,
    RosterFileKeys, MailKeys, SmtpKeys, WordingKeys, HookKeys, ConversationKeys, _properties(),
)  # fmt: skip
KEYS = tuple(sorted({key for model in MODELS for key in (*model.known_keys(), *model.not_yet)}))
