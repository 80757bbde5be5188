"""What to type: the table of advice, one entry for each kind of finding.

What stands in braces is filled in by `steps`, from a job's command lines; `paragraphs` has what is
said more than once.
"""

from __future__ import annotations

from check_duplicity.nagios.advice_jobs import JOBS
from check_duplicity.nagios.advice_restore import RESTORE
from check_duplicity.nagios.advice_runs import RUNS
from check_duplicity.nagios.findings import Kind
from check_duplicity.nagios.paragraphs import (
    BY_HAND,
    CLEANUP,
    DISK,
    FULL,
    FULL_THEN,
    GONE,
    LAST_RUN,
    NOT_BEFORE,
    OLDER,
    PROCESSES,
    RERUN,
    SCRIPT,
    SERVER,
    SKIPS,
)

ADVICE: dict[Kind, tuple[str, ...]] = {
    Kind.NO_DESTINATION: (NOT_BEFORE, DISK, SERVER),
    Kind.MISSING_VOLUMES: (
        """\
You can't restore the files in these volumes, nor later changes to them in this chain. No later
backup repairs that. Find out what removes or renames files at the destination, and stop it. If
there is a copy, put the files back. (duplicity can't read a volume with anything after .gz or
.gpg in its name: rename it back.)""",
        SCRIPT,
        FULL,
    ),
    Kind.SPOILED: (
        """\
You can't restore the files in these volumes, nor later changes to them in this chain. If a
manifest or a signature file is damaged, you can restore only where the job's archive directory
is. No later backup repairs that. Is the destination's disk full, or was it? Make space. If there
is a good copy, put the files back.""",
        """\
A volume that is only small is good if somebody changed --volsize during the backup. This reads
all of it, which can take hours, and tells:
{verify}""",
        SCRIPT,
        FULL,
    ),
    Kind.DOUBLED: (
        """\
There are two files for the same volume, manifest or signatures. duplicity stops at them: every
backup and every restore fails. Find the copies at the destination (".bak", a second suffix), and
move them to another place.""",
        BY_HAND,
    ),
    Kind.MISSING_MANIFEST: (
        """\
Run neither the job nor any other duplicity command now: without its manifest duplicity takes this
backup for unfinished, and deletes it. The job's archive directory may still have the manifest:
then first copy it to a safe place. Then copy it to the destination; if the manifests there end
with .gpg, encrypt it as they are (gpg), and add .gpg to its name.""",
        SCRIPT,
    ),
    Kind.OLD_DAMAGE: (
        """\
The newest chain is whole. In the older one you can't restore the files in these volumes, nor
later changes to them. If there is a copy, put the volumes back.""",
        OLDER,
    ),
    Kind.FULL_GONE: (
        GONE,
        SCRIPT,
    ),
    Kind.NO_BACKUP: (
        """\
You can't restore anything. Did the job ever run to its end, with this URL and this prefix?""",
        LAST_RUN,
        SCRIPT,
        RERUN,
    ),
    Kind.SHRUNK: (
        """\
Is the source mounted? Is it the right directory? Did somebody delete files? Until you know, don't
run the job again, and stop what removes old backups (remove-older-than or remove-all-but-n-full,
maybe in the job's script). The old backups have the files that the source has lost.
  findmnt --fstab
  sudo mount --all""",
        """\
Compare the source with what was backed up before:
{files}""",
        SCRIPT,
        FULL_THEN,
        """\
If the source is right as it is, this alarm ends when half of the last 30 days have the new size.
To end it now, raise its limits: --shrunk-critical and --shrunk-warning.""",
    ),
    Kind.NOT_ENCRYPTED: (
        """\
Everybody who can read the destination can read this backup. Look for --no-encryption in the job's
script, and remove it. Then make a full backup. Keep the old backups until the new one is good.""",
        SCRIPT,
    ),
    Kind.IN_PROGRESS: ("Wait. See whether it makes progress:\n{process}",),
    Kind.STALE: (SKIPS, LAST_RUN, SCRIPT, RERUN),
    Kind.STALE_FULL: (
        """\
The job makes only incremental backups. Give it --full-if-older-than, or make a full backup now.""",
        SCRIPT,
        FULL,
    ),
    Kind.CHAIN: (
        """\
One lost file breaks all later backups of its chain, and a restore reads the whole chain. Give the
job --full-if-older-than, or make a full backup now.""",
        SCRIPT,
        FULL,
    ),
    Kind.FULLS: (
        """\
remove-all-but-n-full or remove-older-than decides how many full backups are kept;
--full-if-older-than decides how often the job makes one. Both are mostly in the job's script.""",
        SCRIPT,
    ),
    Kind.HISTORY: (
        """\
remove-older-than or remove-all-but-n-full, mostly in the job's script, decides how far back you
can restore.""",
        SCRIPT,
    ),
    Kind.FUTURE: (
        """\
A clock was wrong when the job made that backup, or is wrong now. This stays until that time
comes, and backups made until then may be orphaned. See whether this clock is right now:
  date --utc
If it is, move the files with {stamp} in their names to another place, out of the destination and
out of the archive directory, and make a full backup.""",
        SCRIPT,
        FULL,
    ),
    Kind.INTERRUPTED: (
        "The interrupted run is no backup. When the job runs again, duplicity continues it.",
        LAST_RUN,
        SCRIPT,
        RERUN,
    ),
    Kind.ORPHANED: (
        """\
The full backup that these sets build on is not there, so you can't restore anything from them. If
somebody deleted it by mistake (a person, a lifecycle rule), put it back; then they are good
again. If it is gone for ever, they are useless.""",
        CLEANUP,
    ),
    Kind.INCOMPLETE: (
        """\
Interrupted runs left these sets. You can't restore from them. If the newest backup was
interrupted, too, let the job end that one first.""",
        CLEANUP,
    ),
    Kind.NOT_RUNNING: (LAST_RUN, SCRIPT, RERUN),
    Kind.WAITING: (
        """\
It waits for a person to answer, and never ends. End it. Give the job its PASSPHRASE, or a key
without one. After an interrupted backup duplicity asks for it even if it did not before.""",
        PROCESSES,
        SCRIPT,
        RERUN,
    ),
    Kind.STALLED: (
        """\
A stopped process (T in STAT) only has to be continued. Otherwise: can you reach the destination,
is its disk full? If the backup makes no progress, end it and run the job again: duplicity
continues where it stopped.""",
        PROCESSES,
        SCRIPT,
        RERUN,
    ),
    Kind.TOO_LONG: (
        """\
A full backup can take days. If it makes progress, let it run, and raise the limits. If not, end
it.""",
        PROCESSES,
    ),
    Kind.TWO_BACKUPS: (
        """\
Two backups at once, with one archive directory or one destination, can damage each other's files.
End the one that started last, and find out what started the job twice.""",
        PROCESSES,
    ),
    Kind.ZOMBIE: (
        """\
The process has ended; its parent has not collected it (a zombie). It does no harm. If it stays,
look at its parent (PPID):
  ps -eo ppid,pid,stat,etime,comm""",
    ),
    Kind.HIDDEN: (
        """\
The check could not see all processes. Run it as root or as the job's user. Or name the job's
archive directory: its lock says whether a backup is running.
  sudo -u {user} -- {check}""",
    ),
    Kind.NO_MEMORY: (
        """\
The check sees progress by what it remembers from an earlier check. Give it a file for that, in a
directory that no other user can write to, rename or replace:
{process} --state-file FILE""",
    ),
    Kind.USAGE: (),
    Kind.NO_JOB: (
        """\
A job has a file in the directory of the jobs' files, or a line in a crontab, timer or profile.
List the jobs:
  sudo duplicity_triage --list-jobs""",
    ),
    Kind.WRONG_USER: ("  sudo -u {user} -- {check}",),
    Kind.OTHERS_DECIDE: (
        """\
Another user can change what this job runs, and so gets the rights of the job's user. The check
ran nothing. Put the file named above where only root or the job's user can write, or let the job
run as the file's owner. Until then, look with the owner's rights:
{status}""",
    ),
    Kind.NO_DUPLICITY: (
        """\
Is duplicity installed, and can the job's user run it? Name a duplicity in a virtual environment
by its full path: in the job's script, and for the check with --duplicity. Without a temporary
directory (TMPDIR) it can't run either.
  {sudo} {command} --version""",
    ),
    Kind.DUPLICITY_FAILED: (
        "The check did not see the destination. This says nothing about the backups.",
        BY_HAND,
    ),
    Kind.TIMEOUT: (
        """\
The check was not done in time. This says nothing about the backups. If the destination is only
slow, give more time: --timeout here, and a longer command_timeout in NRPE.""",
        BY_HAND,
    ),
    Kind.NOT_READABLE: (
        """\
Is it there (ls -ld), and is it the job's path? If {user} may not read it, run the check as
another user:
  sudo -u USER -- {check}""",
    ),
    Kind.NOT_RECOGNISED: (
        """\
Give the check a list of one job's files, or duplicity's output with an empty archive directory:
  LC_ALL=C {command} collection-status -v9 --archive-dir EMPTY_DIR --log-file FILE {url}""",
    ),
    Kind.NO_NEWS: (
        """\
Did cron run the job at all? Does its mail come here (MAILTO, /etc/aliases, ~/.forward)? A job
that prints nothing sends no mail: name its archive directory (-a and -d), where the check sees
good runs.""",
        SCRIPT,
    ),
    Kind.NOT_WRITTEN: (
        """\
The file has an old result, or none. Is its directory there (ls -ld)? May the user who runs the
check write to it? Is there room (df)? Then run the check again:
  {check}""",
    ),
    Kind.ENDED: (
        """\
NRPE, Icinga or a person ended the check before its own --timeout. Give NRPE a command_timeout
that is longer than --timeout. By hand:
  {check}""",
    ),
    **RUNS,
    **JOBS,
    **RESTORE,
    Kind.INTERNAL: (
        """\
If the first line names this machine or a limit, raise that limit. Otherwise this is a defect of
the check: please report it, with the command line and duplicity's version.""",
    ),
}

# What runs duplicity with the job's own archive directory, from which each command of duplicity's
# removes what the destination doesn't have (0.8 to 3.2).
DUPLICITY = (
    "{again}",
    "{cleanup}",
    "{files}",
    "{full}",
    "{newest_files}",
    "{older}",
    "{restore}",
    "{status}",
    "{verify}",
)
NOT_WITH = {
    # Only the archive directory has that manifest still.
    Kind.MISSING_MANIFEST: DUPLICITY,
    # What builds on the full set can be restored when that is there again.
    Kind.FULL_GONE: DUPLICITY,
    # duplicity stops at these, and whoever moves the wrong ones needs the older backups.
    Kind.DOUBLED: DUPLICITY,
    # The next run may make a new, empty one.
    Kind.NO_DESTINATION: ("{again}", "{full}"),
    # These would be made without encryption again.
    Kind.NOT_ENCRYPTED: ("{full}",),
    # Whatever else is to be done would be done with a source that isn't there.
    Kind.SHRUNK: DUPLICITY,
}
"""What must not be typed for another finding, as long as one of these is there."""

FIRST = (Kind.MISSING_MANIFEST, Kind.FULL_GONE, Kind.SHRUNK)
"""Until one of these is mended, nothing else is advised: it would spoil what can be saved."""
