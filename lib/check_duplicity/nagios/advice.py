"""What to type: the table of advice, one entry for each kind of finding.

What stands in braces is filled in by `steps`, from a job's command lines; `paragraphs` has what is
said more than once.
"""

from __future__ import annotations

from check_duplicity.nagios.advice_jobs import JOBS
from check_duplicity.nagios.advice_restore import RESTORE
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
What these volumes held can't be restored, nor what builds on them; duplicity doesn't notice. Find
out what removes files at the destination, and put them back if they are elsewhere; or what renames
them: with more behind it than .gz or .gpg duplicity can't read a volume.""",
        SCRIPT,
        FULL,
    ),
    Kind.SPOILED: (
        """\
What was in these volumes can't be restored, nor what builds on them; without a manifest or a
signature file nothing can, but where the job's archive directory is. duplicity doesn't notice. Is
the destination's disk full, or was it? Make space, and put the files back if there is a good copy.
A volume that is only small is good if --volsize was changed while it was made; verify tells:
{verify}""",
        SCRIPT,
        FULL,
    ),
    Kind.DOUBLED: (
        """\
duplicity reads neither file, and stops: every backup and restore fails. Find the copies among the
files at the destination (".bak", a second suffix), and move them elsewhere.""",
        BY_HAND,
    ),
    Kind.MISSING_MANIFEST: (
        """\
Its volumes are there, but duplicity takes it for unfinished, and would remove it. The archive
directory has the manifest still: copy it to the destination (encrypted, if the others are), and do
that before the job or anything else of duplicity runs there, which would delete it. Or make a full
backup.""",
        SCRIPT,
        FULL,
    ),
    Kind.OLD_DAMAGE: (
        """\
The newest chain is whole; what these volumes held can't be restored from the older one. Put them
back if they are elsewhere.""",
        OLDER,
    ),
    Kind.FULL_GONE: (GONE, LAST_RUN, SCRIPT, FULL),
    Kind.NO_BACKUP: (
        "Nothing can be restored. Has the job ever run to its end, to this URL, with this prefix?",
        LAST_RUN,
        SCRIPT,
        RERUN,
    ),
    Kind.SHRUNK: (
        """\
Is the source mounted, is it the right one, who has deleted what is gone? As long as that is not
known, don't run the job again, and let nothing remove old backups (remove-older-than and
remove-all-but-n-full, maybe in the job's script): these have what the source hasn't any more.
  findmnt --fstab
  sudo mount --all""",
        """\
Compare the source with what was backed up before:
{files}""",
        SCRIPT,
        FULL_THEN,
        """\
If it is right as it is, this ends when half of the last 30 days are of the new size;
--shrunk-critical and --shrunk-warning are its limits.""",
    ),
    Kind.NOT_ENCRYPTED: (
        """\
Who can read the destination can read the backup. Look for --no-encryption in the job's script;
when that is mended, make a full backup and remove the old ones.""",
        SCRIPT,
    ),
    Kind.IN_PROGRESS: ("Wait for it, and see whether it gets on:\n{process}",),
    Kind.STALE: (SKIPS, LAST_RUN, SCRIPT, RERUN),
    Kind.STALE_FULL: (
        "The job has made incrementals only. Give it --full-if-older-than, or make a full one now.",
        SCRIPT,
        FULL,
    ),
    Kind.CHAIN: (
        """\
One lost file breaks all that follows it in a chain, and restoring reads all of it. Give the job
--full-if-older-than, or make a full one now.""",
        SCRIPT,
        FULL,
    ),
    Kind.FULLS: (
        """\
How many are kept is said by remove-all-but-n-full or remove-older-than, mostly in the job's script;
how often one is made by --full-if-older-than.""",
        SCRIPT,
    ),
    Kind.HISTORY: (
        """\
How far back one can restore is said by remove-older-than or remove-all-but-n-full, mostly in the
job's script.""",
        SCRIPT,
    ),
    Kind.SOURCE_SIZE: (
        "Is that what shall be backed up? Compare the source with the job's script.",
        SCRIPT,
    ),
    Kind.BACKUP_SIZE: (
        """\
See what has changed in the source since the run before. duplicity before 3.0.6 gives a wrong size
with --concurrency.""",
        SCRIPT,
    ),
    Kind.DURATION: (
        "Has the source grown, is the way to the destination slow, was it a full backup?",
        SCRIPT,
    ),
    Kind.FUTURE: (
        """\
A clock was wrong when that backup was made, or is wrong now. This stays until that time has come,
and backups made meanwhile may be orphaned. If the clocks are right now, remove the files with
{stamp} in their names, at the destination and in the archive directory, and make a full backup.
  date --utc""",
        SCRIPT,
        FULL,
    ),
    Kind.INTERRUPTED: (
        "It is no backup. When the job runs again, duplicity goes on where it stopped.",
        LAST_RUN,
        SCRIPT,
        RERUN,
    ),
    Kind.ORPHANED: (
        "What they build on is gone, so nothing can be restored from orphaned sets.",
        CLEANUP,
    ),
    Kind.INCOMPLETE: ("Interrupted runs have left incomplete sets behind.", CLEANUP),
    Kind.LOCKED: (
        """\
Another backup of the job was running, or a check or a person looked at it with duplicity itself.
If that has ended, run the job again; if it happens often, start the job at another time.
{process}""",
        RERUN,
    ),
    Kind.HOST_KEY: (
        """\
Was the server set up anew? Ask its owner for the fingerprint before you trust it; then log in once
as that user, whose known_hosts must have the key.
  {sudo} ssh HOST""",
        SCRIPT,
        RERUN,
    ),
    Kind.LOGIN: (
        """\
Has a password, a key or an access token changed or expired? Log in by hand as that user:
  {sudo} ssh HOST""",
        SCRIPT,
        RERUN,
    ),
    Kind.MODULE: (
        """\
The destination's backend needs a module that is not there, mostly after an upgrade of Python or of
duplicity. Install it for the Python that runs duplicity, such as python3-paramiko for sftp.
  {sudo} {command} --version""",
        RERUN,
    ),
    Kind.NO_SPACE: (
        """\
Make room at the destination: old backups are removed with remove-all-but-n-full COUNT --force, if
you can do without them. Never delete files there by hand.""",
        SCRIPT,
        RERUN,
    ),
    Kind.NO_LOCAL_SPACE: (
        """\
The archive directory (~/.cache/duplicity by default) or the temporary one is full. Volumes are made
in the temporary directory: duplicity takes another with --tempdir.
  df -h /tmp /var/tmp ~{user}""",
        RERUN,
    ),
    Kind.CONNECTION: (
        """\
Is the destination up, is a name, a port or a firewall wrong? If it was down for a while only, the
next run mends all.""",
        SCRIPT,
        RERUN,
    ),
    Kind.PERMISSION: (
        """\
See above what was denied: the destination's directory, the archive directory, or a file
that was made as another user (root, by hand).""",
        SCRIPT,
        RERUN,
    ),
    Kind.NO_KEY: (
        """\
The key is not in that user's keyring, or has expired. Never look with your own:
  {gpg} --list-keys
  {gpg} --list-secret-keys""",
        SCRIPT,
        RERUN,
    ),
    Kind.WRONG_PASSPHRASE: (
        """\
PASSPHRASE or the key in the job's script is not the one that the backups were made with. Find the
old one: without it they can't be restored. If it was changed on purpose, make a full backup to
another destination or prefix.""",
        SCRIPT,
    ),
    Kind.PASSPHRASE: (
        """\
duplicity asked for a passphrase, and cron can't answer. Give the job its PASSPHRASE, or a key
without one; after an interrupted backup duplicity asks for it even if no backup before had to.""",
        SCRIPT,
        RERUN,
    ),
    Kind.SOURCE_CHANGED: (
        """\
The job's source, or this machine's host name, is another than before. If that is right, run it once
with --allow-source-mismatch.""",
        SCRIPT,
    ),
    Kind.SOURCE_MISSING: (
        "Is its disk mounted, has it been moved?\n  findmnt --fstab\n  sudo mount --all",
        SCRIPT,
        RERUN,
    ),
    Kind.OPTIONS: (
        """\
Mostly after an upgrade: an option is gone, or since 2.0 the action (full, incremental) must come
first, options behind it. Compare the job's script with
  {sudo} {command} --help""",
        SCRIPT,
    ),
    Kind.NO_SIGNATURES: (
        """\
There is no full backup that an incremental could build on: is the destination right, was it
emptied? If so, make a full one.""",
        SCRIPT,
        FULL,
    ),
    Kind.KILLED: (
        """\
It was ended by a signal: by a person, at shutdown, for want of memory. When the job runs again,
duplicity goes on where it stopped.
  sudo journalctl -k --grep "Out of memory"
  last -x -n 5 reboot shutdown""",
        SCRIPT,
        RERUN,
    ),
    Kind.GPG: (
        "Try it as that user, whose keyring and agent it uses:\n  {gpg} --list-keys",
        SCRIPT,
        RERUN,
    ),
    Kind.RUN_FAILED: (
        "Read what it printed, above and in the mail or log, and see whether it happens again.",
        SCRIPT,
        RERUN,
    ),
    Kind.SKIPPED: (
        """\
These files are not in the backup, though duplicity ends with 0. Let the user read them, or exclude
them in the job's script.""",
        SCRIPT,
    ),
    Kind.DISCARDED: (
        """\
duplicity does as if that backup weren't there. What has removed its signatures from the
destination? The next run backs up the same again; if no backup runs now, remove what is left:
{process}
{cleanup}""",
    ),
    Kind.ORPHANED_SIGNATURES: ("No backup needs them any more.", CLEANUP),
    Kind.UNMATCHED_SIGNATURES: (
        """\
There are signatures, but not the backup that they are of: an interrupted first backup, or one that
was removed by hand.""",
        CLEANUP,
    ),
    Kind.DIFFERS: (
        """\
Files that have changed since the backup differ; others must not. With -v4 verify names them:
{verify}""",
    ),
    Kind.SCRIPT_FAILED: (
        """\
The backup itself was good. Look at what the script does around it: a command before or after it
has failed.""",
        SCRIPT,
    ),
    Kind.SEVERAL_JOBS: (
        """\
A run has failed, and minutes later others were good; their output does not say whose it is. Give
each job its own log, or let it say its name: -v5, or a tag of its own for logger -t.""",
        SCRIPT,
    ),
    Kind.UNCLEAR: (
        """\
Neither statistics nor an error: it was quiet, or was killed. Let the job print its statistics (no
--no-print-statistics), or name its archive directory (-a and -d), which tells.""",
        SCRIPT,
    ),
    Kind.NOT_RUNNING: (LAST_RUN, SCRIPT, RERUN),
    Kind.WAITING: (
        """\
It waits for a person, and will for ever. Give the job its PASSPHRASE, or a key without one; after
an interrupted backup duplicity asks for it even if no backup before had to.""",
        PROCESSES,
        SCRIPT,
        RERUN,
    ),
    Kind.STALLED: (
        """\
Is the destination reachable, is its disk full? If it doesn't go on, end it and run the job again:
duplicity goes on where it stopped.""",
        PROCESSES,
        SCRIPT,
        RERUN,
    ),
    Kind.TOO_LONG: (
        """\
A full backup may well take days. See whether it gets on before you end it; if it does, raise the
limits.""",
        PROCESSES,
    ),
    Kind.TWO_BACKUPS: (
        """\
Two at once on one archive directory or destination can spoil each other's files. End the younger,
and see why the job was started twice.""",
        PROCESSES,
    ),
    Kind.ZOMBIE: (
        """\
It does nothing any more, but what started it hasn't noticed. See its parent (ppid):
  ps -eo ppid,pid,stat,etime,comm""",
    ),
    Kind.HIDDEN: (
        """\
Run this as root or as the user whom the backup belongs to, or name the job's archive directory,
which tells by its lock:
  sudo -u {user} -- {check}""",
    ),
    Kind.NO_MEMORY: (
        """\
Progress is what has grown since an earlier check. Give check_duplicity_process a place to remember
that, in a directory that nobody else can write to, put away, or replace:
{process} --state-file FILE""",
    ),
    Kind.USAGE: (),
    Kind.NO_JOB: (
        """\
Jobs are defined by files, or found in crontabs, timers and profiles as far as they may be read:
  sudo duplicity_triage --list-jobs""",
    ),
    Kind.WRONG_USER: ("  sudo -u {user} -- {check}",),
    Kind.OTHERS_DECIDE: (
        """\
Whoever can change what a job runs has the rights of the user that it runs as. Put what is named
above where only root or that user can write, or let the job run as its owner. Until then, look at
it with its owner's rights:
{status}""",
    ),
    Kind.NO_DUPLICITY: (
        """\
Is it installed, and for this user too? One in a virtual environment is named by its full path: in
the job's script, and for a check with --duplicity.
  {sudo} {command} --version""",
    ),
    Kind.DUPLICITY_FAILED: (
        "The destination was not seen; this says nothing about the backups.",
        BY_HAND,
    ),
    Kind.TIMEOUT: (
        """\
What was to be seen was not seen in time; this says nothing about the backups. If it is only slow,
give more time with --timeout (and above that NRPE's command_timeout).""",
        BY_HAND,
    ),
    Kind.NOT_READABLE: (
        """\
Is it spelled as in the job? If only {user} may not read it, run this as another user:
  sudo -u USER -- {check}""",
    ),
    Kind.NOT_RECOGNISED: (
        """\
Give it a listing of one job's files, or what duplicity says when asked with an empty archive
directory:
  LC_ALL=C {command} collection-status -v9 --archive-dir EMPTY_DIR --log-file FILE {url}""",
    ),
    Kind.NO_NEWS: (
        """\
Has cron run the job at all, does its mail arrive here (MAILTO, /etc/aliases, ~/.forward)? A job
that prints nothing mails nothing: its archive directory tells of good runs, if it is named (-a
and -d).""",
        SCRIPT,
    ),
    Kind.NOT_WRITTEN: (
        """\
Who reads that file still sees an older result. Is its directory there, may the user who runs the
check write to it, and is there room (ls -ld, df)? Then run it again:
  {check}""",
    ),
    Kind.ENDED: ("Something else ended the check before its own --timeout.",),
    **JOBS,
    **RESTORE,
    Kind.INTERNAL: ("Please report this, with the command line and duplicity's version.",),
}

NOT_WITH = {
    # The next run removes what only needs its manifest again, and so does cleanup.
    Kind.MISSING_MANIFEST: (CLEANUP, RERUN),
    # What builds on the full set can be restored when that is there again.
    Kind.FULL_GONE: (CLEANUP, RERUN),
    # The next run may make a new, empty one.
    Kind.NO_DESTINATION: (RERUN, FULL),
}
"""What must not be typed, whatever else was found, as long as one of these is there."""
