"""The plugins start with their own modules only, and without modules that they don't need."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest
from plugin import BIN, ROOT, STATE, run_plugin

PLUGINS = sorted(path.name for path in (ROOT / "plugins").iterdir())
# Each takes as long to load as a good part of Python itself.
SLOW = {
    "asyncio", "configparser", "croniter", "ctypes", "dataclasses", "dateutil", "email", "hashlib",
    "inspect", "json", "multiprocessing", "nagiosplugin", "psutil", "random", "rich", "subprocess",
    "tempfile", "typing", "urllib",
}  # fmt: skip
if os.geteuid() and resource.getrlimit(resource.RLIMIT_CORE)[1] == 0:
    SLOW.remove("ctypes")  # Below sudo, which lets no core be limited, memory is hidden by that.


def loaded(plugin: str, *arguments: object) -> set[str]:
    """Return the modules and packages that a plugin loads."""
    done = subprocess.run(
        [sys.executable, "-I", "-X", "importtime", BIN / plugin, *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "XDG_STATE_HOME": STATE.name},
        text=True,
        check=False,
    )
    names = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "check_duplicity.system.runtime" in names
    return names | {name.partition(".")[0] for name in names}


@pytest.fixture
def evil(tmp_path: Path) -> Path:
    """A directory with modules of names that plugins load; they must not load these."""
    for name in ("argparse", "re", "check_duplicity"):
        (tmp_path / f"{name}.py").write_text("print('evil')\n")
    return tmp_path


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_start_loads_nothing_slow(plugin: str) -> None:
    assert not loaded(plugin, "--version") & SLOW


def test_a_check_of_a_log_with_nothing_new_loads_nothing_slow(tmp_path: Path) -> None:
    log = tmp_path / "assets.log"
    log.write_text(
        f"StartTime {time.time():.2f} (now)\nEndTime {time.time():.2f} (now)\nErrors 0\n"
    )
    arguments = ["--state-file", tmp_path / "state", log]
    assert "check_duplicity.duplicity.transcript" in loaded("check_duplicity_log", *arguments)
    again = loaded("check_duplicity_log", *arguments)
    assert not again & {*SLOW - {"json"}, "check_duplicity.duplicity.transcript"}


@pytest.mark.parametrize("check", ["process", "log", "freshness --from-archive"])
def test_a_check_of_a_job_whose_file_says_all_loads_nothing_that_searches(
    check: str, tmp_path: Path
) -> None:
    (tmp_path / "web.ini").write_text(
        f"[job]\ndestination = file://{tmp_path}\nmail = {tmp_path}/mbox\n"
        "schedule = 0 2 * * *\nwarning = 32h\ncritical = 56h\n"
    )
    (tmp_path / "web.ini").chmod(0o644)
    plugin, *options = check.split()
    seen = loaded(f"check_duplicity_{plugin}", *options, "--jobs-dir", tmp_path, "-j", "web")
    assert "check_duplicity.jobs.model" in seen
    searching = {f"check_duplicity.{name}" for name in ("jobs.see", "jobs.schedule", "shell")}
    # psutil and its kin are loaded if any duplicity runs on this machine.
    assert not seen & {"croniter", "dateutil", "rich", *searching}


@pytest.mark.parametrize("plugin", PLUGINS)
@pytest.mark.parametrize("path", ["{}", ":", "{}:/nowhere"])
def test_modules_of_others_are_not_loaded(plugin: str, path: str, evil: Path) -> None:
    environment = {"PYTHONPATH": path.format(evil)}
    result = run_plugin(plugin, ["--version"], environment=environment, cwd=evil)
    assert result.out == f"{plugin} 1.0.0\n"


@pytest.mark.parametrize("plugin", PLUGINS)
def test_the_current_directory_is_not_searched(plugin: str, evil: Path) -> None:
    assert run_plugin(plugin, ["-V"], cwd=evil).out == f"{plugin} 1.0.0\n"


@pytest.mark.parametrize("arguments", [["--version"], ["--nonsense"], ["-u", "nobody-at-all"]])
@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PYTHONINSPECT", "1"),
        ("PYTHONSTARTUP", "{}/argparse.py"),
        ("PYTHONDONTWRITEBYTECODE", "1"),
        ("PYTHONOPTIMIZE", "2"),
        ("PYTHONWARNINGS", "error"),
    ],
)
def test_what_is_set_for_python_changes_nothing(
    variable: str, value: str, arguments: list[str], evil: Path
) -> None:
    plugin = "check_duplicity_process"
    environment = {variable: value.format(evil)}
    told = run_plugin(plugin, arguments, environment=environment, stdin="print('evil')\n")
    assert told == run_plugin(plugin, arguments)


def test_what_containers_set_for_python_costs_no_second_start() -> None:
    environment = {"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-X", "importtime", BIN / "check_duplicity_log", "-V"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment, check=False,
    )  # fmt: skip
    assert b"check_duplicity.system.runtime" in done.stderr  # A second start wouldn't be timed.


def test_arguments_are_handed_on_as_they_are() -> None:
    arguments = ["--job", "a b", "", "--", "-x", "'", "\udcff"]
    environment = {"PYTHONPATH": "/nowhere"}
    told = [
        run_plugin("check_duplicity_freshness", arguments, environment=given)
        for given in (environment, {})
    ]
    assert told[0] == told[1]


def test_as_shipped_python_ignores_whatever_is_set_for_it(evil: Path) -> None:
    source = ROOT / "plugins" / "check_duplicity_log"
    shebang = source.read_text().split("\n")[0]
    assert shebang == "#!/usr/bin/python3 -I"
    done = subprocess.run(
        [sys.executable, "-I", BIN / "check_duplicity_log", "-V"],
        env={"PYTHONHOME": "/nowhere", "PYTHONPATH": str(evil)},
        stdout=subprocess.PIPE,
        check=False,
    )
    assert (done.returncode, done.stdout) == (3, b"check_duplicity_log 1.0.0\n")
