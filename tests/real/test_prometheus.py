"""The chain to a graph and an alert: real checks, node_exporter, Prometheus and promtool."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from lab import Lab, wait_until
from plugin import BIN, ROOT, Result, run_plugin, write_job

FOLDER = ROOT / "prometheus"
ALERTS = FOLDER / "alerts.yml"
CHECKS = ("freshness", "process", "log", "restore", "jobs")
needs_promtool = pytest.mark.skipif(
    not shutil.which("promtool"), reason="no promtool: apt-get install prometheus"
)
needs_both = pytest.mark.skipif(
    not (shutil.which("prometheus") and shutil.which("prometheus-node-exporter")),
    reason="not here: prometheus, prometheus-node-exporter",
)


def promtool(*words: object, stdin: str = "") -> str:
    """Run it; it must be content. Returns what it says."""
    done = subprocess.run(
        ["promtool", *map(str, words)], input=stdin, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def queries() -> list[str]:
    """Every query of the dashboard that Grafana reads, for all hosts and backups."""
    found = json.loads((FOLDER / "dashboard.json").read_text())
    asked = [target["expr"] for panel in found["panels"] for target in panel["targets"]]
    return [query.replace("$instance", ".*").replace("$backup", ".*") for query in asked]


def test_the_dashboard_is_what_its_script_writes() -> None:
    done = subprocess.run(
        [sys.executable, FOLDER / "dashboard.py"], capture_output=True, text=True, check=True
    )
    assert done.stdout == (FOLDER / "dashboard.json").read_text()


@needs_promtool
def test_the_alerts_judge_as_the_checks_do(tmp_path: Path) -> None:
    assert "10 rules found" in promtool("check", "rules", ALERTS)
    promtool("test", "rules", FOLDER / "alerts_test.yml")
    # And that test can fail.
    for name in ("alerts.yml", "alerts_test.yml"):
        shutil.copy(FOLDER / name, tmp_path)
    changed = ALERTS.read_text().replace("duplicity_check_state == 2", "duplicity_check_state == 3")
    (tmp_path / "alerts.yml").write_text(changed)
    with pytest.raises(AssertionError):
        promtool("test", "rules", tmp_path / "alerts_test.yml")


class Site:
    """A job with real backups, whose checks write for node_exporter."""

    def __init__(self, lab: Lab, directory: Path) -> None:
        self.lab = lab
        self.jobs = directory / "jobs"
        self.metrics = directory / "metrics"
        for path in (self.jobs, self.metrics):
            path.mkdir()
        self.log = directory / "assets.log"
        self.state = directory / "state"
        write_job(
            self.jobs,
            "assets",
            f"[job]\ndestination = {lab.url}\narchive_dir = {lab.archive}\nname = job\n"
            f"duplicity = {lab.duplicity}\nmail = {self.log}\n",
        )

    def check(self, name: str) -> Result:
        """Run a check as the timer does."""
        job = () if name == "jobs" else ("-j", "assets")
        return run_plugin(
            f"check_duplicity_{name}",
            [*job, "--jobs-dir", self.jobs, "--format", "openmetrics", "--write", self.path(name)],
            environment={"XDG_STATE_HOME": str(self.state), "HOME": str(self.lab.home)},
        )

    def path(self, name: str) -> Path:
        return self.metrics / f"duplicity-{name}-assets.prom"

    def back_up(self, *options: str, ago: int = 0) -> None:
        self.lab.run("full", *options, ago=ago)
        self.log.write_text(self.lab.printed)

    def drill(self) -> None:
        subprocess.run(
            [BIN / "duplicity_drill", "-j", "assets", "--jobs-dir", self.jobs],
            env={**self.lab.environment, "XDG_STATE_HOME": str(self.state)},
            stdout=subprocess.DEVNULL,
            check=True,
        )


@pytest.fixture
def site(lab: Lab, tmp_path: Path) -> Site:
    return Site(lab, tmp_path)


@pytest.mark.exhaustive
@needs_promtool
def test_promtool_takes_every_check_in_every_state(site: Site) -> None:
    seen = set()

    def check_all() -> None:
        for name in CHECKS:
            status = site.check(name).status
            seen.add(status)
            text = site.path(name).read_text()
            assert "\nduplicity_check_state{" in text
            promtool("check", "metrics", stdin=text)

    check_all()  # nothing was ever backed up
    site.back_up(ago=200)
    check_all()  # too old
    site.back_up()
    site.drill()
    check_all()  # good
    for path in site.lab.destination.glob("*.difftar*"):
        path.unlink()
    site.log.write_text("Traceback (most recent call last):\nOSError: x\n")
    check_all()  # worth nothing
    assert seen == {0, 1, 2, 3}


@pytest.mark.exhaustive
@needs_both
def test_every_query_has_data_from_the_real_chain(site: Site, tmp_path: Path) -> None:
    site.back_up()
    site.drill()
    # A finding, and jobs that are found or not.
    site.lab.destination.joinpath("duplicity-full.20200101T000000Z.vol1.difftar.gz").touch()
    for name in CHECKS:
        site.check(name)
    with served(site.metrics, tmp_path) as prometheus:
        wait_until(lambda: ask(prometheus, "duplicity_check_state"))
        missing = [query for query in queries() if not ask(prometheus, query)]
        if not ask(prometheus, "duplicity_jobs"):  # This host has none, or hides them.
            missing = [query for query in missing if not query.startswith("duplicity_jobs")]
        assert missing == []
        assert ask(prometheus, 'up{job="node"} == 1')
        wait_until(lambda: rules(prometheus))
        assert {rule["health"] for rule in rules(prometheus)} == {"ok"}


@contextmanager
def served(metrics: Path, directory: Path) -> Iterator[str]:
    """Run node_exporter on a directory, and a Prometheus that asks it; yield where it answers."""
    exporter, prometheus = (f"127.0.0.1:{free_port()}" for _ in range(2))
    config = directory / "prometheus.yml"
    config.write_text(
        "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
        f"rule_files: [{ALERTS}]\n"
        "scrape_configs:\n  - job_name: node\n    static_configs:\n"
        f"      - targets: ['{exporter}']\n"
    )
    node = [
        "prometheus-node-exporter", "--collector.disable-defaults", "--collector.textfile",
        f"--collector.textfile.directory={metrics}", f"--web.listen-address={exporter}",
    ]  # fmt: skip
    server = [
        "prometheus", f"--config.file={config}", f"--web.listen-address={prometheus}",
        f"--storage.tsdb.path={directory / 'data'}",
    ]  # fmt: skip
    with running(node, directory), running(server, directory):
        wait_until(lambda: ask(prometheus, "up"))
        yield prometheus


@contextmanager
def running(words: list[str], directory: Path) -> Iterator[None]:
    """Run a daemon until the end of the block."""
    with (
        (directory / f"{words[0]}.log").open("wb") as log,
        subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log) as process,
    ):
        try:
            yield
        finally:
            process.terminate()


def ask(prometheus: str, query: str) -> list[Any]:
    """What Prometheus answers to a query; nothing while it isn't there yet."""
    found = _get(prometheus, f"query?{urllib.parse.urlencode({'query': query})}")
    result: list[Any] = found["data"]["result"] if found else []
    return result


def rules(prometheus: str) -> list[dict[str, Any]]:
    """The alerts, once each was evaluated."""
    found = _get(prometheus, "rules")
    listed = [rule for group in found["data"]["groups"] for rule in group["rules"]]
    return listed if all(rule["health"] != "unknown" for rule in listed) else []


def _get(prometheus: str, path: str) -> dict[str, Any]:
    try:
        with closing(urllib.request.urlopen(f"http://{prometheus}/api/v1/{path}")) as answer:
            found: dict[str, Any] = json.load(answer)
            return found
    except urllib.error.HTTPError as error:
        with error:
            assert error.code == 503, error.read()  # It is starting.
        return {}
    except OSError:  # It is not there yet.
        return {}


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
