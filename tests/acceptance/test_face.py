"""What others see of a daemon at work: health, numbers, and nothing that names a person or opens a room."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.processes import (
    COMMAND,
    KEY,
    PERSONA,
    Sandbox,
    environment,
    heard,
    sandbox,
    soon,
    started,
)

TOKEN = "let-me-in-0123456789"
PING = "https://127.0.0.1:9/ping/never-told"
CANARIES = (KEY, TOKEN, "never-told", "anabel", "Anabel", "example.org")

CONFIG = f"""\
version: 1
service: {{listen: "127.0.0.1:PORT", heartbeat: {{env: PING}}, admin_token: {{env: TOKEN}}}}
account: {{base_url: "BASE", concurrent_conversations: 50, requests: 100/s}}
rosters:
  team: [{{id: anabel, name: Anabel Ruiz, email: anabel@example.org, timezone: UTC}}]
schedules:
  coach:
    when: {{every: 2s}}
    overlap: allow
    lead: 1s
    participants: [team]
    {PERSONA}
"""


@pytest.fixture
def tavus() -> Iterator[Sandbox]:
    with sandbox("--concurrent", "50") as running:
        yield running


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as door:
        return int(door.getsockname()[1])


def asked(url: str) -> tuple[int, str]:
    """Status and text; 0 while nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def number(text: str, name: str) -> float | None:
    return next((float(line.split()[-1]) for line in text.splitlines() if line.startswith(f"{name} ")), None)


def test_a_daemon_is_seen_at_work_and_nobody_is_named(tavus: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "callboard.yaml"
    good = CONFIG.replace("BASE", tavus.base_url).replace("PORT", str(free_port()))
    file.write_text(good)
    with started("run", file, "--json", TAVUS_API_KEY=KEY, PING=PING, TOKEN=TOKEN) as house:
        base = heard(house, "ready")["listen"]
        assert asked(f"{base}/livez") == (200, "ok\n")
        assert soon(lambda: asked(f"{base}/readyz")[0] == 200)
        assert json.loads(asked(f"{base}/healthz")[1]) == {"ready": True, "reasons": []}

        delivered = 'callboard_deliveries_total{channel="log",result="delivered"}'
        assert soon(lambda: number(asked(f"{base}/metrics")[1], delivered))
        text = asked(f"{base}/metrics")[1]
        assert number(text, "callboard_conversations_cap") == 50
        assert number(text, "callboard_config_last_reload_successful") == 1
        seen = text + asked(f"{base}/readyz")[1] + asked(f"{base}/none")[1]
        links = [each["conversation_url"] for each in tavus.conversations()]
        assert links and [word for word in (*CANARIES, *links) if word in seen] == []

        file.write_text(good.replace("every", "evry"))
        house.send_signal(signal.SIGHUP)
        heard(house, "reload_refused")
        refused = "callboard_config_last_reload_successful"
        assert soon(lambda: number(asked(f"{base}/metrics")[1], refused) == 0)
        assert asked(f"{base}/readyz")[0] == 200  # the last good files are in force

        house.terminate()
        told = house.stdout.read() if house.stdout else ""
        assert house.wait() == 0
    assert asked(f"{base}/livez")[0] == 0
    assert [word for word in (KEY, TOKEN, "never-told") if word in told] == []


def test_a_rehearsal_is_told_in_one_line_too(tmp_path: Path) -> None:
    """What keeps it from opening comes out through the sandbox that it has started."""
    file = tmp_path / "callboard.yaml"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        file.write_text(CONFIG.replace("BASE", "http://127.0.0.1:9").replace("PORT", str(port)))
        code, told = left(file, "--sandbox", PING=PING, TOKEN=TOKEN)
    assert code == 75 and "is in use" in told


def left(file: Path, *words: str, **env: str) -> tuple[int, str]:
    command, with_ = [COMMAND, "run", file, *words], environment(**env)
    done = subprocess.run(command, env=with_, capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


def test_a_door_that_can_not_be_opened_ends_the_start(tavus: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "callboard.yaml"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        file.write_text(CONFIG.replace("BASE", tavus.base_url).replace("PORT", str(port)))
        code, told = left(file, TAVUS_API_KEY=KEY, PING=PING, TOKEN=TOKEN)
    assert code == 75 and f"service.listen: 127.0.0.1:{port} is in use" in told
    file.write_text(CONFIG.replace("BASE", tavus.base_url).replace("127.0.0.1:PORT", "192.0.2.1:8710"))
    code, told = left(file, TAVUS_API_KEY=KEY, PING=PING, TOKEN=TOKEN)
    assert code == 78 and "is no address of this machine" in told


@pytest.mark.parametrize("missing", ["TOKEN", "PING"])
def test_a_secret_that_is_missing_ends_the_start(tavus: Sandbox, tmp_path: Path, missing: str) -> None:
    file = tmp_path / "callboard.yaml"
    file.write_text(CONFIG.replace("BASE", tavus.base_url).replace("PORT", str(free_port())))
    given = {name: each for name, each in {"TOKEN": TOKEN, "PING": PING}.items() if name != missing}
    code, told = left(file, TAVUS_API_KEY=KEY, **given)
    assert code == 78 and f"{missing} is not set" in told
