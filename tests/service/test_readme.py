"""README says what is: its calls are made to the real service and must answer as printed."""

import json
import re
import shlex
from pathlib import Path

import httpx
import pytest
import yaml

from service.settings import PREFIX, Settings
from service.telemetry.metrics import Metrics

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CALLS = re.findall(r"```sh\n(curl .*?)```\n+```json\n(.*?)```", README, re.DOTALL)


ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in README.splitlines()
    if line.startswith("| `")
]


def test_every_setting_is_in_the_table_with_its_default():
    told = {row[0].strip("`"): row[1].strip("`") for row in ROWS if row[0].startswith(f"`{PREFIX}")}
    assert told == {
        PREFIX + name.upper(): "none" if field.default in ({}, "", None) else str(field.default)
        for name, field in Settings.model_fields.items()
    }


def test_every_metric_is_in_the_table_with_its_labels():
    told = {}
    for names, labels, *_ in (row for row in ROWS if "`textloom_" in row[0]):
        each = [label.strip() for label in labels.split(";")]
        for index, name in enumerate(re.findall(r"`(\w+)`", names)):
            listed = each[min(index, len(each) - 1)]
            told[name] = {label.strip() for label in listed.split(",")} - {""}
    ours = [
        metric
        for metric in vars(Metrics()).values()
        if getattr(metric, "_name", "").startswith("textloom_")
    ]
    assert told == {
        metric._name + "_total" * (metric._type == "counter"): set(metric._labelnames)
        for metric in ours
    }


def test_every_alert_is_in_the_table_and_pages_on_call_or_not():
    told = {name: row[1] for row in ROWS for name in re.findall(r"`(TextLoom\w+)`", row[0])}
    rules = yaml.safe_load((ROOT / "deploy" / "prometheus" / "rules.yml").read_text())
    alerts = [rule for group in rules["groups"] for rule in group["rules"] if "alert" in rule]
    assert told == {
        rule["alert"]: "yes" if rule["labels"]["severity"] == "page" else "no" for rule in alerts
    }


def test_there_are_four_calls_with_an_answer_each():
    assert len(CALLS) >= 4


@pytest.mark.parametrize(("command", "printed"), CALLS, ids=[call[:60] for call, _ in CALLS])
def test_a_call_answers_as_printed(command: str, printed: str, shipped_client: httpx.Client):
    words = shlex.split(command.replace("\\\n", " "))
    path = next(word for word in words if word.startswith("http")).partition(":8000")[2]
    body = words[words.index("-d") + 1] if "-d" in words else None
    answer = (
        shipped_client.get(path)
        if body is None
        else shipped_client.post(
            path, content=body.encode(), headers={"Content-Type": "application/json"}
        )
    )
    assert answer.status_code == 200
    assert rounded(answer.json()) == rounded(json.loads(printed))


def rounded(value):
    """Other processors may differ in a score's last digits, and in nothing else."""
    if isinstance(value, dict):
        return {key: rounded(inside) for key, inside in value.items()}
    if isinstance(value, list):
        return [rounded(inside) for inside in value]
    return pytest.approx(value, abs=2e-3) if isinstance(value, float) else value
