"""What Helm makes of the chart is right by the published schemas, fits together, and fits the service."""

import base64
import copy
import functools
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx
import kubernetes_validate
import pytest
import yaml
from cloudcoil.models.keda.v1alpha1 import ScaledObject
from cloudcoil.models.prometheus_operator.v1 import PrometheusRule, ServiceMonitor
from pydantic import ValidationError

from service.auth.api_keys import KeyFile
from service.processes.supervisor import KILL_AFTER
from service.settings import PREFIX, Settings

from ..service.conftest import running
from ..service.helpers import until
from .conftest import PROMETHEUS, ROOT, ask, watching

FOLDER = ROOT / "deploy" / "helm"
CHART = FOLDER / "textloom"
VALUES = sorted((CHART / "ci").glob("*-values.yaml"))
DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
SET_BY_THE_CHART = {"host", "port", "models", "keys", "admin"}

VERSIONS = ("1.30", "1.37")
"""Of Kubernetes: the oldest that has all that is asked for, and the newest whose schema there is."""
OPERATORS = {
    "PrometheusRule": PrometheusRule,
    "ServiceMonitor": ServiceMonitor,
    "ScaledObject": ScaledObject,
}
"""Kinds that Kubernetes itself does not know."""

Object = dict[str, Any]


def helm(
    *arguments: str | Path, check: bool = True, cwd: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    beside = Path(sys.executable).with_name("helm")
    program = shutil.which("helm") or (beside if beside.exists() else None)
    if not program:
        pytest.skip("NOT CHECKED, the chart: there is no helm here; `make install` brings it")
    done = subprocess.run(
        [program, *arguments], capture_output=True, text=True, check=False, cwd=cwd
    )
    assert done.returncode == 0 or not check, done.stderr
    return done


@functools.cache
def rendered(*values: str, version: str = VERSIONS[1], release: str = "text") -> tuple[Object, ...]:
    """What a release of the chart with these files of values consists of."""
    files = [f"--values={CHART / 'ci' / name}-values.yaml" for name in values]
    version = f"--kube-version={version}"
    done = helm("template", release, CHART, "--namespace=here", version, *files)
    return tuple(each for each in yaml.safe_load_all(done.stdout) if each)


def of_kind(objects: Iterable[Object], kind: str, name: str = "text-textloom") -> Object:
    (found,) = (x for x in objects if x["kind"] == kind and x["metadata"]["name"] == name)
    return found


def container(objects: Iterable[Object]) -> Object:
    (found,) = of_kind(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    return dict(found)


def environment(objects: Iterable[Object]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container(objects)["env"]}


def check(found: Object, version: str) -> None:
    """Raises an error if something is missing, of the wrong type, or unknown."""
    if model := OPERATORS.get(found["kind"]):
        model.model_validate(found, strict=False, extra="forbid")
    else:
        kubernetes_validate.validate(found, version, strict=True)


@pytest.mark.parametrize(
    ("values", "version"),
    [
        (path.stem.removesuffix("-values"), version)
        for path in VALUES
        for version in VERSIONS
        if "image-values" not in path.name or version != "1.30"  # which has no volumes from images
    ],
)
def test_a_release_is_right_by_the_published_schemas(values: str, version: str) -> None:
    objects = rendered(values, version=version)
    identities = [(each["kind"], each["metadata"]["name"]) for each in objects]
    assert len(set(identities)) == len(identities)
    for found in objects:
        check(found, version)


def test_the_files_of_values_bring_out_every_kind() -> None:
    kinds = {each["kind"] for path in VALUES for each in rendered(path.stem[: -len("-values")])}
    assert kinds == {
        "ConfigMap",
        "Deployment",
        "HorizontalPodAutoscaler",
        "Ingress",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "PrometheusRule",
        "ScaledObject",
        "Secret",
        "Service",
        "ServiceMonitor",
    }
    assert {each["kind"] for each in rendered("bare")} == {
        "Deployment",
        "PodDisruptionBudget",
        "Service",
    }


def test_a_field_that_there_is_not_would_be_found() -> None:
    objects = [*rendered("minimal"), *rendered("models-claim"), *rendered("public")]
    for found in (copy.deepcopy(each) for each in objects if "spec" in each):
        found["spec"]["replicsa"] = 1
        with pytest.raises((kubernetes_validate.ValidationError, ValidationError)):
            check(found, VERSIONS[0])


def test_helm_has_nothing_to_say_against_the_chart_and_packs_all_of_it(tmp_path: Path) -> None:
    helm("lint", "--strict", CHART, "--values", CHART / "ci" / "minimal-values.yaml")
    helm("package", CHART, "--destination", tmp_path)
    (packed,) = tmp_path.glob("*.tgz")
    values = f"--values={CHART / 'ci' / 'minimal-values.yaml'}"
    # the rules and the dashboards lie elsewhere, and are in it all the same
    assert (
        helm("template", "text", packed, values).stdout
        == helm("template", "text", CHART, values).stdout
    )


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("image.repository=", "image.repository: where the image has been pushed to"),
        ("settings.max_text=3", "'max_text' not allowed"),
        ("settings.port=3", "'port' not allowed"),
        ("settings.max_texts=0", "minimum"),
        ("replica=3", "'replica' not allowed"),
        ("autoscaling.by=cpu", "must be one of"),
        ("ingress.enabled=true", "ingress.host: the name under which callers ask"),
        ("models.claim=a,models.image=b", "give one of them"),
        ("keys.file=a,keys.secret=b", "give one of them"),
        # without it, or with nobody in it, everybody would be let in
        ("networkPolicy.monitoring=null", "missing property 'monitoring'"),
        ("networkPolicy.monitoring=[]", "minItems"),
    ],
)
def test_a_wrong_value_is_refused_with_a_reason(wrong: str, said: str) -> None:
    values = CHART / "ci" / "minimal-values.yaml"
    done = helm(
        "template",
        "text",
        CHART,
        f"--values={values}",
        f"--set-json={wrong}" if "[" in wrong else f"--set={wrong}",
        check=False,
    )
    assert done.returncode
    assert said in done.stderr


def test_the_documented_commands_make_releases(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "scaling.md").read_text()
    commands = re.findall(r"^\$ helm ((?:.+\\\n)*.+)", page, re.MULTILINE)
    (tmp_path / "deploy").symlink_to(ROOT / "deploy")
    (tmp_path / "keys.json").write_text('{"keys": []}')
    made = []
    for command in commands:
        words = shlex.split(command.replace("\\\n", ""))
        if "deploy/helm/textloom" not in words:
            continue  # somebody else's chart
        assert words[:2] == ["upgrade", "--install"]
        done = helm("template", *words[2:], "--kube-version=1.37", cwd=tmp_path)
        objects = list(yaml.safe_load_all(done.stdout))
        for each in objects:
            check(each, VERSIONS[1])
        made.append({each["kind"] for each in objects})
    assert len(made) >= 3
    assert any("Secret" in kinds for kinds in made)
    assert any("ScaledObject" in kinds for kinds in made)


def test_a_volume_from_an_image_is_refused_where_there_is_none() -> None:
    values = f"--values={CHART / 'ci' / 'models-image-values.yaml'}"
    done = helm("template", "text", CHART, values, "--kube-version=1.30", check=False)
    assert "image volumes need Kubernetes 1.33 or newer" in done.stderr


def test_every_value_and_setting_is_described() -> None:
    def described(values: Object, schema: Object, path: str = "") -> None:
        for name, value in values.items():
            about = schema["properties"][name]
            assert about["description"], path + name
            if isinstance(value, dict) and "properties" in about:
                described(value, about, f"{path}{name}.")

    described(DEFAULTS, SCHEMA)
    settings = SCHEMA["properties"]["settings"]["properties"]
    assert settings.keys() == Settings.model_fields.keys() - SET_BY_THE_CHART
    assert all(each["description"] for each in settings.values())


def test_everything_that_chooses_pods_chooses_those_of_its_release() -> None:
    objects = [*rendered("minimal"), *rendered("models-claim")]
    names = {"app.kubernetes.io/name": "textloom", "app.kubernetes.io/instance": "text"}
    deployment = of_kind(rendered("minimal"), "Deployment")
    pod = deployment["spec"]["template"]
    assert pod["metadata"]["labels"] == names
    constraints = pod["spec"]["topologySpreadConstraints"]
    assert [each["topologyKey"] for each in constraints] == [
        "topology.kubernetes.io/zone",
        "kubernetes.io/hostname",
    ]
    for constraint in constraints:
        assert constraint["labelSelector"] == {"matchLabels": names}
    for each in objects:
        if each["kind"] in ("Deployment", "PodDisruptionBudget"):
            assert each["spec"]["selector"] == {"matchLabels": names}
        elif each["kind"] == "NetworkPolicy":
            assert each["spec"]["podSelector"] == {"matchLabels": names}
        elif each["kind"] == "Service":
            assert each["spec"]["selector"] == names
        elif each["kind"] in ("HorizontalPodAutoscaler", "ScaledObject"):
            target = each["spec"]["scaleTargetRef"]
            assert (target["kind"], target["name"]) == ("Deployment", "text-textloom")
    assert "replicas" not in deployment["spec"]
    assert of_kind(rendered("bare"), "Deployment")["spec"]["replicas"] == 3


def test_a_release_that_is_called_as_the_chart_says_it_once() -> None:
    (deployment,) = (
        x for x in rendered("minimal", release="textloom") if x["kind"] == "Deployment"
    )
    assert deployment["metadata"]["name"] == "textloom"


def test_callers_reach_the_first_port_only_and_prometheus_the_second() -> None:
    objects = rendered("minimal")
    service = of_kind(objects, "Service")
    admin = of_kind(objects, "Service", "text-textloom-admin")
    monitor = of_kind(objects, "ServiceMonitor")
    ports = {port["name"]: port["containerPort"] for port in container(objects)["ports"]}
    assert ports["http"] == Settings.model_fields["port"].default
    assert ports["admin"] == int(environment(objects)[PREFIX + "ADMIN"].rpartition(":")[2])
    assert [port["targetPort"] for port in service["spec"]["ports"]] == ["http"]
    assert [port["targetPort"] for port in admin["spec"]["ports"]] == ["admin"]
    wanted = monitor["spec"]["selector"]["matchLabels"].items()
    assert wanted <= admin["metadata"]["labels"].items()
    assert not wanted <= service["metadata"]["labels"].items()
    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint["port"] in {port["name"] for port in admin["spec"]["ports"]}
    # the alerts look for this job
    assert admin["metadata"]["labels"][monitor["spec"]["jobLabel"]] == "textloom"


def test_a_network_policy_lets_nothing_out_and_metrics_only_to_those_named() -> None:
    policy = of_kind(rendered("minimal"), "NetworkPolicy")["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert policy["egress"] == []
    callers, monitoring = policy["ingress"]
    assert callers == {"ports": [{"port": "http"}]}
    assert monitoring == {"ports": [{"port": "admin"}], "from": [{"namespaceSelector": {}}]}

    policy = of_kind(rendered("public"), "NetworkPolicy")["spec"]
    match = {"kubernetes.io/metadata.name": "ingress-nginx"}
    assert policy["ingress"][0]["from"] == [{"namespaceSelector": {"matchLabels": match}}]


def test_an_ingress_leads_to_the_port_for_callers() -> None:
    objects = rendered("public")
    spec = of_kind(objects, "Ingress")["spec"]
    (rule,) = spec["rules"]
    (path,) = rule["http"]["paths"]
    backend = path["backend"]["service"]
    service = of_kind(objects, "Service", backend["name"])
    assert backend["port"]["name"] in {port["name"] for port in service["spec"]["ports"]}
    assert spec["tls"] == [{"hosts": ["text.example"], "secretName": "text-example"}]
    assert rule["host"] == "text.example"


def test_a_pod_has_the_user_of_the_image_and_may_do_nothing_else() -> None:
    user, group = re.findall(
        r"^USER (\d+):(\d+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE
    )[0]
    for path in VALUES:
        objects = rendered(path.stem.removesuffix("-values"))
        pod = of_kind(objects, "Deployment")["spec"]["template"]["spec"]
        inside = pod["securityContext"]
        assert (inside["runAsUser"], inside["runAsGroup"]) == (int(user), int(group))
        assert inside["runAsNonRoot"]
        assert inside["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container(objects)["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert pod["automountServiceAccountToken"] is False
        for kind in ("requests", "limits"):
            assert container(objects)["resources"][kind].keys() == {"cpu", "memory"}


@pytest.mark.parametrize(("values", "seconds"), [("minimal", None), ("public", 60)])
def test_a_pod_has_the_time_to_finish_what_it_has_accepted(
    values: str, seconds: int | None
) -> None:
    objects = rendered(values)
    pause = container(objects)["lifecycle"]["preStop"]["sleep"]["seconds"]
    needed = pause + (seconds or Settings.model_fields["shutdown_seconds"].default) + KILL_AFTER
    pod = of_kind(objects, "Deployment")["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] >= needed


@pytest.mark.parametrize("values", VALUES, ids=lambda path: path.stem)
def test_settings_reach_the_service_as_they_were_given(
    values: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Also those that Helm would write as 1e+06."""
    inside = environment(rendered(values.stem.removesuffix("-values")))
    places = {PREFIX + "MODELS": tmp_path, PREFIX + "KEYS": tmp_path / "keys.json"}
    (tmp_path / "keys.json").write_text('{"keys": []}')
    for name, value in inside.items():
        monkeypatch.setenv(name, str(places.get(name, value)))
    if PREFIX + "MODELS" not in inside:
        monkeypatch.setenv(PREFIX + "MODELS", str(tmp_path))
    read = Settings()
    given = DEFAULTS["settings"] | yaml.safe_load(values.read_text()).get("settings", {})
    if "pins" in given:
        given["pins"] = {"ner": 2, "sentiment": 1}
    for name, value in given.items():
        assert getattr(read, name) == value


def test_models_and_keys_are_mounted_where_the_settings_say() -> None:
    for values, source in (("models-claim", "persistentVolumeClaim"), ("models-image", "image")):
        objects = rendered(values)
        mounts = {each["mountPath"]: each for each in container(objects)["volumeMounts"]}
        mount = mounts[environment(objects)[PREFIX + "MODELS"]]
        assert mount["readOnly"]
        volumes = of_kind(objects, "Deployment")["spec"]["template"]["spec"]["volumes"]
        (volume,) = (each for each in volumes if each["name"] == mount["name"])
        assert source in volume
    assert PREFIX + "MODELS" not in environment(rendered("minimal"))

    for values, name in (("models-claim", "callers"), ("public", "text-textloom-keys")):
        objects = rendered(values)
        folder, _, file = environment(objects)[PREFIX + "KEYS"].rpartition("/")
        mounts = {each["mountPath"]: each for each in container(objects)["volumeMounts"]}
        volumes = of_kind(objects, "Deployment")["spec"]["template"]["spec"]["volumes"]
        (volume,) = (each for each in volumes if each["name"] == mounts[folder]["name"])
        assert volume["secret"] == {"secretName": name, "defaultMode": 0o440}
        assert file == "keys.json"
    secret = of_kind(rendered("public"), "Secret", "text-textloom-keys")
    KeyFile.model_validate_json(base64.b64decode(secret["data"]["keys.json"]))
    assert PREFIX + "KEYS" not in environment(rendered("minimal"))


def test_rules_and_dashboards_are_those_of_deploy() -> None:
    objects = rendered("minimal")
    rules = of_kind(objects, "PrometheusRule")["spec"]
    assert rules == yaml.safe_load((PROMETHEUS / "rules.yml").read_text())
    shipped = {
        path.name: path.read_text()
        for path in (ROOT / "deploy" / "grafana" / "dashboards").glob("*.json")
    }
    maps = [each for each in objects if each["kind"] == "ConfigMap"]
    assert {name: text for each in maps for name, text in each["data"].items()} == shipped
    assert all(each["metadata"]["labels"]["grafana_dashboard"] == "1" for each in maps)
    labelled = rendered("models-image")
    for kind in ("PrometheusRule", "ServiceMonitor"):
        labels = of_kind(labelled, kind)["metadata"]["labels"]
        assert labels["release"] == "kube-prometheus-stack"


def test_the_service_starts_with_these_settings_and_answers_the_probes(
    tmp_path: Path, tiny_models: Path
) -> None:
    objects = rendered("minimal")
    inside, monitor = container(objects), of_kind(objects, "ServiceMonitor")
    flags = {
        name.removeprefix(PREFIX).lower(): value for name, value in environment(objects).items()
    }
    flags["admin"] = "127.0.0.1:0"
    models = ("--models", str(tiny_models), "--workers", "2")
    arguments = [f"--{name.replace('_', '-')}={value}" for name, value in flags.items()]
    log = tmp_path / "log"
    with running(log, *models, *arguments, ready=False) as (_, client):
        until(lambda: "health and metrics: " in log.read_text())
        admin = re.findall(r"health and metrics: (http://[0-9.:]+)", log.read_text())[0]
        paths = [
            inside[probe]["httpGet"]["path"]
            for probe in ("startupProbe", "livenessProbe", "readinessProbe")
        ]
        assert paths == ["/health/live", "/health/live", "/health/ready"]
        (endpoint,) = monitor["spec"]["endpoints"]
        with httpx.Client(base_url=admin, timeout=120) as second:
            for path in (*paths, endpoint["path"]):
                until(lambda path=path: second.get(path).status_code == 200)
                assert client.get(path).status_code == 404


def test_the_adapter_and_keda_find_the_depth_of_the_queue_that_adds_pods(
    tmp_path: Path, tiny_models: Path
) -> None:
    adapter = yaml.safe_load((FOLDER / "prometheus-adapter.yaml").read_text())
    (rule,) = adapter["rules"]["custom"]
    (metric,) = of_kind(rendered("minimal"), "HorizontalPodAutoscaler")["spec"]["metrics"]
    assert metric["pods"]["metric"]["name"] == rule["name"]["as"]
    assert rule["resources"]["overrides"].keys() == {"namespace", "pod"}
    series = re.match(r"\w+", rule["seriesQuery"])
    assert series
    # what the adapter puts in; there is no pod here, but there is an instance
    query = rule["metricsQuery"].replace("<<.Series>>", series[0])
    query = query.replace("<<.LabelMatchers>>", 'job="textloom"').replace(
        "<<.GroupBy>>", "instance"
    )
    (trigger,) = of_kind(rendered("models-claim"), "ScaledObject")["spec"]["triggers"]
    labels = 'namespace="here", service="text-textloom-admin"'
    assert labels in trigger["metadata"]["query"]
    keda = trigger["metadata"]["query"].replace(labels, 'job="textloom"')
    with (
        running(tmp_path / "log", "--models", str(tiny_models), "--workers", "2") as (_, service),
        watching(tmp_path, service) as prometheus,
    ):
        for asked in (query, keda):
            until(lambda asked=asked: ask(prometheus, asked))
            assert [each["value"][1] for each in ask(prometheus, asked)] == ["0"]
