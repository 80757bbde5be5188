"""Write the answer as OpenMetrics, which node_exporter's textfile collector reads, too.

Names and units follow Prometheus' own guide ("Metric and label naming"): base units, which are
seconds, bytes and ratios; points in time instead of ages, which would stop growing if the check
stopped. Each series has the labels ``check`` and ``backup``; the scraper knows the host. All
metrics are gauges, which OpenMetrics 1.0 and Prometheus' text format 0.0.4 write the same way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.openmetrics.exposition import generate_latest

from check_duplicity.formats.model import Form, check_of
from check_duplicity.lines import one_line
from check_duplicity.nagios.answer import Answer
from check_duplicity.nagios.findings import State
from check_duplicity.nagios.limits import Limit
from check_duplicity.nagios.measures import Limits
from check_duplicity.values import NamedTuple


class Named(NamedTuple):
    """A metric's name and help text.

    If ``since`` is set, the measure is an age, and the metric is the time from which it counts. If
    ``running`` is set, the measure is only known while a backup runs.
    """

    name: str
    help: str
    since: bool = False
    running: bool = False


_UNITS = {"s": "seconds", "B": "bytes", "%": "ratio"}
NAMES: Mapping[str, Mapping[str, Named]] = {
    "freshness": {
        "age": Named(
            "backup_last_success_timestamp_seconds",
            "When the newest complete backup was made, or a run last had nothing to back up",
            since=True,
        ),
        "full_age": Named(
            "backup_last_full_timestamp_seconds", "When the newest full backup was made", since=True
        ),
        "history": Named(
            "backup_oldest_timestamp_seconds", "When the oldest restorable backup was made", True
        ),
        "chain_length": Named("backup_chain_sets", "Backup sets in the newest chain"),
        "chains": Named("backup_chains", "Backup chains at the destination"),
        "fulls": Named("backup_full_sets", "Full backups that can be restored"),
        "volumes": Named("backup_volumes", "Volumes at the destination"),
        "orphaned": Named("backup_orphaned_sets", "Orphaned backup sets at the destination"),
        "incomplete": Named("backup_incomplete_sets", "Incomplete backup sets at the destination"),
        "missing_volumes": Named("backup_missing_volumes", "Volumes missing at the destination"),
        "files": Named("backup_source_files", "Files of the source in the newest backup"),
        "source_size": Named("backup_source_bytes", "Size of the source in the newest backup"),
        "deleted": Named("backup_deleted_files", "Files that the newest backup found deleted"),
        "shrunk": Named(
            "backup_source_shrunk_ratio", "By how much the source is below its 30-day median"
        ),
    },
    "process": {
        "processes": Named("process_running", "Backups that are running"),
        "elapsed": Named(
            "process_start_timestamp_seconds", "When the oldest running backup began", True, True
        ),
        "stalled": Named(
            "process_last_progress_timestamp_seconds",
            "When the running backup that makes the least progress last made some",
            since=True,
            running=True,
        ),
    },
    "log": {
        "runs": Named("log_runs", "Jobs of which the newest run was judged"),
        "failed": Named("log_failed_runs", "Jobs whose newest run failed"),
        "orphaned": Named("log_orphaned_runs", "Jobs whose newest run found orphaned sets"),
        "incomplete": Named("log_incomplete_runs", "Jobs whose newest run found incomplete sets"),
        "errors": Named("log_unreadable_files", "Files that the newest run could not read"),
        "duration": Named("run_duration_seconds", "How long the newest run took"),
        "source_size": Named("run_source_bytes", "Size of the source in the newest run"),
        "backup_size": Named("run_backup_bytes", "Size of what the newest run has backed up"),
        "files": Named("run_source_files", "Files of the source in the newest run"),
        "new": Named("run_new_files", "New files in the newest run"),
        "changed": Named("run_changed_files", "Changed files in the newest run"),
        "deleted": Named("run_deleted_files", "Deleted files in the newest run"),
        "shrunk": Named(
            "run_source_shrunk_ratio", "By how much the newest run's source is below its median"
        ),
    },
    "restore": {
        "age": Named(
            "drill_last_success_timestamp_seconds",
            "When a restore was last proved; if never, when the first drill was made",
            since=True,
        ),
        "proved": Named("drill_proved_ratio", "Share of the newest chain that is proved"),
        "volumes": Named("drill_volumes", "Volumes that the last good drill has read"),
        "files": Named("drill_files", "Files that the last good drill has restored"),
        "bytes": Named("drill_bytes", "Bytes that the last good drill has restored"),
    },
    "jobs": {
        "jobs": Named("jobs", "Duplicity jobs of this host"),
        "unmonitored": Named("jobs_unmonitored", "Jobs that have no job's file"),
        "not_started": Named("jobs_not_started", "Jobs that nothing starts any more"),
    },
    "triage": {"jobs": Named("triage_jobs", "Jobs that were looked at")},
}
"""Metrics by check and performance data; ``duplicity_`` comes before each name."""


def text(answer: Answer, form: Form) -> str:
    """Return the metrics of one check."""
    collected = _Collected(list(_families(answer, form)))
    written: bytes = generate_latest(collected)  # type: ignore[no-untyped-call]
    return written.decode()


class _Collected:
    """A registry that has only the method that ``generate_latest`` calls."""

    def __init__(self, families: Sequence[GaugeMetricFamily]) -> None:
        self._families = families

    def collect(self) -> Sequence[GaugeMetricFamily]:
        return self._families


def _families(answer: Answer, form: Form) -> Iterator[GaugeMetricFamily]:
    which = {"check": check_of(answer), "backup": one_line(form.backup)}

    def gauge(name: str, said: str, *samples: tuple[float, dict[str, str]]) -> GaugeMetricFamily:
        labels = [*which, *(key for key in (samples[0][1] if samples else ()) if key not in which)]
        family = GaugeMetricFamily(f"duplicity_{name}", said, labels=labels)
        for value, more in samples:
            values = {**which, **more}
            family.add_metric([values[label] for label in labels], value)
        return family

    time = answer.time.timestamp()
    yield gauge("check_state", "0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN", (int(answer.state), {}))
    yield gauge("check_timestamp_seconds", "When the check looked", (int(time), {}))
    yield gauge("check_interval_seconds", "How often the check is made", (form.interval, {}))
    yield gauge("finding", "1 for each kind of finding", *_findings(answer, form))
    named = NAMES[which["check"]]
    running = any(m.name == "processes" and m.value for m, _ in answer.measures)
    for measure, limits in answer.measures:
        if not measure.graphed or (named[measure.name].running and not running):
            continue
        name, said, since, _ = named[measure.name]
        divisor = 100 if measure.unit == "%" else 1
        value = int(time) - measure.value if since else measure.value / divisor
        yield gauge(name, said, (value, {}))
        bounds = [*_bounds(limits, divisor)]
        if bounds:
            stem = "_".join(filter(None, (_subject(name), measure.name, "limit")))
            unit = _UNITS.get(measure.unit, "")
            yield gauge("_".join(filter(None, (stem, unit))), f"Limit: {said}", *bounds)


def _subject(name: str) -> str:
    return name.partition("_")[0]


def _findings(answer: Answer, form: Form) -> list[tuple[float, dict[str, str]]]:
    """Return one sample for each job, kind and state of the findings."""
    found = {(form.backup or f.job, f.kind.value, f.state.name.lower()): None for f in answer.found}
    return [
        (1, {"backup": one_line(backup), "kind": kind, "state": state})
        for backup, kind, state in found
    ]


def _bounds(limits: Limits, divisor: int) -> Iterator[tuple[float, dict[str, str]]]:
    """Yield the bounds of the limits that apply. A graph can't draw an inverted range's."""
    for state, limit in ((State.WARNING, limits.warning), (State.CRITICAL, limits.critical)):
        if limit is None or limits.worst < state:
            continue
        for bound, value in _of_range(limit):
            yield value / divisor, {"level": state.name.lower(), "bound": bound}


def _of_range(limit: Limit) -> Iterator[tuple[str, float]]:
    match = re.fullmatch(r"([\d.]+|~):([\d.]*)", limit.spec)
    if match is None:
        return
    if match[1] != "~" and float(match[1]):
        yield "lower", float(match[1])
    if match[2]:
        yield "upper", float(match[2])
