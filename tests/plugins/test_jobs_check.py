"""check_duplicity_jobs as a whole, as a user sees it, on this machine and on a scratch host."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from host import Ended, File, Host, Laid, Link, U, scratch
from plugin import BIN, run_plugin

JOBS_D = "/etc/check-duplicity/jobs.d"
SECRET = "geheim-im-url"
URL = f"sftp://bk:{SECRET}@h.example.org//srv/web"
SCRIPT = File(f"#!/bin/sh\nduplicity / {URL}\n", mode=0o755)
LINE = "0 2 * * * /usr/local/bin/web.sh\n"
CRONTAB = "/var/spool/cron/crontabs/root"
JOB = f"[job]\nuser = root\ndestination = {URL}\n"
UNIT = "/etc/systemd/system"
TIMER = {
    f"{UNIT}/web.timer": File("[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n"),
    f"{UNIT}/web.service": File("[Service]\nExecStart=/usr/local/bin/web.sh\n"),
}
WEB: dict[str, Laid] = {"/usr/local/bin/web.sh": SCRIPT, f"{JOBS_D}/web.ini": File(JOB, mode=0o640)}


def test_wrong_usage_is_unknown() -> None:
    for words in (["-j", "web"], ["web"], ["--ignore"], ["-d", "file:///x"]):
        result = run_plugin("check_duplicity_jobs", words)
        assert result.first_line.startswith("DUPLICITY JOBS UNKNOWN - wrong usage: ")


def test_who_is_not_root_is_told_what_sudo_needs() -> None:
    if os.geteuid() == 0:
        pytest.skip("root may look everywhere")
    result = run_plugin("check_duplicity_jobs", [])
    if result.status == 3:  # Else something on this machine is certain.
        assert "UNKNOWN - not all jobs can be seen by " in result.first_line
        assert f'NOPASSWD: {BIN}/check_duplicity_jobs ""\n' in result.out


def test_a_directory_of_jobs_that_cannot_be_read_is_unknown(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may look everywhere")
    jobs = tmp_path / "jobs"
    jobs.mkdir(0)
    result = run_plugin("check_duplicity_jobs", ["--jobs-dir", jobs])
    assert (result.status, f"UNKNOWN - {jobs}: Permission denied" in result.first_line) == (3, True)


@pytest.fixture(scope="module")
def machine() -> Iterator[Host]:
    with scratch() as host:
        host.sh("mkdir -p /run/systemd/system")
        host.start_cron()
        yield host


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: a host of its own")
class TestHost:
    @pytest.fixture
    def host(self, machine: Host) -> Iterator[Host]:
        yield machine
        machine.sh(
            f"rm -rf {JOBS_D} {UNIT}/* /var/spool/cron/crontabs/* /usr/local/bin/web.sh"
            " /var/tmp/check-duplicity-0"
        )

    def check(self, host: Host, *words: str, user: str = "root") -> Ended:
        ended = host.plugin("check_duplicity_jobs", *words, user=user)
        assert ended.err == ""
        assert SECRET not in ended.out
        return ended

    def crontab(self, text: str) -> dict[str, Laid]:
        return {CRONTAB: File(text, mode=0o600, group="root")}

    def test_each_state_in_a_jobs_life(self, host: Host) -> None:
        """Forgotten, monitored, switched off, gone, and elsewhere."""
        nothing = self.check(host)
        assert nothing.out.startswith("DUPLICITY JOBS UNKNOWN - no job was found on this host")
        host.lay({**self.crontab(LINE), "/usr/local/bin/web.sh": SCRIPT})
        forgotten = self.check(host)
        assert forgotten.status == 1
        assert forgotten.out.startswith("DUPLICITY JOBS WARNING - web is not monitored: ")
        assert "duplicity_triage web --list-jobs --ini\n" in forgotten.out
        assert self.check(host, "--ignore", "web").status == 3, "no job is left"
        host.lay(WEB)
        good = self.check(host, "-v")
        assert good.status == 0
        assert good.out == (
            "DUPLICITY JOBS OK - 1 job: all are monitored and started"
            " ¦ jobs=1;;;0 not_started=0;;;0 unmonitored=0;;;0\n"
            f"web: monitored, started by {CRONTAB}:1\n"
        ).replace("¦", "|")
        host.lay(self.crontab(f"#{LINE}"))
        off = self.check(host)
        assert off.status == 2
        assert f"web is not started: {CRONTAB}:1 is commented out" in off.out
        assert "sudo crontab -eu root" in off.out
        host.lay(self.crontab(""))
        gone = self.check(host, "-q")
        assert (gone.status, gone.out.count("\n")) == (2, 1)
        assert f"is gone: {CRONTAB}:1" in gone.out
        host.lay({f"{JOBS_D}/web.ini": File(f"{JOB}started = elsewhere\n", mode=0o640)})
        assert self.check(host).status == 0
        host.lay(WEB)
        never = self.check(host)
        assert never.out.startswith("DUPLICITY JOBS WARNING - nothing was found that starts web")
        assert "  started = elsewhere\n" in never.out

    def test_a_timer(self, host: Host) -> None:
        host.lay({**WEB, **TIMER})
        off = self.check(host)
        assert f"CRITICAL - web is not started: {UNIT}/web.timer is not enabled" in off.out
        assert "sudo systemctl enable --now TIMER" in off.out
        host.lay({f"{UNIT}/timers.target.wants/web.timer": Link(f"{UNIT}/web.timer")})
        assert self.check(host).status == 0
        host.sh("rmdir /run/systemd/system")
        assert "is not waited for: systemd is not running" in self.check(host).out
        host.sh("mkdir /run/systemd/system")

    def test_another_user_sees_too_little(self, host: Host) -> None:
        host.lay({**WEB, **self.crontab(LINE)})
        host.sh("chmod 1730 /var/spool/cron/crontabs; chmod 644 /etc/check-duplicity/jobs.d/*")
        seen = self.check(host, user=U)
        assert seen.status == 3
        assert f"not all jobs can be seen by {U}, who may not look into /var/spool" in seen.out
        assert f'NOPASSWD: {BIN}/check_duplicity_jobs ""\n' in seen.out

    def test_what_is_remembered_is_roots_alone(self, host: Host) -> None:
        """It says what a root's check prints: nobody else may write to it, or put it there."""
        host.lay({**WEB, **self.crontab(LINE)})
        assert self.check(host).status == 0
        owners = host.sh("stat -c '%U %a' /var/tmp/check-duplicity-0 /var/tmp/check-duplicity-0/*")
        assert owners.splitlines() == ["root 700", "root 600"]

    def test_without_a_place_to_remember_it_says_so(self, host: Host) -> None:
        host.lay({**WEB, **self.crontab(LINE)})
        told = self.check(host, "--state-file", "/nowhere/state")
        assert told.status == 0
        assert "What starts the jobs is not remembered: /nowhere/state: " in told.out

    def test_a_secret_stays_one(self, host: Host) -> None:
        """In a crontab's line, which is where a job is found."""
        host.lay(self.crontab(f"0 2 * * * PASSPHRASE={SECRET} duplicity / {URL}\n"))
        for words in ([], ["-v"], ["-q"]):
            assert self.check(host, *words).status == 1

    def test_cron_that_does_not_run(self, host: Host) -> None:
        host.lay({**WEB, **self.crontab(LINE)})
        host.sh("pkill -x cron; while pgrep -x cron > /dev/null; do sleep 0.01; done")
        off = self.check(host)
        host.start_cron()
        assert off.status == 2
        assert f"web is not started: {CRONTAB}:1 is not read: cron is not running" in off.out
