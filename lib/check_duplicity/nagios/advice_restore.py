"""The table of advice for findings of a drill."""

from __future__ import annotations

from check_duplicity.nagios.findings import Kind
from check_duplicity.nagios.paragraphs import AGAIN, EXPORT, FULL, SCRIPT, TIMER

RESTORE: dict[Kind, tuple[str, ...]] = {
    Kind.ROTTEN: (
        """\
You can't restore the files in this volume, nor later changes to them in this chain; you can
restore the other files, one path at a time. If there is a good copy of the volume, put it back.
If not, stop what removes old backups (remove-older-than or remove-all-but-n-full in the job's
script), and restore what only this chain has. Then make a full backup. Find the reason: a bad
disk at the destination, or a program that changes files there.""",
        SCRIPT,
        FULL,
        AGAIN,
    ),
    Kind.NOT_RESTORED: (
        """\
duplicity could not restore a file, for the reason above. Restore it by hand, and read the output:
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
If the path was wrong, a drill without it ends this alarm. If the file should be there, the job
leaves it out: look for --exclude in the script, and whether the file's disk is mounted when the
backup runs.""",
        SCRIPT,
    ),
    Kind.OTHER_CONTENTS: (
        """\
The file and its backup have the same size and time, and nobody changed the file since. But the
contents differ: either the source or the backup is damaged. Look at both before you do anything
else. This restores the file to another place:
{restore}""",
        """\
If the backup is right, the source's disk or memory is bad; don't let the next full backup save
the damage. If the source is right, make a full backup now.
  sudo journalctl -k --grep "I/O error"
  sudo smartctl -a /dev/DISK""",
    ),
    Kind.DRILL_STALE: (
        """\
The last good drill is too long ago: it proves little about the backups of today. Does the timer
run?
  systemctl list-timers 'duplicity-drill@*'
  journalctl -u 'duplicity-drill@*' -n 50""",
        AGAIN,
    ),
    Kind.NOT_PROVED: (
        """\
Each drill reads only a part of the volumes. Let it read more (--volumes or --budget), or let it
run more often.""",
        AGAIN,
    ),
    Kind.NO_DRILL: (
        """\
The drill did not get to its end. This says nothing about the backup. If another drill is running,
wait for it. If not, remove the cause named above.""",
        AGAIN,
    ),
    Kind.NO_SECRET_KEY: (
        """\
This host has only the public key. That is good: somebody who breaks in here can't read the
backups. So make the drill on a host that has the secret key, and run check_duplicity_restore
there, too:
  duplicity_drill -d {url}
Is there a second copy of the secret key? Without that key nobody can ever restore anything.
  {gpg} --list-secret-keys""",
    ),
    Kind.NO_PASSPHRASE: (
        """\
The drill found no passphrase in the job's file or script. Write PASSPHRASE=... into a file that
only the job's user can read, and name that file in the job's file: environment_file.""",
        EXPORT,
        AGAIN,
    ),
    Kind.NO_ROOM: (
        """\
A drill needs room for two volumes and three times the file. Give it another directory: --tempdir,
or drill_tempdir in the job's file.
  df -h /var/tmp /tmp""",
        AGAIN,
    ),
    Kind.NEVER_DRILLED: (
        """\
Nobody knows yet whether you can restore this backup. Make a drill now, and one each week:
{drill}""",
        TIMER,
    ),
}
