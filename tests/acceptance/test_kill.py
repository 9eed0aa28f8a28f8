"""SIGKILL at a random moment of a slot, and started again: one conversation for each promise.

The moments come from SEED; a failure names it, with the round. What a kill hits also depends on the machine:
`tests/house/test_crashes.py` kills at every single call and commit, in virtual time.
"""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from threading import Event

from tests.acceptance.processes import KEY, PERSONA, heard, running, sandbox

Run = Callable[..., "subprocess.CompletedProcess[str]"]

SEED = 20261122
ROUNDS = 5
CONFIG = """\
version: 1
account: {{base_url: "{base_url}", concurrent_conversations: 500, requests: 200/s}}
schedules:
  coach:
    when: {{every: 1s, timezone: UTC}}
    lead: 0s
    start_window: 1m
    overlap: allow
    participants: [{people}]
    {persona}
"""


def test_killed_at_any_moment_there_is_one_conversation_for_each_promise(
    callboard: Run, tmp_path: Path
) -> None:
    file, random = tmp_path / "callboard.yaml", Random(SEED)
    with sandbox("--concurrent", 1000, "--requests", 1000) as tavus:
        people = ", ".join(f"{{id: p{n}, name: P{n}}}" for n in range(4))
        file.write_text(CONFIG.format(base_url=tavus.base_url, people=people, persona=PERSONA))
        tavus.arm(kind="slow", operation="create", seconds=0.2, probability=0.5, seed=SEED, count=None)
        for _ in range(ROUNDS):
            with running(file) as house:
                heard(house, "created")
                Event().wait(random.uniform(0, 1.2))
                house.kill()
        tavus.mend()
        # The first look for a lost answer comes after 2 s; then all that was made is known.
        last = callboard("run", file, "--for", "4s", "--json", TAVUS_API_KEY=KEY)
        made = tavus.conversations()
        listed = callboard("ls", "--json", CALLBOARD_CONFIG=str(file)).stdout
    assert last.returncode == 0, last.stderr
    records = [json.loads(line) for line in listed.splitlines()]
    marks = Counter(row["conversation_name"].rsplit("-", 1)[0] for row in made)
    assert max(marks.values()) == 1, f"two rooms for one promise, seed {SEED}: {marks.most_common(3)}"
    known = {row["conversation_id"] for row in records if row["stage"] == "live"}
    assert {row["conversation_id"] for row in made} == known, f"seed {SEED}"
    assert len(made) >= ROUNDS * 4
    assert callboard("audit", CALLBOARD_CONFIG=str(file)).returncode == 0
