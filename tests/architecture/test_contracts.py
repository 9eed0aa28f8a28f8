"""The law of the house, kept by tools: import contracts, banned calls, types.

Each contract and each banned call is also seen to fail: a copy of the tree gets one violating line and
the tool has to name exactly the rule that was broken. Sizes and words are looked at in `test_shape`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
CONTRACTS = {contract["id"]: contract for contract in PYPROJECT["tool"]["importlinter"]["contracts"]}
BANNED = PYPROJECT["tool"]["ruff"]["lint"]["flake8-tidy-imports"]["banned-api"]
TOOLS = Path(sys.executable).parent

VIOLATIONS = [
    ("scheduler.policy", "import scheduler.lifecycle", {"floors"}),
    ("scheduler.limits", "import scheduler.triggers", {"floors"}),
    ("scheduler.daemon", "import scheduler.app", {"floors"}),
    ("jobs.errors", "import jobs.model", {"floors"}),
    ("jobs.channels", "import jobs.tavus.client", {"floors"}),
    ("jobs.tavus.client", "import jobs.perform", {"floors"}),
    ("jobs.channels", "import scheduler.clock", {"floors", "jobs"}),
    ("jobs.perform", "import apscheduler", {"jobs", "apscheduler"}),
    ("jobs.channels", "import yaml", {"jobs"}),
    ("scheduler.cli", "import jobs.tavus.sandbox", {"hands"}),
    ("scheduler.daemon", "import jobs.perform", {"hands"}),
    ("scheduler.runner", "import jobs.channels.log", {"hands"}),
    ("scheduler.config", "import jobs.tavus.client", {"hands"}),
    ("scheduler.runner", "import jobs.letter", {"hands"}),
    ("scheduler.planner", "import asyncio", {"pure"}),
    ("scheduler.lifecycle", "import os.path", {"pure"}),
    ("scheduler.metrics", "import asyncio", {"pure"}),
    ("scheduler.metrics", "import scheduler.ledger", {"floors"}),
    ("scheduler.web", "import scheduler.daemon", {"floors"}),
    ("scheduler.web", "import jobs.tavus.client", {"hands"}),
    ("scheduler.web.pages", "import aiohttp", {"pure"}),
    ("jobs.tavus.wire", "import aiohttp", {"pure"}),
    ("jobs.letter", "import jobs.tavus.wire", {"floors"}),
    ("jobs.letter", "import smtplib", {"pure"}),
    ("scheduler.planner", "import apscheduler", {"apscheduler"}),
    ("scheduler.daemon", "import apscheduler.triggers.cron", {"apscheduler"}),
    ("jobs.tavus.sandbox", "import jobs.tavus.wire", {"sandbox"}),
]


def lint_imports(tree: Path) -> tuple[int, str]:
    done = subprocess.run(
        [TOOLS / "lint-imports", "--no-cache"], cwd=tree, capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stdout + done.stderr


def broken(report: str) -> set[str]:
    return {key for key, contract in CONTRACTS.items() if f"{contract['name']} BROKEN" in report}


def a_copy_of_the_tree(tmp_path: Path) -> Path:
    for package in ("scheduler", "jobs"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_contracts_are_kept() -> None:
    code, report = lint_imports(ROOT)
    assert (code, broken(report)) == (0, set()), report


def file_of(tree: Path, room: str) -> Path:
    place = tree.joinpath(*room.split("."))
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")


@pytest.mark.parametrize(("room", "line", "expected"), VIOLATIONS)
def test_a_contract_is_seen_to_fail(tmp_path: Path, room: str, line: str, expected: set[str]) -> None:
    violated = file_of(a_copy_of_the_tree(tmp_path), room)
    violated.write_text(f"{violated.read_text('utf-8')}\n{line}\n", "utf-8")
    code, report = lint_imports(tmp_path)
    assert (code, broken(report)) == (1, expected), report


def test_every_contract_has_a_violation_above() -> None:
    assert set().union(*(expected for _, _, expected in VIOLATIONS)) == set(CONTRACTS)


def rooms() -> list[str]:
    """Every importable room: the children of `scheduler` and `jobs`, and those of `jobs.tavus`."""
    folders = [ROOT / "scheduler", ROOT / "jobs", ROOT / "jobs" / "tavus"]
    found = [path for folder in folders for path in folder.iterdir()]
    modules = [path for path in found if path.suffix == ".py" or (path / "__init__.py").is_file()]
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in modules]
    return sorted(name for name in names if not name.endswith("__init__") and name != "jobs.tavus")


def test_every_room_stands_on_one_floor() -> None:
    floors = [name.strip(" ()") for layer in CONTRACTS["floors"]["layers"] for name in layer.split("|")]
    assert [room for room in rooms() if floors.count(room) != 1] == []


def ruff(file: str, text: str, *rules: str) -> list[dict[str, str]]:
    """What ruff says of `text` as if it stood at `file`."""
    command = [TOOLS / "ruff", "check", "--output-format=json", "--stdin-filename", file, *rules, "-"]
    done = subprocess.run(command, cwd=ROOT, input=text, capture_output=True, text=True, timeout=60)
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", BANNED)
@pytest.mark.parametrize("file", ["scheduler/daemon.py", "scheduler/cli/__init__.py", "jobs/perform.py"])
def test_a_banned_call_is_seen_to_fail(name: str, file: str) -> None:
    owner, attribute = name.rsplit(".", 1)
    module = owner.split(".")[0]
    found = ruff(file, f"import {module}\n\n{owner}.{attribute}()\n", "--select=TID251")
    assert [(each["code"], name in each["message"]) for each in found] == [("TID251", True)]
    assert BANNED[name]["msg"] in found[0]["message"]


def test_only_the_clock_the_settings_and_the_sandboxs_faults_may_call_what_is_banned() -> None:
    ignored = PYPROJECT["tool"]["ruff"]["lint"]["per-file-ignores"]
    allowed = {files for files, rules in ignored.items() if "TID251" in rules}
    assert allowed == {
        "scheduler/clock.py",
        "scheduler/settings.py",
        "jobs/tavus/sandbox/faults.py",
        "tests/**",
    }


def test_an_import_inside_a_function_is_seen_to_fail_outside_the_command_line() -> None:
    text = "def f() -> None:\n    import json\n    json.dumps(1)\n"
    assert [each["code"] for each in ruff("scheduler/ledger/sql.py", text, "--select=PLC0415")] == ["PLC0415"]
    assert ruff("scheduler/cli/plan.py", text, "--select=PLC0415") == []


def test_ruff_has_nothing_to_say() -> None:
    command = [TOOLS / "ruff", "check", "--output-format=concise", "."]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout


def test_types_are_strict() -> None:
    done = subprocess.run([TOOLS / "mypy"], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout
