"""The installed command, as a user types it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).with_name("callboard")
OURS = ("CALLBOARD_", "TAVUS_", "NO_COLOR", "FORCE_COLOR")

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def callboard(tmp_path: Path) -> Run:
    """Run `callboard` with these words in an empty directory, and nothing of ours in its environment."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}

    def run(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [COMMAND, *map(str, words)],
            cwd=tmp_path,
            env=clean | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run
