"""Log lines for people: nothing is cut, nothing is said twice, and they fit the terminal."""

from __future__ import annotations

from typing import Any

import pytest
from structlog import DropEvent

from scheduler.console import Console

KEY = "sales-practice/morning/2026-12-01/ana"
LINK = "https://tavus.daily.co/c7f3fc6d788f"


def shown(columns: int = 140, *, color: bool = False, level: str = "info", **event: Any) -> str:
    told = {"event": "created", "level": level, "timestamp": "09:00:00", **event}
    return Console(color=color, columns=columns)(None, level, told)


def test_what_is_as_it_should_be_is_not_said() -> None:
    fields = {"schedule": "sales-practice", "participant": "ana", "attempt": 1, "stage": "live"}
    line = shown(key=KEY, **fields, conversation_id="c1", took=0.4, lateness_s=0.0, holds=[], detail=None)
    assert line == f"09:00:00  created     {KEY}"


def test_what_is_remarkable_is() -> None:
    line = shown(
        event="failed", key=KEY, attempt=2, stage="planned", reason="busy", took=2.5, detail="no answer"
    )
    assert line.endswith(f'{KEY}  attempt=2  stage=planned  reason=busy  took=2.5  detail="no answer"')
    assert shown(event="held", reason="denied") == "09:00:00  held        reason=denied"
    assert shown(event="gap", participant=None, schedule="coach").endswith("schedule=coach")


@pytest.mark.parametrize(("columns", "lines"), [(120, 1), (80, 2), (20, 2)])
def test_a_narrow_terminal_gets_more_lines_and_whole_words(columns: int, lines: int) -> None:
    text = shown(columns, event="link", url=LINK, key=KEY, participant="ana")
    assert len(text.splitlines()) == lines
    assert text.split() == ["09:00:00", "link", KEY, LINK]
    assert max(map(len, text.splitlines())) <= max(columns, 22 + len(KEY))


def test_a_delivery_to_the_log_is_the_links_own_line() -> None:
    with pytest.raises(DropEvent):
        shown(event="delivered", key=KEY, channel="log")
    assert "channel=mail" in shown(event="delivered", key=KEY, channel="mail")


def test_warnings_stand_out_and_a_traceback_comes_after_its_line() -> None:
    assert shown(color=True, key=KEY) != shown(color=True, key=KEY, level="warning")
    assert "\x1b" not in shown(key=KEY, level="warning")
    assert shown(event="faulted", exception="Traceback: ...").splitlines()[-1] == "Traceback: ..."


@pytest.mark.parametrize("event", ["channel_open", "ledger_unavailable"])
def test_a_long_name_keeps_its_distance_and_its_line_fits(event: str) -> None:
    text = shown(
        80, event=event, channel="mail", schedule="coach", participant="ana-of-the-east", reason="busy"
    )
    assert text.startswith(f"09:00:00  {event}  channel=mail")
    assert max(map(len, text.splitlines())) <= 80


def test_an_event_without_fields_is_its_name() -> None:
    assert shown(event="stopped").rstrip() == "09:00:00  stopped"
