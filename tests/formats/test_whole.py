"""One answer as each form has it, word for word."""

from __future__ import annotations

import json
import select
from datetime import datetime, timezone
from typing import cast

import pytest
from check_duplicity.formats.form import give
from check_duplicity.formats.form import text as text_of
from check_duplicity.formats.model import Form
from check_duplicity.formats.openmetrics import NAMES
from check_duplicity.nagios.answer import Answer
from check_duplicity.nagios.commands import Job
from check_duplicity.nagios.findings import Finding, Kind, State
from check_duplicity.nagios.limits import age_limit, percent_limit
from check_duplicity.nagios.measures import Limits, Measure
from check_duplicity.nagios.output import Output
from check_duplicity.system.writer import NotWritten, Writer
from prometheus_client.openmetrics.parser import text_string_to_metric_families

NOW = datetime(2026, 11, 24, 2, 0, 30, 500_000, tzinfo=timezone.utc)
FORM = Form("nagios", "assets", "web.example.org", "duplicity-freshness-assets", 900.0)
SAID = Answer(
    "DUPLICITY FRESHNESS",
    State.CRITICAL,
    "last backup 3d ago",
    NOW,
    (
        (Measure("age", 259_200, "s"), Limits(age_limit("32h"), age_limit("56h"))),
        (Measure("history", 864_000, "s"), Limits(age_limit("30d:"))),
        (Measure("chains", 1), Limits()),
        (Measure("shrunk", 25, "%"), Limits(percent_limit("50"), percent_limit("90"))),
        (Measure("source_size", 4096, "B"), Limits()),
        (Measure("not shown", 1, graphed=False), Limits()),
    ),
    (
        Finding(Kind.STALE, State.CRITICAL, "age\n3d", "", "a quote"),
        Finding(Kind.NOT_ENCRYPTED, State.WARNING, "not encrypted"),
    ),
    Job("backup", check="check -d x", script="/s/b"),
    ("archive directory: /a",),
)
STATUS = "DUPLICITY FRESHNESS CRITICAL - last backup 3d ago"
PERFORMANCE = (
    "age=259200s;115200;201600;0 chains=1;;;0 history=864000s;2592000:;;0 shrunk=25%;49;89;0"
    " source_size=4096B;;;0"
)
STALE = [
    (
        "Read what the last run said, and see whether a backup is running now:\n"
        "  sudo check_duplicity_log -u backup\n"
        "  sudo -u backup -- check_duplicity_process -u backup"
    ),
    "Then run the job again, in tmux or screen:\n  sudo -iu backup -- /s/b",
]
PLAIN = (
    "Everybody who can read the destination can read this backup. Look for --no-encryption in the"
    " job's\nscript, and remove it. Then make a full backup. Keep the old backups until the new one"
    " is good."
)
MORE = "\n".join(
    ["CRITICAL: age?3d", "  It said: a quote", *STALE, "WARNING: not encrypted", PLAIN,
     "archive directory: /a"]
)  # fmt: skip


def test_nagios() -> None:
    assert text_of(SAID, FORM) == f"{STATUS} | {PERFORMANCE}\n{MORE}\n"
    assert text_of(SAID, FORM._replace(quiet=True)) == f"{STATUS} | {PERFORMANCE}\n"


def test_nsca() -> None:
    name = "web.example.org\tduplicity-freshness-assets\t2\t"
    form = FORM._replace(format="nsca")
    assert text_of(SAID, form) == f"{name}{STATUS} | {PERFORMANCE}\n{MORE}\n\x17"
    assert text_of(SAID, form._replace(quiet=True)) == f"{name}{STATUS} | {PERFORMANCE}\n\x17"


@pytest.mark.parametrize(("quiet", "more"), [(False, f"\n{MORE}"), (True, "")])
def test_icinga2(quiet: bool, more: str) -> None:
    text = text_of(SAID, FORM._replace(format="icinga2", quiet=quiet))
    assert json.loads(text) == {
        "type": "Service",
        "filter": "host.name == wanted_host && service.name == wanted_service",
        "filter_vars": {
            "wanted_host": "web.example.org", "wanted_service": "duplicity-freshness-assets"
        },
        "exit_status": 2,
        "plugin_output": STATUS + more,
        "performance_data": PERFORMANCE.split(),
        "check_source": "web.example.org",
        "ttl": 1800.0,
    }  # fmt: skip
    assert text.endswith("}\n")
    assert text.count("\n") == 1


def measure(name: str, value: int, unit: str, warning: str | None, critical: str | None) -> object:
    limits = {"warning": warning, "critical": critical}
    return {"name": name, "value": value, "unit": unit, **limits}


def test_json() -> None:
    assert json.loads(text_of(SAID, FORM._replace(format="json"))) == {
        "check": "freshness",
        "backup": "assets",
        "host": "web.example.org",
        "time": "2026-11-24T02:00:30+00:00",
        "state": "CRITICAL",
        "exit_status": 2,
        "summary": "last backup 3d ago",
        "measures": [
            measure("age", 259_200, "s", "~:115200", "~:201600"),
            measure("history", 864_000, "s", "2592000:", None),
            measure("chains", 1, "", None, None),
            measure("shrunk", 25, "%", "~:49", "~:89"),
            measure("source_size", 4096, "B", None, None),
        ],
        "findings": [
            {
                "kind": "stale",
                "state": "CRITICAL",
                "text": "age?3d",
                "job": "",
                "quote": "a quote",
                "advice": STALE,
                "commands": [
                    "sudo check_duplicity_log -u backup",
                    "sudo -u backup -- check_duplicity_process -u backup",
                    "sudo -iu backup -- /s/b",
                ],
            },
            {
                "kind": "not encrypted",
                "state": "WARNING",
                "text": "not encrypted",
                "job": "",
                "quote": "",
                "advice": [PLAIN],
                "commands": [],
            },
        ],
        "details": ["archive directory: /a"],
    }


def series(text: str) -> dict[str, dict[str, float]]:
    """Return the help of each metric, and its samples by their labels, without the usual ones."""
    usual = {"check": "freshness", "backup": "assets"}
    found: dict[str, dict[str, float]] = {}
    for family in text_string_to_metric_families(text):  # type: ignore[no-untyped-call]
        samples = found.setdefault(f"{family.name}: {family.documentation}", {})
        for sample in family.samples:
            assert usual.items() <= sample.labels.items()
            own = sorted(sample.labels.items() - usual.items())
            samples[", ".join(value for _, value in own)] = sample.value
    return found


def test_openmetrics() -> None:
    success = "When the newest complete backup was made, or a run last had nothing to back up"
    oldest = "When the oldest restorable backup was made"
    shrunk = "By how much the source is below its 30-day median"
    at = 1_795_485_630
    assert series(text_of(SAID, FORM._replace(format="openmetrics"))) == {
        "duplicity_check_state: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN": {"": 2},
        "duplicity_check_timestamp_seconds: When the check looked": {"": at},
        "duplicity_check_interval_seconds: How often the check is made": {"": 900},
        "duplicity_finding: 1 for each kind of finding": {
            "stale, critical": 1, "not encrypted, warning": 1
        },
        f"duplicity_backup_last_success_timestamp_seconds: {success}": {"": at - 259_200},
        f"duplicity_backup_age_limit_seconds: Limit: {success}": {
            "upper, warning": 115_200, "upper, critical": 201_600
        },
        f"duplicity_backup_oldest_timestamp_seconds: {oldest}": {"": at - 864_000},
        f"duplicity_backup_history_limit_seconds: Limit: {oldest}": {
            "lower, warning": 2_592_000
        },
        "duplicity_backup_chains: Backup chains at the destination": {"": 1},
        f"duplicity_backup_source_shrunk_ratio: {shrunk}": {"": 0.25},
        f"duplicity_backup_shrunk_limit_ratio: Limit: {shrunk}": {
            "upper, warning": 0.49, "upper, critical": 0.89
        },
        "duplicity_backup_source_bytes: Size of the source in the newest backup": {"": 4096},
    }  # fmt: skip


def test_each_metric_is_named_for_what_it_is() -> None:
    """A time, and known only while a backup runs if it is one of that run."""
    for check, names in NAMES.items():
        for measured, (name, _, since, running) in names.items():
            assert since == name.endswith("_timestamp_seconds"), name
            assert running == (check == "process" and measured != "processes"), name


class Fake:
    """A file that is written, or not, for that reason."""

    def __init__(self, reason: str = "") -> None:
        self.reason, self.written = reason, ""

    def write(self, text: str) -> None:
        if self.reason:
            raise NotWritten(self.reason)
        self.written = text


def given(said: Answer, file: Fake | None, form: str = "json", quiet: bool = False) -> Output:
    return give(said, FORM._replace(format=form, quiet=quiet), cast("Writer | None", file))


def test_a_file_has_the_form_and_the_output_is_for_nagios() -> None:
    file = Fake()
    assert given(SAID, file) == (State.CRITICAL, f"{STATUS} | {PERFORMANCE}\n{MORE}\n")
    assert file.written == text_of(SAID, FORM._replace(format="json"))
    assert given(SAID, file, quiet=True).text == f"{STATUS} | {PERFORMANCE}\n"
    assert given(SAID, None) == (State.CRITICAL, file.written)


@pytest.mark.parametrize("jobs", [SAID.jobs, None, {"": SAID.jobs}, {"a": SAID.jobs}])
def test_a_file_that_cannot_be_written_is_told_first(jobs: Job | dict[str, Job] | None) -> None:
    found = tuple(one._replace(job="a" if jobs == {"a": SAID.jobs} else "") for one in SAID.found)
    state, text = given(SAID._replace(jobs=jobs, found=found), Fake("/o/m.prom: no room"))
    first, second, *rest = text.split("\n")
    assert state is State.UNKNOWN
    assert first == (
        "DUPLICITY FRESHNESS UNKNOWN - /o/m.prom: no room; the check said CRITICAL: last backup 3d"
        f" ago | {PERFORMANCE}"
    )
    assert second == "UNKNOWN: /o/m.prom: no room"
    assert ("Then run the job again, in tmux or screen:" in rest) == (jobs is not None)
    # Even an answer without any job has advice on it.
    _, text = given(SAID._replace(jobs={}, found=()), Fake("/o/m.prom: no room"))
    assert text.split("\n")[2]


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_what_just_fits_is_not_cut_for_nsca(more: int) -> None:
    form = FORM._replace(format="nsca", host="h", service="s")
    command = "[1234567890] PROCESS_SERVICE_CHECK_RESULT;h;s;0;\n"
    said = Answer("T", State.OK, "", NOW, details=("",))
    room = select.PIPE_BUF - len(command) - len("T OK - \n") - 2  # an escape for each newline
    text = text_of(said._replace(details=("x" * (room + more),)), form)
    assert text.endswith("the rest is cut)\n\x17") == (more > 0)
    assert len(text) < select.PIPE_BUF
