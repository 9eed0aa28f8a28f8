"""The alert rules, the board and the page on metrics speak of the metrics that there are, all of them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from jobs.model import Deliver, Delivered, Inspect
from scheduler.app.observing import new_metrics
from scheduler.vitals import Reload
from tests.pure.lives import CREATED, MAIL, T0, creating
from tests.pure.test_metrics import CREWED, LEADING, tell

DEPLOY = Path(__file__).parents[2] / "configs" / "deploy"
RULES = [
    rule
    for group in yaml.safe_load((DEPLOY / "alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]
BOARD = json.loads((DEPLOY / "grafana.json").read_text())
PAGE = (DEPLOY / "README.md").read_text().split("\n## Metrics\n")[1]
SUFFIXES = re.compile("_(bucket|sum|count)$")

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="there is no promtool here (Debian: prometheus)"
)


def told() -> str:
    """A whole registry in which everything has happened once."""
    metrics = new_metrics()
    live = tell(metrics, creating(), CREATED, at=T0 + 1)
    tell(metrics, live, Delivered(MAIL), at=T0 + 2)
    metrics.done(Inspect("c1"), "ok", 0.1)
    metrics.done(Deliver(live.key, None, MAIL, "https://link", T0), "ok", 0.1)
    metrics.heartbeat("sent")
    return metrics.text(LEADING, Reload(ok=True, at=T0), CREWED, 1).decode()


TOLD = told()


def families() -> set[str]:
    """Every metric, under the name in which it is told."""
    return set(re.findall(r"^# TYPE (\w+) ", TOLD, re.M))


def named(expression: str) -> set[str]:
    """The metrics that an expression of Prometheus' names."""
    words = re.findall(r"\b(?:callboard|process)_\w+", expression)
    return {word if word in families() else SUFFIXES.sub("", word) for word in words}


def expressions() -> list[str]:
    panels = [target["expr"] for panel in BOARD["panels"] for target in panel["targets"]]
    return [*(rule["expr"] for rule in RULES), *panels]


@pytest.mark.parametrize("expression", expressions())
def test_what_is_asked_for_is_there(expression: str) -> None:
    assert named(expression) and named(expression) <= families()


def test_every_metric_is_told_on_its_page_and_no_other() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", PAGE, re.M)
    assert len(rows) == len(set(rows))
    assert set(rows) == {name for name in families() if name.startswith("callboard_")}


def test_every_metric_is_on_the_board() -> None:
    shown = set().union(*(named(target["expr"]) for panel in BOARD["panels"] for target in panel["targets"]))
    assert {name for name in families() if name.startswith("callboard_")} - shown == set()


def test_the_labels_on_the_page_are_those_that_there_are() -> None:
    page = dict(re.findall(r"^\| `(\w+)` \|([^|]*)\|", PAGE, re.M))
    labelled = re.findall(r"^(callboard_\w+)\{([^}]*)\}", TOLD, re.M)
    assert len({name for name, _ in labelled}) > 10
    for name, labels in labelled:
        family = name if name in page else SUFFIXES.sub("", name)
        found = set(re.findall(r"(\w+)=", labels)) - {"le"}
        assert found == set(re.findall(r"`(\w+)`", page[family])), name


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_is_wrong_and_what_to_do(rule: dict[str, dict[str, str]]) -> None:
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert rule["annotations"]["summary"] and rule["annotations"]["description"].endswith(".")
    tests = (DEPLOY / "alerts_test.yaml").read_text()
    assert f'alertname="{rule["alert"]}"' in tests, "nothing shows what raises it"


def test_the_board_has_room_for_each_panel() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        at = panel["gridPos"]
        own = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert at["x"] + at["w"] <= 24 and not own & taken, panel["title"]
        taken |= own
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])


def promtool(*words: str, given: str = "") -> tuple[int, str]:
    command = ["promtool", *words]
    done = subprocess.run(command, cwd=DEPLOY, input=given, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


@needs_promtool
def test_the_rules_are_rules() -> None:
    code, told = promtool("check", "rules", "alerts.yaml")
    assert code == 0 and f"{len(RULES)} rules found" in told


@needs_promtool
def test_each_alert_is_raised_by_what_it_is_for_and_by_nothing_else() -> None:
    code, told = promtool("test", "rules", "alerts_test.yaml")
    assert code == 0, told


@needs_promtool
def test_prometheus_likes_what_is_told() -> None:
    assert promtool("check", "metrics", given=TOLD) == (0, "")
