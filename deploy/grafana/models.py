"""The dashboard of whoever looks after the models: do they still see, and say, what they were made for.

What is compared is now, and as long ago as the dashboard says.
"""

from grafana_foundation_sdk.builders.dashboard import CustomVariable, Dashboard

from deploy.grafana.panels import INSTANCE, MODEL, Panel, histogram, lines, rate, stats, with_panels
from deploy.grafana.panels import dashboard as new_dashboard

# {r} sums a rate by model, {w} is the window of the rate, {o} how long ago, {m} which models
SHARE = (
    "sum by (model, label) (rate(textloom_predictions_total{m}[{w}]{o}))"
    " / on (model) group_left sum by (model) (rate(textloom_predictions_total{m}[{w}]{o}))"
)
UNKNOWN = "{r}(textloom_unknown_tokens_total{m}[{w}]{o})) / {r}(textloom_tokens_total{m}[{w}]{o}))"
LENGTH = (
    "histogram_quantile({q}, sum by (model, le) (rate(textloom_text_tokens_bucket{m}[{w}]{o})))"
)
UP_TO = (
    "sum by (model, le) (rate(textloom_text_tokens_bucket{m}[{w}]{o}))"
    " / on (model) group_left {r}(textloom_text_tokens_count{m}[{w}]{o}))"
)
SCORE = (
    "{r}(textloom_prediction_score_sum{m}[{w}]{o}))"
    " / {r}(textloom_prediction_score_count{m}[{w}]{o}))"
)


def dashboard() -> Dashboard:
    made = (
        new_dashboard("textloom-models", "now-2d")
        .with_variable(CustomVariable("compare").label("compared with").values("1w,1d,4w"))
        .with_variable(CustomVariable("window").label("over").values("1d,1h,6h"))
    )
    for add in (_glance, _said, _read):
        made = add(made)
    return made


def _glance(made: Dashboard) -> Dashboard:
    return with_panels(
        made,
        stats(
            "Versions that serve",
            "short",
            "Several of one model: instances differ, or a new version is being loaded.",
            {
                "{{model}} {{version}}": "count by (model, version)"
                f" (textloom_model_info{{{MODEL}}} == 1)"
            },
            names=True,
            width=8,
        ),
        stats(
            "Texts",
            "cps",
            "Texts that were read in a second, over the last five minutes.",
            {
                "{{model}}": f"sum by (model) (rate(textloom_text_tokens_count{{{MODEL}}}[5m]))",
            },
            decimals=1,
            width=8,
        ),
        stats(
            "Moved to other labels",
            "percentunit",
            "Share of predictions, of the model where it is greatest, that are distributed otherwise than before."
            " Over 15 % TextLoomLabelDrift fires.",
            {"": f"max(sum by (model) (abs(({_now(SHARE)}) - ({_then(SHARE)}))) / 2)"},
            bounds={0: "green", 0.15: "red"},
            width=8,
        ),
    )


def _said(made: Dashboard) -> Dashboard:
    return with_panels(
        made,
        "What the models say",
        lines(
            "Predictions by label",
            "cps",
            "Entities by type, texts by sentiment, translations by target.",
            {"{{model}} {{label}}": rate("textloom_predictions_total", "model, label")},
            stacked=True,
        ),
        lines(
            "Predictions by version",
            "cps",
            "Which version of a model made them: a change shows when a new one took over.",
            {"{{model}} {{version}}": rate("textloom_predictions_total", "model, version")},
            stacked=True,
        ),
        lines(
            "Time of a request by version, p95",
            "s",
            "95 % of the requests are answered within it: a canary beside the version that serves.",
            {
                "{{model}} {{version}}": "histogram_quantile(0.95, "
                + rate("textloom_version_duration_seconds_bucket", "model, version, le")
                + ")"
            },
        ),
        lines(
            "Share of requests not answered, by version",
            "percentunit",
            "For whatever reason: a failure, a full queue, a deadline.",
            {
                "{{model}} {{version}}": rate("textloom_version_failures_total", "model, version")
                + " / ("
                + rate("textloom_version_duration_seconds_count", "model, version")
                + " + "
                + rate("textloom_version_failures_total", "model, version")
                + ")"
            },
        ),
        lines(
            "Share of each label by version",
            "percentunit",
            "A canary that sees other labels than the version that serves reads the same texts otherwise.",
            {
                "{{model}} {{version}} {{label}}": rate(
                    "textloom_predictions_total", "model, version, label"
                )
                + " / on (model, version) group_left "
                + rate("textloom_predictions_total", "model, version")
            },
        ),
        _versus(
            "Share of each label",
            "percentunit",
            "Of the predictions of a model.",
            "{{model}} {{label}}",
            SHARE,
        ),
        lines(
            "Share of predictions that moved to another label",
            "percentunit",
            "Half the sum of the differences between the shares of labels now and before.",
            {"{{model}}": f"sum by (model) (abs(({_now(SHARE)}) - ({_then(SHARE)}))) / 2"},
        ),
        histogram(
            "Scores",
            "How sure the models are of their predictions: calibrated probabilities, of translations the mean"
            " probability of a token.",
            "sum by (le)"
            f" (increase(textloom_prediction_score_bucket{{{MODEL}}}[$__rate_interval]))",
        ),
        _versus(
            "Score, mean",
            "percentunit",
            "A fall says that texts have become harder, or other.",
            "{{model}}",
            SCORE,
        ),
    )


def _read(made: Dashboard) -> Dashboard:
    moved = f"max by (model) (abs(({_now(UP_TO)}) - ({_then(UP_TO)})))"
    return with_panels(
        made,
        "What the models read",
        _versus(
            "Share of tokens that the vocabulary lacks",
            "percentunit",
            "A rise says that texts have new words, or are in another language.",
            "{{model}}",
            UNKNOWN,
        ),
        lines(
            "Detected languages",
            "cps",
            "Texts to translate with `source: auto`; those in a language that is not served come back unchanged.",
            {"{{language}}": rate("textloom_detected_languages_total", "language", INSTANCE)},
            stacked=True,
        ),
        lines(
            "Tokens read",
            "cps",
            "Of texts, without padding.",
            {"{{model}}": rate("textloom_tokens_total")},
        ),
        _versus(
            "Tokens in a text, p50",
            "short",
            "Half of the texts are no longer.",
            "{{model}}",
            LENGTH,
            q="0.5",
        ),
        _versus(
            "Tokens in a text, p95",
            "short",
            "95 % of the texts are no longer.",
            "{{model}}",
            LENGTH,
            q="0.95",
        ),
        lines(
            "Share of texts that moved to another length",
            "percentunit",
            "The greatest difference between the distributions of lengths now and before.",
            {"{{model}}": moved},
        ),
    )


def _versus(title: str, unit: str, about: str, legend: str, query: str, **parts: str) -> Panel:
    """A query for now, and for as long ago as the dashboard says."""
    before = _then(query, **parts)
    return lines(title, unit, about, {legend: _now(query, **parts), f"{legend}, before": before})


def _now(query: str, **parts: str) -> str:
    return _filled(query, "", **parts)


def _then(query: str, **parts: str) -> str:
    return _filled(query, " offset $compare", **parts)


def _filled(query: str, offset: str, **parts: str) -> str:
    return query.format(r="sum by (model) (rate", w="$window", o=offset, m=f"{{{MODEL}}}", **parts)
