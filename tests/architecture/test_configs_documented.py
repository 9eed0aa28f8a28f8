"""Every YAML key and environment variable stands in `configs/README.md`; `reference.yaml` uses each key,
or has it commented out where another one excludes it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from jobs.model import LETTER_NAMES
from scheduler.config import schema
from scheduler.settings import ENVIRONMENT
from scheduler.templates import FILTERS, NAMES

CONFIGS = Path(__file__).parents[2] / "configs"
README = (CONFIGS / "README.md").read_text("utf-8")


def schema_keys(part: object) -> Iterator[str]:
    """The names under every `properties` of a JSON Schema."""
    if isinstance(part, dict):
        properties = part.get("properties")
        if isinstance(properties, dict):
            yield from properties
            # `properties` is also one of our own keys: its schema is looked into like any other.
            part = {**part, "properties": list(properties.values())}
        for inner in part.values():
            yield from schema_keys(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from schema_keys(inner)


def yaml_keys(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        yield from part
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from yaml_keys(inner)


KEYS = sorted(set(schema_keys(schema())))
REFERENCE = (CONFIGS / "reference.yaml").read_text("utf-8")
USED = {
    *yaml_keys(yaml.load(REFERENCE, yaml.BaseLoader)),
    *re.findall(r"^ +# (\w+): ", REFERENCE, re.MULTILINE),
}


def test_the_schema_is_read_to_its_depths() -> None:
    assert {"version", "api_key", "spread", "participant_absent_timeout", "recording_storage", "fold"} <= set(
        KEYS
    )


@pytest.mark.parametrize("key", KEYS)
def test_every_key_is_documented_and_used(key: str) -> None:
    assert f"`{key}`" in README
    assert key in USED


@pytest.mark.parametrize("word", [*ENVIRONMENT, *NAMES, *LETTER_NAMES, *FILTERS])
def test_every_variable_and_every_word_of_a_template_is_documented(word: str) -> None:
    assert f"`{word}`" in README


@pytest.mark.parametrize("path", sorted(CONFIGS.iterdir()), ids=lambda path: path.name)
def test_every_file_is_listed(path: Path) -> None:
    if path.suffix in (".yaml", ".csv"):
        assert f"`{path.name}`" in README
