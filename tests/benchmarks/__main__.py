"""`python -m tests.benchmarks [PART ...] [--write]`: every figure, each part in a process of its own.

`--write` puts the tables of these parts into README.md beside this file; those of other parts stay.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import time
from datetime import date

from tests.benchmarks import (
    burst,
    creation,
    figure,
    idle,
    lost,
    mail,
    pages,
    peers,
    plan,
    queues,
    rate,
    soak,
    status,
    web,
    workers,
)
from tests.benchmarks.figure import Figure

PARTS = {
    "burst": burst.figures,
    "peers": peers.figures,
    "creation": creation.figures,
    "rate": rate.figures,
    "lost": lost.figures,
    "plan": plan.figures,
    "idle": idle.figures,
    "soak": soak.figures,
    "status": status.figures,
    "web": web.figures,
    "pages": pages.figures,
    "mail": mail.figures,
    "queues": queues.figures,
    "workers": workers.figures,
}
MOST_S = 300.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--write", action="store_true", help="write the tables into README.md")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    parts = given.parts or list(PARTS)
    if given.here:
        for part in parts:
            print(figure.lines(asyncio.run(PARTS[part]())))
        return 0
    found = {part: _apart(part) for part in parts}
    every = [each for figures in found.values() for each in figures]
    print(f"\n{figure.machine()}\n\n{figure.table(every)}")
    if given.write:
        figure.write_readme(found, PARTS, date.today().isoformat())
    return int(any(each.holds is False for each in every))


def _apart(part: str) -> list[Figure]:
    """A part in a process of its own, so that no heap or cache of another stands in its way."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "tests.benchmarks", part, "--here"]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=MOST_S, check=False)
    except subprocess.TimeoutExpired:
        return [Figure(f"{part} broke (not done after {MOST_S:.0f} s)", "-", "", False)]
    print(f"{part}: {time.perf_counter() - began:.1f} s", file=sys.stderr)
    if done.returncode:
        return [Figure(f"{part} broke (exit {done.returncode})", "-", "", False)]
    return figure.read(done.stdout)


if __name__ == "__main__":
    raise SystemExit(main())
