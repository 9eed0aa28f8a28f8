"""The command on a machine whose clock a file moves: `python -m tests.proofs.crew.worker FILE run …`.

The number in the file is added to what the machine's own clock shows to Python and to APScheduler, which goes
by it. All else is the command's own.
"""

from __future__ import annotations

import sys
import time
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

from apscheduler.schedulers import base

from scheduler.__main__ import main


def step_s(path: Path) -> float:
    """By how much the machine's clock is wrong."""
    return float(path.read_text() or 0)


def step(path: Path) -> None:
    """From now on the machine shows what it should, and what the file says."""
    right = time.time

    class Machine(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) + timedelta(seconds=step_s(path))

    time.time = lambda: right() + step_s(path)
    base.datetime = Machine


if __name__ == "__main__":
    step(Path(sys.argv.pop(1)))
    main()
