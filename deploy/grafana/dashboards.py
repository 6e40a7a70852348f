"""The dashboards, as code: `python deploy/grafana/dashboards.py` writes them into dashboards/ beside it.

`operator` tells whether the service is well, `models` whether its models still see what they were made for. What
a panel shows is a query and a unit; how it looks is the same for all.
"""

import json
import sys
from pathlib import Path

from grafana_foundation_sdk.builders import common, heatmap, prometheus, stat, timeseries
from grafana_foundation_sdk.builders.dashboard import CustomVariable, Dashboard, Row
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import (
    BigValueTextMode,
    LegendDisplayMode,
    LegendPlacement,
    StackingMode,
)
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DataSourceRef
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

FOLDER = Path(__file__).with_name("dashboards")
SOURCE = DataSourceRef(type_val="prometheus", uid="prometheus")

Panel = timeseries.Panel | stat.Panel | heatmap.Panel


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    for made in (operator(), models()):
        built = made.build()
        text = json.dumps(built, cls=JSONEncoder, indent=1, sort_keys=True)
        (folder / f"{built.uid}.json").write_text(text + "\n", encoding="utf-8")


def operator() -> Dashboard:
    return (
        _dashboard("TextLoom: the service", "textloom-operator", "now-3h")
        .with_row(Row("Requests"))
        .with_panel(
            _lines(
                "Requests by route",
                "reqps",
                {
                    "{{route}}": "sum by (route) (rate(textloom_http_requests_total[$__rate_interval]))"
                },
            )
        )
        .with_panel(
            _lines(
                "Share of requests to the tasks that fail (objective: 0.1 %)",
                "percentunit",
                {"failed": "textloom:errors:ratio_rate5m or vector(0)"},
            )
        )
        .with_panel(
            _lines(
                "Refused and failed, by status",
                "reqps",
                {
                    "{{route}} {{status}}": "sum by (route, status)"
                    ' (rate(textloom_http_requests_total{status=~"[45].."}[$__rate_interval]))'
                },
            )
        )
        .with_panel(
            _lines(
                "Latency by task",
                "s",
                {
                    f"{{{{task}}}} p{percent}": f"histogram_quantile({percent / 100}, sum by (task, le)"
                    " (rate(textloom_http_request_duration_seconds_bucket"
                    '{task!=""}[$__rate_interval])))'
                    for percent in (50, 95, 99)
                },
            )
        )
        .with_panel(
            _lines(
                "Share of requests slower than the objective (1 %)",
                "percentunit",
                {"slow": "textloom:slow:ratio_rate5m"},
            )
        )
        .with_panel(
            _lines(
                "Refusals by reason",
                "reqps",
                {
                    "{{model}} {{reason}}": "sum by (model, reason)"
                    " (rate(textloom_rejected_total[$__rate_interval]))"
                },
            )
        )
        .with_panel(
            _lines(
                "Requests by key, if keys are asked for",
                "reqps",
                {
                    "{{key}} {{outcome}}": "sum by (key, outcome)"
                    " (rate(textloom_key_requests_total[$__rate_interval])) or vector(0)"
                },
            )
        )
        .with_row(Row("Saturation"))
        .with_panel(
            _lines(
                "Wait in the queue, mean",
                "s",
                {"{{model}}": _mean("textloom_phase_duration_seconds", "model", '{phase="queue"}')},
            )
        )
        .with_panel(
            _lines(
                "Windows in the queue",
                "short",
                {"{{model}}": "sum by (model) (textloom_queue_depth)"},
            )
        )
        .with_panel(
            _lines(
                "Cores busy",
                "short",
                {
                    "{{instance}}": 'rate(process_cpu_seconds_total{job="textloom"}[$__rate_interval])'
                },
            )
        )
        .with_panel(
            _lines(
                "Time of a request by phase, mean",
                "s",
                {"{{model}} {{phase}}": _mean("textloom_phase_duration_seconds", "model, phase")},
                stacked=True,
            )
        )
        .with_panel(
            _lines("Windows in a batch, mean", "short", {"{{model}}": _mean("textloom_batch_size")})
        )
        .with_panel(
            _lines(
                "Share of the computation that is padding",
                "percentunit",
                {
                    "{{model}}": f"{_rate('textloom_padding_tokens_total')} / {_rate('textloom_batch_tokens_sum')}"
                },
            )
        )
        .with_row(Row("Processes and models"))
        .with_panel(
            _lines(
                "Memory", "bytes", {"{{instance}}": 'process_resident_memory_bytes{job="textloom"}'}
            )
        )
        .with_panel(
            _lines("Open files", "short", {"{{instance}}": 'process_open_fds{job="textloom"}'})
        )
        .with_panel(
            _lines(
                "Restarts in the last hour",
                "short",
                {
                    "workers": "sum(increase(textloom_worker_restarts_total[1h]))",
                    "services": 'sum(changes(process_start_time_seconds{job="textloom"}[1h]))',
                },
            )
        )
        .with_panel(
            _stats(
                "Versions that serve",
                "{{model}} {{version}}",
                "textloom_model_info == 1",
                names=True,
            )
        )
        .with_panel(_stats("Models ready", "{{model}}", "min by (model) (textloom_model_ready)"))
        .with_panel(
            _stats("Versions refused", "versions", "sum(textloom_model_refused) or vector(0)")
        )
    )


def models() -> Dashboard:
    share = (
        "sum by (model, label) (rate(textloom_predictions_total[{w}]{o}))"
        " / on (model) group_left sum by (model) (rate(textloom_predictions_total[{w}]{o}))"
    )
    unknown = "{r}(textloom_unknown_tokens_total[{w}]{o})) / {r}(textloom_tokens_total[{w}]{o}))"
    length = (
        "histogram_quantile({q}, sum by (model, le) (rate(textloom_text_tokens_bucket[{w}]{o})))"
    )
    up_to = (
        "sum by (model, le) (rate(textloom_text_tokens_bucket[{w}]{o}))"
        " / on (model) group_left {r}(textloom_text_tokens_count[{w}]{o}))"
    )
    longer = f"max by (model) (abs(({_now(up_to)}) - ({_then(up_to)})))"
    score = "{r}(textloom_prediction_score_sum[{w}]{o})) / {r}(textloom_prediction_score_count[{w}]{o}))"
    drift = f"sum by (model) (abs(({_now(share)}) - ({_then(share)}))) / 2"
    return (
        _dashboard("TextLoom: the models", "textloom-models", "now-2d")
        .with_variable(CustomVariable("compare").label("compared with").values("1w,1d,4w"))
        .with_variable(CustomVariable("window").label("over").values("1d,1h,6h"))
        .with_row(Row("What the models say"))
        .with_panel(
            _lines(
                "Predictions by label",
                "cps",
                {
                    "{{model}} {{label}}": "sum by (model, label)"
                    " (rate(textloom_predictions_total[$__rate_interval]))"
                },
                stacked=True,
            )
        )
        .with_panel(_versus("Share of each label", "percentunit", "{{model}} {{label}}", share))
        .with_panel(
            _lines(
                "Share of predictions that moved to another label",
                "percentunit",
                {"{{model}}": drift},
            )
        )
        .with_panel(
            heatmap.Panel()
            .title("Scores")
            .datasource(SOURCE)
            .span(8)
            .with_target(
                prometheus.Dataquery()
                .expr("sum by (le) (increase(textloom_prediction_score_bucket[$__rate_interval]))")
                .format(PromQueryFormat.HEATMAP)
                .legend_format("{{le}}")
            )
        )
        .with_panel(_versus("Score, mean", "percentunit", "{{model}}", score))
        .with_row(Row("What the models read"))
        .with_panel(
            _versus(
                "Share of tokens that the vocabulary lacks", "percentunit", "{{model}}", unknown
            )
        )
        .with_panel(_versus("Tokens in a text, median", "short", "{{model}}", length, q="0.5"))
        .with_panel(
            _versus("Tokens in a text, longest twentieth", "short", "{{model}}", length, q="0.95")
        )
        .with_panel(
            _lines(
                "Share of texts that moved to another length",
                "percentunit",
                {"{{model}}": longer},
            )
        )
        .with_panel(
            _lines(
                "Tokens read",
                "cps",
                {"{{model}}": _rate("textloom_tokens_total")},
            )
        )
        .with_panel(
            _stats(
                "Versions that serve",
                "{{model}} {{version}}",
                "textloom_model_info == 1",
                names=True,
            )
        )
    )


def _dashboard(title: str, uid: str, since: str) -> Dashboard:
    return (
        Dashboard(title)
        .uid(uid)
        .tags(["textloom"])
        .readonly()
        .refresh("30s")
        .time(since, "now")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
    )


def _lines(title: str, unit: str, queries: dict[str, str], *, stacked: bool = False) -> Panel:
    """A panel with a line for each series of each query, by its legend."""
    panel = (
        timeseries.Panel()
        .title(title)
        .datasource(SOURCE)
        .unit(unit)
        .min(0)
        .span(8)
        .fill_opacity(30 if stacked else 5)
        .stacking(
            common.StackingConfig().mode(StackingMode.NORMAL if stacked else StackingMode.NONE)
        )
        .legend(
            common.VizLegendOptions()
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(True)
        )
    )
    for letter, (legend, query) in zip("ABCDE", queries.items(), strict=False):
        target = prometheus.Dataquery().ref_id(letter).expr(query).legend_format(legend).range()
        panel = panel.with_target(target)
    return panel


def _stats(title: str, legend: str, query: str, *, names: bool = False) -> Panel:
    """A panel with a number now, or only a name, for each series of a query."""
    return (
        stat.Panel()
        .title(title)
        .datasource(SOURCE)
        .span(8)
        .text_mode(BigValueTextMode.NAME if names else BigValueTextMode.VALUE_AND_NAME)
        .with_target(prometheus.Dataquery().expr(query).legend_format(legend).instant())
    )


def _versus(title: str, unit: str, legend: str, query: str, **parts: str) -> Panel:
    """A panel with a query for now, and for as long ago as the dashboard says."""
    before = _then(query, **parts)
    return _lines(title, unit, {legend: _now(query, **parts), f"{legend}, before": before})


def _now(query: str, **parts: str) -> str:
    return query.format(r="sum by (model) (rate", w="$window", o="", **parts)


def _then(query: str, **parts: str) -> str:
    return query.format(r="sum by (model) (rate", w="$window", o=" offset $compare", **parts)


def _rate(metric: str, by: str = "model", labels: str = "") -> str:
    return f"sum by ({by}) (rate({metric}{labels}[$__rate_interval]))"


def _mean(metric: str, by: str = "model", labels: str = "") -> str:
    return f"{_rate(metric + '_sum', by, labels)} / {_rate(metric + '_count', by, labels)}"


if __name__ == "__main__":
    main()
