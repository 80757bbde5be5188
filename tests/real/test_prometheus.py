"""From real backups to graphs and alerts: each check, node_exporter, Prometheus, each query."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from lab import DUPLICITIES, Lab, wait_until
from plugin import run_plugin, write_job
from prometheus_server import (
    DASHBOARD,
    Prometheus,
    needs_prometheus,
    needs_promtool,
    promtool,
    started,
)

CHECKS = ("freshness", "process", "log", "restore")
ALWAYS = "@0:1d"  # an inverted range: a limit that what is below a day old is always beyond
JOBS = ("good", "old", "empty", "running")
STATES = {
    ("freshness", "good"): 0, ("freshness", "old"): 1, ("freshness", "empty"): 2,
    ("process", "good"): 0, ("log", "good"): 0, ("log", "empty"): 2, ("log", "running"): 3,
    ("restore", "good"): 0, ("restore", "empty"): 3,
}  # fmt: skip


class Site:
    """A host with jobs in good and bad states; the files of their checks are in ``texts``."""

    def __init__(self, duplicity: Path, directory: Path, stack: ExitStack) -> None:
        self.texts = directory / "texts"
        self.jobs = directory / "jobs"
        self.logs = directory / "logs"
        for path in (self.texts, self.jobs, self.logs):
            path.mkdir()
        self.labs = {name: self._lab(name, duplicity, directory, stack) for name in JOBS}
        self.environment = self.labs["good"].environment
        self.environment["XDG_STATE_HOME"] = str(directory / "state")
        self._back_up()
        for name in JOBS:
            self._write_job(name)
        done = run_plugin("duplicity_drill", self.of_job("good"), environment=self.environment)
        assert done.status == 0, done.out
        backup = stack.enter_context(self.labs["running"].running())
        os.killpg(backup.pid, signal.SIGSTOP)  # It is there, and needs no more of the disk.
        self.states = {(c, job): self.write(c, job) for c in CHECKS for job in JOBS}
        self.states["jobs", ""] = self.write("jobs")

    def _lab(self, name: str, duplicity: Path, directory: Path, stack: ExitStack) -> Lab:
        (directory / name).mkdir()
        return stack.enter_context(Lab(duplicity, directory / name))

    def _back_up(self) -> None:
        for name, hours in (("good", (50, 2)), ("old", (40,))):
            for number, ago in enumerate(hours):
                self.labs[name].run("incremental" if number else "full", ago=ago)
                self._log(name).write_text(self.labs[name].printed)
        self._log("empty").write_text(self._failing())

    def _failing(self) -> str:
        """Return duplicity's output for a source that doesn't exist."""
        words = self.labs["empty"].command("full", "--no-encryption")
        words[-2] = "/nonexistent"
        done = subprocess.run(
            words, capture_output=True, text=True, env=self.environment, check=False
        )
        assert done.returncode != 0
        return done.stdout + done.stderr

    def _log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def _write_job(self, name: str) -> None:
        lab = self.labs[name]
        facts = {
            "destination": lab.url, "archive_dir": lab.archive, "duplicity": lab.duplicity,
            "mail": self._log(name),
        }  # fmt: skip
        write_job(self.jobs, name, "[job]\n" + "".join(f"{k} = {v}\n" for k, v in facts.items()))

    def of_job(self, job: str) -> list[object]:
        return ["--jobs-dir", self.jobs, *(["-j", job] if job else [])]

    def ask(self, check: str, *words: object) -> tuple[int, str]:
        """Return the status of a check, and its metrics as printed."""
        path = self.texts.parent / "asked.prom"
        words = (*words, "--format", "openmetrics", "--write", path)
        done = run_plugin(f"check_duplicity_{check}", words, environment=self.environment)
        text = path.read_text()
        path.unlink()
        return done.status, text

    def write(self, check: str, job: str = "") -> int:
        """Have a check write its file into node_exporter's directory; return the status."""
        path = self.texts / f"duplicity-{check}-{job}.prom"
        words = [*self.of_job(job), "--format", "openmetrics", "--write", path]
        status = run_plugin(f"check_duplicity_{check}", words, environment=self.environment).status
        assert path.stat().st_mode & 0o444 == 0o444 & ~umask()
        return status


def umask() -> int:
    before = os.umask(0)
    os.umask(before)
    return before


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    if DUPLICITIES is None:
        pytest.skip("DUPLICITIES names no duplicity; make test does")
    newest = max(
        Path(DUPLICITIES).glob("*/bin/duplicity"),
        key=lambda path: [int(n) for n in path.parts[-3].split(".") if n.isdigit()],
    )
    with ExitStack() as stack:
        yield Site(newest, tmp_path_factory.mktemp("site"), stack)


@pytest.fixture(scope="module")
def server(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with started(tmp_path_factory.mktemp("prometheus"), site.texts) as server:
        wait_until(lambda: len(server.query("duplicity_check_state")) == len(site.states))
        wait_until(lambda: alerts(server) == due(site))
        yield server


def alerts(server: Prometheus) -> set[tuple[str, str, str]]:
    """Return the pending alerts, each with its check and backup."""
    found = server.get("alerts")["alerts"]
    labels = [alert["labels"] for alert in found]
    return {(a["alertname"], a.get("check", ""), a.get("backup", "")) for a in labels}


def due(site: Site) -> set[tuple[str, str, str]]:
    """Return the alerts that the states of the checks must cause."""
    names = {1: "DuplicityCheckWarning", 2: "DuplicityCheckCritical", 3: "DuplicityCheckUnknown"}
    return {(names[state], *pair) for pair, state in site.states.items() if state}


def queries() -> list[str]:
    """Return every query of the dashboard, as Grafana sends it for all hosts and backups."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    texts = [target["expr"] for panel in panels for target in panel["targets"]]
    return [text.replace("$instance", ".*").replace("$backup", ".*") for text in texts]


def test_the_site_is_in_all_states(site: Site) -> None:
    assert {pair: site.states[pair] for pair in STATES} == STATES


@needs_prometheus
def test_prometheus_has_the_states_as_the_checks_ended(site: Site, server: Prometheus) -> None:
    found = {
        (series["metric"]["check"], series["metric"].get("backup", "")): int(series["value"][1])
        for series in server.query("duplicity_check_state")
    }
    assert found == site.states
    assert [s["value"][1] for s in server.query("node_textfile_scrape_error")] == ["0"]


@needs_prometheus
@pytest.mark.parametrize("query", queries())
def test_each_query_of_the_dashboard_has_data(query: str, site: Site, server: Prometheus) -> None:
    if "duplicity_jobs" in query and site.states["jobs", ""] == 3:
        pytest.skip("only root sees all jobs")
    assert server.query(query), query


@needs_prometheus
def test_each_alert_is_evaluated_and_those_that_should_do_wait(
    site: Site, server: Prometheus
) -> None:
    [group] = server.get("rules")["groups"]
    assert {rule["health"] for rule in group["rules"]} == {"ok"}, group
    for rule in group["rules"]:
        server.query(rule["query"])
    wait_until(lambda: alerts(server) == due(site))


@needs_prometheus
def test_a_file_that_goes_is_missed_and_a_dead_check_is_told_by_the_clock(
    site: Site, server: Prometheus
) -> None:
    """With an interval of a second it takes no longer than that."""
    path = site.texts / "duplicity-freshness-old.prom"
    words = ["--interval", "1", "--format", "openmetrics", "--write", path, "-w", "1h", "-c", "2h"]
    run_plugin(
        "check_duplicity_freshness", [*site.of_job("old"), *words], environment=site.environment
    )
    dead = {
        ("DuplicityCheckStopped", "freshness", "old"),
        ("DuplicityBackupOld", "freshness", "old"),
    }
    wait_until(lambda: dead <= alerts(server))
    path.unlink()
    gone = ("DuplicityMetricsGone", "freshness", "old")
    wait_until(lambda: gone in alerts(server))
    path.write_text("this is no metric\n")
    wait_until(lambda: ("DuplicityMetricsNotRead", "", "") in alerts(server))
    site.write("freshness", "old")
    wait_until(lambda: alerts(server) == due(site))


ANSWERS = [
    ("freshness", 0, "-j good"), ("freshness", 1, "-j old"), ("freshness", 2, "-j empty"),
    ("freshness", 3, "-j good --duplicity /nonexistent"), ("freshness", 2, "-d file:///nonexistent"),
    ("process", 0, "-j good"), ("process", 1, f"-j running -w {ALWAYS}"),
    ("process", 2, "-j good --require"), ("process", 0, "-j running"),
    ("process", 3, "-j good -u nobody-of-that-name"),
    ("log", 0, "-j good"), ("log", 1, f"-j good --duration-warning {ALWAYS}"),
    ("log", 2, "-j empty"), ("log", 3, "-j running"),
    ("log", 2, "{logs}/good.log {logs}/empty.log {logs}/old.log"),
    ("restore", 0, "-j good"), ("restore", 1, f"-j good -w {ALWAYS}"),
    ("restore", 2, f"-j good -c {ALWAYS}"), ("restore", 3, "-j empty"),
]  # fmt: skip


@needs_promtool
@pytest.mark.parametrize(("check", "status", "words"), ANSWERS)
def test_promtool_has_nothing_to_say_of_a_checks_metrics(
    check: str, status: int, words: str, site: Site
) -> None:
    found, text = site.ask(check, "--jobs-dir", site.jobs, *words.format(logs=site.logs).split())
    assert found == status, text
    assert promtool("check", "metrics", stdin=text) == (0, "")


@needs_promtool
def test_promtool_has_nothing_to_say_of_the_hosts_metrics(site: Site) -> None:
    status, text = site.ask("jobs", "--jobs-dir", site.jobs)
    assert f'duplicity_check_state{{backup="",check="jobs"}} {status}.0' in text
    assert promtool("check", "metrics", stdin=text) == (0, "")
