"""The checks' answers in other forms, for programs, timers and servers."""

from __future__ import annotations

import json
import os
import re
import subprocess
from datetime import datetime, timezone
from pathlib import Path

import pytest
from plugin import BIN, STATE, run_plugin
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from samples import full

CHECKS = ("freshness", "process", "log", "restore", "jobs")


def ask(name: str, *arguments: object, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run a plugin whose output need not be for Nagios."""
    done = subprocess.run(
        [BIN / name, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "TZ": "UTC", "XDG_STATE_HOME": STATE.name},
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    return done


@pytest.fixture
def listing(tmp_path: Path) -> Path:
    """A listing of a destination whose newest backup is old."""
    path = tmp_path / "listing"
    path.write_text("\n".join(full(datetime(2026, 1, 1, 2, tzinfo=timezone.utc))) + "\n")
    return path


def test_json_says_what_is_wrong_and_what_to_type(listing: Path) -> None:
    done = ask("check_duplicity_freshness", "--from-file", listing, "--format", "json")
    read = json.loads(done.stdout)
    assert done.returncode == read["exit_status"] == 2
    assert (read["check"], read["state"]) == ("freshness", "CRITICAL")
    [finding] = read["findings"]
    assert finding["kind"] == "stale"
    assert re.fullmatch(r"last backup \d+d( \d+h)? ago \(limit 56h\)", finding["text"])
    assert any(command.endswith(f"--from-file {listing} --format json") or "duplicity" in command
               for command in finding["commands"])  # fmt: skip
    [age] = [measure for measure in read["measures"] if measure["name"] == "age"]
    assert (age["unit"], age["critical"]) == ("s", "~:201600")


def test_a_time_stays_the_same_from_check_to_check(listing: Path) -> None:
    found = []
    for _ in range(2):
        done = ask("check_duplicity_freshness", "--from-file", listing, "--format", "openmetrics")
        families = text_string_to_metric_families(done.stdout)  # type: ignore[no-untyped-call]
        found += [f.samples[0].value for f in families if "last_success" in f.name]
    assert found == [1767232800, 1767232800]  # 2026-01-01 02:00 UTC


def test_icinga_gets_a_body(listing: Path) -> None:
    done = ask("check_duplicity_freshness", "--from-file", listing, "--format", "icinga2",
               "--host", "web", "--service", "backup", "--interval", "1h")  # fmt: skip
    body = json.loads(done.stdout)
    assert body["filter_vars"] == {"wanted_host": "web", "wanted_service": "backup"}
    assert body["ttl"] == 7200
    assert body["exit_status"] == 2
    assert body["plugin_output"].startswith("DUPLICITY FRESHNESS CRITICAL - last backup ")
    assert "|" not in body["plugin_output"]
    assert any(datum.startswith("age=") for datum in body["performance_data"])


def test_the_service_is_named_as_in_the_example_of_icinga(tmp_path: Path) -> None:
    (tmp_path / "assets.ini").write_text(f"[job]\ndestination = file://{tmp_path}\n")
    (tmp_path / "assets.ini").chmod(0o644)
    tmp_path.chmod(0o755)
    for check in ("freshness", "process", "log", "restore"):
        done = ask(f"check_duplicity_{check}", "-j", "assets", "--jobs-dir", tmp_path,
                   "--format", "nsca")  # fmt: skip
        host, service, status, _ = done.stdout.split("\t", 3)
        assert (host, status) == (os.uname().nodename, str(done.returncode))
        assert service == f"duplicity-{check}-assets"
    assert ask("check_duplicity_jobs", "--format", "nsca").stdout.split("\t")[1] == "duplicity-jobs"


@pytest.mark.parametrize("check", CHECKS)
def test_a_file_is_written_and_nagios_reads_on(check: str, tmp_path: Path) -> None:
    arguments = {"freshness": ["--from-file", "-"], "log": ["-"]}.get(check, [])
    if check == "restore":
        arguments = ["-d", f"file://{tmp_path}"]
    path = tmp_path / "duplicity.prom"
    found = run_plugin(
        f"check_duplicity_{check}",
        [*arguments, "--format", "openmetrics", "--write", path],
        stdin="nothing of duplicity's\n",
    )
    families = text_string_to_metric_families(path.read_text())  # type: ignore[no-untyped-call]
    states = [f.samples[0] for f in families if f.name == "duplicity_check_state"]
    assert [(s.value, s.labels["check"]) for s in states] == [(found.status, check)]
    assert os.listdir(tmp_path) == ["duplicity.prom"]


def test_a_file_that_can_not_be_written_is_unknown(listing: Path, tmp_path: Path) -> None:
    path = tmp_path / "no" / "x.prom"
    arguments = ["--from-file", listing, "--format", "openmetrics", "--write", path]
    found = run_plugin("check_duplicity_freshness", arguments)
    assert found.status == 3
    assert re.fullmatch(
        rf"DUPLICITY FRESHNESS UNKNOWN - {path} can't be written: No such file or directory; "
        r"the check said CRITICAL: last backup \d+d( \d+h)? ago \(limit 56h\)",
        found.first_line,
    )
    assert "The file has an old result, or none." in found.out
    assert "CRITICAL: last backup" in found.out


def test_quiet_goes_with_a_form(listing: Path, tmp_path: Path) -> None:
    arguments = ["--from-file", listing, "--format", "json", "--write", tmp_path / "x", "-q"]
    found = run_plugin("check_duplicity_freshness", arguments)
    assert found.out.count("\n") == 1
    assert json.loads((tmp_path / "x").read_text())["findings"][0]["advice"]


def test_what_ends_a_check_is_said_in_its_form(tmp_path: Path) -> None:
    hanging = tmp_path / "duplicity"
    hanging.write_text("#!/bin/sh\nsleep 60\n")
    hanging.chmod(0o755)
    path = tmp_path / "x.json"
    arguments = ["-d", "sftp://host/x", "--duplicity", hanging, "-t", "1", "--format", "json"]
    done = ask("check_duplicity_freshness", *arguments)
    assert json.loads(done.stdout)["findings"][0]["kind"] == "no answer in time"
    found = run_plugin("check_duplicity_freshness", [*arguments, "--write", path])
    assert found.status == 3
    assert json.loads(path.read_text())["state"] == "UNKNOWN"


@pytest.mark.parametrize("form", ["nagios", "json", "openmetrics", "icinga2", "nsca"])
def test_no_form_has_the_password_of_a_url(form: str, tmp_path: Path) -> None:
    url = "sftp://backup:hunter2@host.invalid/srv"
    for check in ("freshness", "process", "restore"):
        arguments = ["-d", url, "--duplicity", "/bin/false", "--format", form]
        if check != "freshness":
            arguments = arguments[:2] + arguments[4:]
        done = ask(f"check_duplicity_{check}", *arguments, "--write", tmp_path / "x")
        assert "hunter2" not in done.stdout + (tmp_path / "x").read_text()
        assert "hunter2" not in ask(f"check_duplicity_{check}", *arguments).stdout


@pytest.mark.parametrize("program", [*(f"check_duplicity_{c}" for c in CHECKS), "duplicity_triage"])
def test_no_other_form_is_known(program: str) -> None:
    found = run_plugin(program, ["--format", "xml"])
    assert found.status == 3
    assert "wrong usage: argument --format: invalid choice: 'xml'" in found.out


def test_a_drill_has_no_forms(tmp_path: Path) -> None:
    """What it has found is read by check_duplicity_restore."""
    found = run_plugin("duplicity_drill", ["-d", f"file://{tmp_path}", "--format", "json"])
    assert "wrong usage: unrecognized arguments: --format json" in found.out


class TestTriage:
    """The same for one or many jobs, from triage."""

    def ask(self, tmp_path: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
        for name in ("gone", "lost"):
            path = tmp_path / f"{name}.ini"
            path.write_text(f"[job]\ndestination = file://{tmp_path}/{name}\nname = {name}\n")
            path.chmod(0o644)
        tmp_path.chmod(0o755)
        return ask("duplicity_triage", "gone", "lost", "--jobs-dir", tmp_path, *arguments)

    def test_json_by_both_names(self, tmp_path: Path) -> None:
        for option in (["--json"], ["--format", "json"]):
            found = json.loads(self.ask(tmp_path, *option).stdout)
            assert sorted(one["job"] for one in found) == ["gone", "lost"]  # Whichever is first.
            assert {one["verdict"] for one in found} == {"destination missing"}

    def test_the_status_line_of_many(self, tmp_path: Path) -> None:
        done = self.ask(tmp_path, "--format", "nagios")
        assert done.returncode == 2
        assert done.stdout.split("\n")[0] == (
            "DUPLICITY TRIAGE CRITICAL - gone: destination missing; lost: destination missing;"
            " 0 of 2 jobs are good | jobs=2;;;0"
        )

    def test_each_job_has_its_findings(self, tmp_path: Path) -> None:
        done = self.ask(tmp_path, "--format", "openmetrics")
        for name in ("gone", "lost"):
            assert re.search(
                rf'duplicity_finding\{{.*backup="{name}".*kind="no destination".*\}} 1', done.stdout
            )

    def test_a_report_is_not_for_a_file(self, tmp_path: Path) -> None:
        done = self.ask(tmp_path, "--write", tmp_path / "x")
        assert done.returncode == 3
        assert "--write needs a --format: the report is for a terminal" in done.stdout


@pytest.mark.parametrize(
    ("plugin", "arguments", "backup"),
    [
        ("check_duplicity_freshness", ["-d", "file:///none/b"], "file:///none/b"),
        ("check_duplicity_freshness", ["-d", "sftp://u:geheim@nobodys.invalid/b", "--duplicity",
                                       "false"], "sftp://u:***@nobodys.invalid/b"),
        ("check_duplicity_log", ["/none/a", "/none/b"], "/none/a, /none/b"),
    ],
)  # fmt: skip
def test_without_a_job_an_answer_in_another_form_names_the_place(
    plugin: str, arguments: list[str], backup: str
) -> None:
    done = ask(plugin, *arguments, "--format", "json")
    assert json.loads(done.stdout)["backup"] == backup
