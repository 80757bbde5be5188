"""The alerts and the dashboard: Prometheus accepts them, and the metrics that they query exist."""

from __future__ import annotations

import json
import re
import subprocess
import sys

from check_duplicity.formats.openmetrics import NAMES
from plugin import ROOT
from prometheus_server import DASHBOARD, RULES, needs_promtool, promtool

ANSWERED = {"check_state", "check_timestamp_seconds", "check_interval_seconds", "finding"}
LIMITS = r"(backup|drill|process|log|run|jobs)_\w+_limit(_\w+)?"


@needs_promtool
def test_prometheus_takes_the_alerts() -> None:
    status, said = promtool("check", "rules", RULES)
    assert (status, "SUCCESS" in said) == (0, True), said


@needs_promtool
def test_each_alert_comes_when_it_should_and_says_what_to_do() -> None:
    status, said = promtool("test", "rules", RULES.with_name("alerts_test.yml"))
    assert status == 0, said


def test_each_alert_is_tested() -> None:
    tested = RULES.with_name("alerts_test.yml").read_text()
    for alert in re.findall(r"- alert: (\w+)", RULES.read_text()):
        assert f"alertname: {alert}\n" in tested


def test_the_dashboard_is_what_its_script_writes() -> None:
    script = DASHBOARD.with_suffix(".py")
    written = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert written.stdout == DASHBOARD.read_text()


def test_the_panels_fill_their_rows_and_lie_on_no_other() -> None:
    covered: set[tuple[int, int]] = set()
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        place = panel["gridPos"]
        rows = range(place["y"], place["y"] + place["h"])
        cells = {(x, y) for y in rows for x in range(place["x"], place["x"] + place["w"])}
        assert not cells & covered
        covered |= cells
    height = 1 + max(y for _, y in covered)
    assert covered == {(x, y) for x in range(24) for y in range(height)}


def test_they_ask_for_metrics_that_the_checks_write() -> None:
    written = ANSWERED | {named.name for names in NAMES.values() for named in names.values()}
    asked = RULES.read_text() + DASHBOARD.read_text()
    for name in set(re.findall(r"\bduplicity_(\w+)(?=[{ \[\n\"%])", asked)) - {"triage"}:
        assert name in written or re.fullmatch(LIMITS, name), name


def test_the_page_explains_each_alert_and_each_metric() -> None:
    page = (ROOT / "docs" / "prometheus.rst").read_text()
    for alert in re.findall(r"- alert: (\w+)", RULES.read_text()):
        assert f"``{alert}``" in page
    for check, names in NAMES.items():
        for named in names.values():
            assert f"``duplicity_{named.name}``" in page, (check, named.name)
