"""The JSON Schema of the YAML, for editors (`# yaml-language-server:`).

Made from the models, in the draft that yaml-language-server reads. It tells keys, shapes and words;
what belongs together is left to `callboard check`.
"""

from __future__ import annotations

from typing import Any

from scheduler.config.models import FileKeys

DRAFT_07 = "http://json-schema.org/draft-07/schema#"


def schema() -> dict[str, Any]:
    """JSON Schema, draft-07; new each time."""
    drafted = _drafted(FileKeys.model_json_schema())
    return {"$schema": DRAFT_07, **drafted, "title": "callboard"}


def _drafted(node: Any) -> Any:
    """2020-12 in draft-07's words; what may be left out isn't thereby null."""
    if isinstance(node, list):
        return [_drafted(item) for item in node]
    if not isinstance(node, dict):
        return node.replace("#/$defs/", "#/definitions/") if isinstance(node, str) else node
    kept = {key: value for key, value in node.items() if key not in ("title", "default")}
    if "properties" in node:  # keys of ours, whatever they are called
        kept["properties"] = {key: _drafted(value) for key, value in node["properties"].items()}
    made = {_renamed(key): value if key == "properties" else _drafted(value) for key, value in kept.items()}
    forms = [form for form in made.get("anyOf", ()) if form != {"type": "null"}]
    if "anyOf" in made:
        del made["anyOf"]
        made.update(forms[0] if len(forms) == 1 else {"anyOf": forms})
    return made


def _renamed(key: str) -> str:
    return "definitions" if key == "$defs" else key
