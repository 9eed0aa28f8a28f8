"""`callboard` processes that stay, and a sandbox process asked over HTTP: what several acceptance tests need.

Whatever is started is killed when its block ends, and after two minutes at the latest, so that nothing hangs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Timer
from typing import Any

COMMAND = Path(sys.executable).with_name("callboard")
KEY = "sesame-123"
PATIENCE_S = 120.0
PERSONA = "conversation: {persona_id: pdced222244b, replica_id: rfe12d8b9597}"


def environment(**more: str) -> dict[str, str]:
    """The environment without anything of ours, and then these."""
    ours = ("CALLBOARD_", "TAVUS_", "NO_COLOR", "FORCE_COLOR")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)} | more


@contextmanager
def started(*words: object, **env: str) -> Iterator[subprocess.Popen[str]]:
    """The command at work, its stdout to be read."""
    process = subprocess.Popen(
        [COMMAND, *map(str, words)],
        env=environment(**env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    watchdog = Timer(PATIENCE_S, process.kill)
    watchdog.start()
    try:
        with process:
            try:
                yield process
            finally:
                process.kill()
    finally:
        watchdog.cancel()


@contextmanager
def running(config: Path, *words: object) -> Iterator[subprocess.Popen[str]]:
    """`callboard run` on this file, with the key that `sandbox` takes, telling JSON."""
    with started("run", config, "--json", *words, TAVUS_API_KEY=KEY) as process:
        yield process


def heard(process: subprocess.Popen[str], event: str) -> dict[str, Any]:
    """The next line of this event; lines before it are passed over."""
    passed = []
    for line in process.stdout or ():
        told: dict[str, Any] = json.loads(line)
        if told["event"] == event:
            return told
        passed.append(told["event"])
    raise AssertionError(f"no {event}; it said {passed} and left with {process.wait()}")


def rest(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    """Every line until it leaves."""
    return [json.loads(line) for line in process.stdout or ()]


def soon(what: Callable[[], Any]) -> Any:
    """The first true answer, asked for again and again."""
    again = Event()
    for _ in range(600):
        if answer := what():
            return answer
        again.wait(0.05)
    raise AssertionError("it never became true")


@dataclass(frozen=True)
class Sandbox:
    """A sandbox process: its faults, and all that it ever made."""

    base_url: str

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"x-api-key": KEY, "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.base_url}{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def arm(self, **fault: object) -> None:
        """Do this wrong from now on (jobs/tavus/sandbox/README.md)."""
        self._ask("POST", "/_sandbox/faults", fault)

    def mend(self) -> None:
        """Do nothing wrong any more."""
        self._ask("DELETE", "/_sandbox/faults")

    def conversations(self) -> list[dict[str, Any]]:
        """Every conversation, newest first."""
        found: list[dict[str, Any]] = []
        for page in range(1, 1000):
            rows = self._ask("GET", f"/v2/conversations?limit=100&page={page}")["data"]
            found += rows
            if len(rows) < 100:
                break
        return found


@contextmanager
def sandbox(*words: object) -> Iterator[Sandbox]:
    """`callboard sandbox` on a free port."""
    with started("sandbox", "--port", "0", "--key", KEY, "--json", *words) as process:
        assert process.stdout
        yield Sandbox(json.loads(process.stdout.readline())["base_url"])
