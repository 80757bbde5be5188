"""The pages show the programs' real output on a whole host; needs root.

On a scratch host, the crontab of its user runs the pages' job ``assets``. The tests type commands
as root, and Debian's duplicity makes real backups.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path

import pytest
from check_duplicity.jobs.crontabs import read_crontab
from host import PATH, Directory, File, Host, Laid, scratch
from needs import needs_root
from pages import marked
from plugin import BIN, ROOT
from samples import CAPTURES
from stage import PLUGINS, PROGRAMS, USER, as_installed, compare, session, then

DUPLICITY = Path("/usr/bin/duplicity")
pytestmark = [
    pytest.mark.root,
    needs_root,
    pytest.mark.skipif(not DUPLICITY.exists(), reason="needs Debian's duplicity"),
]

HERE = "tests/root/test_pages.py"
UNITS = "/etc/systemd/system"
JOBS_D = "/etc/check-duplicity/jobs.d"
SOURCE, SCRIPT = "/srv/assets", "/var/spool/duplicity/assets.sh"
ARCHIVE, DESTINATION = "/var/spool/duplicity/cache", "/srv/backups/assets"
JOB = f"""\
[job]
user = {USER}
script = {SCRIPT}
destination = file://{DESTINATION}
archive_dir = {ARCHIVE}
schedule = 0 2 * * *
"""
ASSETS: dict[str, Laid] = {
    SCRIPT: File(
        "#!/bin/sh\n"
        f"duplicity --no-encryption --archive-dir {ARCHIVE} {SOURCE} file://{DESTINATION}\n",
        mode=0o755,
    ),
    f"/var/spool/cron/crontabs/{USER}": File(f"MAILTO={USER}\n0 2 * * * {SCRIPT}\n", USER, 0o600),
}
TIMER = "[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n"
WEB = "[job]\nuser = root\ndestination = sftp://backup@backup.example.org//srv/web\n"


class Site:
    """The scratch host. ``began`` is the time that ages are counted from."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.began = datetime.now(timezone.utc)

    def type(self, command: str, user: str = "root") -> str:
        """Type a command into a shell, and return what it prints, as the page would have it."""
        path = f"{PLUGINS}:{PATH}"
        ended = self.host.run(
            "bash", "-c", f"{command.rstrip()} 2>&1", user=user, environment={"PATH": path},
            cwd="/root" if user == "root" else "/",
        )  # fmt: skip
        return then(as_installed(ended.out), self.began)

    def back_up(self, action: str, **age: float) -> None:
        """Make a backup of so long ago, as the job's script does."""
        made = int((self.began - timedelta(**age)).timestamp())
        self.host.sh(f"touch -d '9 hours ago' {SOURCE}/*; echo {made} > {SOURCE}/changed")
        self.host.sh(
            f"duplicity {action} --no-encryption --archive-dir {ARCHIVE} --current-time {made}"
            f" {SOURCE} file://{DESTINATION} > /dev/null 2>&1",
            user=USER,
        )

    def shows(self, test: str) -> None:
        """Compare the blocks that are marked with a test with what is printed."""
        found = marked(HERE, test)
        assert found, f"no block is marked with {HERE}: {test}"
        made = [session(block, self.type) for block in found]
        for block, text in reversed(list(zip(found, made))):
            compare(block, text)


@pytest.fixture
def site() -> Iterator[Site]:
    """A host with cron and the job ``assets``, of which no backup was made yet."""
    with scratch() as host:
        host.sh(
            f"useradd --user-group --create-home --password '*' --shell /bin/bash {USER}"
            f"; mkdir -p {SOURCE} {DESTINATION} {ARCHIVE} {JOBS_D} {PLUGINS}"
            f"; for n in 1 2 3; do head -c 500000 /dev/urandom > {SOURCE}/$n.jpg; done"
            f"; chown -R {USER}: {SOURCE} {DESTINATION} {ARCHIVE}"
            f"; ln -sf {BIN}/check_duplicity_* {PLUGINS}/; ln -sf {BIN}/duplicity_* {PROGRAMS}/"
        )
        units = (ROOT / "systemd").iterdir()
        host.lay({f"/lib/systemd/system/{path.name}": File(path.read_text()) for path in units})
        host.lay(ASSETS)
        host.start_cron()
        yield Site(host)


@pytest.fixture
def shows(site: Site, request: pytest.FixtureRequest) -> Callable[[], None]:
    return lambda: site.shows(request.node.originalname)


def monitor(site: Site) -> None:
    """Let the jobs ``assets`` and ``web`` have their files."""
    site.host.lay(
        {
            f"{JOBS_D}/assets.ini": File(JOB, mode=0o640, group=USER),
            f"{JOBS_D}/web.ini": File(f"{WEB}started = elsewhere\n", mode=0o640),
        }
    )


def test_each_job_is_monitored_and_started(site: Site, shows: Callable[[], None]) -> None:
    monitor(site)
    shows()


def test_a_timer_that_is_off(site: Site, shows: Callable[[], None]) -> None:
    monitor(site)
    site.host.lay(
        {
            f"{JOBS_D}/web.ini": File(WEB, mode=0o640),
            f"{UNITS}/web.timer": File(TIMER),
            f"{UNITS}/web.service": File("[Service]\nExecStart=/usr/local/sbin/web.sh\n"),
            "/usr/local/sbin/web.sh": File(
                "#!/bin/sh\nduplicity /srv/web sftp://backup@backup.example.org//srv/web\n",
                mode=0o755,
            ),
        }
    )
    shows()


def test_a_job_that_is_not_monitored(site: Site, shows: Callable[[], None]) -> None:
    monitor(site)
    site.host.lay(
        {
            "/etc/cron.d/db": File("30 2 * * * root /usr/local/sbin/db.sh\n"),
            "/usr/local/sbin/db.sh": File(
                "#!/bin/sh\nduplicity /var/lib/db sftp://backup@backup.example.org//srv/db\n",
                mode=0o755,
            ),
        }
    )
    shows()


def test_no_drill(site: Site, shows: Callable[[], None]) -> None:
    monitor(site)
    shows()


def test_a_drill_of_a_job(site: Site, shows: Callable[[], None]) -> None:
    monitor(site)
    site.back_up("full", hours=3)
    shows()


def test_triage_of_a_good_job(site: Site, shows: Callable[[], None]) -> None:
    site.back_up("full", hours=50)
    site.back_up("incremental", hours=2)
    shows()


def test_triage_of_leftovers(site: Site, shows: Callable[[], None]) -> None:
    site.back_up("full", hours=74)
    site.back_up("incremental", hours=50)
    site.host.sh(f"rm {DESTINATION}/duplicity-full*; rm -r {ARCHIVE}/*")
    site.back_up("full", hours=2)
    shows()


# Commands that print nothing that a page shows.


def followed(test: str) -> list[str]:
    """Return the commands of the blocks that are marked with a test, without prompts."""
    found = marked(HERE, test)
    assert found, f"no block is marked with {HERE}: {test}"
    return [re.sub(r"^[$#] ", "", block.text, flags=re.M) for block in found]


def test_a_jobs_file_from_crontab_and_script(site: Site) -> None:
    site.back_up("full", hours=2)
    for commands in followed("test_a_jobs_file_from_crontab_and_script"):
        assert site.type(f"set -e; {commands}").startswith("DUPLICITY FRESHNESS OK - ")
        site.host.sh(f"rm {JOBS_D}/assets.ini")


@pytest.mark.skipif(not shutil.which("systemctl"), reason="needs systemctl")
def test_systemd_enables_what_the_pages_say(site: Site) -> None:
    """Units can be enabled where systemd doesn't run, but not be started."""
    for commands in followed("test_systemd_enables_what_the_pages_say"):
        for line in re.findall(r"^systemctl enable --now .*", commands, re.M):
            site.type(line.replace(" --now", ""))
            for timer in line.split()[3:]:
                site.host.sh(f"rm {UNITS}/timers.target.wants/{timer}")
        for service in re.findall(r"[\w@-]+(?=\.service)", commands):
            name = re.sub("@.*", "@", service)
            assert (ROOT / "systemd" / f"{name}.service").exists()


def test_metrics_are_written_where_node_exporter_reads(site: Site) -> None:
    monitor(site)
    site.back_up("full", hours=2)
    # As Debian's package prometheus-node-exporter has it.
    site.host.sh(
        "id prometheus > /dev/null 2>&1 || useradd --system prometheus"
        "; mkdir -p /var/lib/prometheus/node-exporter; chown prometheus: /var/lib/prometheus"
    )
    (commands,) = followed("test_metrics_are_written_where_node_exporter_reads")
    assert site.type(commands).startswith("DUPLICITY FRESHNESS OK - ")
    (written,) = re.findall(r"--write (\S+)", commands)
    assert "duplicity_check_state{" in site.host.sh(f"cat {written}")


@pytest.mark.skipif(not shutil.which("adduser"), reason="needs adduser")
def test_a_maildir_that_a_program_has_fetched(site: Site) -> None:
    inbox = "/var/lib/machine-email/INBOX"
    added, check, line = followed("test_a_maildir_that_a_program_has_fetched")
    site.type(added)
    sent = format_datetime(site.began - timedelta(hours=2))
    mail = (
        "From: root@web1 (Cron Daemon)\nTo: backup@web1\n"
        f"Subject: Cron <backup@web1> {SCRIPT}\nDate: {sent}\n\n"
        + (CAPTURES / "runs" / "3.2.1" / "nospace-dest.out").read_text()
    )
    user, group = "machine-email", "machine-email"
    site.host.lay(
        {
            **{
                path: Directory(user, group=group)
                for path in (inbox, f"{inbox}/cur", f"{inbox}/new")
            },
            f"{inbox}/new/1.web1": File(mail, user, group=group),
            f"{inbox}/cur/2.web1:2,S": File(mail, user, group=group),
        }
    )
    assert "assets: failed 2h ago" in site.type(check)
    (entry,) = read_crontab(line, "/etc/cron.d/machine-email")
    assert entry.user == user
    site.host.sh(f"touch -d '31 days ago' {inbox}/cur/*")
    site.host.sh(entry.command)
    assert site.host.sh(f"find {inbox} -type f") == f"{inbox}/new/1.web1\n"
