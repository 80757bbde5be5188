"""The table of advice for jobs that nothing starts, or that no check watches."""

from __future__ import annotations

from check_duplicity.nagios.findings import Kind
from check_duplicity.nagios.paragraphs import RERUN, SCRIPT

JOBS: dict[Kind, tuple[str, ...]] = {
    Kind.NOT_STARTED: (
        """\
Switch it on again. See what is off:
  systemctl status cron
  sudo systemctl list-timers --all
If cron is not running, start it. If the line is commented out, edit the crontab. If the timer is
off, enable it. If the script is gone, put it back.
  sudo systemctl enable --now cron
  sudo crontab -eu {user}
  sudo systemctl enable --now TIMER
If the newest backup is too old:""",
        RERUN,
    ),
    Kind.NO_STARTER: (
        """\
No crontab, timer or script that the check can read makes this backup. Add a line to a crontab, or
a timer. If another host, a person or another program starts the job, say so in the job's file:
  started = elsewhere""",
        SCRIPT,
    ),
    Kind.NOT_MONITORED: (
        """\
If this backup fails, nobody learns of it. Make a job's file, {job}.ini, from what this prints.
Check it, let the job's user read it, and add the services:
{ini}
If this is not a backup of yours, ignore it: --ignore {job}""",
    ),
    Kind.NOT_ALL_SEEN: (
        """\
If the line above names a job's file that is wrong, correct it or remove it. Otherwise: only root
may read all crontabs, timers and scripts. Let the monitoring run this check as root, by one line
in /etc/sudoers.d ("" allows no arguments):
  sudo {check}
  nagios ALL=(root) NOPASSWD: {programs}/check_duplicity_jobs ""
Ignore a file that has nothing to do with your backups: --ignore PATH""",
    ),
}
