"""Print the dashboard for Grafana: python3 prometheus/dashboard.py > prometheus/dashboard.json.

The metrics are those of ``check_duplicity/formats/openmetrics.py``, the JSON is Grafana's model of
a dashboard (version 38, of Grafana 9.4 and later).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

HERE = '{instance=~"$instance", backup=~"$backup"}'
OF_HOST = '{instance=~"$instance"}'
SAME = "(job, instance, check, backup)"
NAME = "{{instance}} {{backup}}"
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
COLUMNS = 24
GREEN, ORANGE, RED, PURPLE = "green", "orange", "red", "purple"


class Query(NamedTuple):
    """A query, and the names of its curves."""

    text: str
    legend: str = NAME


class Panel(NamedTuple):
    """A panel.

    ``kind`` and ``unit`` are Grafana's words. The colour changes at each of ``steps``.
    """

    title: str
    said: str
    kind: str
    queries: tuple[Query, ...]
    unit: str = "short"
    width: int = COLUMNS // 2
    height: int = 8
    steps: tuple[tuple[float | None, str], ...] = ((None, GREEN),)
    options: dict[str, Any] = {}
    custom: dict[str, Any] = {}
    mappings: tuple[dict[str, Any], ...] = ()
    transformations: tuple[dict[str, Any], ...] = ()


def age(metric: str) -> str:
    """Return the query for the seconds since a point in time."""
    return f"time() - {metric}{HERE}"


def limits(metric: str) -> Query:
    """Return the query for the upper limits of a metric."""
    where = HERE.replace("}", ', bound="upper"}')
    return Query(f"{metric}{where}", f"{NAME} {{{{level}}}} limit")


def share(metric: str, limit: str) -> str:
    """Return the query for an age as a share of the highest limit that counts now."""
    highest = f"max by {SAME} ({limits(limit).text})"
    return f"({age(metric)}) / on {SAME} {highest}"


STATES = {
    "type": "value",
    "options": {
        str(value): {"text": text, "color": color, "index": value}
        for value, (text, color) in enumerate(
            [("OK", GREEN), ("WARNING", ORANGE), ("CRITICAL", RED), ("UNKNOWN", PURPLE)]
        )
    },
}
BARS = {
    "displayMode": "basic",
    "orientation": "horizontal",
    "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
}
CURVES = {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}}
STEPS = {"lineInterpolation": "stepAfter", "fillOpacity": 10}
FULL = ((None, GREEN), (0.8, ORANGE), (1.0, RED))
NONE_IS_GOOD = ((None, GREEN), (1, RED))
KINDS = {
    "id": "organize",
    "options": {
        "excludeByName": {"Time": True, "Value": True, "__name__": True, "job": True},
        "indexByName": {"instance": 0, "backup": 1, "check": 2, "state": 3, "kind": 4},
    },
}

PANELS = (
    Panel(
        "What each check says",
        "One line a check. A line that goes on is no sign that the check does: see the next panel.",
        "state-timeline",
        (Query(f"duplicity_check_state{HERE}", f"{NAME} {{{{check}}}}"),),
        width=COLUMNS,
        options={"mergeValues": True, "showValue": "never", "legend": CURVES["legend"]},
        mappings=(STATES,),
    ),
    Panel(
        "Since when no check has come, in intervals",
        "Below 1 when all is well. From 2 on the check is dead: its timer, or it can't write.",
        "bargauge",
        (
            Query(
                f"({age('duplicity_check_timestamp_seconds')})"
                f" / duplicity_check_interval_seconds{HERE}",
                f"{NAME} {{{{check}}}}",
            ),
        ),
        steps=((None, GREEN), (2, RED)),
        options=BARS,
    ),
    Panel(
        "Findings",
        "All that the checks have found now, the state of each with it.",
        "table",
        (Query(f"duplicity_finding{HERE}", ""),),
        transformations=(KINDS,),
    ),
    Panel(
        "Age of the newest backup, of its limit",
        "At 100 % it is as old as it may be. While a backup runs, the limit of a warning counts.",
        "bargauge",
        (
            Query(
                share(
                    "duplicity_backup_last_success_timestamp_seconds",
                    "duplicity_backup_age_limit_seconds",
                )
            ),
        ),
        "percentunit",
        steps=FULL,
        options=BARS,
    ),
    Panel(
        "Age of the newest good drill, of its limit",
        "At 100 % nobody has proved for too long that the backups can be read back.",
        "bargauge",
        (
            Query(
                share(
                    "duplicity_drill_last_success_timestamp_seconds",
                    "duplicity_drill_age_limit_seconds",
                )
            ),
        ),
        "percentunit",
        steps=FULL,
        options=BARS,
    ),
    Panel(
        "Age of the newest backup and its limits",
        "It falls with each complete backup, and grows with the clock, also if no check comes.",
        "timeseries",
        (
            Query(age("duplicity_backup_last_success_timestamp_seconds")),
            limits("duplicity_backup_age_limit_seconds"),
        ),
        "s",
        options=CURVES,
    ),
    Panel(
        "The chain: backup sets in it",
        "A step up is an incremental backup; at 1 a full one has begun a new chain.",
        "timeseries",
        (Query(f"duplicity_backup_chain_sets{HERE}"),),
        options=CURVES,
        custom=STEPS,
    ),
    Panel(
        "How far back one can go",
        "The age of the newest full backup, and that of the oldest which can be restored.",
        "timeseries",
        (
            Query(age("duplicity_backup_last_full_timestamp_seconds"), f"{NAME} newest full"),
            Query(age("duplicity_backup_oldest_timestamp_seconds"), f"{NAME} oldest"),
        ),
        "s",
        options=CURVES,
    ),
    Panel(
        "Wrong at the destination",
        "Missing volumes are lost data. Orphaned and incomplete sets are left by broken runs.",
        "timeseries",
        (
            Query(f"duplicity_backup_missing_volumes{HERE}", f"{NAME} missing volumes"),
            Query(f"duplicity_backup_orphaned_sets{HERE}", f"{NAME} orphaned sets"),
            Query(f"duplicity_backup_incomplete_sets{HERE}", f"{NAME} incomplete sets"),
        ),
        options=CURVES,
        custom=STEPS,
    ),
    Panel(
        "Sizes: the source, and what each run has backed up",
        "By the log of the runs.",
        "timeseries",
        (
            Query(f"duplicity_run_source_bytes{HERE}", f"{NAME} source"),
            Query(f"duplicity_run_backup_bytes{HERE}", f"{NAME} backed up"),
        ),
        "bytes",
        options=CURVES,
        custom=STEPS,
    ),
    Panel(
        "How long runs take",
        "The newest run by its log, and a backup that runs now by the time since it began.",
        "timeseries",
        (
            Query(f"duplicity_run_duration_seconds{HERE}", f"{NAME} newest run"),
            Query(age("duplicity_process_start_timestamp_seconds"), f"{NAME} running"),
        ),
        "s",
        options=CURVES,
        custom=STEPS,
    ),
    Panel(
        "Files of the source",
        "In the newest backup, and how many the newest run could not read.",
        "timeseries",
        (
            Query(f"duplicity_backup_source_files{HERE}", f"{NAME} files"),
            Query(f"duplicity_log_unreadable_files{HERE}", f"{NAME} not readable"),
        ),
        options=CURVES,
        custom=STEPS,
    ),
    Panel(
        "Proved: volumes of the newest chain that drills have read",
        "It falls when a full backup begins a new chain, and grows with each drill.",
        "timeseries",
        (Query(f"duplicity_drill_proved_ratio{HERE}"),),
        "percentunit",
        options=CURVES,
        custom={**STEPS, "axisSoftMin": 0, "axisSoftMax": 1},
    ),
    Panel(
        "Jobs of the host",
        "All that are found there, those that nobody checks, and those that nothing starts.",
        "stat",
        (
            Query(f"duplicity_jobs{OF_HOST}", "{{instance}} jobs"),
            Query(f"duplicity_jobs_unmonitored{OF_HOST}", "{{instance}} not monitored"),
            Query(f"duplicity_jobs_not_started{OF_HOST}", "{{instance}} not started"),
        ),
        options={"colorMode": "none", "reduceOptions": BARS["reduceOptions"]},
    ),
    Panel(
        "Failed runs",
        "Jobs whose newest run has failed, by its log.",
        "timeseries",
        (Query(f"duplicity_log_failed_runs{HERE}"),),
        steps=NONE_IS_GOOD,
        options=CURVES,
        custom=STEPS,
    ),
)


def dashboard(panels: Iterable[Panel] = PANELS) -> dict[str, Any]:
    """Return the dashboard as Grafana imports it."""
    return {
        "title": "Duplicity backups",
        "uid": "check-duplicity",
        "tags": ["backup", "duplicity"],
        "schemaVersion": 38,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "5m",
        "time": {"from": "now-30d", "to": "now"},
        "templating": {"list": [*_variables()]},
        "panels": [*_placed(panels)],
    }


def _variables() -> Iterator[dict[str, Any]]:
    yield {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
    yield _variable("instance", "Host", "label_values(duplicity_check_state, instance)")
    of_host = f"label_values(duplicity_check_state{OF_HOST}, backup)"
    yield _variable("backup", "Backup", of_host)


def _variable(name: str, label: str, query: str) -> dict[str, Any]:
    """Return a variable. "All" also fits series without the label, as of check_duplicity_jobs."""
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": SOURCE,
        "definition": query,
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
    }


def _placed(panels: Iterable[Panel]) -> Iterator[dict[str, Any]]:
    """Yield the panels, from left to right and from the top down."""
    x = y = 0
    for number, panel in enumerate(panels, 1):
        place = {"h": panel.height, "w": panel.width, "x": x, "y": y}
        yield {"id": number, "gridPos": place, **_panel(panel)}
        x += panel.width
        if x >= COLUMNS:
            x, y = 0, y + panel.height


def _panel(panel: Panel) -> dict[str, Any]:
    steps = [{"value": value, "color": color} for value, color in panel.steps]
    by_step = {"mode": "palette-classic" if panel.kind == "timeseries" else "thresholds"}
    return {
        "title": panel.title,
        "description": panel.said,
        "type": panel.kind,
        "datasource": SOURCE,
        "targets": [_target(*pair, panel.kind) for pair in enumerate(panel.queries)],
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit,
                "min": 0,
                "color": by_step,
                "custom": panel.custom,
                "mappings": [*panel.mappings],
                "thresholds": {"mode": "absolute", "steps": steps},
            },
            "overrides": [],
        },
        "options": panel.options,
        "transformations": [*panel.transformations],
    }


def _target(number: int, query: Query, kind: str) -> dict[str, Any]:
    now = kind in ("bargauge", "stat", "table")
    return {
        "refId": "ABCDEF"[number],
        "datasource": SOURCE,
        "expr": query.text,
        "legendFormat": query.legend,
        "format": "table" if kind == "table" else "time_series",
        "instant": now,
        "range": not now,
    }


if __name__ == "__main__":
    print(json.dumps(dashboard(), indent=2))
