#!/usr/bin/env python3
"""Write the dashboard for Grafana, as prometheus/dashboard.json.

A panel is a title, a kind, a unit and its queries; the rest is the same for all. Grafana reads the
unit names of its own list ("dateTimeAsIso", "s", "bytes", "percentunit").
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

OF = '{instance=~"$instance", backup=~"$backup"}'
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_STATES = {
    "type": "value",
    "options": {
        str(value): {"text": text, "color": color}
        for value, (text, color) in enumerate(
            (("OK", "green"), ("WARNING", "yellow"), ("CRITICAL", "red"), ("UNKNOWN", "purple"))
        )
    },
}


class Panel(NamedTuple):
    """What one panel shows: each query with the legend of its lines."""

    title: str
    kind: str
    unit: str
    queries: tuple[tuple[str, str], ...]
    height: int = 8
    width: int = 12


def limited(metric: str, limit: str) -> tuple[tuple[str, str], ...]:
    """The age of a point in time beside its upper limits."""
    return (
        (f"time() - {metric}{OF}", "{{instance}} {{backup}}"),
        (f'{limit}{OF[:-1]}, bound="upper"}}', "{{level}} {{instance}} {{backup}}"),
    )


PANELS = (
    Panel(
        "States",
        "state-timeline",
        "",
        ((f"duplicity_check_state{OF}", "{{instance}} {{backup}} {{check}}"),),
        10,
        24,
    ),
    Panel("Findings", "table", "", ((f"duplicity_finding{OF} == 1", ""),)),
    Panel(
        "Time since each check",
        "timeseries",
        "s",
        (
            (
                f"time() - duplicity_check_timestamp_seconds{OF}",
                "{{instance}} {{backup}} {{check}}",
            ),
            (f"2 * max(duplicity_check_interval_seconds{OF})", "limit"),
        ),
    ),
    Panel(
        "Age of the newest backup, and its limits",
        "timeseries",
        "s",
        limited(
            "duplicity_backup_last_success_timestamp_seconds", "duplicity_backup_age_limit_seconds"
        ),
    ),
    Panel(
        "Newest and oldest backup that can be restored",
        "timeseries",
        "dateTimeAsIso",
        (
            (
                f"duplicity_backup_last_success_timestamp_seconds{OF} * 1000",
                "newest {{instance}} {{backup}}",
            ),
            (
                f"duplicity_backup_last_full_timestamp_seconds{OF} * 1000",
                "full {{instance}} {{backup}}",
            ),
            (
                f"duplicity_backup_oldest_timestamp_seconds{OF} * 1000",
                "oldest {{instance}} {{backup}}",
            ),
        ),
    ),
    Panel(
        "The chain: sets on the newest full backup",
        "timeseries",
        "",
        (
            (f"duplicity_backup_chain_sets{OF}", "{{instance}} {{backup}}"),
            (f"duplicity_backup_full_sets{OF}", "full backups {{instance}} {{backup}}"),
        ),
    ),
    Panel(
        "What is wrong at the destination",
        "timeseries",
        "",
        (
            (f"duplicity_backup_missing_volumes{OF}", "missing volumes {{instance}} {{backup}}"),
            (f"duplicity_backup_orphaned_sets{OF}", "orphaned {{instance}} {{backup}}"),
            (f"duplicity_backup_incomplete_sets{OF}", "incomplete {{instance}} {{backup}}"),
        ),
    ),
    Panel(
        "Sizes of the newest run",
        "timeseries",
        "bytes",
        (
            (f"duplicity_run_source_bytes{OF}", "source {{instance}} {{backup}}"),
            (f"duplicity_run_backup_bytes{OF}", "backed up {{instance}} {{backup}}"),
        ),
    ),
    Panel(
        "How long the newest run took",
        "timeseries",
        "s",
        ((f"duplicity_run_duration_seconds{OF}", "{{instance}} {{backup}}"),),
    ),
    Panel(
        "Runs: failed, and files that could not be read",
        "timeseries",
        "",
        (
            (f"duplicity_log_failed_runs{OF}", "failed {{instance}} {{backup}}"),
            (f"duplicity_log_unreadable_files{OF}", "unreadable {{instance}} {{backup}}"),
        ),
    ),
    Panel(
        "Running backups",
        "timeseries",
        "",
        ((f"duplicity_process_running{OF}", "{{instance}} {{backup}}"),),
    ),
    Panel(
        "Time since a restore was proved, and its limits",
        "timeseries",
        "s",
        limited(
            "duplicity_drill_last_success_timestamp_seconds", "duplicity_drill_age_limit_seconds"
        ),
    ),
    Panel(
        "Share of the newest chain that is proved",
        "timeseries",
        "percentunit",
        ((f"duplicity_drill_proved_ratio{OF}", "{{instance}} {{backup}}"),),
    ),
    Panel(
        "Jobs of each host",
        "timeseries",
        "",
        (
            ('duplicity_jobs{instance=~"$instance"}', "jobs {{instance}}"),
            ('duplicity_jobs_unmonitored{instance=~"$instance"}', "not monitored {{instance}}"),
            ('duplicity_jobs_not_started{instance=~"$instance"}', "not started {{instance}}"),
        ),
        width=24,
    ),
)


def dashboard() -> dict[str, Any]:
    """Return the dashboard as Grafana's JSON model."""
    panels: list[dict[str, Any]] = []
    x = y = 0
    for number, panel in enumerate(PANELS, 1):
        if x + panel.width > 24:
            x = 0
            y += panels[-1]["gridPos"]["h"]
        panels.append(_panel(number, panel, x, y))
        x += panel.width
    return {
        "uid": "duplicity",
        "title": "Duplicity backups",
        "tags": ["backup", "duplicity"],
        "schemaVersion": 39,
        "time": {"from": "now-28d", "to": "now"},
        "refresh": "5m",
        "templating": {
            "list": [_source(), _variable("instance", "Host"), _variable("backup", "Backup")]
        },
        "panels": panels,
    }


def _panel(number: int, panel: Panel, x: int, y: int) -> dict[str, Any]:
    table = panel.kind == "table"
    return {
        "id": number,
        "title": panel.title,
        "type": panel.kind,
        "datasource": _SOURCE,
        "gridPos": {"x": x, "y": y, "w": panel.width, "h": panel.height},
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit or "none",
                "mappings": [_STATES] if panel.kind == "state-timeline" else [],
            },
            "overrides": [],
        },
        "targets": [
            {
                "refId": chr(ord("A") + place),
                "datasource": _SOURCE,
                "expr": query,
                "legendFormat": legend,
                **({"format": "table", "instant": True} if table else {}),
            }
            for place, (query, legend) in enumerate(panel.queries)
        ],
    }


def _source() -> dict[str, Any]:
    return {
        "name": "datasource",
        "label": "Prometheus",
        "type": "datasource",
        "query": "prometheus",
    }


def _variable(name: str, label: str) -> dict[str, Any]:
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": _SOURCE,
        "query": f"label_values(duplicity_check_state, {name})",
        "includeAll": True,
        "allValue": ".*",
        "multi": True,
        "refresh": 2,
        "current": {"text": "All", "value": "$__all"},
    }


if __name__ == "__main__":
    print(json.dumps(dashboard(), indent=2))
