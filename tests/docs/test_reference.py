"""The tables of docs/operating.md list every setting, metric and alert that there is."""

import re
from pathlib import Path

import yaml

from service.settings import PREFIX, Settings
from service.telemetry.metrics import Metrics

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| `")
]


def test_every_setting_is_in_the_table_with_its_default():
    told = {row[0].strip("`"): row[1].strip("`") for row in ROWS if row[0].startswith(f"`{PREFIX}")}
    assert told == {
        PREFIX + name.upper(): "none" if field.default in ({}, (), "", None) else str(field.default)
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
