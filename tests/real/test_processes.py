"""Real backups, started in every possible way, and processes that only look like backups."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from check_duplicity.processes import lock, see
from check_duplicity.processes.model import Wanted
from lab import Lab, processes_of, wait_until
from plugin import Result, run_plugin

pytestmark = pytest.mark.spread


def process(lab: Lab, *options: object) -> Result:
    environment = {**lab.environment, "XDG_STATE_HOME": str(lab.home / "state")}
    return run_plugin("check_duplicity_process", options, environment=environment)


@contextmanager
def started(lab: Lab, program: Sequence[object]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a backup that never ends by itself, because its source is a silent pipe."""
    arguments = lab.command("full", "--no-encryption")[1:]
    with subprocess.Popen(
        [*map(str, program), *arguments],
        env=lab.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as backup:
        try:
            yield backup
        finally:
            os.killpg(backup.pid, signal.SIGKILL)


def endless(lab: Lab) -> None:
    with (lab.source / "large").open("wb") as large:
        large.truncate(1 << 40)


@pytest.mark.exhaustive
@pytest.mark.parametrize("form", ["script", "env", "python script", "module", "options", "copy"])
def test_a_backup_is_found_however_it_was_started(lab: Lab, form: str) -> None:
    if form == "module" and not list(
        lab.duplicity.parent.parent.glob("lib/*/*/duplicity/__main__.py")
    ):
        pytest.skip("this version can't be started with -m")
    endless(lab)
    python = lab.duplicity.parent / "python"
    lines = lab.duplicity.read_text().split("\n", 1)[1]
    by_env, copy = lab.home / "env" / "duplicity", lab.home / "copy" / "duplicity"
    for path, interpreter in ((by_env, "/usr/bin/env python3"), (copy, str(python))):
        path.parent.mkdir()
        path.write_text(f"#!{interpreter}\n{lines}")
        path.chmod(0o755)
    programs: dict[str, list[object]] = {
        "script": [lab.duplicity],
        "env": ["env", f"PATH={python.parent}:{os.environ['PATH']}", by_env],
        "python script": [python, lab.duplicity],
        "module": [python, "-m", "duplicity"],
        "options": [python, "-u", "-X", "utf8", "-W", "ignore", lab.duplicity],
        "copy": [copy],
    }
    with started(lab, programs[form]) as backup:
        wait_until(lambda: process(lab, "-d", lab.url, "-q").value("processes") == 1)
        for narrowing in (["-d", lab.url], ["-a", lab.archive], ["-u", os_user()], []):
            result = process(lab, *narrowing)
            assert f"full by {os_user()}, pid {backup.pid}, since " in result.out
        assert process(lab, "-d", "file:///elsewhere", "-q").value("processes") == 0
        assert process(lab, "-a", lab.home, "-q").value("processes") == 0
        assert process(lab, "-d", lab.url, "-n", "other", "-q").value("processes") == 0
    wait_until(lambda: process(lab, "-d", lab.url, "-q").value("processes") == 0)


def os_user() -> str:
    return subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()


def test_what_only_looks_like_a_backup_is_none(tmp_path: Path) -> None:
    """Programs that live for long, with duplicity's name and arguments among theirs."""
    log = tmp_path / "duplicity"
    log.write_text("import sys, time\ntime.sleep(600)\n")
    full = ["full", "/etc", "file:///look-alike"]
    shell = f"sleep 600; : duplicity {' '.join(full)}"
    alikes: list[list[str]] = [
        ["tail", "-f", str(log)],
        ["sh", "-c", shell],
        ["bash", "-c", shell, "duplicity", *full],
        [sys.executable, "-c", "import time; time.sleep(600)", "duplicity", *full],
        [sys.executable, str(shutil.copy(log, tmp_path / "duplicity.py")), *full],
        [sys.executable, str(shutil.copy(log, tmp_path / "duply")), *full],
        ["env", "-i", "PATH=/usr/bin:/bin", "timeout", "600", "sleep", "600"],
    ]
    with ExitStack() as stack:
        for words in alikes:
            alike = stack.enter_context(subprocess.Popen(words, start_new_session=True))
            stack.callback(os.killpg, alike.pid, signal.SIGKILL)
        result = run_plugin("check_duplicity_process", ["-d", "file:///look-alike"])
        assert (result.status, result.value("processes")) == (0, 0)
        assert result.out.count("\n") == 1


def test_a_collection_status_is_named_and_is_no_backup(tmp_path: Path) -> None:
    fake = tmp_path / "duplicity"
    fake.write_text("import time\ntime.sleep(600)\n")
    words = [sys.executable, str(fake), "collection-status", "file:///x"]
    with subprocess.Popen(words) as asking:
        try:
            wait_until(lambda: b"duplicity" in Path(f"/proc/{asking.pid}/cmdline").read_bytes())
            result = run_plugin("check_duplicity_process", ["-d", "file:///x", "--require"])
        finally:
            asking.kill()
    assert result.status == 2
    assert f"No backup: collection-status by {os_user()}, pid {asking.pid}, " in result.out


def test_what_a_backup_forks_is_no_second_one(tmp_path: Path) -> None:
    """As every start of gpg or ssh is for a moment."""
    fake = tmp_path / "duplicity"
    fake.write_text("import os, time\nos.fork() and print('forked', flush=True)\ntime.sleep(600)\n")
    words = [sys.executable, str(fake), "full", "/etc", "file:///forked"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, start_new_session=True) as backup:
        try:
            assert backup.stdout is not None
            backup.stdout.readline()
            result = run_plugin("check_duplicity_process", ["-d", "file:///forked"])
        finally:
            os.killpg(backup.pid, signal.SIGKILL)
    assert (result.status, result.value("processes")) == (0, 1)
    assert f"pid {backup.pid}," in result.out


@pytest.mark.exhaustive
def test_a_stopped_backup_becomes_stalled_and_then_critical(lab: Lab) -> None:
    limits = ["-d", lab.url, "-a", lab.archive]
    slow = [*limits, "--stalled-warning", "1h", "--stalled-critical", "2h"]
    with lab.running() as backup:
        assert process(lab, *slow).status == 0
        made = lab.volumes()
        wait_until(lambda: lab.volumes() > made + 3)
        moving = process(lab, *limits, "--stalled-critical", "0.001")
        assert (moving.status, moving.value("stalled")) == (0, 0)
        backup.send_signal(signal.SIGSTOP)
        process(lab, *limits)
        wait_until(lambda: process(lab, *slow, "-q").value("stalled") >= 1)
        result = process(lab, *limits, "--stalled-warning", "0.5", "--stalled-critical", "1h")
        assert result.status == 1
        assert f", pid {backup.pid} (limit 0.5)" in result.first_line
        assert process(lab, *limits, "--stalled-critical", "0.5").status == 2
        backup.send_signal(signal.SIGCONT)
        assert backup.poll() is None
    assert not list((lab.home / "state").rglob(".*"))


def test_run_time_is_limited(lab: Lab) -> None:
    with lab.running() as backup:
        wait_until(lambda: process(lab, "-d", lab.url, "-q").value("elapsed") >= 1)
        result = process(lab, "-d", lab.url, "-w", "0.5", "-c", "1h")
    assert result.status == 1
    assert f"backup running for {result.value('elapsed')}s, pid {backup.pid}" in result.first_line
    assert result.performance["elapsed"].endswith("s;0.5;3600;0")


def test_the_lock_tells_who_runs_whatever_it_is_called(lab: Lab) -> None:
    lab.run("full")
    [directory] = lab.archive.iterdir()
    holding = "import fcntl, sys, time; f = open(sys.argv[1], 'a'); fcntl.lockf(f, fcntl.LOCK_EX);"
    words = [sys.executable, "-c", holding + "print(flush=True); time.sleep(600)"]
    words.append(str(directory / "lockfile"))
    with subprocess.Popen(words, stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout is not None
            holder.stdout.readline()
            result = process(lab, "-d", lab.url, "-a", lab.archive)
            assert result.status == 0
            assert f"Running: something by {os_user()}, pid {holder.pid}, " in result.out
            fresh = lab.check()
            assert ", in progress since " in fresh.first_line
            assert fresh.first_line.endswith(f", pid {holder.pid}")
        finally:
            holder.kill()
    assert process(lab, "-d", lab.url, "-a", lab.archive).value("processes") == 0


def test_only_a_backup_makes_an_old_one_bearable(lab: Lab) -> None:
    """A verify that holds the lock, as a hung one does, makes nothing fresher."""
    lab.run("full", ago=60)
    [directory] = lab.archive.iterdir()
    fake = lab.home / "duplicity"
    fake.write_text(
        "import fcntl, time\n"
        f"lock = open({str(directory / 'lockfile')!r}, 'a')\n"
        "fcntl.lockf(lock, fcntl.LOCK_EX)\nprint(flush=True)\ntime.sleep(600)\n"
    )
    words = [sys.executable, str(fake), "verify", lab.url, str(lab.source)]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as verify:
        try:
            assert verify.stdout is not None
            verify.stdout.readline()
            assert lab.check().status == 2
            assert process(lab, "-d", lab.url, "-a", lab.archive).value("processes") == 1
        finally:
            verify.kill()


@pytest.mark.exhaustive
def test_two_backups_on_one_destination_are_a_warning(lab: Lab) -> None:
    endless(lab)
    other = lab.home / "other-archive"
    words = [
        str(other) if w == str(lab.archive) else w for w in lab.command("full", "--no-encryption")
    ]
    with started(lab, [lab.duplicity]), subprocess.Popen(
        words, env=lab.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as second:  # fmt: skip
        try:
            wait_until(lambda: process(lab, "-d", lab.url, "-q").value("processes") == 2)
            result = process(lab, "-d", lab.url)
        finally:
            second.kill()
    assert result.status == 1
    assert f"2 backups at once on {lab.url}" in result.first_line


def test_a_backup_that_waits_for_a_passphrase_is_named(lab: Lab) -> None:
    # A terminal of its own: duplicity asks there.
    command = lab.command("full")
    with subprocess.Popen(
        ["script", "-qec", subprocess.list2cmdline(command), "/dev/null"],
        env={**lab.environment, "TERM": "dumb"},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    ) as terminal:
        try:
            wait_until(lambda: "waits for a passphrase" in process(lab, "-d", lab.url, "-q").out)
            assert process(lab, "-d", lab.url).status == 1
        finally:
            os.killpg(terminal.pid, signal.SIGKILL)
            for pid in processes_of(lab.url):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def test_secrets_huge_and_broken_arguments_leave_one_valid_output(tmp_path: Path) -> None:
    fake = tmp_path / "duplicity"
    fake.write_text("import time\ntime.sleep(600)\n")
    words: list[str | bytes] = [
        sys.executable,
        str(fake),
        "full",
        b"--gpg-options",
        b"\xff\xfe\n|<b>",
    ]
    words += ["--exclude", "x" * 100_000] * 10
    words += ["/etc", "sftp://user:tr0ub4dor3@host/x"]
    with subprocess.Popen(words) as backup:
        try:
            wait_until(lambda: b"duplicity" in Path(f"/proc/{backup.pid}/cmdline").read_bytes())
            result = run_plugin("check_duplicity_process", ["-d", "sftp://user:other@host/x"])
        finally:
            backup.kill()
    assert result.value("processes") == 1
    assert "tr0ub4dor3" not in result.out
    assert "sftp://user@host/x" in result.out


@pytest.mark.exhaustive
def test_processes_that_come_and_go_do_not_disturb(tmp_path: Path) -> None:
    fake = tmp_path / "duplicity"
    fake.write_text("")
    storm = f"while :; do {sys.executable} -I {fake} full /etc file:///x; done"
    with subprocess.Popen(["sh", "-c", storm], start_new_session=True) as shell:
        try:
            for _ in range(15):
                run_plugin("check_duplicity_process", ["-d", "file:///x"])
        finally:
            os.killpg(shell.pid, signal.SIGKILL)


@pytest.mark.exhaustive
def test_freshness_knows_of_the_running_backup(lab: Lab) -> None:
    lab.run("full", ago=60)
    assert lab.check().status == 2
    with lab.running("full") as backup:
        result = lab.check()
        assert result.status == 1
        assert result.first_line.startswith(
            "DUPLICITY FRESHNESS WARNING - last backup 2d 12h ago (limit 56h), in progress since "
        )
        assert result.first_line.endswith(f", pid {backup.pid}")
        assert "interrupted" not in result.out
        assert "Wait. See whether it makes progress" in result.out
        assert result.performance["age"].endswith(";115200;201600;0")
        assert lab.check("-w", "99d", "-c", "99d").status == 0
    stopped = lab.check()
    assert stopped.status == 2
    assert " was interrupted after " in stopped.out


@pytest.mark.exhaustive
def test_a_first_backup_that_runs_is_a_warning(lab: Lab) -> None:
    with lab.running("full"):
        result = lab.check()
    assert result.status == 1
    assert "WARNING - no complete backup yet, in progress since " in result.first_line


@pytest.mark.exhaustive
@pytest.mark.parametrize("place", ["/proc/none/state", "/dev/full/state"])
def test_without_memory_whether_it_gets_on_is_unknown(lab: Lab, place: str) -> None:
    with lab.running():
        for more in ([], ["-q"]):
            result = process(lab, "-d", lab.url, "--state-file", place, *more)
            assert result.status == 3
            assert f"not known whether it makes progress: {place}: " in result.first_line
            assert result.first_line.endswith("; give it a --state-file")
        # What is worse is said all the same.
        result = process(lab, "-d", lab.url, "--state-file", place, "-c", "@0:1d")
        assert result.status == 2
        assert f"it is not known whether it makes progress: {place}: " in result.out
    # Without a backup there is nothing to remember.
    assert process(lab, "-d", lab.url, "--state-file", place).status == 0


def test_a_backup_that_ends_while_it_is_looked_for_is_no_second_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    holders = iter([2**22 + 1, None])  # no process has that number: it has just ended
    monkeypatch.setattr(lock, "holder", lambda archive, user: next(holders))
    wanted = Wanted("file:///nowhere-at-all", "/nowhere", "job", "")
    assert see.look(wanted).running == ()


def test_a_signal_does_not_come_while_psutil_is_loaded(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """psutil swallows any error while it is loaded, and prints a traceback."""
    (tmp_path / "psutil.py").write_text(
        "import signal\n"
        "blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())\n"
        "class Error(Exception): pass\n"
        "def Process(pid): raise Error\n"
    )
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    with lab.running():
        monkeypatch.delitem(sys.modules, "psutil", raising=False)
        monkeypatch.syspath_prepend(tmp_path)
        see.look(Wanted(lab.url, str(lab.archive), "", ""))
        loaded = sys.modules["psutil"]
        monkeypatch.undo()
    assert {signal.SIGTERM, signal.SIGALRM} <= loaded.blocked
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
