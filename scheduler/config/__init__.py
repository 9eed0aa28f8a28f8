"""YAML text into a configuration, or every error with its file, line, column and a way out.

The road: `files` (paths to text) - `tree` (text to a tree with marks, limits first) - `merge`
(several files to one) - `reading` with `models` (trees to keys) - `rosters`, `calendars`, `checks`
(what belongs together) - `resolve` (values of `scheduler.model`). `problems` shows what is wrong.
No instant is computed here, no secret is read, and nothing outside the given paths and the rosters
they name is opened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from scheduler.config.content import Content, content
from scheduler.config.files import sources
from scheduler.config.generation import freeze, thaw
from scheduler.config.merge import join
from scheduler.config.problems import ConfigErrors, Problem, Report
from scheduler.config.resolve import read_alone, resolve
from scheduler.config.schema import schema
from scheduler.config.tree import parse
from scheduler.model import Config

__all__ = ["ConfigErrors", "Content", "Problem", "content", "freeze", "load", "read", "schema", "thaw"]


def load(paths: Sequence[Path]) -> Config:
    """The whole configuration of these files and directories, checked; warnings are in it, as text.

    Raises ConfigErrors with every error and warning, in file order; nothing is half loaded (S7).
    """
    config, problems = read(paths)
    if config is None:
        raise ConfigErrors(problems)
    return config


def read(paths: Sequence[Path]) -> tuple[Config | None, tuple[Problem, ...]]:
    """The same without raising: the configuration, if it is one, and all there is to say about it."""
    report = Report()
    found = sources(paths, report)
    complete = not report.failed
    trees = [tree for source in found if source and (tree := parse(source, report))]
    joined = join(trees, report)
    if complete and len(trees) == len(found):
        config = resolve(trees, joined, report)
    else:  # what is said of a file that nobody could read would only mislead
        config = None
        read_alone(joined, report)
    problems = report.problems()
    return config and replace(config, warnings=tuple(map(str, problems))), problems
