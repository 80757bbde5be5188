"""A host with a backup job and real parts: users, cron, mail, and an sshd as the destination.

Everything has the README's names, so that tests can follow the README to the letter. All of it is
removed afterwards.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from lab import processes_of, wait_until

USER, SERVER = "govuk-backup", "backup.example.org"
ADDRESS = "127.0.0.2"  # of the server, so that its port can be the usual one
PASSPHRASE, PASSWORD = "geheime-Passphrase", "geheimes-Passwort"
SPOOL, BACKUPS = Path("/var/spool/duplicity"), Path("/srv/backups")
CHECK_NRPE = "/usr/lib/nagios/plugins/check_nrpe"
MAIL = Path("/var/mail") / USER
LONGEST = 150  # seconds: cron starts jobs at a full minute, and they take some seconds
MADE = ("/etc/check-duplicity", "/opt/check-duplicity", str(SPOOL), str(BACKUPS))

SCRIPT = """\
#!/bin/bash
set -e
export PASSPHRASE='{passphrase}'
nice -n 10 duplicity incremental --full-if-older-than 7D --volsize 5 --allow-source-mismatch \\
  --archive-dir {archive} {options} {source} {url}
"""


class Job(NamedTuple):
    """A job of the user, and the paths of its parts."""

    name: str
    login: str  # before the server's name in its URL

    @property
    def script(self) -> Path:
        return SPOOL / f"{self.name}.sh"

    @property
    def source(self) -> Path:
        return SPOOL / "source" / self.name

    @property
    def destination(self) -> Path:
        return BACKUPS / self.name

    @property
    def url(self) -> str:
        return f"sftp://{self.login}@{SERVER}/{self.destination}"


ARCHIVE = SPOOL / "cache"
ASSETS = Job("assets", "backup")
WEB = Job("web", f"offsite:{PASSWORD}")


def run(*words: object, check: bool = True, **options: object) -> subprocess.CompletedProcess[str]:
    """Run a command without input, and capture its output."""
    done = subprocess.run(  # type: ignore[call-overload]
        [*map(str, words)],
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd="/",
        **options,
    )
    assert not (check and done.returncode), f"{words}: {done.stdout}"
    return done  # type: ignore[no-any-return]


def nrpe_answers(port: int = 5666) -> bool:
    return run(CHECK_NRPE, "-H", "127.0.0.1", "-p", port, check=False).returncode == 0


def as_user(*words: object, check: bool = True) -> subprocess.CompletedProcess[str]:
    return run("sudo", "-n", "-H", "-u", USER, *words, check=check)


class Machine:
    """The host, and the actions of tests on it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.sshd_log = directory / "sshd.log"
        self._sshd: subprocess.Popen[bytes] | None = None

    # The other end.

    def start_sshd(self) -> None:
        self.sshd_log.touch()
        before = self.sshd_log.read_bytes().count(b"listening")
        self._sshd = subprocess.Popen(
            ["/usr/sbin/sshd", "-D", "-f", self.directory / "sshd_config", "-E", self.sshd_log],
            start_new_session=True,
        )
        wait_until(lambda: self.sshd_log.read_bytes().count(b"listening") > before)

    def stop_sshd(self) -> None:
        if self._sshd:
            self._sshd.send_signal(signal.SIGCONT)
            self._sshd.terminate()
            self._sshd.wait()

    @contextmanager
    def server_down(self) -> Iterator[None]:
        self.stop_sshd()
        try:
            yield
        finally:
            self.start_sshd()

    @contextmanager
    def server_deaf(self) -> Iterator[None]:
        """Stop the server: its kernel still takes connections, but nothing answers."""
        assert self._sshd
        self._sshd.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._sshd.send_signal(signal.SIGCONT)

    # The job.

    def write_script(self, job: Job, options: str = "") -> None:
        job.script.write_text(
            SCRIPT.format(
                passphrase=PASSPHRASE, archive=ARCHIVE, options=options, source=job.source,
                url=job.url,
            )
        )  # fmt: skip
        shutil.chown(job.script, USER, USER)
        job.script.chmod(0o700)

    def back_up(self, job: Job) -> None:
        """Run the job's script as a person would."""
        as_user(job.script)

    def back_up_by_cron(self, job: Job) -> str:
        """Let cron run the job at the next full minute; return cron's mail about it."""
        before = mails()
        # One minute only: it is another one when the job has ended.
        soon = datetime.now() + timedelta(seconds=63)
        line = f"{soon.minute} {soon.hour} * * * {job.script}\n"
        set_crontab(f"MAILTO={USER}\n{line}")
        wait_until(lambda: len(mails()) > len(before), seconds=LONGEST)
        self.restore_crontab()
        return mails()[-1]

    def restore_crontab(self) -> None:
        set_crontab(f"MAILTO={USER}\n0 2 * * * {ASSETS.script}\n0 3 * * * {WEB.script}\n")

    def backups_running(self) -> list[int]:
        """Return the duplicity processes of our user: backups, or those that a check started.

        Leave out the checks themselves: if a check is stopped, its sudo stops, too, and stays.
        """
        uid = pwd.getpwnam(USER).pw_uid
        return [pid for pid in processes_of("/duplicity\0") if _owner(pid) == uid]

    @contextmanager
    def aside(self, job: Job) -> Iterator[None]:
        """Put the job's backups aside during the block; throw away those made meanwhile."""
        kept = [
            (job.destination, Path(f"{job.destination}.kept")),
            (ARCHIVE, Path(f"{ARCHIVE}.kept")),
        ]
        for path, keep in kept:
            run("cp", "-a", path, keep)
        try:
            yield
        finally:
            for path, keep in kept:
                shutil.rmtree(path)
                keep.rename(path)


def _owner(pid: int) -> int:
    try:
        return Path(f"/proc/{pid}").stat().st_uid
    except FileNotFoundError:
        return -1


def set_crontab(text: str) -> None:
    """Install a crontab, not in the second of cron's last look: it would miss the change."""
    table = Path("/var/spool/cron/crontabs") / USER
    before = table.stat().st_mtime if table.exists() else 0
    subprocess.run(["crontab", "-u", USER, "-"], input=text.encode(), check=True)
    changed = max(time.time(), before) + 2
    for path in (table, table.parent):
        os.utime(path, (changed, changed))


def mails() -> list[str]:
    """Return our user's complete mails: the mailer locks the mailbox while it writes."""
    text = MAIL.read_text(errors="replace") if MAIL.exists() else ""
    return [mail for mail in re.split(r"^(?=From )", text, flags=re.M) if mail.endswith("\n\n")]


@contextmanager
def machine(directory: Path) -> Iterator[Machine]:
    """Make the host and the server; remove them afterwards."""
    there = [path for path in MADE if os.path.exists(path) and os.listdir(path)]
    assert not there, f"this machine has something there already: {there}"
    with ExitStack() as undo:
        for user, options in ((USER, ["-s", "/bin/bash"]), ("offsite", [])):
            run("useradd", "--create-home", *options, user)
            undo.callback(_remove_user, user)
        for path in (SPOOL / "source", BACKUPS):
            path.mkdir(parents=True)
        undo.callback(shutil.rmtree, SPOOL)
        undo.callback(shutil.rmtree, BACKUPS)
        undo.enter_context(_name_of_the_server())
        host = Machine(directory)
        _make_sshd(directory)
        undo.callback(host.stop_sshd)
        host.start_sshd()
        for job in (ASSETS, WEB):
            job.source.mkdir()
            (job.source / "file").write_bytes(os.urandom(100_000))
            job.destination.mkdir()
            shutil.chown(job.destination, job.login.split(":")[0])
            host.write_script(job)
        shutil.chown(SPOOL, USER, USER)
        undo.enter_context(_cron())
        host.restore_crontab()
        yield host


def _remove_user(user: str) -> None:
    uid = pwd.getpwnam(user).pw_uid
    run("pkill", "-KILL", "-u", user, check=False)
    wait_until(lambda: run("pgrep", "-u", user, check=False).returncode != 0)
    run("crontab", "-r", "-u", user, check=False)
    run("userdel", "--remove", user)
    (Path("/var/mail") / user).unlink(missing_ok=True)
    shutil.rmtree(f"/var/tmp/check-duplicity-{uid}", ignore_errors=True)


@contextmanager
def _name_of_the_server() -> Iterator[None]:
    hosts = Path("/etc/hosts")
    before = hosts.read_text()
    # Written, not replaced: in a container it is a mount.
    hosts.write_text(f"{before.rstrip()}\n{ADDRESS} {SERVER}\n")
    try:
        yield
    finally:
        hosts.write_text(before)


def _make_sshd(directory: Path) -> None:
    """Make an sshd that lets one account in by key, and the other by password."""
    Path("/run/sshd").mkdir(exist_ok=True)
    own = directory / "host_key"
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", own)
    ssh = Path(f"~{USER}").expanduser() / ".ssh"
    as_user("mkdir", "-m", "700", ssh)
    as_user("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", ssh / "id_ed25519")
    shutil.copy(ssh / "id_ed25519.pub", directory / "authorized_keys")
    host_key = " ".join(own.with_suffix(".pub").read_text().split()[:2])
    (ssh / "known_hosts").write_text(f"{SERVER} {host_key}\n")
    subprocess.run(["chpasswd"], input=f"offsite:{PASSWORD}".encode(), check=True)
    (directory / "sshd_config").write_text(
        f"ListenAddress {ADDRESS}\nHostKey {own}\nPidFile none\nUsePAM no\nStrictModes no\n"
        f"AuthorizedKeysFile {directory}/authorized_keys\nAllowUsers backup offsite\n"
        "Subsystem sftp internal-sftp\nForceCommand internal-sftp\n"
    )


@contextmanager
def _cron() -> Iterator[None]:
    """Run cron, unless it runs already; without LANG, as systemd starts it."""
    with subprocess.Popen(
        ["/usr/sbin/cron", "-f"], env={}, stderr=subprocess.DEVNULL, start_new_session=True
    ) as cron:
        try:
            yield
        finally:
            cron.terminate()


def words_of(pids: Sequence[int]) -> list[str]:
    """Return the command lines of processes, for a message."""
    found = []
    for pid in pids:
        try:
            found.append(Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode())
        except FileNotFoundError:
            continue
    return found
