"""Whatever a file holds: no traceback, bounded time and memory, messages inside it, no secret repeated.

The files are `yamls`' by seed, fed to the loader by `feeding` in a process with 256 MB. What is measured is
the processor's time for one `read`: at most 250 ms for a file of up to 64 KiB. Here a multiple of that is
allowed, since other work shares the machine; the true maxima stand in `tests/README.md`.
"""

from __future__ import annotations

import json
import string
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.config import read
from scheduler.config.suggest import nearest
from tests.proofs.keys import MODELS

ROOT = Path(__file__).parents[2]
MOST_S = 0.25 * 8
"""For an ordinary file; the factor is for a busy machine."""
MOST_LARGE_S = 2.0 * 8
MEMORY_MB = 256
BATCH = 1000
LETTERS = string.ascii_lowercase + "_"


def fed(first: int, count: int) -> dict[str, object]:
    """What became of a batch of seeds; a failure shows its seed and how to see it again."""
    command = [sys.executable, "-m", "tests.proofs.feeding", str(first), str(count)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1200)
    if done.returncode:
        last = next((line for line in reversed(done.stderr.splitlines()) if line.isdecimal()), str(first))
        told = f"the process ended with {done.returncode} at seed {last}; again: {again(last)}"
        pytest.fail(f"{told}\n{done.stderr[-2000:]}")
    seen: dict[str, object] = json.loads(done.stdout)
    return seen


def again(seed: object) -> str:
    return f"python -m tests.proofs.feeding show {seed}"


def check(seen: dict[str, object]) -> None:
    failures = seen["failures"]
    assert isinstance(failures, list)
    assert not failures, "\n".join([*failures[:10], f"again: {again(failures[0].split(':')[0].split()[1])}"])
    assert seen["slowest_s"] < MOST_S, again(seen["slowest_seed"])
    assert seen["slowest_large_s"] < MOST_LARGE_S, again(seen["slowest_large_seed"])
    assert seen["memory_mb"] <= MEMORY_MB


def check_all(files: int) -> dict[str, object]:
    """All batches; the worst of each figure."""
    worst: dict[str, object] = {}
    for first in range(0, files, BATCH):
        seen = fed(first, BATCH)
        check(seen)
        for name in ("slowest_s", "slowest_large_s", "memory_mb"):
            worst[name] = max(worst.get(name, 0), seen[name])  # type: ignore[type-var, call-overload]
        for name in ("files", "large", "good", "problems", "secrets"):
            worst[name] = worst.get(name, 0) + seen[name]  # type: ignore[operator]
    return worst


def test_two_thousand_files() -> None:
    seen = check_all(2_000)
    assert seen["files"] == 2_000
    assert all(int(str(seen[name])) > 5 for name in ("large", "good", "secrets")), seen


@pytest.mark.long
@pytest.mark.parametrize("files", [50_000, 500_000])
def test_many_files(files: int) -> None:
    print(f"\n{check_all(files)}")


def slips(word: str) -> Iterator[str]:
    """Every word one letter away: one more, one less, another one, two neighbours swapped."""
    for place in range(len(word) + 1):
        before, after = word[:place], word[place:]
        yield from (before + letter + after for letter in LETTERS)
        if after:
            yield before + after[1:]
            yield from (before + letter + after[1:] for letter in LETTERS)
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]


def test_a_slip_of_one_letter_finds_its_key_first() -> None:
    right = slipped = 0
    for model in MODELS:
        known = model.known_keys()
        for key in known:
            wrong = {slip for slip in slips(key) if slip and slip not in (*known, *model.not_yet)}
            right += sum(nearest(slip, known) == key for slip in wrong)
            slipped += len(wrong)
    print(f"\n{right} of {slipped} slips find their key first: {right / slipped:.2%}")
    assert right / slipped >= 0.95


@pytest.mark.parametrize(
    "words", ["api_key:s3cr3t", "api_key=s3cr3t", "ids: token:s3cr3t", "ids: //me:s3cr3t@x"]
)
def test_a_text_that_holds_a_secret_is_not_quoted(tmp_path: Path, words: str) -> None:
    (tmp_path / "a.yaml").write_text(f"version: 1\naccount:\n  {words}\n")
    found = read([tmp_path / "a.yaml"])[1]
    assert found
    assert not [problem for problem in found if "s3cr3t" in problem.render()]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x: [" + "a," * 120_000 + "]", "more than 100000 values in one file"),
        ("defaults: {deliver: [" + "log," * 1_001 + "]}", "the list has 1001 items: at most 1000"),
    ],
)
def test_what_no_person_wrote_is_refused_early(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.yaml").write_text(f"version: 1\n{text}\n")
    assert message in [problem.message for problem in read([tmp_path / "a.yaml"])[1]]


@pytest.mark.parametrize("name", ["Etc/GMT+5", "GB-Eire", "Factory", "EST"])
def test_a_zone_that_the_planner_would_not_take_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.yaml").write_text(f"version: 1\ndefaults: {{timezone: {name}}}\n")
    messages = [problem.message for problem in read([tmp_path / "a.yaml"])[1]]
    assert f'"{name}" is not an IANA time zone' in messages
