"""What lies in deploy/kubernetes is right by the published schemas, fits together, and fits the service."""

import copy
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import kubernetes_validate
import pytest
import yaml
from cloudcoil.models.prometheus_operator.v1 import ServiceMonitor
from pydantic import ValidationError

from service.processes.supervisor import KILL_AFTER
from service.settings import PREFIX, Settings

from ..service.conftest import running
from ..service.helpers import until
from .conftest import ROOT, ask, watching

FOLDER = ROOT / "deploy" / "kubernetes"
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
OBJECTS: list[dict[str, Any]] = [
    found
    for name in KUSTOMIZATION["resources"]
    for found in yaml.safe_load_all((FOLDER / name).read_text())
]
VERSIONS = ("1.30", "1.37")
"""Of Kubernetes: the oldest that has all that is asked for, and the newest whose schema there is."""

DEPLOYMENT, SERVICE, ADMIN, DISRUPTION, SCALER, MONITOR = OBJECTS
POD = DEPLOYMENT["spec"]["template"]
(CONTAINER,) = POD["spec"]["containers"]
ENVIRONMENT = {each["name"]: each["value"] for each in CONTAINER["env"]}
NAMES = {"app.kubernetes.io/name": "textloom"}


def check(found: dict[str, Any], version: str) -> None:
    """Raises an error if something is missing, of the wrong type, or unknown."""
    if found["kind"] == "ServiceMonitor":  # of the Prometheus operator, not of Kubernetes
        ServiceMonitor.model_validate(found, strict=False, extra="forbid")
    else:
        kubernetes_validate.validate(found, version, strict=True)


def test_there_is_one_of_each_kind_and_two_services() -> None:
    assert Counter(found["kind"] for found in OBJECTS) == {
        "Deployment": 1,
        "Service": 2,
        "PodDisruptionBudget": 1,
        "HorizontalPodAutoscaler": 1,
        "ServiceMonitor": 1,
    }


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("found", OBJECTS, ids=lambda found: found["kind"])
def test_an_object_is_right_by_the_published_schema(found: dict[str, Any], version: str) -> None:
    check(found, version)


@pytest.mark.parametrize("found", OBJECTS, ids=lambda found: found["kind"])
def test_a_field_that_there_is_not_would_be_found(found: dict[str, Any]) -> None:
    wrong = copy.deepcopy(found)
    wrong["spec"]["replicsa"] = 1
    with pytest.raises((kubernetes_validate.ValidationError, ValidationError)):
        check(wrong, VERSIONS[0])


def test_kustomize_makes_the_same_of_it_with_the_image_in_its_place() -> None:
    ways = (("kubectl", "kustomize"), ("kustomize", "build"))
    way = next((way for way in ways if shutil.which(way[0])), None)
    if not way:
        pytest.skip("there is neither kubectl nor kustomize here")
    done = subprocess.run([*way, FOLDER], capture_output=True, text=True, check=True)
    made = list(yaml.safe_load_all(done.stdout))
    expected = copy.deepcopy(OBJECTS)
    (image,) = KUSTOMIZATION["images"]
    place = expected[0]["spec"]["template"]["spec"]["containers"][0]
    assert place["image"] == image["name"]
    place["image"] = f"{image['newName']}:{image['newTag']}"
    by_name = [
        {(each["kind"], each["metadata"]["name"]): each for each in objects}
        for objects in (made, expected)
    ]
    assert by_name[0] == by_name[1]


def test_everything_that_chooses_pods_chooses_these() -> None:
    assert POD["metadata"]["labels"] == NAMES
    (spread,) = POD["spec"]["topologySpreadConstraints"]
    for holder in (DEPLOYMENT["spec"]["selector"], DISRUPTION["spec"]["selector"]):
        assert holder == {"matchLabels": NAMES}
    assert spread["labelSelector"] == {"matchLabels": NAMES}
    for service in (SERVICE, ADMIN):
        assert service["spec"]["selector"] == NAMES
    target = SCALER["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == ("Deployment", DEPLOYMENT["metadata"]["name"])
    assert "replicas" not in DEPLOYMENT["spec"]


def test_callers_reach_the_first_port_only_and_prometheus_the_second() -> None:
    ports = {port["name"]: port["containerPort"] for port in CONTAINER["ports"]}
    assert ports["http"] == Settings.model_fields["port"].default
    assert ports["admin"] == int(ENVIRONMENT[PREFIX + "ADMIN"].rpartition(":")[2])
    assert [port["targetPort"] for port in SERVICE["spec"]["ports"]] == ["http"]
    assert [port["targetPort"] for port in ADMIN["spec"]["ports"]] == ["admin"]
    wanted = MONITOR["spec"]["selector"]["matchLabels"].items()
    assert wanted <= ADMIN["metadata"]["labels"].items()
    assert not wanted <= SERVICE["metadata"]["labels"].items()
    (endpoint,) = MONITOR["spec"]["endpoints"]
    assert endpoint["port"] in {port["name"] for port in ADMIN["spec"]["ports"]}
    # the alerts look for this job
    assert ADMIN["metadata"]["labels"][MONITOR["spec"]["jobLabel"]] == "textloom"


def test_a_pod_has_the_user_of_the_image_and_may_do_nothing_else() -> None:
    user, group = re.findall(
        r"^USER (\d+):(\d+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE
    )[0]
    inside = POD["spec"]["securityContext"]
    assert (inside["runAsUser"], inside["runAsGroup"]) == (int(user), int(group))
    assert inside["runAsNonRoot"]
    assert inside["seccompProfile"] == {"type": "RuntimeDefault"}
    assert CONTAINER["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert POD["spec"]["automountServiceAccountToken"] is False
    for kind in ("requests", "limits"):
        assert CONTAINER["resources"][kind].keys() == {"cpu", "memory"}


def test_a_pod_has_the_time_to_finish_what_it_has_accepted() -> None:
    pause = CONTAINER["lifecycle"]["preStop"]["sleep"]["seconds"]
    needed = pause + Settings.model_fields["shutdown_seconds"].default + KILL_AFTER
    assert POD["spec"]["terminationGracePeriodSeconds"] >= needed


def test_the_service_starts_with_these_settings_and_answers_the_probes(
    tmp_path: Path, tiny_models: Path
) -> None:
    flags = {name.removeprefix(PREFIX).lower(): value for name, value in ENVIRONMENT.items()}
    assert flags.keys() <= Settings.model_fields.keys()
    flags["admin"] = "127.0.0.1:0"
    models = ("--models", str(tiny_models), "--workers", "2")
    arguments = [f"--{name.replace('_', '-')}={value}" for name, value in flags.items()]
    log = tmp_path / "log"
    with running(log, *models, *arguments, ready=False) as (_, client):
        until(lambda: "health and metrics: " in log.read_text())
        admin = re.findall(r"health and metrics: (http://[0-9.:]+)", log.read_text())[0]
        paths = [
            CONTAINER[probe]["httpGet"]["path"]
            for probe in ("startupProbe", "livenessProbe", "readinessProbe")
        ]
        assert paths == ["/health/live", "/health/live", "/health/ready"]
        (endpoint,) = MONITOR["spec"]["endpoints"]
        with httpx.Client(base_url=admin, timeout=120) as second:
            for path in (*paths, endpoint["path"]):
                until(lambda path=path: second.get(path).status_code == 200)
                assert client.get(path).status_code == 404


def test_the_adapter_finds_the_depth_of_the_queue_that_adds_pods(
    tmp_path: Path, tiny_models: Path
) -> None:
    (rule,) = yaml.safe_load((FOLDER / "prometheus-adapter.yaml").read_text())["rules"]
    (metric,) = SCALER["spec"]["metrics"]
    assert metric["pods"]["metric"]["name"] == rule["name"]["as"]
    assert rule["resources"]["overrides"].keys() == {"namespace", "pod"}
    series = re.match(r"\w+", rule["seriesQuery"])
    assert series
    # what the adapter puts in; there is no pod here, but there is an instance
    query = rule["metricsQuery"].replace("<<.Series>>", series[0])
    query = query.replace("<<.LabelMatchers>>", 'job="textloom"').replace(
        "<<.GroupBy>>", "instance"
    )
    with (
        running(tmp_path / "log", "--models", str(tiny_models), "--workers", "2") as (_, service),
        watching(tmp_path, service) as prometheus,
    ):
        until(lambda: ask(prometheus, query))
        assert [each["value"][1] for each in ask(prometheus, query)] == ["0"]
