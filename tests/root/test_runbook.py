"""The runbook, step by step: break a real job, triage it, paste the commands, and it is good again.

Needs root: for a user, a crontab and a script of its own.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pwd
import re
import shutil
import signal
import struct
import subprocess
import termios
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from lab import wait_until
from plugin import BIN, Result, ageless, run_plugin
from sshd import SSHD, serving

USER = "dup-runbook"
SPOOL = Path("/var/spool") / USER
MAIL = Path("/var/mail") / USER
CRONTAB = Path("/var/spool/cron/crontabs") / USER

# Debian's, and if the environment names others that our user may run, those as well.
DUPLICITIES = ["duplicity", *filter(None, os.environ.get("RUNBOOK_DUPLICITIES", "").split(":"))]

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for a user of its own"),
    pytest.mark.skipif(
        not (shutil.which("duplicity") and Path("/usr/sbin/cron").exists()),
        reason="needs duplicity and cron",
    ),
]

# As on the hosts that the runbook was written for.
SCRIPT = """\
#!/bin/bash
set -e
set -o pipefail

export FTP_PASSWORD='geheim-ftp'

nice -n 10 {duplicity} --verbosity warning --no-print-statistics --full-if-older-than 7D \\
  --no-encryption {options}--include '{source}' --exclude '**' \\
  --archive-dir {archive} / '{url}' && {duplicity} remove-all-but-n-full 2 --no-encryption \\
  --archive-dir {archive} --force --verbosity warning '{url}'
printf "%s\\t%s\\t%s\\t%s\\n" host backup 0 OK | cat > /dev/null
"""


class Host:
    """A user with a backup job, as the runbook knows it."""

    def __init__(self, home: Path, duplicity: str) -> None:
        self.home = home
        self.duplicity = duplicity
        self.script = SPOOL / "assets.sh"
        self.source = home / "data"
        self.destination = home / "destination"
        self.archive = home / "cache"
        self.write_script()
        self.write_crontab(f"0 2 * * * {self.script}")
        self.sh(f"mkdir -p {self.source} {self.destination} && echo data > {self.source}/file")

    def write_script(self, options: str = "", url: str = "") -> None:
        SPOOL.mkdir(exist_ok=True)
        text = SCRIPT.format(
            duplicity=self.duplicity,
            options=options,
            source=self.source,
            archive=self.archive,
            url=url or self.url,
        )
        self.script.write_text(text)
        self.script.chmod(0o755)

    def write_crontab(self, line: str) -> None:
        CRONTAB.parent.mkdir(parents=True, exist_ok=True)
        CRONTAB.write_text(f"MAILTO={USER}\n{line}\n")
        CRONTAB.chmod(0o600)

    @property
    def url(self) -> str:
        return f"file://{self.destination}"

    def sh(self, command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run something as the user."""
        return subprocess.run(
            ["sudo", "-n", "-Hu", USER, "bash", "-c", command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=check,
            cwd="/",
        )

    def backup(self, ago: float = 0, action: str = "full") -> None:
        """Make a backup as the script does, of so many hours ago."""
        made = datetime.now(timezone.utc) - timedelta(hours=ago)
        self.sh(
            f"echo {made} > {self.source}/file && {self.duplicity} {action} --no-encryption"
            f" --archive-dir {self.archive} --include {self.source} --exclude '**'"
            f" --current-time {int(made.timestamp())} / {self.url}"
        )

    def triage(self, *options: object, job: str = "assets") -> Result:
        done = subprocess.run(
            [BIN / "duplicity_triage", job, *map(str, options)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, cwd="/",
            timeout=100,
        )  # fmt: skip
        assert done.stderr == ""
        assert "geheim" not in done.stdout
        return Result(done.returncode, done.stdout)

    def paste(self, text: str) -> None:
        """Paste the commands of a triage into a shell, as a person would."""
        steps = text.split("What to do:")[1]
        commands = [line.strip() for line in steps.split("\n") if line.startswith("    ")]
        for command in commands:
            if not re.search(r"\b(PID|SOURCE|HOST)\b|crontab -eu|systemctl|findmnt|^ls ", command):
                subprocess.run(
                    ["bash", "-c", command], stdin=subprocess.DEVNULL, capture_output=True,
                    check=False, cwd="/", timeout=60,
                )  # fmt: skip


@pytest.fixture(scope="module")
def cron() -> Iterator[None]:
    """A real cron, unless there is one: it has nothing to do before two in the morning."""
    with subprocess.Popen(
        ["/usr/sbin/cron", "-f"], stdin=subprocess.DEVNULL, env={"PATH": "/usr/bin:/bin"}
    ) as process:
        try:
            wait_until(lambda: process.poll() is not None or named_cron())
            yield
        finally:
            process.terminate()


def named_cron() -> bool:
    return subprocess.run(["pgrep", "-x", "cron"], capture_output=True, check=False).returncode == 0


@pytest.fixture
def host(cron: None, request: pytest.FixtureRequest) -> Iterator[Host]:
    subprocess.run(["userdel", "-r", USER], capture_output=True, check=False)
    subprocess.run(["useradd", "-m", "-s", "/bin/bash", USER], check=True, capture_output=True)
    try:
        yield Host(Path(f"/home/{USER}"), getattr(request, "param", DUPLICITIES[0]))
    finally:
        subprocess.run(["pkill", "-KILL", "-u", USER], check=False)
        wait_until(
            lambda: (
                subprocess.run(["pgrep", "-u", USER], capture_output=True, check=False).returncode
                != 0
            )
        )
        shutil.rmtree(f"/var/tmp/check-duplicity-{pwd.getpwnam(USER).pw_uid}", ignore_errors=True)
        subprocess.run(["userdel", "-r", USER], capture_output=True, check=False)
        CRONTAB.unlink(missing_ok=True)
        MAIL.unlink(missing_ok=True)
        shutil.rmtree(SPOOL, ignore_errors=True)


def test_a_good_job_is_good_and_its_facts_come_from_crontab_and_script(host: Host) -> None:
    host.backup(ago=1)
    found = host.triage()
    assert found.status == 0
    assert found.out.startswith("assets: OK, good\n")
    for fact in (
        f"user         {USER}  ({CRONTAB}:2)",
        f"script       {host.script}  ({CRONTAB}:2)",
        f"schedule     0 2 * * *  ({CRONTAB}:2)",
        f"destination  {host.url}  ({host.script}:7)",
        f"archive_dir  {host.archive}  ({host.script}:7)",
    ):
        assert fact in found.out
    assert "FTP_PASSWORD" in found.out
    values = json.loads(host.triage("--json").out)
    assert (values[0]["verdict"], values[0]["state"]) == ("good", "OK")


@pytest.mark.parametrize("host", DUPLICITIES, indirect=True)
def test_a_stale_job_is_run_again(host: Host) -> None:
    host.backup(ago=80)
    found = host.triage()
    assert found.status == 2
    assert "assets: CRITICAL, stale" in found.out
    assert f"    sudo -iu {USER} -- {host.script}\n" in found.out
    host.paste(found.out)
    assert host.triage().out.startswith("assets: OK, good")


def test_a_job_that_never_ran_is_run(host: Host) -> None:
    found = host.triage()
    assert "assets: CRITICAL, never backed up" in found.out
    host.paste(found.out)
    assert host.triage().out.startswith("assets: OK, good")


@pytest.mark.parametrize("host", DUPLICITIES, indirect=True)
def test_orphans_are_cleaned_up(host: Host) -> None:
    host.backup(ago=72)
    host.backup(ago=48, action="incremental")
    for path in host.destination.glob("duplicity-full*"):
        path.unlink()
    shutil.rmtree(host.archive)
    host.backup(ago=2)
    found = host.triage()
    assert found.out.startswith("assets: WARNING, orphaned leftovers")
    host.paste(found.out)
    assert not list(host.destination.glob("duplicity-inc*"))
    assert host.triage().out.startswith("assets: OK, good")


@pytest.mark.parametrize("host", DUPLICITIES, indirect=True)
def test_an_interrupted_backup_is_continued(host: Host) -> None:
    host.backup(ago=30)
    host.sh(f"head -c 60M /dev/urandom > {host.source}/large")
    host.write_script("--volsize 1 ")
    process = subprocess.Popen(
        ["sudo", "-n", "-Hu", USER, str(host.script)], stdin=subprocess.DEVNULL, cwd="/"
    )
    wait_until(lambda: len(list(host.destination.glob("*inc*.vol*"))) >= 3)
    running = host.triage()
    assert running.out.startswith("assets: OK, in progress") or "in progress" in running.out
    assert " cleanup " not in running.out
    subprocess.run(["pkill", "-KILL", "-u", USER, "duplicity"], check=True)
    process.wait()
    found = host.triage()
    assert found.out.startswith("assets: WARNING, interrupted")
    host.paste(found.out)
    assert host.triage().out.startswith("assets: OK, good")


def test_a_stopped_backup_is_hung(host: Host) -> None:
    host.sh(f"head -c 60M /dev/urandom > {host.source}/large")
    host.write_script("--volsize 1 ")
    with subprocess.Popen(
        ["sudo", "-n", "-Hu", USER, str(host.script)], stdin=subprocess.DEVNULL, cwd="/"
    ) as process:
        wait_until(lambda: len(list(host.destination.glob("*.vol*"))) >= 2)
        subprocess.run(["pkill", "-STOP", "-u", USER, "duplicity"], check=True)
        try:
            found = host.triage()
        finally:
            subprocess.run(["pkill", "-CONT", "-u", USER, "duplicity"], check=True)
        process.wait()
    assert found.out.startswith("assets: CRITICAL, hung") or ", hung" in found.out
    assert "stopped (kill -CONT continues it), pid " in found.out
    assert "sudo kill -CONT PID" in found.out


@pytest.mark.skipif(not SSHD.exists() or not shutil.which("rsync"), reason="needs sshd and rsync")
def test_the_runbooks_own_destination_is_seen_over_ssh(host: Host, tmp_path: Path) -> None:
    with serving(USER, host.home, tmp_path) as port:
        url = f"rsync://{USER}@127.0.0.1:{port}/{host.destination}"
        host.write_script(url=url)
        found = host.triage()
        assert "assets: CRITICAL, never backed up" in found.out
        assert f"destination  {url}" in found.out
        host.paste(found.out)
        assert host.triage().out.startswith("assets: OK, good")
    assert host.triage().out.startswith("assets: UNKNOWN, can't be seen")


def test_a_backup_that_asks_a_person_waits_for_a_passphrase(host: Host) -> None:
    text = host.script.read_text().replace(" --no-encryption", "")
    host.script.write_text(text)
    # By hand, in a terminal: under cron it would fail.
    words = ["sudo", "-n", "-Hu", USER, "script", "-qec", str(host.script), "/dev/null"]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, cwd="/"
    ) as process:
        wait_until(lambda: ", waiting for a passphrase\n" in host.triage().out)
        found = host.triage()
        assert "waits for a passphrase, pid " in found.out
        assert "sudo kill PID" in found.out
        assert " cleanup " not in found.out
        subprocess.run(["pkill", "-KILL", "-u", USER], check=True)
        process.wait()
    # Under cron nobody answers.
    run = host.sh(str(host.script), check=False)
    assert "EOFError" in run.stdout + run.stderr


def test_a_job_that_is_commented_out_was_not_started(host: Host) -> None:
    host.backup(ago=80)
    host.write_crontab(f"#0 2 * * * {host.script}")
    found = host.triage()
    assert "assets: CRITICAL, not started" in found.out
    assert "is commented out" in found.out
    host.write_crontab(f"0 2 * * * {host.script}")
    host.script.chmod(0o644)
    assert f"{host.script} is not executable" in host.triage().out


def test_a_lost_volume_is_missing(host: Host) -> None:
    host.backup(ago=1)
    next(host.destination.glob("*.vol1.*")).unlink()
    found = host.triage()
    assert "assets: CRITICAL, missing volumes" in found.out


def test_a_failed_run_is_failed_with_its_cause(host: Host) -> None:
    host.backup(ago=80)
    host.write_script(url="sftp://nobody@127.0.0.1:1/x")
    run = host.sh(str(host.script), check=False)
    sent = datetime.now(timezone.utc) - timedelta(minutes=1)
    MAIL.write_text(
        f"From {USER}@host {sent:%a %b %d %H:%M:%S %Y}\nFrom: root@host (Cron Daemon)\n"
        f"Subject: Cron <{USER}@host> {host.script} (failed)\n"
        f"Date: {sent:%a, %d %b %Y %H:%M:%S} +0000\n\n{run.stdout}{run.stderr}\n\n"
    )
    host.write_script()
    found = host.triage()
    assert "assets: CRITICAL, failed" in found.out
    assert "destination not reached" in found.out
    host.paste(found.out)
    assert host.triage().out.startswith("assets: OK, good")


JOURNALD = Path("/lib/systemd/systemd-journald")
EXIM = Path("/usr/sbin/exim4")
OPS, ALIAS, ALIASES = "dup-runbook-ops", "dup-runbook-list", Path("/etc/aliases")
# Where the output of each goes, by the name of its script; {s} is what stands in front of that.
LINES = """\
MAILTO={alias}
{when} {s}/mailed.sh
{when} {s}/logged.sh >> {home}/logged-$(date +\\%F).log 2>&1
{when} systemd-cat -t {user} {s}/journaled.sh
MAILTO=""
{when} {s}/silent.sh
"""
LONGEST = 150  # seconds: cron starts jobs at a full minute, and they take some seconds


@pytest.fixture
def journal() -> Iterator[None]:
    """A journal of systemd, which members of its group may read."""
    there = Path("/run/systemd/journal").exists()
    with subprocess.Popen(
        [JOURNALD], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            said = ["systemd-cat", "-t", USER, "true"]
            wait_until(
                lambda: subprocess.run(said, capture_output=True, check=False).returncode == 0
            )
            wait_until(lambda: bool(list(Path("/run/log/journal").glob("*/*.journal"))))
            for change in (["chgrp", "-R", "systemd-journal"], ["chmod", "-R", "g+rX"]):
                subprocess.run([*change, "/run/log/journal"], check=True)
            yield
        finally:
            process.terminate()
            process.wait()
            if not there:
                shutil.rmtree("/run/systemd/journal", ignore_errors=True)
                shutil.rmtree("/run/log/journal", ignore_errors=True)


@pytest.fixture
def alias() -> Iterator[str]:
    """An alias of another user, whose mail the members of the group mail may read."""
    before = ALIASES.read_text()
    subprocess.run(["useradd", "-m", OPS], check=True, capture_output=True)
    ALIASES.write_text(f"{before.rstrip()}\n{ALIAS}: {OPS}\n")
    try:
        yield ALIAS
    finally:
        lines = ALIASES.read_text().splitlines(keepends=True)
        ALIASES.write_text("".join(line for line in lines if not line.startswith(ALIAS)))
        subprocess.run(["userdel", "-r", OPS], capture_output=True, check=False)
        Path("/var/mail", OPS).unlink(missing_ok=True)


def started_by_cron(host: Host, alias: str, when: str) -> None:
    table = LINES.format(alias=alias, when=when, s=SPOOL, home=host.home, user=USER)
    subprocess.run(["crontab", "-u", USER, "-"], input=table.encode(), check=True)


@pytest.mark.skipif(
    not (JOURNALD.exists() and EXIM.exists()), reason="needs systemd-journald and exim4"
)
def test_what_a_run_said_is_found_wherever_it_went(host: Host, journal: None, alias: str) -> None:
    """A log with a dated name, the journal, and a mail alias: real cron, mailer and journald."""
    subprocess.run(["usermod", "-aG", "mail,systemd-journal", USER], check=True)
    names = ("mailed", "logged", "journaled", "silent")
    scripts = {name: SPOOL / f"{name}.sh" for name in names}

    def write_scripts(url: str) -> None:
        for name, script in scripts.items():
            host.script = script
            host.write_script(url=url.format(name))

    def told() -> bool:
        mailbox = Path("/var/mail", OPS)
        logs = list(host.home.glob("logged-*.log"))
        said = subprocess.run(
            ["journalctl", "-q", "-t", USER, "-o", "cat"],
            capture_output=True,
            text=True,
            check=False,
        ).stdout
        texts = [mailbox.read_text() if mailbox.exists() else "", said]
        texts += [log.read_text() for log in logs] or [""]
        return all("nable to connect" in text for text in texts)

    for name in names:
        host.sh(f"mkdir -p {host.home}/{name}")
    write_scripts("sftp://nobody@127.0.0.1:1/{}")
    started_by_cron(host, alias, "* * * * *")
    try:
        wait_until(told, seconds=LONGEST)
    finally:
        started_by_cron(host, alias, "0 2 * * *")
    running = ["pgrep", "-u", USER]
    wait_until(lambda: subprocess.run(running, capture_output=True, check=False).returncode != 0)
    write_scripts(f"file://{host.home}/{{}}")
    places = {
        "mailed": f"/var/mail/{OPS}",
        "logged": f"{host.home}/logged-*.log",
        "journaled": f"journal:tag={USER}",
        "silent": "/dev/null",
    }
    for name, place in places.items():
        found = host.triage(job=name)
        assert f"  mail         {place}  ({CRONTAB}:" in found.out
        if name == "silent":
            assert "silent: CRITICAL, never backed up" in found.out
            assert found.out.count("its output is thrown away; freshness alone tells") == 1
        else:
            assert f"{name}: CRITICAL, failed" in found.out
            assert "destination not reached" in found.out
        checked = run_plugin("check_duplicity_log", ["-j", name], cwd="/")
        assert checked.status == (3 if name == "silent" else 2)
        host.paste(found.out)
        assert host.triage(job=name).out.startswith(f"{name}: OK, good")
        assert run_plugin("check_duplicity_log", ["-j", name], cwd="/").status == 0


def test_a_full_backup_that_is_gone_is_not_cleaned_up(host: Host) -> None:
    host.backup(ago=30)
    host.backup(ago=6, action="incremental")
    elsewhere = host.home / "elsewhere"
    elsewhere.mkdir()
    full = list(host.destination.glob("duplicity-full*"))
    for path in full:
        shutil.move(path, elsewhere / path.name)
    found = host.triage()
    assert found.out.startswith("assets: CRITICAL, the full backup is gone")
    assert "something deleted these files" in found.out
    assert "cleanup --force" not in found.out
    assert f"sudo -iu {USER} -- {host.script}\n" not in found.out
    for path in full:
        shutil.move(elsewhere / path.name, path)
    assert host.triage().out.startswith("assets: OK, good")


def test_the_checks_find_the_job_by_its_name_too(host: Host) -> None:
    host.backup(ago=1)
    job = run_plugin("check_duplicity_freshness", ["-j", "assets"], cwd="/")
    options = ["-d", host.url, "-a", host.archive, "-u", USER]
    full = run_plugin("check_duplicity_freshness", options, cwd="/")
    assert job.status == full.status == 0
    assert re.sub(r"\d+", "", job.out) == re.sub(r"\d+", "", full.out)
    for plugin in ("check_duplicity_process", "check_duplicity_log"):
        found, full = (
            run_plugin(plugin, words, cwd="/", environment={"XDG_STATE_HOME": "/nonexistent"})
            for words in (["-j", "assets"], options)
        )
        assert found.status == full.status
        assert ageless(found.first_line) == ageless(full.first_line).replace("the job:", "assets:")
    missing = run_plugin("check_duplicity_freshness", ["-j", "nosuch"], cwd="/")
    assert missing.status == 3
    assert "found: assets" in missing.out


@pytest.mark.parametrize("columns", [80, 200])
@pytest.mark.parametrize("no_color", ["", "1"])
def test_a_terminal_of_any_width_shows_all(host: Host, columns: int, no_color: str) -> None:
    host.backup(ago=80)
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    environment = {"PATH": os.environ["PATH"], "TERM": "xterm"}
    if no_color:
        environment["NO_COLOR"] = no_color
    with subprocess.Popen(
        [BIN / "duplicity_triage", "assets"], stdin=subprocess.DEVNULL, stdout=theirs,
        stderr=subprocess.DEVNULL, cwd="/", env=environment,
    ) as triage:  # fmt: skip
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # The end of a terminal is an error.
            while part := os.read(ours, 65536):
                shown += part
        os.close(ours)
    assert triage.returncode == 2
    text = re.sub(r"\x1b\[[0-9;]*m", "", shown.decode()).replace("\r", "")
    assert "assets: CRITICAL, stale" in text
    assert f"    sudo -iu {USER} -- {host.script}\n" in text
    assert str(host.archive) in re.sub(r"\s+", "", text)
    assert (b"\x1b[1;31m" in shown) == (not no_color)


def test_a_found_job_can_be_kept_as_a_file(host: Host, tmp_path: Path) -> None:
    host.backup(ago=1)
    listed = run_plugin_text("--list-jobs", "--ini", "assets")
    (tmp_path / "assets.ini").write_text(listed)
    tmp_path.chmod(0o755)
    found = run_plugin(
        "check_duplicity_freshness", ["-j", "assets", "--jobs-dir", tmp_path], cwd="/"
    )
    assert found.status == 0


def run_plugin_text(*arguments: str) -> str:
    done = subprocess.run(
        [BIN / "duplicity_triage", *arguments], capture_output=True, text=True, check=True, cwd="/"
    )
    return done.stdout


def test_nobody_gets_roots_rights_or_secrets_by_a_crontab(host: Host, tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    secret = tmp_path / "secret.sh"
    secret.write_text(f"export PASSPHRASE=geheim-root\nduplicity / {host.url}\n")
    secret.chmod(0o700)
    fake = host.home / "duplicity"
    fake.write_text(f"#!/bin/sh\n(id -u; env) >> {host.home}/seen\n")
    fake.chmod(0o755)
    shutil.chown(host.home, USER)
    for line in (
        f"0 2 * * * sudo -u root {fake} --no-encryption /home sftp://u@h/x",
        f"PATH={host.home}:/usr/bin:/bin\n0 2 * * * {secret}",
    ):
        host.write_crontab(line)
        done = subprocess.run(
            [BIN / "duplicity_triage"], capture_output=True, text=True, check=False, cwd="/",
            env={"PATH": "/usr/bin:/bin", "SECRET_OF_ROOT": "geheim-env"}, timeout=100,
        )  # fmt: skip
        assert done.returncode in (0, 1, 2, 3)
        seen = (host.home / "seen").read_text() if (host.home / "seen").exists() else ""
        assert "geheim" not in seen + done.stdout
        assert "0" not in seen.split("\n")


def test_nothing_is_left_when_triage_is_ended(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    marker = f"37{os.getpid()}"
    (tmp_path / "slow.ini").write_text(
        f"[job]\ndestination = file://{tmp_path}/d\nduplicity = sh -c 'sleep {marker}'\n"
    )

    def left() -> bool:
        found = subprocess.run(["pgrep", "-f", f"sleep {marker}"], capture_output=True, check=False)
        return found.returncode == 0

    for end in (signal.SIGTERM, signal.SIGKILL):
        with subprocess.Popen(
            [BIN / "duplicity_triage", "slow", "--jobs-dir", tmp_path],
            stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, cwd="/",
        ) as triage:  # fmt: skip
            wait_until(left)
            triage.send_signal(end)
            triage.wait()
        wait_until(lambda: not left())


def test_one_slow_destination_does_not_hold_up_the_others(tmp_path: Path) -> None:
    for number in range(10):
        directory = tmp_path / f"d{number}"
        directory.mkdir()
        hangs = number == 3
        (tmp_path / f"job{number}.ini").write_text(
            f"[job]\ndestination = file://{directory}\n"
            + ("duplicity = sh -c 'sleep 3600'\n" if hangs else "")
        )
    with subprocess.Popen(
        [BIN / "duplicity_triage", *(f"job{n}" for n in range(10)), "--jobs-dir", tmp_path,
         "-t", "10"],
        stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, cwd="/",
    ) as triage:  # fmt: skip
        assert triage.stdout is not None
        heads = [line for line in triage.stdout if re.match(r"job\d: ", line)]
        assert len(heads) == 10
        # In the order in which they were seen: the others didn't wait for it.
        assert heads[-1].startswith("job3: UNKNOWN, can't be seen")
    assert triage.returncode == 2
