"""The dashboard of the operator: is the service well, and if not, where is the time lost."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from deploy.grafana.panels import INSTANCE, MODEL, lines, mean, rate, stats, with_panels
from deploy.grafana.panels import dashboard as new_dashboard

TASKS = f'task!="", {INSTANCE}'
OBJECTIVE = (
    "The objective, over 30 days and all instances: 99.9 % of requests to the tasks get no 5xx."
)


def dashboard() -> Dashboard:
    made = new_dashboard("textloom-operator", "now-3h")
    for add in (_glance, _requests, _saturation, _processes):
        made = add(made)
    return made


def _glance(made: Dashboard) -> Dashboard:
    return with_panels(
        made,
        stats(
            "Availability, 30 days",
            "percentunit",
            "Share of requests to the tasks that got no 5xx. " + OBJECTIVE,
            {"": "1 - textloom:errors:ratio_30d"},
            bounds={0: "red", 0.999: "green"},
            decimals=3,
        ),
        stats(
            "Budget of errors left",
            "percentunit",
            "What is left of the 0.1 % of requests that may fail in 30 days. Below zero the objective is missed.",
            {"": "1 - textloom:errors:ratio_30d / 0.001"},
            bounds={-1e9: "red", 0: "yellow", 0.25: "green"},
            decimals=0,
        ),
        stats(
            "Latency, p99",
            "s",
            "Of the last five minutes, by task. The objective: 250 ms, for translations 1 s.",
            {"{{task}}": _quantile(99, "5m")},
            bounds={0: "green", 1: "red"},
        ),
        stats(
            "Requests",
            "reqps",
            "Requests to the tasks in a second, over the last five minutes.",
            {"": f"sum(rate(textloom_http_requests_total{{{TASKS}}}[5m]))"},
            decimals=1,
        ),
        stats(
            "Requests in flight",
            "short",
            "Requests that are being answered just now, those of Prometheus left out.",
            {
                "": f'sum(textloom_http_requests_in_flight{{route!="/metrics", {INSTANCE}}})'
                " or vector(0)"
            },
        ),
        stats(
            "Version",
            "short",
            "Versions of the service that run, each with how many instances.",
            {
                "{{version}}": f"count by (version) (textloom_build_info{{{INSTANCE}}})",
            },
        ),
    )


def _requests(made: Dashboard) -> Dashboard:
    return with_panels(
        made,
        "Requests",
        lines(
            "Requests by route",
            "reqps",
            "All requests, also those for health and pages; `unmatched` is a path that there is not.",
            {"{{route}}": rate("textloom_http_requests_total", "route", INSTANCE)},
        ),
        lines(
            "Share of requests to the tasks that fail",
            "percentunit",
            "5xx among all requests to the tasks, of all instances. " + OBJECTIVE,
            {"failed": "textloom:errors:ratio_rate5m or vector(0)"},
        ),
        lines(
            "Refused and failed, by status",
            "reqps",
            "4xx are callers' mistakes; 503 is refusal, 504 a deadline that passed, 500 a fault of the service.",
            {
                "{{route}} {{status}}": rate(
                    "textloom_http_requests_total",
                    "route, status",
                    f'status=~"[45]..", {INSTANCE}',
                )
            },
        ),
        lines(
            "Latency by task",
            "s",
            "From a request's head to its answer's end: half, 95 % and 99 % of requests take no longer.",
            {
                f"{{{{task}}}} p{percent}": _quantile(percent, "$__rate_interval")
                for percent in (50, 95, 99)
            },
        ),
        lines(
            "Share of requests slower than the objective",
            "percentunit",
            "Over 250 ms, translations over 1 s, of all instances. The objective, over 30 days: at most 1 %.",
            {"slow": "textloom:slow:ratio_rate5m"},
        ),
        lines(
            "Refusals by reason",
            "reqps",
            "queue_full and deadline: more comes in than the cores can do. draining: an instance is stopping."
            " caller_left: nobody waits any more.",
            {"{{model}} {{reason}}": rate("textloom_rejected_total", "model, reason")},
        ),
        lines(
            "Requests in flight, by route",
            "short",
            "Requests that are being answered, by route.",
            {
                "{{route}}": "sum by (route)"
                f' (textloom_http_requests_in_flight{{route!="/metrics", {INSTANCE}}})'
            },
        ),
        lines(
            "Requests by key",
            "reqps",
            "By the key's label and what authentication decided; `-` is no valid key. Empty without keys.",
            {"{{key}} {{outcome}}": rate("textloom_key_requests_total", "key, outcome", INSTANCE)},
        ),
        lines(
            "Quota left, by key",
            "percentunit",
            "Share of its requests in a minute (rate), or at once (concurrency), that a key has left, at the"
            " instance where it has least. Empty without quotas.",
            {
                "{{key}} {{quota}}": "min by (key, quota)"
                f" (textloom_key_quota_remaining{{{INSTANCE}}} / textloom_key_quota > 0)"
            },
        ),
    )


def _saturation(made: Dashboard) -> Dashboard:
    return with_panels(
        made,
        "Saturation",
        lines(
            "Wait in the queue, mean",
            "s",
            "Before anything of a request is computed. Over a quarter of a second TextLoomSaturated fires.",
            {
                "{{model}}": mean(
                    "textloom_phase_duration_seconds", labels=f'phase="queue", {MODEL}'
                )
            },
        ),
        lines(
            "Windows in the queue",
            "short",
            "Parts of texts that wait for a batch; the autoscaler counts them.",
            {"{{model}}": f"sum by (model) (textloom_queue_depth{{{MODEL}}})"},
        ),
        lines(
            "Cores busy",
            "short",
            "Of all processes of an instance.",
            {
                "{{instance}}": f'rate(process_cpu_seconds_total{{job="textloom", {INSTANCE}}}[$__rate_interval])'
            },
        ),
        lines(
            "Time of a request by phase, mean",
            "s",
            "queue: it waits; run: the network computes; encode and decode: text becomes numbers, and back.",
            {"{{model}} {{phase}}": mean("textloom_phase_duration_seconds", "model, phase")},
            stacked=True,
        ),
        lines(
            "Windows in a batch, mean",
            "short",
            "Near 1 with little load; many under load, which costs less each.",
            {"{{model}}": mean("textloom_batch_size")},
        ),
        lines(
            "Share of the computation that is padding",
            "percentunit",
            "Windows of a batch are filled up to the longest.",
            {
                "{{model}}": f"{rate('textloom_padding_tokens_total')}"
                f" / {rate('textloom_batch_tokens_sum')}"
            },
        ),
    )


def _processes(made: Dashboard) -> Dashboard:
    return with_panels(
        made,
        "Processes and models",
        lines(
            "Memory",
            "bytes",
            "Resident, of all processes of an instance; what they share counts once.",
            {"{{instance}}": f'process_resident_memory_bytes{{job="textloom", {INSTANCE}}}'},
        ),
        lines(
            "Open files",
            "short",
            "Of all processes of an instance, connections included.",
            {"{{instance}}": f'process_open_fds{{job="textloom", {INSTANCE}}}'},
        ),
        lines(
            "Restarts in the last hour",
            "short",
            "More than two in a quarter of an hour, and TextLoomRestartLoop fires.",
            {
                "workers": f"sum(increase(textloom_worker_restarts_total{{{INSTANCE}}}[1h]))",
                "services": f'sum(changes(process_start_time_seconds{{job="textloom", {INSTANCE}}}[1h]))',
            },
        ),
        stats(
            "Versions of models that serve",
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
            "Models ready",
            "short",
            "0: at some instance no version of the model serves; its task answers 503 there.",
            {"{{model}}": f"min by (model) (textloom_model_ready{{{MODEL}}})"},
            bounds={0: "red", 1: "green"},
            width=8,
        ),
        stats(
            "Versions refused",
            "short",
            "Versions in the repository that should serve and cannot; `/models` has the reasons.",
            {"": f"sum(textloom_model_refused{{{MODEL}}}) or vector(0)"},
            bounds={0: "green", 1: "red"},
            width=8,
        ),
    )


def _quantile(percent: int, window: str) -> str:
    return (
        f"histogram_quantile({percent / 100}, sum by (task, le)"
        f" (rate(textloom_http_request_duration_seconds_bucket{{{TASKS}}}[{window}])))"
    )
