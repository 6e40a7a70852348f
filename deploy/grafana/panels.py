"""How a dashboard and its panels look: what differs between them is queries, units and words.

Every query is limited to the instances that are chosen above the panels, and one about models to the models.
"""

from grafana_foundation_sdk.builders import common, heatmap, prometheus, stat, timeseries
from grafana_foundation_sdk.builders.dashboard import (
    AnnotationQuery,
    Dashboard,
    DashboardLink,
    DatasourceVariable,
    QueryVariable,
    Row,
    ThresholdsConfig,
)
from grafana_foundation_sdk.models.common import (
    BigValueGraphMode,
    BigValueTextMode,
    LegendDisplayMode,
    LegendPlacement,
    StackingMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    Threshold,
    VariableOption,
    VariableRefresh,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
INSTANCE = 'instance=~"$instance"'
MODEL = f'{INSTANCE}, model=~"$model"'
TITLES = {"textloom-operator": "TextLoom: the service", "textloom-models": "TextLoom: the models"}
"""By the dashboards' ids."""

Panel = timeseries.Panel | stat.Panel | heatmap.Panel


def dashboard(uid: str, since: str) -> Dashboard:
    """A dashboard without panels. since: from when it shows at first, such as `now-3h`."""
    (other,) = TITLES.keys() - {uid}
    return (
        Dashboard(TITLES[uid])
        .uid(uid)
        .tags(["textloom"])
        .readonly()
        .refresh("30s")
        .time(since, "now")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .with_variable(DatasourceVariable("datasource").label("data source").type("prometheus"))
        .with_variable(_choice("instance", "textloom_build_info"))
        .with_variable(_choice("model", "textloom_model_info"))
        .annotation(
            # a version that was not there a minute ago, with what the mark says as its labels
            _marks(
                "Service starts",
                f"textloom_build_info{{{INSTANCE}}} unless textloom_build_info offset 1m",
                "blue",
            )
        )
        .annotation(
            _marks(
                "Models change",
                f"textloom_model_info{{{MODEL}}} == 1 unless (textloom_model_info offset 1m == 1)",
                "purple",
            )
        )
        .link(
            DashboardLink(TITLES[other])
            .type(DashboardLinkType.LINK)
            .url(f"/d/{other}")
            .keep_time(True)
            .include_vars(True)
        )
    )


def with_panels(made: Dashboard, *parts: str | Panel) -> Dashboard:
    """The dashboard with these panels at its end; a text is the title of a row."""
    for part in parts:
        made = made.with_row(Row(part)) if isinstance(part, str) else made.with_panel(part)
    return made


def stats(
    title: str,
    unit: str,
    about: str,
    queries: dict[str, str],
    *,
    bounds: dict[float, str] | None = None,
    decimals: int | None = None,
    names: bool = False,
    width: int = 4,
) -> Panel:
    """Numbers of now, or only names, for each series of each query, by its legend.

    bounds: the colour from each value on.
    """
    steps = [Threshold(None, "text")]
    steps += [Threshold(value, color) for value, color in (bounds or {}).items()]
    panel = (
        stat.Panel()
        .title(title)
        .description(about)
        .datasource(SOURCE)
        .unit(unit)
        .span(width)
        .height(5)
        .graph_mode(BigValueGraphMode.NONE)
        .text_mode(BigValueTextMode.NAME if names else BigValueTextMode.AUTO)
        .thresholds(ThresholdsConfig().steps(steps))
    )
    if decimals is not None:
        panel = panel.decimals(decimals)
    for letter, (legend, query) in zip("ABCDE", queries.items(), strict=False):
        target = prometheus.Dataquery().ref_id(letter).expr(query).legend_format(legend).instant()
        panel = panel.with_target(target)
    return panel


def lines(
    title: str, unit: str, about: str, queries: dict[str, str], *, stacked: bool = False
) -> Panel:
    """A line for each series of each query, by its legend."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(about)
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


def histogram(title: str, about: str, query: str) -> Panel:
    """How many values fell into each bucket over time."""
    target = prometheus.Dataquery().ref_id("A").expr(query).legend_format("{{le}}").range()
    return (
        heatmap.Panel()
        .title(title)
        .description(about)
        .datasource(SOURCE)
        .span(8)
        .with_target(target.format(PromQueryFormat.HEATMAP))
    )


def rate(metric: str, by: str = "model", labels: str = MODEL) -> str:
    return f"sum by ({by}) (rate({metric}{{{labels}}}[$__rate_interval]))"


def mean(metric: str, by: str = "model", labels: str = MODEL) -> str:
    return f"{rate(metric + '_sum', by, labels)} / {rate(metric + '_count', by, labels)}"


def _choice(label: str, metric: str) -> QueryVariable:
    """A variable for those values that a label of a metric has, all of them at first."""
    everything = VariableOption(selected=True, text=["All"], value=["$__all"])
    return (
        QueryVariable(label)
        .label(label)
        .datasource(SOURCE)
        .query(f"label_values({metric}, {label})")
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(everything)
    )


def _marks(name: str, query: str, color: str) -> AnnotationQuery:
    return (
        AnnotationQuery().name(name).datasource(SOURCE).enable(True).icon_color(color).expr(query)
    )
