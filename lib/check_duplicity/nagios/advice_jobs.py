"""The table of advice for jobs that nothing starts, or that no check watches."""

from __future__ import annotations

from check_duplicity.nagios.findings import Kind
from check_duplicity.nagios.paragraphs import RERUN, SCRIPT

JOBS: dict[Kind, tuple[str, ...]] = {
    Kind.NOT_STARTED: (
        """\
Mend that, and see that cron runs, or that the timer is enabled; then run the job again:
  systemctl status cron
  sudo crontab -eu {user}
  sudo systemctl list-timers --all
  sudo systemctl enable --now TIMER""",
        RERUN,
    ),
    Kind.NO_STARTER: (
        """\
Crontabs, timers and the scripts that they run were looked through, and nothing makes this backup.
Let something start it. If another host, a person or a program does that cannot be read here, say so
in the job's file:
  started = elsewhere""",
        SCRIPT,
    ),
    Kind.NOT_MONITORED: (
        """\
If this backup fails, nobody is told. Write what this prints to its file, {job}.ini, look it
through, let its user read it, and give it its services:
{ini}
If it is none of yours, pass over it: --ignore {job}""",
    ),
    Kind.NOT_ALL_SEEN: (
        """\
Only root may read all crontabs, timers and scripts. For the monitoring one line in /etc/sudoers.d
is enough; "" stands for no arguments:
  sudo {check}
  nagios ALL=(root) NOPASSWD: {programs}/check_duplicity_jobs ""
What is not about your backups is passed over by its path: --ignore PATH""",
    ),
}
