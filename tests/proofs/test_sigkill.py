"""The installed command, killed at random moments of real time, round after round: one conversation each.

Four rounds in the quick part, four times ten in the long one. The moments come from the seed; what they hit
depends on the machine too. The points themselves are killed in `test_crash_points`, in virtual time.
"""

from __future__ import annotations

import json
import subprocess
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from tests.acceptance.processes import COMMAND, PERSONA, environment, running, sandbox
from tests.proofs.invariants import MARK

LONGEST_S = 3.0
"""Of a house's life; it needs about half a second of it to be ready."""

ROUNDS = [
    pytest.param(4, 6, 0, id="quick"),
    *(pytest.param(10, 36, seed, marks=pytest.mark.long) for seed in (1, 2, 3, 4)),
]
"""How many lives, how long the last one is, and the seed. The third look for a lost answer comes after 30 s,
and only then is each known."""

CONFIG = """\
version: 1
account: {{base_url: "{base_url}", concurrent_conversations: 900, requests: 100/s}}
defaults:
  timezone: UTC
  overlap: allow
  start_window: 5m
  participants: [{people}]
  {persona}
schedules:
  early: {{when: {{every: 2s}}, lead: 0s}}
  late: {{when: {{every: 3s}}, lead: 1s, deliver: [log]}}
"""


def told(*words: object, config: Path) -> subprocess.CompletedProcess[str]:
    """A command that reads the ledger."""
    known = environment(CALLBOARD_CONFIG=str(config))
    return subprocess.run([COMMAND, *map(str, words)], env=known, capture_output=True, text=True, timeout=60)


@pytest.mark.skipif(not COMMAND.exists(), reason="the command is not installed")
@pytest.mark.parametrize(("rounds", "last_s", "seed"), ROUNDS)
def test_killed_at_random_times(tmp_path: Path, rounds: int, last_s: int, seed: int) -> None:
    config, dice = tmp_path / "callboard.yaml", Random(seed)
    with sandbox("--concurrent", 5000, "--requests", 1000) as tavus:
        people = ", ".join(f"{{id: p{n}, name: P{n}}}" for n in range(2))
        config.write_text(CONFIG.format(base_url=tavus.base_url, people=people, persona=PERSONA))
        tavus.arm(kind="slow", operation="create", seconds=0.2, probability=0.5, seed=seed, count=None)
        tavus.arm(kind="drop", operation="create", when="after", probability=0.05, seed=seed, count=None)
        for _ in range(rounds):
            with running(config) as house:
                with suppress(subprocess.TimeoutExpired):
                    house.wait(dice.uniform(0.1, LONGEST_S))
                assert house.poll() is None, f"it left by itself with {house.returncode}"
                house.kill()
        tavus.mend()
        with running(config, "--for", f"{last_s}s") as house:
            lines = [json.loads(line) for line in house.stdout or ()]
            assert house.wait() == 0
        made = tavus.conversations()
    audited = told("audit", config=config)
    assert audited.returncode == 0, audited.stdout
    records = [json.loads(line) for line in told("ls", "--json", config=config).stdout.splitlines()]
    _assert_right(records, [MARK.search(row["conversation_name"]) for row in made])
    assert not [line for line in lines if line["event"] == "faulted"]
    unknown = [r["key"] for r in records if r["stage"] == "creating"]
    assert last_s < 30 or not unknown, "looked for in vain, and not tried again"
    due = [record for record in records if record["stage"] != "planned"]
    print(f"\n{rounds} rounds: {len(due)} promises that were due, {len(made)} conversations, none double")


def _assert_right(records: list[dict], marks: list) -> None:
    """No promise has two rooms, unless it was looked for in vain; all whose window is open have one."""
    assert all(marks)
    assert len({(mark[1], mark[2]) for mark in marks}) == len(marks), "two rooms for one attempt"
    again = sum(record["attempt"] > 1 for record in records)
    assert len({mark[1] for mark in marks}) >= len(marks) - again
    stages = {record["stage"] for record in records}
    assert stages <= {"live", "planned", "creating", "ended"}, stages
    rooms = [record["conversation_id"] for record in records if record["conversation_id"]]
    assert len(set(rooms)) == len(rooms)
