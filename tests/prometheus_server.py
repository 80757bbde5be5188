"""A real node_exporter that reads text files, and a real Prometheus that scrapes it."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from lab import wait_until
from plugin import ROOT

RULES = ROOT / "prometheus" / "alerts.yml"
DASHBOARD = ROOT / "prometheus" / "dashboard.json"
PROMTOOL = shutil.which("promtool") or ""
PROGRAMS = [shutil.which(name) or "" for name in ("prometheus", "prometheus-node-exporter")]

needs_promtool = pytest.mark.skipif(not PROMTOOL, reason="no promtool: apt-get install prometheus")
needs_prometheus = pytest.mark.skipif(
    not all((PROMTOOL, *PROGRAMS)),
    reason="no Prometheus: apt-get install prometheus prometheus-node-exporter",
)


def promtool(*words: object, stdin: str = "") -> tuple[int, str]:
    """Run promtool; return its status and its output."""
    done = subprocess.run(
        [PROMTOOL, *map(str, words)], input=stdin, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


class Prometheus:
    """A server that answers queries."""

    def __init__(self, address: str) -> None:
        self.address = address

    def get(self, path: str, **values: str) -> Any:
        """Ask the HTTP API; return the data. Raises `urllib.error.HTTPError`."""
        query = urllib.parse.urlencode(values)
        with urllib.request.urlopen(f"http://{self.address}/api/v1/{path}?{query}") as answer:
            return json.load(answer)["data"]

    def query(self, text: str) -> list[dict[str, Any]]:
        """Return the series that a query gives now."""
        found: list[dict[str, Any]] = self.get("query", query=text)["result"]
        return found


@contextmanager
def started(directory: Path, texts: Path) -> Iterator[Prometheus]:
    """Run both programs, with their data in a directory; ``texts`` has the exporter's files."""
    exporter = address()
    words = ["--collector.disable-defaults", "--collector.textfile"]
    words += [f"--collector.textfile.directory={texts}", f"--web.listen-address={exporter}"]
    configuration = (
        "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
        f"rule_files: [{json.dumps(str(RULES))}]\n"
        "scrape_configs:\n"
        f"  - {{job_name: node, static_configs: [{{targets: ['{exporter}']}}]}}\n"
    )
    with _running([PROGRAMS[1], *words], directory / "exporter.log"):
        wait_until(lambda: answers(f"http://{exporter}/metrics"))
        with serving(directory, configuration) as server:
            yield server


@contextmanager
def serving(directory: Path, configuration: str, *options: str) -> Iterator[Prometheus]:
    """Run a Prometheus with the data in ``tsdb`` of a directory."""
    path, server = directory / "prometheus.yml", address()
    path.write_text(configuration)
    words = [f"--config.file={path}", f"--storage.tsdb.path={directory / 'tsdb'}"]
    words += [f"--web.listen-address={server}", *options]
    with _running([PROGRAMS[0], *words], directory / "prometheus.log"):
        wait_until(lambda: answers(f"http://{server}/-/ready"))
        yield Prometheus(server)


def address() -> str:
    """Return an unused address of this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return "{}:{}".format(*free.getsockname())


def answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url).close()
    except urllib.error.URLError:
        return False
    return True


@contextmanager
def _running(words: list[str], log: Path) -> Iterator[None]:
    with log.open("wb") as said, subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd=log.parent
    ) as process:  # fmt: skip
        try:
            yield
        finally:
            process.terminate()
