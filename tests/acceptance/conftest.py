"""The installed command, as a user types it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.processes import COMMAND, environment

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def callboard(tmp_path: Path) -> Run:
    """Run `callboard` with these words in an empty directory, and nothing of ours in its environment."""

    def run(*words: object, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [COMMAND, *map(str, words)],
            cwd=tmp_path,
            env=environment(**more),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run
