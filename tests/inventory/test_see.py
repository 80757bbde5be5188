"""What is found to start a job: what is beside it, and in which order."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from check_duplicity.inventory import see
from check_duplicity.inventory.model import Clocks
from check_duplicity.jobs.model import Start
from check_duplicity.nagios.findings import CannotSee
from check_duplicity.system import proc
from found import JOBS_D, Files, cron
from found import write as lay_out

JOB = "[job]\nuser = root\ndestination = file:///b\n"


def write(root: Path, files: Files) -> None:
    """Lay out files; whatever the umask is, nobody else decides what is there."""
    lay_out(root, files)
    for place in root.rglob("*/"):
        if place.is_dir():
            place.chmod(0o755)


def starts(root: Path) -> dict[str, list[tuple[str, str]]]:
    found = see.look(str(root) + JOBS_D, Clocks(), (), str(root))
    return {job.name: [(start.origin, start.off) for start in job.starts] for job in found.jobs}


def test_of_files_with_names_that_cron_ignores_only_entries_count(tmp_path: Path) -> None:
    text = "0 1 * * * root\n#0 2 * * * root duplicity / file:///b\n0 3 * * * root duplicity / file:///b\n"
    write(tmp_path, {f"{JOBS_D}/web.ini": JOB, "/etc/cron.d/a.x": text, "/usr/sbin/cron": "x"})
    ignored = "has a name that cron passes over"
    assert starts(tmp_path) == {"web": [("/etc/cron.d/a.x:3", ignored)]}
    (tmp_path / "usr/sbin/cron").unlink()
    assert starts(tmp_path) == {"web": []}


def test_of_each_period_what_cron_ignores_is_looked_at(tmp_path: Path) -> None:
    periods = ("hourly", "daily", "weekly", "monthly")
    write(tmp_path, {f"/etc/cron.{period}/a.x": "x" for period in periods})
    write(tmp_path, {f"/etc/cron.{period}/a": "x" for period in periods})
    write(tmp_path, {"/usr/sbin/cron": "x"})
    lines = list(see.looked_at([], str(tmp_path)))
    nothing = "passed over, nothing was found there that makes a backup"
    assert lines == [
        *[f"/etc/cron.{period}/a: {nothing}" for period in periods],
        *[f"/etc/cron.{p}/a.x: passed over, it has a name that cron passes over" for p in periods],
    ]


def test_two_jobs_of_two_files_have_their_own_starts(tmp_path: Path) -> None:
    lines = [f"{n} 2 * * * duplicity / file:///{name}" for n, name in enumerate("abca")]
    files = {f"{JOBS_D}/{n}.ini": JOB.replace("///b", f"///{n}") for n in "ab"}
    write(tmp_path, {**files, **cron(*lines)})
    spool = "/var/spool/cron/crontabs/root"
    assert starts(tmp_path) == {
        "a": [(f"{spool}:1", ""), (f"{spool}:4", "")],
        "b": [(f"{spool}:2", "")],
        "duplicity-3": [(f"{spool}:3", "")],
    }


@pytest.mark.parametrize(
    ("hidden", "cron_runs", "timers", "anacron", "expected"),
    [
        (False, False, False, False, Clocks("cron is not running", "", "cron is not running")),
        (False, False, False, True, Clocks("cron is not running", "", "")),
        (True, False, False, False, Clocks()),
        (False, True, False, False, Clocks()),
        (False, False, True, False, Clocks()),
    ],
)
def test_which_clocks_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, hidden: bool, cron_runs: bool,
    timers: bool, anacron: bool, expected: Clocks,
) -> None:  # fmt: skip
    asked: list[tuple[tuple[bytes, ...], int]] = []

    def runs(names: tuple[bytes, ...], uid: int) -> bool:
        asked.append((names, uid))
        return cron_runs

    monkeypatch.setattr(proc, "hides_others", lambda: hidden)
    monkeypatch.setattr(proc, "runs", runs)
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    if timers:
        write(tmp_path, {"/run/systemd/generator/cron-x.timer": "x"})
    if anacron:
        write(tmp_path, {"/usr/sbin/anacron": "x"})
    assert see.clocks(str(tmp_path)) == expected
    names = (b"cron", b"crond", b"cronie", b"bcron-sched")
    assert asked == [(names, 0)] * (not hidden and not timers)


@pytest.mark.parametrize(
    ("command", "off"),
    [
        ("/s/none", "there is no /s/none"), ("/s/plain/x", "there is no /s/plain/x"),
        ("/s/plain", "/s/plain is not executable"), ("nice /s/plain", "/s/plain is not executable"),
        ("sh /s/plain", ""), ("run-parts /s", ""), ("/s", ""), ("/s/prog /s/none", ""),
        (f"/s/{'x' * 300}", ""), ("plain", ""), ("/s/o", ""), ("/s/g", ""), ("/s/u", ""),
    ],
)  # fmt: skip
def test_why_a_program_cannot_be_run(tmp_path: Path, command: str, off: str) -> None:
    write(tmp_path, {f"{JOBS_D}/web.ini": f"{JOB}script = {command}\n", "/s/plain": "x"})
    for name, mode in (("prog", 0o755), ("o", 0o601), ("g", 0o610), ("u", 0o700)):
        (tmp_path / "s" / name).write_text("x")
        (tmp_path / "s" / name).chmod(mode)
    (job,) = see.look(str(tmp_path) + JOBS_D, Clocks(), (), str(tmp_path)).jobs
    assert job.gone == off


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("0 2 * * * root /s/x.py", True), ("0 2 * * * root nice '/s/x.py';true", True),
        ("0 2 * * * bk /s/x.py", True), ("0 2 * * * mail /s/x.py", False),
        ("0 2 * * * root /s/x.pyc", False), ("0 2 * * * root /s//x.py", False),
        *((f"0 2 * * * root a{sign}/s/x.py", True) for sign in ";&|()<>'\"`="),
    ],
)  # fmt: skip
def test_which_lines_run_the_script_of_a_file(tmp_path: Path, line: str, *, found: bool) -> None:
    text = f"{JOB.replace('root', 'bk')}script = nice /s/./x.py a\n"
    write(tmp_path, {f"{JOBS_D}/web.ini": text, "/etc/cron.d/a": f"{line}\n", "/s/x.py": "#!x\n"})
    (tmp_path / "s/x.py").chmod(0o755)
    assert starts(tmp_path) == {"web": [("/etc/cron.d/a:1", "")] * found}


def test_both_of_two_starts_of_backupninja_count(tmp_path: Path) -> None:
    lines = (
        "0 * * * * root /usr/sbin/backupninja\n0 1 * * * root other\n1 * * * * root backupninja\n"
    )
    dup = "[dest]\ndesturl = file:///b\n"
    files = {"/etc/cron.d/n": lines, "/etc/backup.d/20-web.dup": dup, f"{JOBS_D}/web.ini": JOB}
    write(tmp_path, {**files, "/usr/sbin/backupninja": "x"})
    (tmp_path / "usr/sbin/backupninja").chmod(0o755)
    assert starts(tmp_path) == {"web": [("/etc/cron.d/n:1", ""), ("/etc/cron.d/n:3", "")]}
    assert Start("/etc/cron.d/n:1", "x").off == ""


def test_a_file_that_says_nothing_of_what_runs_has_no_start(tmp_path: Path) -> None:
    files = {f"{JOBS_D}/web.ini": "[job]\nuser = root\n"}
    write(tmp_path, {**files, **cron('0 2 * * * duplicity / "$(cat /x)"')})
    spool = "/var/spool/cron/crontabs/root"
    assert starts(tmp_path) == {"duplicity": [(f"{spool}:1", "")], "web": []}


LISTED = (
    "/var/spool/cron/crontabs", "/var/spool/cron/tabs", "/var/spool/cron", "/etc/cron.d",
    "/etc/cron.hourly", "/etc/cron.daily", "/etc/cron.weekly", "/etc/cron.monthly",
    "/etc/systemd/system", "/etc/duply", "/etc/backup.d",
)  # fmt: skip
HOMES = ("/root", "/home/a", "/home/b")


@pytest.mark.parametrize(
    ("denied", "hidden"),
    [(0, ()), (os.R_OK, LISTED), (os.X_OK, (*LISTED, *HOMES)), (os.W_OK, ())],
)
def test_places_that_this_user_may_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, denied: int, hidden: tuple[str, ...]
) -> None:
    for path in (*LISTED, *HOMES):
        (tmp_path / path[1:]).mkdir(parents=True, exist_ok=True)
    (tmp_path / "home/file").touch()
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & denied)
    found = see.look(f"{tmp_path}/none", Clocks(), (), str(tmp_path))
    assert found.hidden == hidden
    lines = [f"{place}: passed over, this user may not look into it" for place in hidden]
    assert list(see.looked_at((), str(tmp_path))) == lines
    if hidden:
        with pytest.raises(CannotSee) as refused:
            see.look(str(tmp_path), Clocks(), (), str(tmp_path))
        assert refused.value.reason == f"{tmp_path}: Permission denied"
    (tmp_path / "root").rmdir()
    (tmp_path / "etc/duply").rmdir()
    found = see.look(f"{tmp_path}/none", Clocks(), (), str(tmp_path))
    assert found.hidden == tuple(p for p in hidden if p not in ("/root", "/etc/duply"))
