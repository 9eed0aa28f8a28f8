"""The templates of the pages, and the words they may use; everything they show is escaped.

One environment for as long as a house is open. A name that is not given is an error, and no text that came
from outside is ever a template.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import jinja2
from markupsafe import Markup

from scheduler.desk import Effect
from scheduler.facts import Stage
from scheduler.record import DeliveryState
from scheduler.web.pages import curve, times, words
from scheduler.web.pages.story import spoken
from scheduler.web.pages.trouble import trouble

NAVIGATION = (
    ("/", "Today"),
    ("/days", "Next days"),
    ("/occurrences", "Occurrences"),
    ("/people", "People"),
    ("/schedules", "Schedules"),
    ("/account", "Account"),
)


class Pages:
    """Renders a page's main part, and the frame around it."""

    def __init__(self, assets: Mapping[str, str]) -> None:
        """`assets` are the names of stylesheet and script by which they are asked for."""
        self._environment = jinja2.Environment(
            loader=jinja2.PackageLoader("scheduler.web.pages"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(_FILTERS)
        self._environment.globals.update(
            assets=assets, navigation=NAVIGATION, Stage=Stage, DeliveryState=DeliveryState, Effect=Effect
        )

    def main(self, name: str, /, **values: Any) -> str:
        """The main part of a page: `name` is that of its template."""
        return self._environment.get_template(f"{name}.html").render(**values)

    def frame(self, title: str, main: str, /, **values: Any) -> str:
        """A whole page around a main part that `main` made."""
        return self._environment.get_template("frame.html").render(title=title, main=Markup(main), **values)  # noqa: S704


def occurrence_url(key: str) -> str:
    """Where one occurrence is shown; a key may hold any sign."""
    return f"/occurrence?key={quote(key, safe='/')}"


def person_url(id_: str) -> str:
    """Where one person is shown."""
    return f"/person?id={quote(id_, safe='')}"


_FILTERS = {
    "clock": times.clock,
    "seconds": times.seconds,
    "day": times.day,
    "moment": times.moment,
    "machine": times.machine,
    "lasting": times.length,
    "away": times.away,
    "place": times.place,
    "city": times.city,
    "due": times.due,
    "spelled": times.spelled,
    "look": words.look,
    "stage_look": words.LOOKS.__getitem__,
    "worker_look": words.WORKER_LOOKS.__getitem__,
    "why": words.why,
    "told": words.told,
    "turned_away": words.turned_away,
    "spoken": spoken,
    "trouble": trouble,
    "occurrence_url": occurrence_url,
    "person_url": person_url,
    "quoted": lambda text: quote(text, safe=""),
    "minute": times.minute,
    "curve_told": curve.spoken,
    "number": lambda number: f"{number:,}",
}
