"""The table of advice for findings of a drill."""

from __future__ import annotations

from check_duplicity.nagios.findings import Kind
from check_duplicity.nagios.paragraphs import AGAIN, EXPORT, FULL, SCRIPT, TIMER

RESTORE: dict[Kind, tuple[str, ...]] = {
    Kind.ROTTEN: (
        """\
The data in this volume is lost, and so is every later change to the same files in this chain; the
rest can be restored. If there is a good copy of the volume, put it back. If not, first restore what
only this chain still has, and keep the job's script from removing it (remove-older-than,
remove-all-but-n-full). Then make a full backup. Look for the reason: a bad disk at the destination,
or something that changes files there.""",
        SCRIPT,
        FULL,
        AGAIN,
    ),
    Kind.NOT_RESTORED: (
        """\
duplicity could not restore a file, for the reason above. Try it by hand, and see all that it says:
{restore}""",
        AGAIN,
        SCRIPT,
        FULL,
    ),
    Kind.NOT_IN_BACKUP: (
        """\
Is the path right, below the job's source? See what is in the backup:
{newest_files}""",
        """\
If it should be there, the job's script leaves it out: look for --exclude, and whether its disk is
mounted when the backup runs.""",
        SCRIPT,
    ),
    Kind.OTHER_CONTENTS: (
        """\
Size and time are the same, and the source was not touched since; but the contents are not the same:
either the source or the backup is damaged. Look at both before you do anything else; restore the
file beside its source:
{restore}""",
        """\
If the backup is right, the source's disk or memory is bad (dmesg, smartctl, a scrub), and the next
full backup would save the damage. If the source is right, make a full backup now.
  sudo journalctl -k --grep "I/O error"
  sudo smartctl -a /dev/DISK""",
    ),
    Kind.DRILL_STALE: (
        """\
Nobody has restored anything from this backup for too long. Does the timer run?
  systemctl list-timers 'duplicity-drill@*'
  journalctl -u 'duplicity-drill@*' -n 50""",
        AGAIN,
    ),
    Kind.NOT_PROVED: (
        """\
Each drill reads the volumes that were proved longest ago. Let it read more (--volumes, --budget),
or let it run more often.""",
        AGAIN,
    ),
    Kind.NO_DRILL: (
        """\
The drill did not get to its end; this says nothing about the backup. Mend what it says above.""",
        AGAIN,
    ),
    Kind.NO_SECRET_KEY: (
        """\
This host has the public key only. That is as it should be: who breaks in here can't read the
backups. Make the drill on a host that has the secret key, and check there:
  duplicity_drill -d {url}
Is the secret key kept in a second place? Without it nothing can ever be restored.
  {gpg} --list-secret-keys""",
    ),
    Kind.NO_PASSPHRASE: (
        """\
The job's file or script doesn't say the passphrase. Put PASSPHRASE=... into a file that only the
job's user can read, and name it in the job's file: environment_file.""",
        EXPORT,
        AGAIN,
    ),
    Kind.NO_ROOM: (
        """\
A drill needs room for a volume or two and three times the file. Give it another directory:
--tempdir, or drill_tempdir in the job's file.
  df -h /var/tmp /tmp""",
        AGAIN,
    ),
    Kind.NEVER_DRILLED: (
        """\
A backup that was never restored is not known to be one. Make a drill now, and one a week:
{drill}""",
        TIMER,
    ),
}
