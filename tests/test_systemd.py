"""The timer and the service of systemd/: systemd accepts them, with long enough timeouts."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from plugin import BIN, ROOT, run_plugin

UNITS = ROOT / "systemd"
OF_PUPPET = ROOT / "puppet" / "files"
SERVICE, TIMER = "duplicity-drill@.service", "duplicity-drill@.timer"
METRICS = {
    "duplicity-metrics@": ("freshness", "process", "log", "restore"),
    "duplicity-metrics-jobs": ("jobs",),
}
ALL = sorted(path.name for path in UNITS.iterdir())
SECONDS = {"h": 3600, "min": 60, "d": 86400}
# The job's own files are written to and compared there; a private one would hide them.
HIDING = {"PrivateTmp", "ProtectSystem", "ProtectHome", "User", "DynamicUser"}


def unit(name: str) -> configparser.ConfigParser:
    found = configparser.ConfigParser(interpolation=None, delimiters=("=",))
    found.optionxform = str  # type: ignore[assignment,method-assign]
    found.read_string((UNITS / name).read_text())
    return found


def seconds(span: str) -> int:
    found = re.fullmatch(r"(\d+)(h|min|d)", span)
    assert found, span
    return int(found[1]) * SECONDS[found[2]]


def hours(option: str, check: str) -> int:
    """Return the default of a limit or a timeout, in hours, as --help states it."""
    shown = " ".join(run_plugin(check, ["--help"]).out.split())
    found = re.search(rf"{option} .*?\(default (\d+)([hd])\)", shown)
    assert found, option
    return int(found[1]) * (24 if found[2] == "d" else 1)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_systemd_takes_them(tmp_path: Path) -> None:
    for name in ALL:
        text = (UNITS / name).read_text()
        (tmp_path / name).write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", text))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(tmp_path.joinpath, ALL)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    said = [line for line in done.stderr.split("\n") if "duplicity" in line]
    assert (done.returncode, said) == (0, [])


def test_the_service_is_one_drill_of_the_job_that_is_its_instance() -> None:
    service = unit(SERVICE)["Service"]
    assert service["Type"] == "oneshot"
    assert service["ExecStart"] == "/usr/bin/duplicity_drill -j %i"
    assert not HIDING & {*service}
    assert (BIN / Path(service["ExecStart"].split()[0]).name).is_file()


def test_the_drill_ends_by_itself_and_a_signal_is_for_it_alone() -> None:
    service = unit(SERVICE)["Service"]
    own = hours("--timeout AGE", "duplicity_drill") * 3600
    assert own < seconds(service["TimeoutStartSec"]) <= own + 900
    assert service["KillMode"] == "mixed"


def test_a_drill_each_week_is_within_the_limit_of_the_check() -> None:
    timer = unit(TIMER)["Timer"]
    assert (timer["OnCalendar"], timer["Persistent"]) == ("weekly", "true")
    late = seconds(timer["RandomizedDelaySec"])
    longest = hours("--timeout AGE", "duplicity_drill") * 3600
    limit = hours("--warning AGE", "check_duplicity_restore") * 3600
    assert 7 * 86400 + late + longest < limit
    assert unit(TIMER)["Install"]["WantedBy"] == "timers.target"


@pytest.mark.parametrize("name", [SERVICE, TIMER])
def test_they_say_where_to_read_more(name: str) -> None:
    assert unit(name)["Unit"]["Documentation"] == "man:duplicity_drill(8)"


@pytest.mark.parametrize("name", METRICS)
def test_each_check_writes_its_file_as_often_as_it_says(name: str) -> None:
    text = (UNITS / f"{name}.service").read_text()
    job = " -j %i" if name.endswith("@") else ""
    written = re.findall(r"^ExecStart=(.*)$", text, re.M)
    assert written == [
        f"/usr/lib/nagios/plugins/check_duplicity_{check}{job} --format openmetrics"
        f" --write ${{DIRECTORY}}/duplicity-{check}{'-%i' if job else ''}.prom"
        for check in METRICS[name]
    ]
    service = unit(f"{name}.service")["Service"] if len(written) == 1 else {"Type": "oneshot"}
    assert service["Type"] == "oneshot"
    assert "\nSuccessExitStatus=1 2 3\n" in text  # The states of a check.
    timer = unit(f"{name}.timer")
    assert timer["Timer"]["OnCalendar"] == "*:0/15"
    assert timer["Install"]["WantedBy"] == "timers.target"
    shown = " ".join(run_plugin("check_duplicity_jobs", ["--help"]).out.split())
    assert "how often this check runs (default 15m)" in shown


@pytest.mark.parametrize("name", ALL)
def test_puppets_and_debians_are_the_same(name: str) -> None:
    """A module is copied to a server without the rest of the project, so it has its own."""
    assert (OF_PUPPET / name).read_text() == (UNITS / name).read_text()
    installed = (ROOT / "debian" / "check-duplicity.install").read_text()
    assert f"systemd/{name} usr/lib/systemd/system\n" in installed
