"""Small schedules that several house tests share."""

from __future__ import annotations


def mailed(
    size: int, *, deliver: str = "[mail]", absent: str = "2m", at: str = '"08:00"', extra: str = ""
) -> str:
    """The same, told by mail; an empty room stays open for `absent`."""
    clocks = f"max_call_duration: 30m, participant_left_timeout: 60s, participant_absent_timeout: {absent}"
    text = team(size, at=at, extra=f"deliver: {deliver}\n{extra}", properties=clocks)
    for n in range(size):
        text = text.replace(f"name: P{n}}}", f"name: P{n}, email: p{n:03}@example.com}}")
    return f"mail: {{from: Practice <practice@example.com>, sink: unused}}\n{text}"


def team(size: int, *, at: str = '"08:00"', extra: str = "", properties: str = "", body: str = "") -> str:
    """`size` people, every day at 08:00 UTC; `extra` are lines of the schedule, `body` of its request."""
    people = "\n".join(f"    - {{id: p{n:03}, name: P{n}}}" for n in range(size))
    clocks = (
        properties or "max_call_duration: 30m, participant_left_timeout: 60s, participant_absent_timeout: 2m"
    )
    return f"""
rosters:
  team:
{people}
schedules:
  practice:
    when: {{days: daily, at: {at}, timezone: UTC}}
    participants: [team]
{_indented(extra, 4)}
    conversation:
      persona_id: pdced222244b
      replica_id: rfe12d8b9597
{_indented(body, 6)}
      properties: {{{clocks}}}
"""


def _indented(lines: str, by: int) -> str:
    return "\n".join(" " * by + line for line in lines.splitlines())
