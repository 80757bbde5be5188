"""check_duplicity_restore as a whole, and duplicity_drill's command line, as a user sees them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from chains import manifest
from check_duplicity.nagios.findings import Kind, State
from check_duplicity.restore import history
from check_duplicity.restore.history import Damage, History, Past
from check_duplicity.restore.model import Found, Volume
from plugin import ROOT, Result, run_plugin, write_job
from samples import stamp

URL = "sftp://backup@host/srv/web"
FULL = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(days=20)
ROTTEN = (Kind.ROTTEN, "volume 2 of the backup of 2026-11-04 is not as it was written")


def ago(**age: float) -> datetime:
    return datetime.fromtimestamp(int(time.time()), timezone.utc) - timedelta(**age)


def good(**age: float) -> Past:
    return Past(ago(**age), None, "", 2, 3, 5000, 12)


def bad(kind: Kind, text: str, **age: float) -> Past:
    return Past(ago(**age), kind, text, 1, 0, 0, 3)


DAMAGE = (Kind.ROTTEN, Kind.OTHER_CONTENTS)


class Site:
    """A job without backups, but with a history of drills in a state directory."""

    def __init__(self, directory: Path) -> None:
        self.state = directory / "state"
        self.archive = directory / "archive"
        self.jobs = directory / "jobs"
        self.jobs.mkdir()
        self.jobs.chmod(0o755)  # Whatever the umask is: where others can write nothing is restored.

    @property
    def environment(self) -> dict[str, str]:
        return {"XDG_STATE_HOME": str(self.state)}

    @property
    def path(self) -> Path:
        before = os.environ.get("XDG_STATE_HOME")
        os.environ["XDG_STATE_HOME"] = str(self.state)
        try:
            return Path(history.path_of(URL, str(self.archive), "web", ()))
        finally:
            del os.environ["XDG_STATE_HOME"]
            if before is not None:
                os.environ["XDG_STATE_HOME"] = before

    def keep(self, *drills: Past) -> None:
        """Write the history of drills of a full backup of four volumes, two of them proved."""
        best = max((past for past in drills if past.kind is None), default=None)
        proved = {Volume(FULL, n): int(time.time()) for n in (1, 2)} if best else {}
        since = min(past.time for past in drills)
        last = drills[-1]
        found: tuple[Damage, ...] = ()
        if last.kind in DAMAGE:
            found = (Damage(last.time, Found(last.kind, State.CRITICAL, last.text)),)
        known = History(since, best, drills, {FULL: 4}, proved, found)
        assert history.kept(str(self.path), known) == ""

    def check(self, *options: object) -> Result:
        words = ["-d", URL, "-a", self.archive, "-n", "web", *options]
        return run_plugin("check_duplicity_restore", words, environment=self.environment)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_good_drill_is_ok(site: Site) -> None:
    site.keep(good(hours=5))
    result = site.check()
    assert (result.status, result.first_line) == (
        0, "DUPLICITY RESTORE OK - restored 5h ago, 50 % of 4 volumes proved"
    )  # fmt: skip
    assert result.out.count("\n") == 1
    assert {name: value for name, value in result.performance.items() if name != "age"} == {
        "bytes": "5000B;;;0", "files": "3;;;0", "proved": "50%;;;0", "volumes": "2;;;0",
    }  # fmt: skip
    assert result.performance["age"].endswith("s;691200;1296000;0")
    assert 18000 <= result.value("age") < 18100


@pytest.mark.parametrize(
    ("age", "status"),
    [({"days": 7, "hours": 23}, 0), ({"days": 8, "minutes": 1}, 1),
     ({"days": 14, "hours": 23}, 1), ({"days": 15, "minutes": 1}, 2)],
)  # fmt: skip
def test_one_that_is_too_old_is_a_warning_and_then_critical(
    age: dict[str, float], status: int, site: Site
) -> None:
    site.keep(good(**age))
    result = site.check()
    assert result.status == status
    if status:
        assert "last good drill " in result.first_line
        assert f"(limit {'8d' if status == 1 else '15d'})" in result.first_line
        assert "systemctl list-timers" in result.out


def test_damage_is_critical_until_the_next_good_drill(site: Site) -> None:
    site.keep(good(hours=5), bad(*ROTTEN, hours=1))
    result = site.check()
    assert result.status == 2
    assert result.first_line == f"DUPLICITY RESTORE CRITICAL - drill 1h ago: {ROTTEN[1]}"
    assert "You can't restore the files in this volume" in result.out
    site.keep(bad(*ROTTEN, hours=2), good(hours=1))
    assert site.check().status == 0


@pytest.mark.parametrize(
    ("kind", "advice"),
    [
        (Kind.NO_SECRET_KEY, "This host has only the public key"),
        (Kind.NO_PASSPHRASE, "environment_file"),
        (Kind.NO_ROOM, "drill_tempdir"),
        (Kind.CONNECTION, "remove the cause named above"),
        (Kind.NO_DRILL, "remove the cause named above"),
    ],
)
def test_what_cannot_be_done_here_is_a_warning_and_gets_critical(
    kind: Kind, advice: str, site: Site
) -> None:
    site.keep(good(days=2), bad(kind, "the reason", hours=1))
    result = site.check()
    assert result.status == 1
    assert result.first_line == "DUPLICITY RESTORE WARNING - drill 1h ago: the reason"
    assert advice in result.out
    site.keep(good(days=16), bad(kind, "the reason", hours=1))
    assert site.check().status == 2


def test_none_that_was_ever_good_counts_from_the_first(site: Site) -> None:
    site.keep(bad(Kind.NO_ROOM, "the reason", days=9), bad(Kind.NO_ROOM, "the reason", hours=1))
    result = site.check()
    assert result.status == 1
    assert result.value("age") >= 9 * 86400
    assert "no good drill since the first one 9d ago (limit 8d)" in result.out
    assert "files" not in result.performance


def test_without_a_drill_nothing_is_known_and_what_to_type_is_said(site: Site) -> None:
    result = site.check()
    assert (result.status, result.performance) == (3, {})
    assert "UNKNOWN - no drill was ever made" in result.first_line
    assert "duplicity_drill" in result.out
    assert not site.state.exists()


def test_limits_are_those_of_the_command_line(site: Site) -> None:
    site.keep(good(hours=5))
    result = site.check("-w", "4h", "-c", "6h", "--proved-critical", "60:")
    assert result.status == 2
    assert "50 % of 4 volumes proved (limit 60:)" in result.first_line
    assert "WARNING: last good drill 5h ago (limit 4h)" in result.out
    assert "--volumes or --budget" in result.out
    assert result.performance["age"].endswith("s;14400;21600;0")
    assert result.performance["proved"] == "50%;;60:;0"
    assert site.check("--proved-warning", "50:").status == 0


def test_quiet_is_one_line_and_verbose_has_a_line_for_each_drill(site: Site) -> None:
    site.keep(good(days=7), bad(*ROTTEN, hours=1))
    assert site.check("-q").out.count("\n") == 1
    assert "7d ago" not in site.check().out
    lines = site.check("-v").out.splitlines()
    assert f"1h ago: 1 volumes read, 0 files restored, 0 B: {ROTTEN[1]} (3s)" in lines
    assert "7d ago: 2 volumes read, 3 files restored, 4.9 KiB (12s)" in lines


def test_a_file_name_in_what_was_found_is_harmless(site: Site) -> None:
    site.keep(bad(Kind.OTHER_CONTENTS, "/srv/<b>a|b=1\n\x1b[31m\udcff differs", hours=1))
    result = site.check("-v")
    assert result.status == 2
    assert not set(result.out) & set("<>\x1b")


def test_the_newest_chain_is_that_of_the_archive_directory(site: Site) -> None:
    site.keep(good(hours=5))
    directory = site.archive / "web"
    directory.mkdir(parents=True)

    def add(name: str, volumes: int) -> None:
        content = manifest("/srv", [("a", "b")] * volumes)
        (directory / f"duplicity-{name}.manifest").write_bytes(content)

    add(f"full.{stamp(FULL)}", 4)
    assert site.check().value("proved") == 50
    add(f"inc.{stamp(FULL)}.to.{stamp(ago(hours=4))}", 4)
    assert site.check().value("proved") == 25
    add(f"full.{stamp(ago(hours=3))}", 3)
    result = site.check()
    assert (result.status, result.value("proved")) == (0, 0)
    assert "0 % of 3 volumes proved" in result.first_line


def damaged(path: Path) -> None:
    path.write_text('00000000 {"version": 1}')


def newer(path: Path) -> None:
    from check_duplicity.system import memory

    memory.remember(str(path), {"version": 2})


def open_to_others(path: Path) -> None:
    path.parent.chmod(0o777)


def linked(path: Path) -> None:
    path.rename(path.with_suffix(".other"))
    path.symlink_to(path.with_suffix(".other"))


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (damaged, "is damaged"),
        (newer, "is of a newer version of check-duplicity"),
        (open_to_others, "others can write to its directory"),
        (linked, "Too many levels of symbolic links"),
    ],
)
def test_what_cannot_be_trusted_is_unknown(
    harm: Callable[[Path], None], reason: str, site: Site
) -> None:
    site.keep(good(hours=5))
    harm(site.path)
    result = site.check()
    assert result.status == 3
    assert f"UNKNOWN - {site.path}: " in result.first_line
    assert reason in result.first_line


def test_a_directory_that_cannot_be_read_is_unknown(site: Site) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    site.keep(good(hours=5))
    site.path.parent.chmod(0)
    try:
        result = site.check()
    finally:
        site.path.parent.chmod(0o700)
    assert result.status == 3
    assert "Permission denied" in result.first_line


def job(site: Site, *lines: str) -> list[object]:
    text = "\n".join(
        ("[job]", f"destination = {URL}", f"archive_dir = {site.archive}", "name = web")
    )
    write_job(site.jobs, "web", "\n".join((text, *lines, "")))
    return ["-j", "web", "--jobs-dir", site.jobs]


def test_a_jobs_file_names_the_drills_and_their_limits(site: Site) -> None:
    site.keep(good(hours=5))

    def check(*options: object) -> Result:
        return run_plugin("check_duplicity_restore", options, environment=site.environment)

    assert check(*job(site)).status == 0
    result = check(*job(site, "restore_warning = 4h", "restore_critical = 9h"))
    assert result.status == 1
    assert "(limit 4h)" in result.first_line
    assert check(*job(site, "restore_warning = 1h", "restore_critical = 4h")).status == 2
    assert check(*job(site, "restore_warning = 1h"), "-w", "6h").status == 0
    assert check(*job(site, "proved_warning = 51:")).status == 1
    assert check(*job(site, "proved_critical = 51:")).status == 2
    # The limits of the other checks are not its own.
    assert check(*job(site, "warning = 1h", "critical = 2h", "process_warning = 1s")).status == 0
    # Other names are another job's.
    assert check(*job(site, "options = --file-prefix web-")).status == 3


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("restore_warning = soon", "restore_warning is no limit (write 36h, or a Nagios range)"),
        ("restore_critical = 8x", "restore_critical is no limit (write 36h, or a Nagios range)"),
        ("proved_warning = 50%", "proved_warning is no limit (write 14, or a Nagios range)"),
        ("proved_critical = all", "proved_critical is no limit (write 14, or a Nagios range)"),
        ("drill_volumes = 0", "drill_volumes is not an amount (write 4)"),
        ("drill_volumes = -1", "drill_volumes is not an amount (write 4)"),
        ("drill_volumes = geheim", "drill_volumes is not an amount (write 4)"),
        ("drill_budget = 0", "drill_budget is not an amount (write 10G)"),
        ("drill_budget = x", "drill_budget is not an amount (write 10G)"),
        ("drill_budget = 1P", "drill_budget is not an amount (write 10G)"),
        ("drill_paths = 'a", "drill_paths: No closing quotation"),
        ("drill_path = a", "unknown key (known are "),
    ],
)
@pytest.mark.parametrize("plugin", ["check_duplicity_restore", "duplicity_drill"])
def test_a_wrong_value_in_a_jobs_file_is_refused(
    plugin: str, line: str, words: str, site: Site
) -> None:
    result = run_plugin(plugin, job(site, line), environment=site.environment)
    assert result.status == 3
    assert words in result.first_line
    assert "geheim" not in result.out


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "no destination: give -j JOB or -d URL"),
        (["-a", "/archive"], "no destination: give -j JOB or -d URL"),
        (["-d", URL, "-w", "soon"], "argument -w/--warning: not an age: 'soon'"),
        (["-d", URL, "-w", "9d", "-c", "8d"], "--critical is below the warning limit"),
        (["-d", URL, "--proved-warning", "x"], "argument --proved-warning: not a range: 'x'"),
        (["-d", URL, "--require"], "unrecognized arguments: --require"),
        (["-d", URL, "--volumes", "4"], "unrecognized arguments: --volumes 4"),
        (["-d", URL, "-t", "0"], "argument -t/--timeout: not a number of seconds: '0'"),
        (["sftp://u:geheim@h/x"], "unrecognized arguments: sftp://u:***@h/x"),
    ],
)
def test_wrong_usage_of_the_check_is_unknown_in_one_line(arguments: list[str], reason: str) -> None:
    result = run_plugin("check_duplicity_restore", arguments)
    assert result.status == 3
    assert result.out.startswith("DUPLICITY RESTORE UNKNOWN - wrong usage: ")
    assert reason in result.out
    assert result.out.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "no destination: give -j JOB or -d URL"),
        (["-d", URL, "--volumes", "0"], "argument --volumes: not a number: '0'"),
        (["-d", URL, "--volumes", "1000000"], "argument --volumes: not a number: '1000000'"),
        (["-d", URL, "--volumes", "x"], "argument --volumes: not a number: 'x'"),
        (["-d", URL, "--budget", "x"], "argument --budget: not a size: 'x'"),
        (["-d", URL, "--budget", "0"], "argument --budget: not a size: '0'"),
        (["-d", URL, "--path"], "argument --path: expected one argument"),
        (["-d", URL, "-t", "nonsense"], "argument -t/--timeout: "),
        (["-d", URL, "-t", "0"], "argument -t/--timeout: "),
        (["-d", URL, "-t", "1:2"], "argument -t/--timeout: "),
        (["-d", URL, "-w", "8d"], "unrecognized arguments: -w 8d"),
        (["-d", URL, "--vol", "4"], "unrecognized arguments: --vol 4"),
        (["-d", URL, "--", "--archive-dir", "/x"], "--archive-dir is the check's own"),
        (["-d", URL, "--", "--archive-d=/x"], "--archive-d=/x is the check's own"),
        (["-d", URL, "--", "--log-fd", "1"], "--log-fd is the check's own"),
        (["-d", URL, "--", "--log-file=/x"], "--log-file=/x is the check's own"),
        (["-d", URL, "--duplicity", ""], "argument --duplicity: no command"),
    ],
)
def test_wrong_usage_of_a_drill_is_unknown_in_one_line(arguments: list[str], reason: str) -> None:
    result = run_plugin("duplicity_drill", arguments)
    assert result.status == 3
    assert result.out.startswith("DUPLICITY DRILL UNKNOWN - wrong usage: ")
    assert reason in result.out
    assert result.out.count("\n") == 1


def program(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("tempdir", "reason"), [("none", "No such file or directory"), ("file", "Not a directory")]
)
def test_a_directory_that_is_not_there_is_said_and_kept(
    tempdir: str, reason: str, site: Site
) -> None:
    (site.jobs / "file").write_text("")
    fake = program(site.jobs / "fake", "exit 1")
    words = ["-d", URL, "-a", site.archive, "-n", "web", "--duplicity", fake]
    result = run_plugin(
        "duplicity_drill",
        [*words, "--tempdir", site.jobs / tempdir],
        environment=site.environment,
    )
    assert result.status == 3
    assert f"no private directory in {site.jobs / tempdir}: {reason}" in result.first_line
    told = site.check()
    assert told.status == 1
    assert f"cut short: no private directory in {site.jobs / tempdir}" in told.first_line


def test_duplicity_that_cannot_be_run_is_said_and_kept(site: Site) -> None:
    words = ["-d", URL, "-a", site.archive, "-n", "web", "--tempdir", site.jobs]
    result = run_plugin(
        "duplicity_drill",
        [*words, "--duplicity", "/nonexistent/duplicity"],
        environment=site.environment,
    )
    assert result.status == 3
    assert "cannot run /nonexistent/duplicity" in result.first_line
    assert "cut short: cannot run /nonexistent/duplicity" in site.check().first_line
    assert list(site.jobs.iterdir()) == []


def test_a_drill_has_from_the_jobs_file_how_much_and_where(site: Site, tmp_path: Path) -> None:
    """Only with another value than the default is it seen: by what duplicity gets as TMPDIR."""
    place = tmp_path / "place"
    place.mkdir()
    place.chmod(0o755)
    fake = program(site.jobs / "fake", f'printf %s "$TMPDIR" > {tmp_path}/said; exit 30')
    words = job(site, f"drill_tempdir = {place}", f"duplicity = {fake}", "drill_volumes = 9")
    result = run_plugin("duplicity_drill", words, environment=site.environment)
    assert result.status == 3, result.out
    assert (tmp_path / "said").read_text().startswith(f"{place}/check-duplicity-drill-")
    assert list(place.iterdir()) == []


ASK = """
import json, runpy, sys
from datetime import datetime, timezone
from check_duplicity.secrets import Secrets
parse = runpy.run_path(sys.argv[1])["parse"]
found, _ = parse(sys.argv[2:], Secrets({}, ()), datetime.now(timezone.utc))
names = "path", "volumes", "budget", "tempdir", "timeout"
print(json.dumps({name: getattr(found, name) for name in names}))
"""


def asked(words: list[object]) -> Namespace:
    """Parse a drill's command line in its own process, since that sets an alarm, and more."""
    plugin = ROOT / "plugins" / "duplicity_drill"
    done = subprocess.run(
        [sys.executable, "-I", "-c", ASK, plugin, *map(str, words)],
        stdin=subprocess.DEVNULL, capture_output=True, check=True, text=True,
    )  # fmt: skip
    return Namespace(**json.loads(done.stdout))


def test_a_jobs_file_says_how_much_is_restored_and_the_command_line_wins(site: Site) -> None:
    lines = (
        "drill_paths = canary 'a b/c' /srv/web/d",
        "drill_volumes = 9",
        "drill_budget = 1G",
        "drill_tempdir = /var/tmp/x",
    )
    words = job(site, *lines)
    found = asked(words)
    assert found.path == ["canary", "a b/c", "/srv/web/d"]
    assert (found.volumes, found.budget, found.tempdir) == (9, 1 << 30, "/var/tmp/x")
    assert asked([*words, "--volumes", "1"]).budget is None
    found = asked(
        [
            *words,
            "--path",
            "e",
            "--path",
            "f",
            "--volumes",
            "4",
            "--budget",
            "5M",
            "--tempdir",
            "/y",
        ]
    )
    assert found.path == ["canary", "a b/c", "/srv/web/d", "e", "f"]
    assert (found.volumes, found.budget, found.tempdir) == (4, 5 << 20, "/y")


def test_nothing_said_is_four_volumes_and_an_hour(site: Site) -> None:
    found = asked(["-d", URL])
    assert (found.volumes, found.budget, found.path, found.timeout) == (4, None, [], 3600)
    assert asked(["-d", URL, "-t", "20m"]).timeout == 1200
    assert asked(["-d", URL, "-t", "1d12h"]).timeout == 129600
    assert asked(["-d", URL, "--volumes", "999999", "-t", "90"]).timeout == 90
