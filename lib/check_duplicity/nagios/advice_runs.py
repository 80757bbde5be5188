"""What to type for what a run said: the part of the table of advice that is of logs and mail."""

from __future__ import annotations

from check_duplicity.nagios.findings import Kind
from check_duplicity.nagios.paragraphs import CLEANUP, RERUN, SCRIPT

RUNS: dict[Kind, tuple[str, ...]] = {
    Kind.SOURCE_SIZE: (
        "Does the job back up what it should? Compare the source with the job's script.",
        SCRIPT,
    ),
    Kind.BACKUP_SIZE: (
        """\
See what changed in the source since the run before. With --concurrency, duplicity before 3.0.6
gives a wrong size.""",
        SCRIPT,
    ),
    Kind.DURATION: (
        "Was it a full backup? Has the source grown? Is the network to the destination slow?",
        SCRIPT,
    ),
    Kind.LOCKED: (
        """\
Another duplicity was using the job's archive directory: another run of the job, or a person who
asked duplicity. If nothing runs now, run the job again. If this happens often, start the job at
another time.
{process}""",
        RERUN,
    ),
    Kind.HOST_KEY: (
        """\
Was the server installed again? Before you trust its new key, ask its owner for the fingerprint.
Then remove the old key, and log in once as the job's user (sftp or ssh):
  {sudo} ssh-keygen -R HOST
  {sudo} sftp HOST""",
        SCRIPT,
        RERUN,
    ),
    Kind.LOGIN: (
        """\
Has a password, a key or an access token changed or expired? Log in by hand as the job's user
(sftp, ssh, or the provider's own program):
  {sudo} sftp HOST""",
        SCRIPT,
        RERUN,
    ),
    Kind.MODULE: (
        """\
The destination's backend needs a module that is missing, mostly after an upgrade of Python or of
duplicity. Install it for the Python that runs duplicity (for sftp: python3-paramiko).
  {sudo} {command} --version""",
        RERUN,
    ),
    Kind.NO_SPACE: (
        """\
Make room at the destination: a larger disk or quota. Only if you can do without the oldest
chains, let duplicity remove them (remove-all-but-n-full); never delete the newest ones.""",
        SCRIPT,
        RERUN,
    ),
    Kind.NO_LOCAL_SPACE: (
        """\
The disk of the archive directory (~/.cache/duplicity by default) or of the temporary directory is
full. duplicity makes its volumes in the temporary directory; --tempdir names another one.
  df -h /tmp /var/tmp ~{user}""",
        RERUN,
    ),
    Kind.CONNECTION: (
        """\
Is the destination up? Is the name, the port or a firewall wrong? If it was down only for a while,
run the job again.""",
        SCRIPT,
        RERUN,
    ),
    Kind.PERMISSION: (
        """\
See above what was denied: the directory at the destination, the archive directory, or a file in
it that another user made (often root, by hand). Give it back to the job's user.""",
        SCRIPT,
        RERUN,
    ),
    Kind.NO_KEY: (
        """\
The key is not in the keyring of the job's user, or it has expired, or gpg does not trust it. Look
in that user's keyring, not in your own:
  {gpg} --list-keys
  {gpg} --list-secret-keys""",
        SCRIPT,
        RERUN,
    ),
    Kind.WRONG_PASSPHRASE: (
        """\
The job's PASSPHRASE or key is not the one that the backups were made with. Find the old one:
without it nobody can restore them. If somebody changed it on purpose, make a full backup to
another destination or prefix, and keep the old one for as long as you need the old backups.""",
        SCRIPT,
    ),
    Kind.PASSPHRASE: (
        """\
duplicity asked for a passphrase, and nobody answers under cron. Give the job its PASSPHRASE, or a
key without one. After an interrupted backup duplicity asks for it even if it did not before.""",
        SCRIPT,
        RERUN,
    ),
    Kind.SOURCE_CHANGED: (
        """\
The job's source directory or this machine's host name has changed. Or two jobs write to the same
destination: give each its own. If the new source is right, run the job once with
--allow-source-mismatch.""",
        SCRIPT,
    ),
    Kind.SOURCE_MISSING: (
        "Is its disk mounted? Has somebody moved it?\n  findmnt --fstab\n  sudo mount --all",
        SCRIPT,
        RERUN,
    ),
    Kind.OPTIONS: (
        """\
duplicity rejects the job's command line, mostly after an upgrade: an option is gone; or, since
2.0, the action (full, incremental) must come before the options; or it does not know the URL's
scheme. Compare the job's script with
  {sudo} {command} --help""",
        SCRIPT,
    ),
    Kind.NO_SIGNATURES: (
        """\
An incremental backup found no full backup to build on. Is the destination the right one? If
somebody deleted its files, find out who, and put them back. Only if it is a new destination, make
a full backup.""",
        SCRIPT,
    ),
    Kind.KILLED: (
        """\
A signal ended the run: from a person, at a shutdown, or because no memory was left. When the job
runs again, duplicity continues.
  sudo journalctl -k --grep "Out of memory"
  last -x -n 5 reboot shutdown""",
        SCRIPT,
        RERUN,
    ),
    Kind.GPG: (
        """\
Try gpg as the job's user, because duplicity uses that user's keyring and agent:
  {gpg} --list-keys""",
        SCRIPT,
        RERUN,
    ),
    Kind.RUN_FAILED: (
        """\
Read what the run printed, above and in the mail or log.""",
        SCRIPT,
        RERUN,
    ),
    Kind.SKIPPED: (
        """\
These files are not in the backup, though duplicity ended with 0. Give the job's user permission
to read them, or exclude them in the job's script.""",
        SCRIPT,
    ),
    Kind.DISCARDED: (
        """\
duplicity ignores that backup, because its signatures are gone, and the next run backs up the same
files again. Find out what removed the signatures from the destination. If there is a copy, put
them back before the next run.""",
        CLEANUP,
    ),
    Kind.ORPHANED_SIGNATURES: ("No backup needs these signatures any more.", CLEANUP),
    Kind.UNMATCHED_SIGNATURES: (
        """\
The backup of these signatures is not there. The first backup was interrupted: then let the job
end it. Or somebody removed the backup: then find out who, and put it back if you need it.""",
        CLEANUP,
    ),
    Kind.DIFFERS: (
        """\
A file that changed since the backup differs, which is normal. Any other file must not. verify
names the files with -v4:
{verify}""",
    ),
    Kind.SCRIPT_FAILED: (
        """\
The backup itself is good. Another command in the script failed, before it or after it.""",
        SCRIPT,
    ),
    Kind.SEVERAL_JOBS: (
        """\
A run failed, and minutes later others were good. The log does not say which job each run belongs
to. Give each job its own log, or let it print its name: -v5, or its own tag for logger -t.""",
        SCRIPT,
    ),
    Kind.UNCLEAR: (
        """\
The run printed neither statistics nor an error: it was quiet, or something killed it. Let the job
print its statistics (no --no-print-statistics). Or name its archive directory (-a and -d): the
check sees there whether the backup is complete.""",
        SCRIPT,
    ),
}
