"""Measure what a thousand jobs on one host cost, checked by a real Icinga 2.

    benchmarks/load.py [--jobs N] [--limits] [--plugins DIR] [DUPLICITY]

Needs root, icinga2 and a duplicity that the user nagios can run (default: the one in the PATH).
Icinga runs with its own directories. It checks real backups at file:// destinations, which are made
once and copied. Icinga's scheduler makes each kind of check once for every job, as fast as one
check for each core permits. The program measures the CPU time of the checks with their children,
and that of Icinga itself (proc(5)), and computes the cost of an hour from that.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).parent.parent
sys.path.insert(0, str(PROJECT / "tests"))

from icinga import ICINGA, Node  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")
HOUR = 60  # minutes
DAYS = (9, 2, 1)  # ago, and an hour less: good backups
KINDS = {
    "destination": ("duplicity_freshness", ""),
    "archive": ("duplicity_freshness", "vars.duplicity_freshness_from_archive = true"),
    "process": ("duplicity_process", ""),
    "log": ("duplicity_log", 'vars.duplicity_log_state_file = "{state}/" + host.name'),
}
# How often each kind is checked, in minutes.
SCHEDULES = {
    "all three every 5 min": {"destination": 5, "process": 5, "log": 5},
    "--from-archive every 5 min, destination daily": {
        "archive": 5, "process": 5, "log": 5, "destination": 24 * HOUR,
    },
    "as icinga/services.conf, with duplicity_archive": {
        "archive": 10, "process": 5, "log": 10, "destination": 24 * HOUR,
    },
}  # fmt: skip


class Cost(NamedTuple):
    """CPU seconds of the checks and of Icinga, elapsed seconds, and peak bytes of all checks."""

    checks: float
    icinga: float
    clock: float = 0
    memory: int = 0


def main() -> None:
    """Measure, and print the cost of each kind of check and of each schedule."""
    parser = argparse.ArgumentParser(
        usage="%(prog)s [--jobs N] [--limits] [--plugins DIR] [DUPLICITY]"
    )
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--limits", action="store_true", help="the jobs' files have limits, too")
    parser.add_argument("--plugins", type=Path, help="where nagios can run them")
    parser.add_argument("duplicity", nargs="?", default=shutil.which("duplicity"))
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("load.py must be run by root: Icinga becomes the user nagios")
    if not ICINGA.exists():
        sys.exit("there is no icinga2: apt-get install icinga2-bin")
    if not options.duplicity:
        sys.exit("there is no duplicity in the PATH: name one")
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        directory.chmod(0o755)
        plugins = options.plugins or install(directory / "venv")
        make_jobs(directory, options.jobs, options.duplicity, limits=options.limits)
        print(f"{options.jobs} jobs, {os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}")
        node = Node(directory, "load")
        node.configure(configuration(directory, options.jobs, plugins, options.duplicity))
        costs = {}
        with node.running():
            for kind in KINDS:
                if kind == "log":
                    one_round(node, kind)  # the first reads all, the next ones what is new
                costs[kind] = one_round(node, kind)
                report(kind, costs[kind], options.jobs)
            memory = sum(status(pid).memory for pid in descendants(node))
        print(f"Icinga itself: {memory / 1e6:.0f} MB; load now {os.getloadavg()[0]:.2f}")
        for schedule, minutes in SCHEDULES.items():
            print(line(schedule, minutes, costs))


def install(venv: Path) -> Path:
    """Install the project for a Python that nagios can read; return where the plugins are."""
    subprocess.run(["/usr/bin/python3", "-m", "venv", venv], check=True)
    pip: list[str | Path] = [
        venv / "bin/python",
        "-m",
        "pip",
        "install",
        "-q",
        "--disable-pip-version-check",
    ]
    with tempfile.TemporaryDirectory() as copy:  # setuptools leaves files where it builds
        unwanted = shutil.ignore_patterns(".*", "build", "dist", "*.egg-info")
        shutil.copytree(PROJECT, f"{copy}/project", ignore=unwanted)
        subprocess.run([*pip, f"{copy}/project"], check=True)
    return venv / "bin"


def make_jobs(directory: Path, count: int, duplicity: str, *, limits: bool) -> None:
    """Make a real job with backups and the log of their runs, and copy it ``count`` times."""
    first = directory / "first"
    source, log = first / "source", first / "log"
    for path in (first, source, *(directory / name for name in ("jobs.d", "jobs", "state"))):
        path.mkdir()
    shutil.chown(directory / "state", "nagios")
    now = int(time.time())
    for days in DAYS:
        (source / "file").write_bytes(os.urandom(100_000))
        command: list[str | Path] = [
            duplicity, "full" if days == DAYS[0] else "incremental", "--no-encryption",
            "--archive-dir", first / "archive", "--name", "job",
            f"--current-time={now - days * 86400 + 3600}",
            source, f"file://{first}/destination",
        ]  # fmt: skip
        said = subprocess.run(
            command,
            env={"PATH": os.environ["PATH"], "HOME": str(first), "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        with log.open("a") as opened:
            opened.write(said)
    shutil.rmtree(source)
    for number in range(count):
        job = directory / "jobs" / str(number)
        shutil.copytree(first, job)
        (job / "job.sh").write_text(
            "#!/bin/sh\nset -e\nexport LC_ALL=C.UTF-8\n"
            f"exec duplicity --no-encryption --archive-dir {job}/archive --name job"
            f" --full-if-older-than 30D /srv/{number} file://{job}/destination\n"
        )
        (job / "job.sh").chmod(0o755)
        (directory / "jobs.d" / f"job{number}.ini").write_text(
            f"[job]\nuser = nagios\nscript = {job}/job.sh\ndestination = file://{job}/destination\n"
            f"archive_dir = {job}/archive\nname = job\nschedule = 0 2 * * *\nmail = {job}/log\n"
            + ("warning = 32h\ncritical = 56h\n" if limits else "")
        )
    subprocess.run(["chown", "-R", "nagios:", directory / "jobs"], check=True)


def configuration(directory: Path, jobs: int, plugins: Path, duplicity: str) -> str:
    """Return Icinga's configuration: a host for each job, with a service for each kind."""
    services = "".join(
        f'apply Service "{kind}" {{\n  check_command = "{command}"\n'
        "  enable_active_checks = false\n  vars.duplicity_job = host.name\n"
        f'  vars.duplicity_plugin_dir = "{plugins}"\n'
        f'  vars.duplicity_jobs_dir = "{directory}/jobs.d"\n'
        f'  vars.duplicity_freshness_duplicity = "{duplicity}"\n'
        f"  {more.format(state=directory / 'state')}\n  assign where true\n}}\n"
        for kind, (command, more) in KINDS.items()
    )
    return (
        f"const MaxConcurrentChecks = {os.cpu_count()}\n"
        "object Endpoint NodeName {}\nobject Zone ZoneName { endpoints = [ NodeName ] }\n"
        'object CheckerComponent "checker" {}\n'
        f'include "{PROJECT}/icinga/duplicity-commands.conf"\n'
        f"for (number in range({jobs})) {{\n"
        '  object Host "job" + number {\n    check_command = "passive"\n'
        "    enable_active_checks = false\n  }\n}\n" + services
    )


def one_round(node: Node, kind: str) -> Cost:
    """Let Icinga make all checks of a kind, and return their cost. All must be OK."""
    before, began = cpu(node), time.monotonic()
    since = time.time()
    chosen = f'service.name=="{kind}"'
    node.post("actions/reschedule-check", {"type": "Service", "filter": chosen, "force": True})
    memory = 0
    while services(node, f"{chosen}&&service.last_check<{since}", "name"):
        memory = max(memory, memory_of_checks(node))
        time.sleep(1)  # Each query costs Icinga time, too.
    after, clock = cpu(node), time.monotonic() - began
    bad = services(node, f"{chosen}&&service.state!=0", "last_check_result")
    if bad:
        answer = json.dumps(bad[0]["attrs"]["last_check_result"]["output"])
        sys.exit(f"{len(bad)} of the checks of {kind} are not OK, the first: {answer}")
    return Cost(after.checks - before.checks, after.icinga - before.icinga, clock, memory)


def services(node: Node, chosen: str, attribute: str) -> list[dict[str, dict[str, dict[str, str]]]]:
    """Return the services that match a filter, with one attribute."""
    query = urllib.parse.urlencode({"filter": chosen, "attrs": attribute})
    return node.get(f"objects/services?{query}")


class Status(NamedTuple):
    """A process: its parent, CPU seconds of itself and of its ended children, memory in bytes."""

    parent: int
    own: float
    children: float
    memory: int


def status(pid: int) -> Status:
    """Read ``/proc/PID/stat``. Raises `OSError` if there is no such process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own, system, children, children_system = (int(field) / TICKS for field in fields[11:15])
    memory = int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
    return Status(int(fields[1]), own + system, children + children_system, memory)


def descendants(node: Node) -> Iterator[int]:
    """Yield the pids of Icinga's processes: the first, the worker, and the one that runs checks."""
    wanted = str(node.directory / "icinga2.conf").encode()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if wanted in words and words[0].endswith(b"icinga2"):
            yield int(path.parent.name)


def cpu(node: Node) -> Cost:
    """Return the CPU seconds so far of ended checks and of Icinga."""
    found = [status(pid) for pid in descendants(node)]
    return Cost(sum(one.children for one in found), sum(one.own for one in found))


def memory_of_checks(node: Node) -> int:
    """Return the memory of all running checks, in bytes; shared pages count for each process."""
    icinga = set(descendants(node))
    there = {}
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            there[int(path.name)] = status(int(path.name))
    checks = {pid for pid, one in there.items() if one.parent in icinga} - icinga
    while more := {pid for pid, one in there.items() if one.parent in checks} - checks:
        checks |= more
    return sum(there[pid].memory for pid in checks)


def report(kind: str, cost: Cost, jobs: int) -> None:
    """Print the cost of a kind of check."""
    each = cost.checks / jobs * 1000
    print(
        f"{kind:12} {each:6.1f} ms of CPU a check, and {cost.icinga / jobs * 1000:.1f} of Icinga's;"
        f" {jobs / cost.clock:.0f} checks a second; {os.cpu_count()} at once had"
        f" {cost.memory / 1e6:.0f} MB",
        flush=True,
    )


def line(schedule: str, minutes: dict[str, int], costs: dict[str, Cost]) -> str:
    """Return a line with the cost of a schedule in an hour."""
    seconds = sum((costs[k].checks + costs[k].icinga) * HOUR / m for k, m in minutes.items())
    return f"{schedule:48} {seconds:6.0f} CPU seconds an hour, {seconds / 36:.1f} % of a core"


if __name__ == "__main__":
    main()
