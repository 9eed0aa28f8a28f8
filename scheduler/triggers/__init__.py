"""A schedule's calendar: which local times it names, and the instants that they are.

Three steps, one file each. `calendars` asks APScheduler's triggers, in UTC, as pure wall calendars: which
dates, which times of day. `resolver` turns a wall time of a zone into an instant, clock changes included
(S2). `moments` puts both together, with bounds and exclusions, into a stream in order of time. Nothing here
knows people, policies, the ledger or what time it is now.
"""

from scheduler.triggers.calendars import check, slots_on
from scheduler.triggers.moments import YEARS, Moment, in_order, moment, moments
from scheduler.triggers.resolver import Mark, resolve

__all__ = ["YEARS", "Mark", "Moment", "check", "in_order", "moment", "moments", "resolve", "slots_on"]
