"""README.md keeps its word: its commands are read from it and run, its samples are what is really shown."""

from __future__ import annotations

import re
import shlex
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from scheduler.cli import commands
from tests.acceptance.processes import COMMAND, environment, started

Run = Callable[..., "subprocess.CompletedProcess[str]"]

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
SHELL = [text for language, text in BLOCKS if language == "sh"]
SAMPLES = {text.split("\n")[0]: text for language, text in BLOCKS if language == "text"}
SET_UP = "python3 -m venv .venv && .venv/bin/pip install -q -e '.[dev]' && "
PAGES = sorted(
    path for path in ROOT.rglob("*.md") if not any(part[0] == "." for part in path.relative_to(ROOT).parts)
)


def lines() -> list[str]:
    """Every `callboard` command in a fenced block, without its comment."""
    written = [line.split("#")[0].strip() for text in SHELL for line in text.splitlines()]
    return [line for line in written if re.match(r"(\w+=\S+ )?callboard ", line)]


def in_order(shown: str, sample: str) -> bool:
    """Whether a sample's lines stand in what is shown, in that order; `...` stands for any lines."""
    rest = iter(shown.splitlines())
    return all(line in rest for line in sample.splitlines()[1:] if line != "...")


def test_two_commands_set_up_all_the_first_runs_the_demo_and_the_second_the_tests() -> None:
    assert [language for language, _ in BLOCKS].index("sh") == 0
    assert BLOCKS[0][1] == f"{SET_UP}.venv/bin/callboard demo\n"
    assert SHELL[1] == f"{SET_UP}.venv/bin/pytest\n"


def test_ci_runs_the_same_test_command() -> None:
    """`.ci/run` takes the second block that is there to be run."""
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    reader = script[
        script.index("readme_block() {") : script.index("\n}", script.index("readme_block() {")) + 2
    ]
    done = subprocess.run(
        ["bash", "-c", f"{reader}\nreadme_block 2"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == SHELL[1]


def test_the_demo_shows_a_link_within_ten_seconds_and_what_became_of_each() -> None:
    begun = time.monotonic()
    with started("demo", "--for", "9s", "--no-color", COLUMNS="110") as process:
        shown = []
        for line in process.stdout or ():
            shown.append(line.rstrip())
            if " link " in line:
                break
        assert time.monotonic() - begun < 10
        shown += [line.rstrip() for line in process.stdout or ()]
        assert process.wait() == 0
    links = [
        line
        for line in shown
        if re.fullmatch(r"\S+  link        practice/\S+  http://127\S+/join/c\w+", line)
    ]
    assert 1 <= len(links) <= 6
    heads = shown.index("who    created   link       the person  the room")
    assert len(shown[heads + 1 : shown.index("", heads)]) == len(links)
    assert max(map(len, shown)) <= 110


def test_the_demo_ends_early_on_ctrl_c_and_still_says_what_became() -> None:
    with started("demo", "--json") as process:
        assert process.stdout
        process.stdout.readline()
        process.send_signal(2)
        assert '"summary"' in process.stdout.readlines()[-1]
        assert process.wait() == 0


@pytest.mark.parametrize("line", lines())
def test_every_command_is_one_with_options_that_it_has(line: str) -> None:
    command, *words = [word for word in shlex.split(line) if "=" not in word][1:]
    paths = [word for word in words if word.endswith(".yaml")]
    assert all((ROOT / path).exists() for path in paths)
    commands.commands[command].make_context(command, words)


def test_the_table_has_every_command() -> None:
    assert re.findall(r"^\| `callboard ([\w-]+)", README, re.MULTILINE) == list(commands.commands)


def test_the_plan_is_what_plan_shows() -> None:
    (head,) = [head for head in SAMPLES if " plan " in head]
    done = subprocess.run(
        ["bash", "-c", f'callboard() {{ "$CALLBOARD" "$@"; }}; {head.removeprefix("$ ")}'],
        cwd=ROOT,
        env=environment(CALLBOARD=str(COMMAND)),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert in_order(done.stdout, SAMPLES[head])


def test_the_errors_are_what_check_shows(callboard: Run, tmp_path: Path) -> None:
    sample = (ROOT / "configs" / "sales-coach.yaml").read_text("utf-8")
    (tmp_path / "team.yaml").write_text(
        sample.replace("mon-fri", "mon-fry").replace("start_window", "start_windw")
    )
    (head,) = [head for head in SAMPLES if " check " in head]
    assert callboard("check", "team.yaml").stdout.splitlines() == SAMPLES[head].splitlines()[1:]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []
