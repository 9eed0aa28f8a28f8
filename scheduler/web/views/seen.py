"""The house as a page sees it, and what pages keep of the plan: values, and one small memory.

A plan is computed once for each configuration and window, since a thousand slots take longer than a page
may. Only one thread at a time uses it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from jobs.model import Instant
from scheduler.desk import Pause
from scheduler.ledger import pauses
from scheduler.ledger.snapshot import Snapshot
from scheduler.model import Config
from scheduler.planner import SlotTime, slots
from scheduler.vitals import Reload, Vitals, unready
from scheduler.web.pages import Pages
from scheduler.web.pages.roster import Roster

SLOTS_MAX = 20_000
"""Slots of one window that are looked at: a slot every few seconds for a week is more than a page can say."""
PLANS_MAX = 8


class Page(NamedTuple):
    """A page's title, and its main part as HTML."""

    title: str
    main: str


class NotFound(Exception):
    """There is no such thing; `near` are those that may have been meant, as (address, name)."""

    def __init__(self, said: str, near: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(said)
        self.near = tuple(near)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The house at one moment. `may_act` is whether whoever looks has signed in, and so sees join links and
    what can be done."""

    now: Instant
    config: Config
    vitals: Vitals
    reload: Reload
    may_act: bool


class Plans:
    """What the configuration says of people and of windows of time, remembered."""

    def __init__(self) -> None:
        self._config: Config | None = None
        self._roster: Roster | None = None
        self._slots: OrderedDict[tuple[Instant, Instant], Sequence[SlotTime]] = OrderedDict()

    def roster(self, config: Config) -> Roster:
        """Everybody whom this configuration knows."""
        if self._roster is None or config is not self._config:
            self._config, self._roster = config, Roster(config)
            self._slots.clear()
        return self._roster

    def slots(self, config: Config, after: Instant, until: Instant) -> Sequence[SlotTime]:
        """The slots of this window, at most SLOTS_MAX."""
        self.roster(config)
        found = self._slots.get((after, until))
        if found is None:
            found = list(islice(slots(config.schedules.values(), after, until), SLOTS_MAX))
            self._slots[after, until] = found
            while len(self._slots) > PLANS_MAX:
                self._slots.popitem(last=False)
        return found


class Show(NamedTuple):
    """What a view is given beside a snapshot and a query."""

    pages: Pages
    plans: Plans
    seen: Seen

    @property
    def roster(self) -> Roster:
        """Everybody whom the configuration knows."""
        return self.plans.roster(self.seen.config)

    def page(self, title: str, template: str, /, **values: Any) -> Page:
        """The page of this template; every page knows what time it is, whose, and what may be done."""
        roster = self.roster
        given = {"zone": roster.zone, "names": Names(roster), **values}
        return Page(title, self.pages.main(template, now=self.seen.now, may_act=self.seen.may_act, **given))

    def alerts(self, snapshot: Snapshot) -> dict[str, Any]:
        """What every reader should know first."""
        found: list[Pause] = pauses.in_force(snapshot.driver, self.seen.now)
        return {
            "unready": list(unready(self.seen.vitals)),
            "holds": snapshot.holds(),
            "pauses": found,
            "reload": self.seen.reload,
        }


class Names:
    """People's names by id, as far as the configuration knows them."""

    def __init__(self, roster: Roster) -> None:
        self._people = roster.people

    def get(self, id_: str, otherwise: str) -> str:
        """The name of this person."""
        person = self._people.get(id_)
        return person.participant.name if person else otherwise
