"""Feeds seeds of `yamls` to the loader, in a process of its own with 256 MB, and says what became of them.

    python -m tests.proofs.feeding FIRST COUNT      # one JSON document: what was seen, what went wrong
    python -m tests.proofs.feeding show SEED        # one seed: its files, and all that the loader says

Before each seed its number goes to stderr, so that a process that was killed tells where.
"""

from __future__ import annotations

import json
import re
import resource
import sys
import tempfile
import time
import traceback
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path

from scheduler.config import Problem, read
from scheduler.model import Config
from scheduler.planner import occurrences
from tests.proofs.yamls import Case, case

MEMORY_BYTES = 256 << 20
NOW = 1_795_000_000.0
"""An instant in November 2026, from which what was read is planned."""
_BREAKS = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


@dataclass
class Fed:
    """What was seen of a range of seeds."""

    files: int = 0
    large: int = 0
    good: int = 0
    problems: int = 0
    secrets: int = 0
    slowest_s: float = 0.0
    slowest_seed: int = -1
    slowest_large_s: float = 0.0
    slowest_large_seed: int = -1
    memory_mb: int = 0
    failures: list[str] = field(default_factory=list)


def feed(seeds: range, folder: Path, seen: Fed) -> Fed:
    read([write(case(0), folder)])  # what is done once in a process is no file's cost
    for seed in seeds:
        print(seed, file=sys.stderr, flush=True)
        one(case(seed), folder, seen)
    seen.memory_mb = peak_mb()
    return seen


def peak_mb() -> int:
    """The most memory that this process has had. (`ru_maxrss` would also count what its parent had.)"""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) >> 10


def write(it: Case, folder: Path) -> Path:
    for name, data in it.files.items():
        (folder / name).write_bytes(data)
    return folder / "a.yaml"


def one(it: Case, folder: Path, seen: Fed) -> None:
    path = write(it, folder)
    try:
        start = time.process_time()
        config, problems = read([path])
        took_s = time.process_time() - start
        promised(config)
        complaints = list(wrong(it, folder, config, problems))
    except BaseException as error:
        took_s, problems, config = 0.0, (), None
        complaints = [f"{type(error).__name__}: {error}", *traceback.format_tb(error.__traceback__)[-2:]]
    note(it, took_s, seen)
    seen.good += config is not None
    seen.problems += len(problems)
    seen.failures += [f"seed {it.seed}: {complaint}" for complaint in complaints]


def note(it: Case, took_s: float, seen: Fed) -> None:
    seen.files += 1
    seen.large += it.large
    seen.secrets += it.canary is not None
    if it.large and took_s > seen.slowest_large_s:
        seen.slowest_large_s, seen.slowest_large_seed = took_s, it.seed
    if not it.large and took_s > seen.slowest_s:
        seen.slowest_s, seen.slowest_seed = took_s, it.seed


def promised(config: Config | None) -> None:
    """What was let through must be good for the planner, too."""
    if config is not None:
        list(islice(occurrences(config.schedules.values(), NOW, NOW + 40 * 86400), 500))


def wrong(it: Case, folder: Path, config: Config | None, problems: tuple[Problem, ...]) -> list[str]:
    """What the loader owes to whoever wrote the file, and didn't keep."""
    found: list[str] = []
    if (config is None) != any(problem.severity == "error" for problem in problems):
        found.append("refused without an error, or accepted with one")
    for problem in problems:
        said = (problem.render(), problem.message, problem.hint or "", problem.source_line or "")
        if it.canary and any(it.canary in text for text in said):
            found.append(f"a secret is repeated: {problem.message!r} {problem.source_line!r}")
        if not all(line.isprintable() for line in said[0].split("\n")):
            found.append(f"drives a terminal: {said[0]!r}")
        if not inside(problem, it, folder):
            found.append(f"outside the file: {problem.file}:{problem.line}:{problem.column}")
    return found


def inside(problem: Problem, it: Case, folder: Path) -> bool:
    data = it.files.get(problem.file.removeprefix(f"{folder}/"))
    if data is None:
        return False
    if problem.line == 0:
        return True
    lines = _BREAKS.split(data.decode("utf-8-sig", "replace"))
    return problem.line <= len(lines) and 1 <= problem.column <= len(lines[problem.line - 1]) + 1


def show(seed: int, folder: Path) -> None:
    it, seen = case(seed), Fed()
    path = write(it, folder)
    print(it.files["a.yaml"][:4000].decode("utf-8", "backslashreplace"))
    one(it, folder, seen)
    print(json.dumps(asdict(seen), indent=1))
    for problem in read([path])[1][:20]:
        print(problem.render())


def main(words: list[str]) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    with tempfile.TemporaryDirectory() as folder:
        if words[0] == "show":
            show(int(words[1]), Path(folder))
            return
        first, count = map(int, words)
        print(json.dumps(asdict(feed(range(first, first + count), Path(folder), Fed()))))


if __name__ == "__main__":
    main(sys.argv[1:])
