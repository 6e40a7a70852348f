"""docker-compose.yml is right by the Compose Specification and does what its variables say, without an engine."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from service.settings import PREFIX, Settings

from .conftest import PROMETHEUS, ROOT

VARIABLES = {
    "BIND": "0.0.0.0",
    "SERVICE_PORT": "8100",
    "PROMETHEUS_PORT": "9190",
    "ALERTMANAGER_PORT": "9193",
    "GRAFANA_PORT": "3100",
    "PROMETHEUS_IMAGE": "registry.example/prometheus:1",
    "ALERTMANAGER_IMAGE": "registry.example/alertmanager:1",
    "GRAFANA_IMAGE": "registry.example/grafana:1",
    "SERVICE_ENV": "./my.env",
    "ALERTMANAGER_CONFIG": "./my.yml",
}
PORTS = {"textloom": 8000, "prometheus": 9090, "alertmanager": 9093, "grafana": 3000}


def services(**variables: str) -> dict[str, dict[str, Any]]:
    """The services with the variables put in, by podman-compose."""
    command = [sys.executable, "-m", "podman_compose", "--dry-run", "-f"]
    done = subprocess.run(
        [*command, ROOT / "docker-compose.yml", "config"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **variables},
    )
    # the engines know the word; the specification wants an address
    PyCompose.from_yaml(done.stdout.replace("host-gateway", "127.0.0.1"))
    found: dict[str, dict[str, Any]] = yaml.safe_load(done.stdout)["services"]
    return found


def test_without_variables_everything_listens_on_loopback_and_finds_its_files() -> None:
    found = services()
    for name, port in PORTS.items():
        assert found[name]["ports"] == [f"127.0.0.1:{port}:{port}"]
    files = [mount for each in found.values() for mount in each.get("volumes", [])]
    own = [Path(source) for source, *_ in (mount.split(":") for mount in files) if "/" in source]
    own += [Path(path) for path in found["textloom"]["env_file"]]
    assert len(own) >= 6
    assert all((ROOT / path).exists() for path in own)


def test_a_variable_changes_each_port_image_and_file() -> None:
    found = services(**VARIABLES)
    for (name, port), variable in zip(
        PORTS.items(),
        ("SERVICE_PORT", "PROMETHEUS_PORT", "ALERTMANAGER_PORT", "GRAFANA_PORT"),
        strict=True,
    ):
        assert found[name]["ports"] == [f"0.0.0.0:{VARIABLES[variable]}:{port}"]
    for name in ("prometheus", "alertmanager", "grafana"):
        assert found[name]["image"] == f"registry.example/{name}:1"
    assert found["textloom"]["env_file"] == ["./my.env"]
    assert "./my.yml:/etc/alertmanager.yml:ro" in found["alertmanager"]["volumes"]
    text = (ROOT / "docker-compose.yml").read_text()
    assert all("${" + name + ":-" in text for name in VARIABLES)


def test_what_is_no_part_of_the_specification_would_be_found() -> None:
    with pytest.raises(Exception, match="imagge"):
        PyCompose.from_yaml("services: {textloom: {imagge: x}}")


def test_the_parts_find_each_other_by_the_names_of_their_services() -> None:
    found = services()
    config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    targets = [
        target
        for each in [*config["scrape_configs"], *config["alerting"]["alertmanagers"]]
        for static in each["static_configs"]
        for target in static["targets"]
    ]
    for target in targets:
        name, _, port = target.partition(":")
        assert PORTS[name] == int(port)
        assert name in found


def test_the_settings_in_the_file_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = (ROOT / "deploy" / "service.env").read_text().splitlines()
    given = [
        line.removeprefix("#").partition("=") for line in lines if PREFIX in line and "=" in line
    ]
    assert given
    for name, _, value in given:
        monkeypatch.setenv(name, value)
    read = Settings(models=ROOT)
    for name, _, value in given:
        assert str(getattr(read, name.removeprefix(PREFIX).lower())) == value
