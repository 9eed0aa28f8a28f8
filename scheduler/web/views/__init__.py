"""What each page is made from: a snapshot of the ledger, the house as it was seen, and a query.

A view reads, computes and renders, in a thread and never in the loop; `house` and `lists` hold them. Who may
see a page is asked before; what a view is given to show is what it shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from scheduler.ledger.snapshot import Snapshot
from scheduler.web.views import house, lists, today
from scheduler.web.views.seen import NotFound, Page, Plans, Seen, Show

View = Callable[[Show, Snapshot, Mapping[str, str]], Page]

VIEWS: Final[Mapping[str, View]] = MappingProxyType(
    {
        "/": today.today,
        "/days": today.days,
        "/occurrences": lists.occurrences,
        "/occurrence": lists.occurrence,
        "/people": lists.people,
        "/person": lists.person,
        "/schedules": house.schedules,
        "/account": house.account,
    }
)
"""Every page by its path."""

__all__ = ["VIEWS", "NotFound", "Page", "Plans", "Seen", "Show", "View"]
