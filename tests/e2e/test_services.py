"""The deployed services answer rightly, by NRPE and Icinga's agent, for every kind of failure."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from e2e.icinga2 import AGENT
from e2e.machine import (
    ARCHIVE,
    ASSETS,
    MAIL,
    PASSPHRASE,
    PASSWORD,
    USER,
    WEB,
    as_user,
    nrpe_answers,
    run,
    set_crontab,
)  # fmt: skip
from e2e.services import CHECKS, CRITICAL, OK, PLUGINS, SAID, UNKNOWN, WARNING, Site
from lab import wait_until


@pytest.fixture(autouse=True)
def nothing_left(site: Site) -> Iterator[None]:
    """Demand after each test: no process, lock or temporary file is left, and all is green."""
    from check_duplicity.processes import lock  # which the package has brought

    yield
    wait_until(lambda: not site.host.backups_running())
    assert not any(lock.holder(str(path)) for path in ARCHIVE.iterdir())
    wait_until(lambda: not temporary())  # Icinga goes on checking meanwhile.
    assert {check: site.by_nrpe(check).state for check in CHECKS} == dict.fromkeys(CHECKS, OK)


def temporary() -> list[Path]:
    """Return the directories that checks and drills have made as the job's user."""
    found = []
    made = Path("/tmp").glob("check-duplicity-*"), Path("/var/tmp").glob("check-duplicity-drill-*")
    for path in (path for paths in made for path in paths):
        with suppress(FileNotFoundError):
            found += [path] if path.owner() == USER else []
    return found


def test_all_is_green_on_all_ways(site: Site) -> None:
    fresh = site.ask("freshness")
    assert fresh.state == OK
    assert fresh.line.startswith("DUPLICITY FRESHNESS OK - last backup ")
    assert site.ask("process").line.startswith("DUPLICITY PROCESS OK - no backup is running")
    assert site.ask("log").line.startswith("DUPLICITY LOG OK - ")
    assert site.ask("restore").line.startswith("DUPLICITY RESTORE OK - restored ")
    assert site.ask("restore", job="web").state == OK
    assert site.ask("freshness", job="web").state == OK
    seen = site.master.check(AGENT, "duplicity-freshness-assets")
    labels = {datum.split("=")[0] for datum in seen.performance}
    assert labels >= {"age", "full_age", "chain_length", "chains", "volumes", "orphaned", "fulls",
                      "history", "incomplete", "missing_volumes", "files"}  # fmt: skip


def test_an_old_backup_is_critical(site: Site) -> None:
    with site.host.aside(ASSETS):
        run("find", ASSETS.destination, ARCHIVE, "-type", "f", "-delete")
        site.host.write_script(ASSETS, f"--current-time {int(time.time()) - 4 * 86400}")
        site.host.back_up(ASSETS)
        site.host.write_script(ASSETS)
        stale = site.ask("freshness")
    assert stale.state == CRITICAL
    assert stale.line.startswith("DUPLICITY FRESHNESS CRITICAL - last backup 4d ago (limit 56h)")
    assert f"sudo -iu {USER} -- {ASSETS.script}" in stale.text


def test_a_running_backup_is_told_and_a_stopped_one_hangs(site: Site) -> None:
    large = ASSETS.source / "large"
    with large.open("wb") as file:
        file.truncate(60 * 10**9)  # it takes minutes, and no space here
    before = set(ASSETS.destination.iterdir())
    with site.host.aside(ASSETS):
        # Not by sudo, which would stop with what it runs.
        backup = subprocess.Popen(
            [ASSETS.script], user=USER, group=USER, extra_groups=[], cwd="/",
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={"HOME": f"/home/{USER}", "PATH": "/usr/bin:/bin"}, start_new_session=True,
        )  # fmt: skip
        try:
            # A busy machine needs more than a minute for the first volume.
            wait_until(lambda: bool(set(ASSETS.destination.iterdir()) - before), 300)
            running = site.ask("process")
            assert running.state == OK
            assert re.match(r"DUPLICITY PROCESS OK - .*running", running.line)
            assert "in progress" in site.ask("freshness").line
            for pid in site.host.backups_running():
                os.kill(pid, signal.SIGSTOP)
            hung = site.ask_until("process", CRITICAL)
            assert "DUPLICITY PROCESS CRITICAL - " in hung.line
            assert site.ask("process").state == CRITICAL
        finally:
            for pid in site.host.backups_running():
                os.kill(pid, signal.SIGKILL)
            backup.wait()
            large.unlink()
        interrupted = site.ask("freshness")
        assert interrupted.state == WARNING
        assert "was interrupted" in interrupted.line


def test_orphaned_sets_are_a_warning_with_the_command_that_removes_them(site: Site) -> None:
    with site.host.aside(ASSETS):
        site.host.back_up(ASSETS)
        for path in ASSETS.destination.glob("duplicity-full*"):
            path.unlink()
        run("find", ARCHIVE, "-type", "f", "-delete")
        site.host.back_up(ASSETS)
        orphaned = site.ask("freshness")
    assert orphaned.state == WARNING
    assert "1 orphaned backup set" in orphaned.line
    assert "duplicity cleanup --force" in orphaned.text


def test_a_failed_run_is_critical_until_one_is_good(site: Site) -> None:
    with site.host.server_down():
        mail = site.host.back_up_by_cron(ASSETS)
        assert "BackendException: ssh connection to" in mail
        unseen = site.ask("freshness")
        assert unseen.state == UNKNOWN
        assert unseen.line.startswith("DUPLICITY FRESHNESS UNKNOWN - duplicity failed with 23")
        failed = site.ask("log")
        assert failed.state == CRITICAL
        assert re.match(
            "DUPLICITY LOG CRITICAL - assets: failed .* ago, destination not reached", failed.line
        )
    site.host.back_up_by_cron(ASSETS)
    assert site.ask("log").state == OK


def test_a_job_that_is_switched_off_is_critical_at_once(site: Site) -> None:
    good = site.ask_for_jobs()
    assert (good.state, good.line.split(" | ")[0]) == (
        OK, "DUPLICITY JOBS OK - 2 jobs: all are monitored and started",
    )  # fmt: skip
    labels = {datum.split("=")[0] for datum in good.line.split(" | ")[1].split()}
    assert labels == {"jobs", "unmonitored", "not_started"}
    other = "30 3 * * * duplicity / file:///srv/other"
    try:
        set_crontab(f"#0 2 * * * {ASSETS.script}\n0 3 * * * {WEB.script}\n")
        off = site.ask_for_jobs()
        assert (off.state, "assets is not started: " in off.line) == (CRITICAL, True)
        set_crontab(f"0 3 * * * {WEB.script}\n")
        gone = site.ask_for_jobs()
        assert (gone.state, "assets is not started: what started it until" in gone.line) == (
            CRITICAL, True,
        )  # fmt: skip
        set_crontab(f"0 2 * * * {ASSETS.script}\n0 3 * * * {WEB.script}\n{other}\n")
        forgotten = site.ask_for_jobs()
        assert (forgotten.state, " is not monitored: " in forgotten.line) == (WARNING, True)
    finally:
        site.host.restore_crontab()
    assert site.ask_for_jobs().state == OK


def flip_a_byte(path: Path) -> None:
    """Change one byte in the middle of a file, but not its size or time."""
    before = path.stat()
    with path.open("r+b") as file:
        file.seek(before.st_size // 2)
        byte = file.read(1)
        file.seek(before.st_size // 2)
        file.write(bytes([byte[0] ^ 1]))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_a_volume_that_rots_is_critical_until_a_full_backup(site: Site) -> None:
    with site.host.aside(ASSETS):
        good = site.drill()
        assert (good.state, site.ask("restore").state) == (OK, OK), good.text
        [volume] = ASSETS.destination.glob("duplicity-full.*.vol1.difftar*")
        flip_a_byte(volume)
        # It has its size and its name, so that only reading it back shows it.
        assert site.ask("freshness").state == OK
        drilled = site.drill()
        assert drilled.state == CRITICAL
        assert re.match(r"DUPLICITY DRILL CRITICAL - volume 1 of the backup of ", drilled.line)
        rotten = site.ask("restore")
        assert rotten.state == CRITICAL
        assert re.match(
            r"DUPLICITY RESTORE CRITICAL - drill .* ago: volume 1 of the backup of .* was changed ",
            rotten.line,
        )
        assert "make a full backup" in rotten.text
        site.host.write_script(ASSETS, "--full-if-older-than 1s")
        site.host.back_up(ASSETS)
        site.host.write_script(ASSETS)
        assert len([*ASSETS.destination.glob("duplicity-full.*.manifest*")]) == 2
        # The check believes nothing but a drill.
        assert site.ask("restore").state == CRITICAL
        assert site.drill().state == OK
        assert site.ask("restore").line.startswith("DUPLICITY RESTORE OK - restored ")
    assert site.drill().state == OK


def test_a_drill_that_cannot_be_made_is_no_damage(site: Site) -> None:
    with site.host.server_down():
        assert site.drill().state == UNKNOWN
        unproved = site.ask("restore")
        assert unproved.state == WARNING
        assert "DUPLICITY RESTORE WARNING - drill " in unproved.line
    assert site.drill().state == OK
    assert site.ask("restore").state == OK


def test_cron_drills_the_other_job_as_its_user(site: Site) -> None:
    assert site.drill("web").state == OK
    kept = [*Path(f"/home/{USER}/.local/state/check-duplicity").glob("restore-*.json")]
    assert len(kept) >= 2  # of both jobs
    assert {(path.owner(), path.stat().st_mode & 0o777) for path in kept} == {(USER, 0o600)}


def test_without_sudos_rule_nothing_is_ok(site: Site) -> None:
    rule = Path("/etc/sudoers.d/check_duplicity_assets")
    kept = rule.rename("/etc/sudoers.d/check_duplicity_assets.kept")  # sudo skips names with a dot
    try:
        by_nrpe = site.by_nrpe("freshness")
        assert by_nrpe == (UNKNOWN, "NRPE: Unable to read output\n")
        by_agent = site.by_icinga(AGENT, "freshness")
        # What sudo exits with is WARNING to Icinga.
        assert (by_agent.state, by_agent.line) == (WARNING, "sudo: a password is required")
    finally:
        kept.rename(rule)


def test_only_just_these_commands_are_allowed(site: Site) -> None:
    allowed: list[tuple[str, ...]] = [
        (USER, f"{PLUGINS}/check_duplicity_{check}", "-j", job)
        for check in CHECKS
        for job in ("assets", "web")
    ]
    allowed.append(("root", f"{PLUGINS}/check_duplicity_jobs"))
    refused = [
        ("root", f"{PLUGINS}/check_duplicity_jobs", "--ignore", "assets"),
        ("root", f"{PLUGINS}/check_duplicity_jobs", "--state-file", "/etc/shadow"),
        (USER, f"{PLUGINS}/check_duplicity_jobs"),
        (USER, f"{PLUGINS}/check_duplicity_freshness", "-j", "other"),
        (USER, f"{PLUGINS}/check_duplicity_freshness", "-j", "assets", "-v"),
        (USER, f"{PLUGINS}/check_duplicity_freshness", "-j", "assets", "--jobs-dir", "/tmp"),
        (USER, f"{PLUGINS}/check_duplicity_freshness", "--jobs-dir=/tmp", "-j", "assets"),
        (USER, f"{PLUGINS}/check_duplicity_freshness", "-jassets"),
        (USER, f"{PLUGINS}/check_duplicity_freshness", "-d", "file:///"),
        (USER, f"{PLUGINS}/check_duplicity_freshness"),
        (USER, f"{PLUGINS}/check_duplicity_log", "-j", "assets", "/etc/shadow"),
        (USER, "/usr/bin/duplicity_triage", "assets"),
        (USER, "/usr/bin/duplicity_drill", "-j", "assets"),
        ("root", "/usr/bin/duplicity_drill", "-j", "assets"),
        (USER, f"{PLUGINS}/check_duplicity_restore", "-j", "assets", "-v"),
        (USER, "/bin/sh"),
        ("root", f"{PLUGINS}/check_duplicity_freshness", "-j", "assets"),
        ("nagios", f"{PLUGINS}/check_duplicity_freshness", "-j", "assets"),
    ]
    for user, *command in allowed:
        done = run("sudo", "-n", "-u", "nagios", "sudo", "-n", "-u", user, *command, check=False)
        assert done.stdout.startswith("DUPLICITY "), command
        SAID.append(done.stdout)
    for user, *command in refused:  # Asked only: sudo writes root a mail of each real refusal.
        done = run("sudo", "-n", "-l", "-U", "nagios", "-u", user, *command, check=False)
        assert (done.returncode, done.stdout) == (1, ""), command


@contextmanager
def impatient_nrpe(directory: Path, port: int, seconds: int) -> Iterator[None]:
    """Run a second NRPE with the same commands and a shorter timeout."""
    directory.mkdir()
    shutil.chown(directory, "nagios")
    configuration = directory / "nrpe.cfg"
    configuration.write_text(
        f"server_address=127.0.0.1\nserver_port={port}\nallowed_hosts=127.0.0.1\n"
        f"nrpe_user=nagios\nnrpe_group=nagios\ncommand_timeout={seconds}\n"
        f"pid_file={directory}/pid\nlog_file={directory}/log\ninclude_dir=/etc/nagios/nrpe.d/\n"
    )
    with subprocess.Popen(
        ["sudo", "-n", "-u", "nagios", "/usr/sbin/nrpe", "-c", configuration, "-f"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
    ) as nrpe:  # fmt: skip
        try:
            wait_until(lambda: nrpe_answers(port))
            yield
        finally:
            nrpe.terminate()


def test_whoever_waits_too_short_leaves_nothing_behind(
    site: Site, tmp_path: Path, directory: Path
) -> None:
    """The server says nothing: each layer gives up in its own way."""
    with site.host.server_deaf():
        impatient = site.by_nrpe("freshness", "-t", "3")
        assert (impatient.state, impatient.text.strip()) == (
            CRITICAL, "CHECK_NRPE STATE CRITICAL: Socket timeout after 3 seconds.",
        )  # fmt: skip
        assert site.by_nrpe("freshness", "-t", "3:UNKNOWN").state == UNKNOWN
        with impatient_nrpe(directory / "nrpe", 15666, seconds=4):
            assert site.by_nrpe("freshness", port=15666) == (
                UNKNOWN, "NRPE: Command timed out after 4 seconds\n",
            )  # fmt: skip
        service = f"{AGENT}!duplicity-freshness-assets"
        before = site.master.ask("service", service)["check_timeout"]
        site.master.post(f"objects/services/{service}", {"attrs": {"check_timeout": 3}})
        cut = site.by_icinga(AGENT, "freshness")
        assert cut.state == UNKNOWN
        assert "Timeout exceeded" in cut.text
        site.master.post(f"objects/services/{service}", {"attrs": {"check_timeout": before}})
        own = as_user(
            f"{PLUGINS}/check_duplicity_freshness", "-j", "assets", "-t", "3", check=False
        )
        assert own.returncode == UNKNOWN
        assert own.stdout.startswith("DUPLICITY FRESHNESS UNKNOWN - no answer within 3 s")
        # Left alone, it is the way to the destination that gives up first.
        patient = site.ask("freshness")
        assert patient.state == UNKNOWN
        assert "Error reading SSH protocol banner" in patient.line


def test_no_secret_is_anywhere_but_where_it_has_to_be(site: Site, directory: Path) -> None:
    """Passwords are in the job's file, the script and the crontab's user's head only."""
    for check in CHECKS:
        site.ask(check, job="web")
    assert SAID
    said = "\n".join(SAID)
    looked_at = [
        "/etc/icinga2", "/etc/nagios", "/etc/sudoers.d", "/etc/puppet", "/var/log", "/var/cache",
        "/var/lib/icinga2", "/var/lib/nagios", "/var/lib/puppet", "/var/tmp",
        "/etc/systemd", "/etc/cron.d", f"/home/{USER}/.local",
        directory / "icinga2" / AGENT, directory / "nrpe", MAIL,
    ]  # fmt: skip
    for secret in (PASSPHRASE, PASSWORD):
        assert secret not in said
        found = run("grep", "-rlaF", secret, *looked_at, check=False)
        assert found.stdout.strip() == "", found.stdout
    assert Path("/etc/check-duplicity/jobs.d/web.ini").stat().st_mode & 0o777 == 0o640
