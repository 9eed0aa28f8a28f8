"""Two workers on one PostgreSQL, as people and machines see them, and what they see when one is killed."""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.processes import COMMAND, KEY, environment, heard, rest, soon, started
from tests.acceptance.test_face import asked, free_port, number
from tests.postgres import Server

CONFIG = """\
version: 1
service: {listen: "127.0.0.1:PORT", ledger: "URL"}
account: {base_url: "http://127.0.0.1:9", concurrent_conversations: 5, requests: 10/s}
schedules:
  coach:
    when: {on: ["2099-01-01 09:00"], timezone: UTC}
    conversation: {persona_id: pdced222244b, replica_id: rfe12d8b9597}
"""


@contextmanager
def worker(folder: Path, url: str) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """One worker: its process, its name, and where it is asked."""
    file = folder / "callboard.yaml"
    folder.mkdir()
    file.write_text(CONFIG.replace("PORT", str(free_port())).replace("URL", url))
    with started("run", file, "--json", TAVUS_API_KEY=KEY) as process:
        yield process, f"{platform.node()}:{process.pid}", heard(process, "ready")["listen"]


def ready(base: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(asked(f"{base}/readyz")[1])
    return told


def status(url: str, *words: str, columns: int = 80) -> tuple[int, str]:
    told = done("status", "--ledger", url, *words, COLUMNS=str(columns))
    assert told.stderr == ""
    return told.returncode, told.stdout


def done(*words: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    command = [COMMAND, *map(str, words)]
    return subprocess.run(
        command, env=environment(**env), capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def url(postgres: Server) -> str:
    return postgres.new()


def test_two_workers_are_seen_and_one_takes_over(url: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        one, first, at_one = stack.enter_context(worker(tmp_path / "one", url))
        two, second, at_two = stack.enter_context(worker(tmp_path / "two", url))
        for base, name, leads in ((at_one, first, True), (at_two, second, False)):
            assert soon(lambda base=base: ready(base)["ready"] and len(ready(base)["workers"]) == 2)
            told = ready(base)
            assert (told["worker"], told["leads"], told["leader"]) == (name, leads, first)
            assert (told["workers"], told["behind_s"], told["reasons"]) == ([first, second], 0.0, [])
            text = asked(f"{base}/metrics")[1]
            assert number(text, "callboard_leads") == leads
            assert number(text, "callboard_takeovers_total") == leads
            assert number(text, 'callboard_workers{state="works"}') == 1
            page = asked(f"{base}/")[1]
            assert f"<code>{first}</code>" in page and f"<code>{second}</code>" in page

        code, text = status(url)
        shown = [line.split() for line in text.splitlines()]
        assert code == 0
        assert ["leads", first] in [[words[0], words[1].rstrip(",")] for words in shown]
        assert ["works", second] in [[words[0], words[1].rstrip(",")] for words in shown]
        fields = json.loads(status(url, "--json")[1])
        assert (fields["leader"], fields["behind_s"]) == (first, 0.0)
        assert fields["worker"] in (first, second)

        reloaded = done("reload", "--ledger", url, "--config", tmp_path / "two" / "callboard.yaml")
        assert (reloaded.returncode, "another worker leads" in reloaded.stdout) == (0, True)
        again = done("run", tmp_path / "one" / "callboard.yaml", TAVUS_API_KEY=KEY)
        assert (again.returncode, "is in use" in again.stderr) == (75, True)
        assert status(url)[0] == 0  # its socket is the younger worker's still

        one.kill()
        assert heard(two, "leading")["epoch"] == 2
        assert heard(two, "worker_lost")["worker"] == first
        assert soon(lambda: ready(at_two)["workers"] == [second])
        assert (ready(at_two)["leads"], ready(at_two)["leader"]) == (True, second)
        two.terminate()
        lines = rest(two)
        assert [line["event"] for line in lines if "leading" in line["event"]] == ["not_leading"]
        assert two.wait() == 0
    code, text = status(url)
    assert code == 3
    assert text.startswith("not running: postgresql://")
