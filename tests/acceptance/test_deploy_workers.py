"""The files for several workers say what the program does, and speak only of what there is."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from scheduler.cli import commands
from scheduler.cli.run import BAD_CONFIG, NO_PERMISSION
from scheduler.config import load
from scheduler.ledger.place import Database, place_of
from scheduler.policy import STEP_BOX_S
from scheduler.web.sessions import LASTS_S
from tests.acceptance.conftest import Run
from tests.acceptance.test_deploy import CONTAINER, DEPLOY, README, layer

Tree = Mapping[str, Any]

PROJECT = tomllib.loads((DEPLOY.parents[1] / "pyproject.toml").read_text())["project"]
CLUSTER = DEPLOY / "kubernetes"
KUSTOMIZATION: Tree = yaml.safe_load((CLUSTER / "kustomization.yaml").read_text())
OBJECTS: list[Tree] = [
    each for name in KUSTOMIZATION["resources"] for each in yaml.safe_load_all((CLUSTER / name).read_text())
]
KINDS = {each["kind"]: each for each in OBJECTS}
PODS: dict[str, Tree] = {kind: KINDS[kind]["spec"]["template"] for kind in ("Deployment", "Job")}
COMPOSE: Tree = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, Tree] = COMPOSE["services"]
OURS = {name: each for name, each in SERVICES.items() if each["image"] == "callboard"}
TEAM = CLUSTER / "team.yaml"
IMAGE = dict(word.split("=", 1) for word in layer("ENV")[0].split())

needs_kubectl = pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl here")
each_pod = pytest.mark.parametrize("kind", PODS)


def container(kind: str) -> Tree:
    (found,) = PODS[kind]["spec"]["containers"]
    return dict(found)


def environment(kind: str) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container(kind)["env"]}


def mounted(kind: str) -> Iterator[tuple[Tree, Tree]]:
    """Each mount with its volume."""
    volumes = {each["name"]: each for each in PODS[kind]["spec"]["volumes"]}
    for mount in container(kind)["volumeMounts"]:
        yield mount, volumes.pop(mount["name"])
    assert not volumes, "there are volumes that nobody mounts"


def secrets_of(kind: str) -> set[str]:
    """The paths at which this pod finds secrets."""
    keys = set(re.findall(r"--from-file=(\S+)", README))
    for mount, volume in mounted(kind):
        if "secret" in volume:
            shown = {each["path"] for each in volume["secret"].get("items", ())} or keys
            assert {each["key"] for each in volume["secret"].get("items", ())} <= keys
            assert volume["secret"]["secretName"] == "callboard", "README makes this one"
            return {f"{mount['mountPath']}/{name}" for name in shown}
    return set()


def starts(words: list[str]) -> None:
    """That these words are a command."""
    command: click.Command = commands
    name = "callboard"
    while isinstance(command, click.Group):
        name, *words = words
        command = command.commands[name]
    command.make_context(name, list(words))


def covers(selector: Mapping[str, str], pod: Tree) -> bool:
    return bool(selector.items() <= pod["metadata"]["labels"].items())


def secret_names() -> set[str]:
    """The secrets that the sample asks for, and the database's."""
    config = load([TEAM])
    assert config.service.admin_token is not None
    return {config.account.api_key.name, config.service.admin_token.name, "PGPASSWORD"}


def test_the_image_can_reach_a_database_and_watch_files() -> None:
    extras = re.findall(r"(?:/source|callboard)\[([\w,]+)\]", CONTAINER)
    assert extras == ["postgres,watch"] * 2
    assert set(extras[0].split(",")) <= PROJECT["optional-dependencies"].keys()


def test_every_file_of_the_cluster_is_used() -> None:
    (generator,) = KUSTOMIZATION["configMapGenerator"]
    used = {"kustomization.yaml", *KUSTOMIZATION["resources"], *generator["files"]}
    assert {path.name for path in CLUSTER.iterdir()} == used
    (image,) = KUSTOMIZATION["images"]
    assert image["newTag"] == PROJECT["version"]
    assert {container(kind)["image"] for kind in PODS} == {image["name"]}


def test_the_sample_is_right(callboard: Run) -> None:
    done = callboard("check", TEAM)
    assert (done.returncode, done.stderr) == (0, "")


@needs_kubectl
def test_kubectl_builds_it() -> None:
    done = subprocess.run(["kubectl", "kustomize", CLUSTER], capture_output=True, text=True, timeout=60)
    built = list(yaml.safe_load_all(done.stdout))
    assert sorted(each["kind"] for each in built) == sorted(["ConfigMap", *KINDS])
    assert not any("namespace" in each["metadata"] for each in built)


def test_no_secret_stands_in_any_of_it() -> None:
    assert "Secret" not in KINDS
    for named in (*map(environment, PODS), *(each["environment"] for each in OURS.values())):
        assert not secret_names() & named.keys()
    assert "POSTGRES_PASSWORD" not in SERVICES["postgres"]["environment"]


@each_pod
def test_each_pod_starts_what_there_is(kind: str) -> None:
    starts(container(kind)["args"])


@each_pod
def test_each_secret_is_where_it_is_looked_for(kind: str) -> None:
    files = {name: value for name, value in environment(kind).items() if name.endswith("_FILE")}
    wanted = {f"{name}_FILE" for name in secret_names()} if kind == "Deployment" else {"PGPASSWORD_FILE"}
    assert files.keys() == wanted
    assert set(files.values()) <= secrets_of(kind)
    (certificate,) = re.findall(r"sslrootcert=([^&]+)", load([TEAM]).service.ledger)
    assert certificate in secrets_of(kind)


@each_pod
def test_the_configuration_is_a_directory_that_follows_its_configmap(kind: str) -> None:
    (generator,) = KUSTOMIZATION["configMapGenerator"]
    ((mount, volume),) = [each for each in mounted(kind) if "configMap" in each[1]]
    assert volume["configMap"]["name"] == generator["name"]
    assert generator["options"]["disableNameSuffixHash"] is True
    assert mount["mountPath"] == IMAGE["CALLBOARD_CONFIG"]
    assert not any("subPath" in each for each, _ in mounted(kind))
    assert load([TEAM]).service.reload == "watch"


@each_pod
def test_the_files_ledger_counts_and_not_the_images(kind: str) -> None:
    assert IMAGE["CALLBOARD_LEDGER"]
    assert environment(kind)["CALLBOARD_LEDGER"] == ""
    assert isinstance(place_of(load([TEAM]).service.ledger), Database)


@each_pod
def test_each_pod_is_closed(kind: str) -> None:
    pod, inside = PODS[kind]["spec"]["securityContext"], container(kind)["securityContext"]
    user, _, group = layer("USER")[0].partition(":")
    assert (pod["runAsNonRoot"], pod["runAsUser"], pod["runAsGroup"]) == (True, int(user), int(group))
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert inside["capabilities"] == {"drop": ["ALL"]}
    assert inside["readOnlyRootFilesystem"] and not inside["allowPrivilegeEscalation"]
    assert PODS[kind]["spec"]["automountServiceAccountToken"] is False
    assert [mount["mountPath"] for mount, _ in mounted(kind) if not mount.get("readOnly")] == ["/tmp"]


def test_what_is_asked_about_health_is_there() -> None:
    source = (DEPLOY.parents[1] / "scheduler" / "web" / "health.py").read_text()
    paths = set(re.findall(r'web\.get\("(/\w+)"', source))
    worker = container("Deployment")
    probes = {name: worker[name]["httpGet"] for name in worker if name.endswith("Probe")}
    assert probes["livenessProbe"]["path"] == probes["startupProbe"]["path"] == "/livez"
    assert probes["readinessProbe"]["path"] == "/readyz"
    assert {each["path"] for each in probes.values()} <= paths
    assert {each["port"] for each in probes.values()} == {"page"}


def test_the_port_is_one() -> None:
    service = load([TEAM]).service
    assert service.listen is not None
    assert service.listen.host == "0.0.0.0" and service.admin_token is not None
    assert container("Deployment")["ports"] == [{"name": "page", "containerPort": service.listen.port}]
    (port,), (ingress,) = KINDS["Service"]["spec"]["ports"], KINDS["NetworkPolicy"]["spec"]["ingress"]
    assert port["targetPort"] == "page"
    assert [each["port"] for each in ingress["ports"]] == ["page"]
    assert PODS["Deployment"]["metadata"]["annotations"]["prometheus.io/port"] == str(service.listen.port)


def test_a_session_stays_at_its_worker() -> None:
    affinity = KINDS["Service"]["spec"]["sessionAffinityConfig"]["clientIP"]
    assert affinity["timeoutSeconds"] == LASTS_S


def test_who_is_selected() -> None:
    workers, migration = PODS["Deployment"], PODS["Job"]
    spread = [each["labelSelector"] for each in workers["spec"]["topologySpreadConstraints"]]
    for kind in ("Deployment", "PodDisruptionBudget"):
        spread.append(KINDS[kind]["spec"]["selector"])
    chosen = [each["matchLabels"] for each in spread] + [KINDS["Service"]["spec"]["selector"]]
    assert all(covers(each, workers) and not covers(each, migration) for each in chosen)
    closed = KINDS["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"]
    assert covers(closed, workers) and covers(closed, migration)


def test_the_migration_is_applied_first_with_what_it_reads() -> None:
    (selector,) = re.findall(r"kubectl apply -k \S+ -l (\S+)", README)
    name, _, value = selector.partition("=")
    (generator,) = KUSTOMIZATION["configMapGenerator"]
    assert generator["options"]["labels"][name] == value
    assert [each["kind"] for each in OBJECTS if each["metadata"]["labels"][name] == value] == ["Job"]
    assert KINDS["Job"]["metadata"]["name"] == f"callboard-{value}"
    (rule,) = KINDS["Job"]["spec"]["podFailurePolicy"]["rules"]
    assert sorted(rule["onExitCodes"]["values"]) == sorted((NO_PERMISSION, BAD_CONFIG))


def test_one_leads_and_one_can_take_over_whatever_is_replaced() -> None:
    spec, budget = KINDS["Deployment"]["spec"], KINDS["PodDisruptionBudget"]["spec"]
    assert spec["replicas"] - budget["maxUnavailable"] >= 2
    assert spec["replicas"] - spec["strategy"]["rollingUpdate"]["maxUnavailable"] >= 2
    assert spec["template"]["spec"]["terminationGracePeriodSeconds"] > STEP_BOX_S


def test_compose_speaks_of_what_it_has() -> None:
    for name, service in SERVICES.items():
        assert set(service["networks"]) <= COMPOSE["networks"].keys(), name
        assert set(service["secrets"]) <= COMPOSE["secrets"].keys(), name
        assert service.get("depends_on", {}).keys() <= SERVICES.keys(), name
    told = set(re.findall(r"> (secrets/\S+)", README))
    assert {each["file"] for each in COMPOSE["secrets"].values()} == {f"./{name}" for name in told}
    for hidden in (".dockerignore", ".gitignore"):
        lines = {line.rstrip("/") for line in (DEPLOY.parents[1] / hidden).read_text().splitlines()}
        assert {"configs/deploy/secrets", "configs/deploy/team"} <= lines


def test_compose_hides_the_database_and_shows_pages_to_this_machine_alone() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert len(published) == 2 and all(port.startswith("127.0.0.1:") for port in published)
    assert COMPOSE["networks"]["ledger"]["internal"] is True
    assert SERVICES["postgres"]["networks"] == ["ledger"]


def test_the_workers_of_compose_share_its_database() -> None:
    database = SERVICES["postgres"]["environment"]
    url = f"postgresql://{database['POSTGRES_USER']}@postgres/{database['POSTGRES_DB']}"
    assert {each["environment"]["CALLBOARD_LEDGER"] for each in OURS.values()} == {url}
    assert isinstance(place_of(url), Database)
    assert OURS.keys() == {"migration", "one", "two"}
    for name in ("one", "two"):
        assert OURS[name]["depends_on"]["postgres"] == {"condition": "service_healthy"}
        assert OURS[name]["depends_on"]["migration"] == {"condition": "service_completed_successfully"}


@pytest.mark.parametrize("name", OURS)
def test_each_of_compose_is_closed_and_may_drain(name: str) -> None:
    service = OURS[name]
    starts(service["command"])
    build = service["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).samefile(DEPLOY / "Containerfile")
    assert service["volumes"] == [f"./team:{IMAGE['CALLBOARD_CONFIG']}:ro"]
    assert service["read_only"] and service["cap_drop"] == ["ALL"]
    assert int(service["stop_grace_period"].removesuffix("s")) > STEP_BOX_S
    files = {value for key, value in service["environment"].items() if key.endswith("_FILE")}
    assert {f"/run/secrets/{each}" for each in service["secrets"]} <= files


@pytest.mark.parametrize("path", sorted(CLUSTER.glob("*.yaml")), ids=lambda path: path.name)
def test_each_file_says_what_it_is_for(path: Path) -> None:
    assert path.read_text().startswith("# ")
