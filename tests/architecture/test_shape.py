"""The shape of the house: sizes, opening paragraphs, words that are refused.

What `lint-imports` and `ruff` can't say, read from the syntax trees. A function's size is its lines from
`def` to its end, its docstring and the functions inside it not counted; a file's size is all of its lines.
"""

from __future__ import annotations

import ast
import re
import subprocess
from functools import cache
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = sorted(path for room in ("scheduler", "jobs") for path in (ROOT / room).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
REFUSED_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "core", "misc"}
MACHINE_PATHS = re.compile(
    "|".join(["/wo" + "rk/", "/ro" + "ot/", "/tmp/" + "venv", r"\.py" + "env/versions"])
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def each(files: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", files, ids=lambda path: str(path.relative_to(ROOT)))


def span(node: ast.AST) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)  # type: ignore[attr-defined]


def own_lines(function: Function) -> int:
    """The lines that are the function's own: without its docstring and the functions inside it."""
    lines = set(span(function))
    for node in ast.walk(function):
        if isinstance(node, Function) and node is not function:
            lines -= set(span(node))
    if ast.get_docstring(function) is not None:
        lines -= set(span(function.body[0]))
    return len(lines)


def functions() -> list[tuple[int, str]]:
    """Every function of the product as (its own lines, where it stands)."""
    return [
        (own_lines(node), f"{path.relative_to(ROOT)}:{node.lineno} {node.name}")
        for path in PRODUCT
        for node in ast.walk(tree(path))
        if isinstance(node, Function)
    ]


def test_functions_are_a_few_lines() -> None:
    found = sorted(functions(), reverse=True)
    sizes = [size for size, _ in found]
    assert [where for size, where in found if size > 50] == []
    assert sum(size <= 25 for size in sizes) >= 0.9 * len(sizes), found[: len(sizes) // 10]
    assert median(sizes) <= 8


@each(PRODUCT + TESTS)
def test_no_file_is_above_300_lines(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 300


@each(PRODUCT)
def test_every_module_opens_with_a_paragraph(path: Path) -> None:
    first, *rest = (ast.get_docstring(tree(path)) or "").split("\n")
    assert first.endswith((".", "?", ":")) or rest, "the module opens with no paragraph"
    assert len(" ".join([first, *rest]).split()) >= 12, (
        "a paragraph says what the room does and what it does not"
    )


@each(PRODUCT)
def test_no_module_is_named_after_nothing(path: Path) -> None:
    assert not {part.removesuffix(".py") for part in path.relative_to(ROOT).parts} & REFUSED_NAMES


@each(PRODUCT)
def test_no_task_is_born_on_a_bare_loop(path: Path) -> None:
    """Ruff sees `asyncio.create_task`; this sees `loop.create_task` and `get_running_loop().create_task`."""
    called = [node.func for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
    born = [call for call in called if isinstance(call, ast.Attribute) and call.attr == "create_task"]
    owners = [ast.unparse(call.value) for call in born]
    assert [owner for owner in owners if "loop" in owner] == []


@each(PRODUCT)
def test_a_module_holds_no_state(path: Path) -> None:
    """An empty list, dict or set at the top of a module is waiting to be filled; `global` fills it."""
    nodes = tree(path).body
    values = [node.value for node in nodes if isinstance(node, ast.Assign | ast.AnnAssign) and node.value]
    empty = {"[]", "{}", "set()", "dict()", "list()", "defaultdict(list)", "deque()"}
    assert [ast.unparse(value) for value in values if ast.unparse(value) in empty] == []
    assert not [node for node in ast.walk(tree(path)) if isinstance(node, ast.Global)]


@each(TESTS)
def test_nothing_of_ours_is_patched(path: Path) -> None:
    words = [
        ast.unparse(node) for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute | ast.alias)
    ]
    refused = {"monkeypatch.setattr", "monkeypatch.setitem", "mock.patch", "mocker.patch", "unittest.mock"}
    assert refused.isdisjoint(words)


def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.split("\0") if name]


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a checkout")
def test_no_tracked_line_names_a_path_of_one_machine() -> None:
    texts = [(path, path.read_text("utf-8", "replace")) for path in tracked_files() if path.is_file()]
    found = [
        f"{path}:{n}"
        for path, text in texts
        for n, line in enumerate(text.splitlines(), 1)
        if MACHINE_PATHS.search(line)
    ]
    assert found == []
