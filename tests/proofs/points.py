"""Named points at which a house may die, derived at its seams: the driver, the hands, the server.

Nothing in the product knows of them. A commit is named after what it writes, a send after its step, so that a
name stays when code moves; `start`, `swap` and `drain` stand before those that lie within one of these.
"""

from __future__ import annotations

import os
import re
import signal
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple

from jobs.model import Create, Deliver, End, Inspect, Step, Survey
from scheduler.facts import KINDS
from scheduler.ledger import Place
from scheduler.ledger.driver import Driver
from tests.house.places import driver_of

_WRITES = re.compile(
    r"\s*(?P<verb>INSERT|UPDATE|DELETE)\b(?: OR \w+)?(?: INTO| FROM)?\s+(?P<table>\w+)", re.I
)
_STEPS = {Create: "create", Deliver: "deliver", Inspect: "inspect", End: "end"}
_NAMES = {
    ("INSERT", "records"): "promise",
    ("INSERT", "generations"): "generation",
    ("INSERT", "meta"): "birth",
    ("INSERT", "holds"): "hold",
    ("DELETE", "holds"): "lift",
}
"""What a commit is called when it writes this; facts are called by their kinds."""


class Death(NamedTuple):
    """Where it ends: at the n-th passing of this point; `*` is any."""

    point: str
    nth: int


class Points:
    """Counts what is passed, and kills this process where it should die. `phase` begins every name."""

    def __init__(self, death: Death | None = None, victim: Callable[[], int] = os.getpid) -> None:
        self.passed: Counter[str] = Counter()
        self.phase = ""
        self._death = death
        self._victim = victim

    def reach(self, name: str) -> None:
        name = f"{self.phase}: {name}" if self.phase else name
        self.passed[name] += 1
        death = self._death
        if death is None or death.point not in (name, "*"):
            return
        if death.nth == (self.passed.total() if death.point == "*" else self.passed[name]):
            os.kill(self._victim(), signal.SIGKILL)

    # --- the driver ---

    def driver(self, place: Place) -> Driver:
        """The ledger's driver, with points before and after each commit."""
        points = self

        class Watched(driver_of(place)):
            def migrated(self, number: int) -> None:
                written.add(f"migration {number}")
                super().migrated(number)

            def execute(self, sql: str, params: Any = ()) -> int:
                written.update(_written(sql, [params]))
                return super().execute(sql, params)

            def execute_many(self, sql: str, rows: Iterable[Any]) -> int:
                rows = list(rows)
                if rows:
                    written.update(_written(sql, rows))
                return super().execute_many(sql, rows)

            def transaction(self) -> AbstractContextManager[None]:
                return passed(super().transaction())

            def reading(self) -> AbstractContextManager[None]:
                return passed(super().reading())

        @contextmanager
        def passed(inner: AbstractContextManager[None]) -> Iterator[None]:
            written.clear()
            with inner:
                yield
                points._commit(written, "before commit")
            points._commit(written, "after commit")

        written: set[str] = set()
        return Watched(place)

    def _commit(self, written: set[str], when: str) -> None:
        for name in sorted(written) or ["look"]:
            self.reach(f"{name}: {when}")

    # --- the hands ---

    def wrap(self, perform: Callable[..., Any]) -> Callable[..., Any]:
        """The one door to the outside, with points before, during and after each step."""

        async def performed(step: Step, sent: Callable[[], None]) -> Any:
            name = _step(step)

            def leaving() -> None:
                sent()
                self.reach(f"{name}: leaving")

            self.reach(f"{name}: before")
            try:
                return await perform(step, leaving)
            finally:
                self.reach(f"{name}: after")

        return performed


def _step(step: Step) -> str:
    if isinstance(step, Survey):
        return "probe" if step.limit == 1 else f"survey {step.status} page {min(step.page, 3)}"
    if isinstance(step, Deliver) and step.address.channel != "log":
        return f"deliver {step.address.channel}"
    return _STEPS[type(step)]


def _written(sql: str, rows: Iterable[Any]) -> Iterator[str]:
    """What a statement writes, in the house's words; the columns of a note go without saying."""
    if (found := _WRITES.match(sql)) is None:
        return
    verb, table = found["verb"].upper(), found["table"]
    if table == "facts":
        yield from _kinds(sql, rows)
    elif table == "records" and verb == "UPDATE":
        yield from ["settle"] if "stage = 'planned'" in sql and "'creating'" not in sql else []
    elif table == "meta" and "base_url" not in repr(rows):  # its version, or the planner's mark
        return
    elif (verb, table) in _NAMES:
        yield _NAMES[verb, table]


def _kinds(sql: str, rows: Iterable[Any]) -> Iterator[str]:
    """The kinds of facts; those that a promise has from the first come out of a query."""
    words = set(re.findall(r"'(\w+)'", sql))
    for row in rows:
        words.update(row.values() if isinstance(row, Mapping) else row)
    yield from ("claim" if kind == "attempted" else f"note {kind}" for kind in KINDS.keys() & words)
