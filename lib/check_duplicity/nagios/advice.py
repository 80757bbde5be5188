"""Tell the operator what to type: one entry for each kind of finding."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence

from check_duplicity.lines import pasted
from check_duplicity.nagios.findings import Kind
from check_duplicity.values import NamedTuple

# In a script, for grep: the rest of a URL, and what is exported.
REST = "[A-Za-z0-9_.~:/?#@!&()*+,;=%-]*"
_EXPORTS = "^ *export +[A-Za-z_][A-Za-z0-9_]*="


def before_secret(url: str) -> str:
    """Return a URL up to where its password is hidden."""
    return url.partition("***")[0].rstrip(":")


class Job(NamedTuple):
    """What the commands need to be right for one job; no secret is in it.

    ``check`` is the check's own command line, ``script`` what cron runs, as the shell reads it,
    ``logs`` where its runs are read; none is the user's mailbox.
    ``login`` tells whether ``sudo -i`` works for the user. ``url`` is empty where it is not known,
    ``directory`` is that of a ``file://`` URL that isn't there, ``stamp`` the time of the newest
    set and ``kept`` that of the full set that it builds on, as duplicity writes them. ``programs``
    is the directory of the plugins. ``url_from`` is the file that has the URL with its password,
    ``url_reader`` who reads it, ``environment_from`` the script that exports what duplicity needs
    besides, such as PASSPHRASE, and ``environment_file`` the file that has nothing else.
    ``starter`` is who starts the script, if not the user; ``script_by`` who else can change what
    it runs, so that it is not offered, and ``others`` who else decides what duplicity would do.
    """

    user: str
    check: str = ""
    script: str = ""
    logs: tuple[str, ...] = ()
    login: bool = True
    url: str = ""
    archive_dir: str | None = None
    name: str | None = None
    options: tuple[str, ...] = ()
    command: tuple[str, ...] = ("duplicity",)
    directory: str = ""
    stamp: str = ""
    kept: str = ""
    programs: str = ""
    encrypted: bool | None = None
    url_from: str = ""
    url_reader: str = "root"
    environment_from: str = ""
    environment_file: str = ""
    starter: str = ""
    script_by: str = ""
    others: str = ""

    @property
    def sudo(self) -> tuple[str, ...]:
        """How to become the user, with that user's HOME: GPG must use that keyring."""
        return ("sudo", "-iu" if self.login else "-Hu", self.user, "--")

    def duplicity(self, action: str, *arguments: str) -> str:
        """Return a line that runs duplicity as the job does."""
        words = [*self.command, action, *arguments]
        if self.archive_dir:
            words += ["--archive-dir", self.archive_dir]
        if self.name:
            words += ["--name", self.name]
        words += self.options
        if self.url_from or self.environment_from or self.environment_file:
            return self._with_secrets(words)
        return self._as_user([*words, self.url or "DESTINATION"])

    def _as_user(self, words: Sequence[str]) -> str:
        sudo = list(self.sudo)
        if any("$" in word for word in words):
            sudo[1] = "-Hu"  # sudo -i would put variables in their place.
        return "  " + pasted([*sudo, *words])

    def _with_secrets(self, words: Sequence[str]) -> str:
        """A line that takes secrets from where they are, so that it can be pasted as it is."""
        line = f'exec {pasted(words)} "$1"'
        if self.environment_file:
            line = f"set -a; . {shlex.quote(self.environment_file)}; {line}"
        elif self.environment_from:
            # What it exports only; nothing else of the script is run.
            exports = f"grep -hE {shlex.quote(_EXPORTS)} {shlex.quote(self.environment_from)}"
            line = f'eval "$({exports})"; {line}'
        url = pasted([self.url or "DESTINATION"])
        if self.url_from:
            found = re.escape(before_secret(self.url)) + REST
            words = ["grep", "-ohm1", found, self.url_from]
            url = f'"$({pasted([*_as(self.url_reader), *words])})"'
        return f"  {pasted(['sudo', '-Hu', self.user, '--', 'bash', '-c', line, '-'])} {url}"

    def again(self) -> str:
        """Return a line that runs what cron runs; as the one who starts it all of it."""
        words = (self.script or "SCRIPT").split()
        if any(shlex.quote(word) != word for word in words):
            words = ["sh", "-c", self.script]
        return self._replace(user=self.starter or self.user)._as_user(words)

    def log_check(self) -> str:
        """Return a line that tells what the last runs said."""
        words = [os.path.join(self.programs, "check_duplicity_log"), "-u", self.user, *self.logs]
        return "  " + pasted(["sudo", *words])

    def process_check(self) -> str:
        """Return a line that tells whether a backup of the job is running."""
        words = [os.path.join(self.programs, "check_duplicity_process"), "-u", self.user]
        for option, value in (("-d", self.url), ("-a", self.archive_dir), ("-n", self.name)):
            words += [option, value] if value else []
        return "  " + pasted([*_as(self.user), *words])


def _as(user: str) -> list[str]:
    return ["sudo"] if user == "root" else ["sudo", "-u", user, "--"]


_SCRIPT = """\
The job's script stands in a crontab, in /etc/cron.d or in a timer's unit:
  sudo crontab -lu {user}
  sudo grep -rl duplicity /etc/cron* /etc/systemd/system"""

_RERUN = """\
Run it again, in tmux or screen:
{again}"""

_NOT_AGAIN = """\
{script_by} can change what {starter} would run there: read it before you run it again, and give it
to {starter} or root."""

_LAST_RUN = """\
See what the last run said, and whether one runs now:
{log}
{process}"""

_BY_HAND = """\
Ask duplicity yourself:
{status}"""

_PROCESSES = """\
See the processes; ending the first of them is enough. One that is stopped (T in STAT) ends only
when it is continued, which harms no other:
  ps -o pid,stat,etime,time,args -u {user}
  sudo kill PID
  sudo kill -CONT PID"""

_UNKNOWN_OPTIONS = ",\nwith the options that the script has (--no-encryption, if it says so)"

_CLEANUP = """\
If no backup runs now, remove them{options}:
{process}
{cleanup}"""

_FULL = """\
Make a full backup, in tmux or screen: best by the script, with "full" as duplicity's action and the
PASSPHRASE, keys and options that stand there.
{full}"""

_RUNNING = (_RERUN, _CLEANUP, _FULL)

ADVICE: dict[Kind, tuple[str, ...]] = {
    Kind.NO_DESTINATION: (
        """\
Is its disk mounted, is the URL right? Don't run the job before that: duplicity would make the
directory on the disk that is there.
  ls -ld {directory}
  findmnt --fstab
  sudo mount --all""",
    ),
    Kind.MISSING_VOLUMES: (
        """\
What these volumes held can't be restored, nor what builds on them; duplicity doesn't notice. Find
out what removes files at the destination, and put them back if they are elsewhere; or what renames
them: with more behind it than .gz or .gpg duplicity can't read a volume.""",
        _SCRIPT,
        _FULL,
    ),
    Kind.DOUBLED: (
        """\
duplicity reads neither file, and stops: every backup and restore fails. Find the copies among the
files at the destination (".bak", a second suffix), and move them elsewhere.""",
        _BY_HAND,
    ),
    Kind.MISSING_MANIFEST: (
        """\
Its volumes are there, but duplicity takes it for unfinished, and would remove it. The archive
directory has the manifest still: copy it to the destination (encrypted, if the others are), and do
that before the job or anything else of duplicity runs there, which would delete it. Or make a full
backup.""",
        _SCRIPT,
        _FULL,
    ),
    Kind.OLD_DAMAGE: (
        """\
The newest chain is whole; what these volumes held can't be restored from the older one. Put them
back if they are elsewhere. If nobody needs what is older than the newest chain, and no backup runs
or has been interrupted, remove it:
{older}""",
    ),
    Kind.NO_BACKUP: (
        "Nothing can be restored. Has the job ever run to its end, to this URL, with this prefix?",
        _LAST_RUN,
        _SCRIPT,
        _RERUN,
    ),
    Kind.NOT_ENCRYPTED: (
        """\
Who can read the destination can read the backup. Look for --no-encryption in the job's script;
when that is mended, make a full backup and remove the old ones.""",
        _SCRIPT,
    ),
    Kind.IN_PROGRESS: ("Wait for it, and see whether it gets on:\n{process}",),
    Kind.NOT_STARTED: (
        """\
Mend that, and see that cron runs; then run the job again:
  systemctl status cron
  sudo crontab -eu {user}""",
        _RERUN,
    ),
    Kind.STALE: (_LAST_RUN, _SCRIPT, _RERUN),
    Kind.STALE_FULL: (
        "The job has made incrementals only. Give it --full-if-older-than, or make a full one now.",
        _SCRIPT,
        _FULL,
    ),
    Kind.CHAIN: (
        """\
One lost file breaks all that follows it in a chain, and restoring reads all of it. Give the job
--full-if-older-than, or make a full one now.""",
        _SCRIPT,
        _FULL,
    ),
    Kind.FUTURE: (
        """\
A clock was wrong when that backup was made, or is wrong now. This stays until that time has come,
and backups made meanwhile may be orphaned. If the clocks are right now, remove the files with
{stamp} in their names, at the destination and in the archive directory, and make a full backup.
  date --utc""",
        _SCRIPT,
        _FULL,
    ),
    Kind.INTERRUPTED: (
        "It is no backup. When the job runs again, duplicity goes on where it stopped.",
        _LAST_RUN,
        _SCRIPT,
        _RERUN,
    ),
    Kind.ORPHANED: (
        "What they build on is gone, so nothing can be restored from orphaned sets.",
        _CLEANUP,
    ),
    Kind.INCOMPLETE: ("Interrupted runs have left incomplete sets behind.", _CLEANUP),
    Kind.LOCKED: (
        """\
Another backup of the job was running, or a check or a person looked at it with duplicity itself.
If that has ended, run the job again; if it happens often, start the job at another time.
{process}""",
        _RERUN,
    ),
    Kind.HOST_KEY: (
        """\
Was the server set up anew? Ask its owner for the fingerprint before you trust it; then log in once
as that user, whose known_hosts must have the key.
  {sudo} ssh HOST""",
        _SCRIPT,
        _RERUN,
    ),
    Kind.LOGIN: (
        """\
Has a password, a key or an access token changed or expired? Log in by hand as that user:
  {sudo} ssh HOST""",
        _SCRIPT,
        _RERUN,
    ),
    Kind.MODULE: (
        """\
The destination's backend needs a module that is not there, mostly after an upgrade of Python or of
duplicity. Install it for the Python that runs duplicity, such as python3-paramiko for sftp.
  {sudo} {command} --version""",
        _RERUN,
    ),
    Kind.NO_SPACE: (
        """\
Make room at the destination: old backups are removed with remove-all-but-n-full COUNT --force, if
you can do without them. Never delete files there by hand.""",
        _SCRIPT,
        _RERUN,
    ),
    Kind.NO_LOCAL_SPACE: (
        """\
The archive directory (~/.cache/duplicity by default) or the temporary one is full. Volumes are made
in the temporary directory: duplicity takes another with --tempdir.
  df -h /tmp /var/tmp ~{user}""",
        _RERUN,
    ),
    Kind.CONNECTION: (
        """\
Is the destination up, is a name, a port or a firewall wrong? If it was down for a while only, the
next run mends all.""",
        _SCRIPT,
        _RERUN,
    ),
    Kind.PERMISSION: (
        """\
See above what was denied: the destination's directory, the archive directory, or a file
that was made as another user (root, by hand).""",
        _SCRIPT,
        _RERUN,
    ),
    Kind.NO_KEY: (
        """\
The key is not in that user's keyring, or has expired. Never look with your own:
  {sudo} gpg --list-keys
  {sudo} gpg --list-secret-keys""",
        _SCRIPT,
        _RERUN,
    ),
    Kind.WRONG_PASSPHRASE: (
        """\
PASSPHRASE or the key in the job's script is not the one that the backups were made with. If it was
changed on purpose, make a full backup to another destination or prefix.""",
        _SCRIPT,
    ),
    Kind.PASSPHRASE: (
        """\
duplicity asked for a passphrase, and cron can't answer. Give the job its PASSPHRASE, or a key
without one; after an interrupted backup duplicity asks for it even if no backup before had to.""",
        _SCRIPT,
        _RERUN,
    ),
    Kind.SOURCE_CHANGED: (
        """\
The job's source, or this machine's host name, is another than before. If that is right, run it once
with --allow-source-mismatch.""",
        _SCRIPT,
    ),
    Kind.SOURCE_MISSING: (
        "Is its disk mounted, has it been moved?\n  findmnt --fstab\n  sudo mount --all",
        _SCRIPT,
        _RERUN,
    ),
    Kind.OPTIONS: (
        """\
Mostly after an upgrade: an option is gone, or since 2.0 the action (full, incremental) must come
first, options behind it. Compare the job's script with
  {sudo} {command} --help""",
        _SCRIPT,
    ),
    Kind.NO_SIGNATURES: (
        """\
There is no full backup that an incremental could build on: is the destination right, was it
emptied? If so, make a full one.""",
        _SCRIPT,
        _FULL,
    ),
    Kind.KILLED: (
        """\
It was ended by a signal: by a person, at shutdown, for want of memory. When the job runs again,
duplicity goes on where it stopped.
  sudo journalctl -k --grep "Out of memory"
  last -x -n 5 reboot shutdown""",
        _SCRIPT,
        _RERUN,
    ),
    Kind.GPG: (
        "Try it as that user, whose keyring and agent it uses:\n  {sudo} gpg --list-keys",
        _SCRIPT,
        _RERUN,
    ),
    Kind.RUN_FAILED: (
        "Read what it printed, above and in the mail or log, and see whether it happens again.",
        _SCRIPT,
        _RERUN,
    ),
    Kind.SKIPPED: (
        """\
These files are not in the backup, though duplicity ends with 0. Let the user read them, or exclude
them in the job's script.""",
        _SCRIPT,
    ),
    Kind.DISCARDED: (
        """\
duplicity does as if that backup weren't there. What has removed its signatures from the
destination? The next run backs up the same again; if no backup runs now, remove what is left:
{process}
{cleanup}""",
    ),
    Kind.ORPHANED_SIGNATURES: ("No backup needs them any more.", _CLEANUP),
    Kind.UNMATCHED_SIGNATURES: (
        """\
There are signatures, but not the backup that they are of: an interrupted first backup, or one that
was removed by hand.""",
        _CLEANUP,
    ),
    Kind.DIFFERS: (
        """\
Files that have changed since the backup differ; others must not. With -v4 verify names them:
{verify}""",
    ),
    Kind.UNCLEAR: (
        """\
Neither statistics nor an error: it was quiet, or was killed. Let the job print its statistics (no
--no-print-statistics), or name its archive directory (-a and -d), which tells.""",
        _SCRIPT,
    ),
    Kind.NOT_RUNNING: (_LAST_RUN, _SCRIPT, _RERUN),
    Kind.WAITING: (
        """\
It waits for a person, and will for ever. Give the job its PASSPHRASE, or a key without one; after
an interrupted backup duplicity asks for it even if no backup before had to.""",
        _PROCESSES,
        _SCRIPT,
        _RERUN,
    ),
    Kind.STALLED: (
        """\
Is the destination reachable, is its disk full? If it doesn't go on, end it and run the job again:
duplicity goes on where it stopped.""",
        _PROCESSES,
        _SCRIPT,
        _RERUN,
    ),
    Kind.TOO_LONG: (
        """\
A full backup may well take days. See whether it gets on before you end it; if it does, raise the
limits.""",
        _PROCESSES,
    ),
    Kind.TWO_BACKUPS: (
        """\
Two at once on one archive directory or destination can spoil each other's files. End the younger,
and see why the job was started twice.""",
        _PROCESSES,
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
        _BY_HAND,
    ),
    Kind.TIMEOUT: (
        """\
What was to be seen was not seen in time; this says nothing about the backups. If it is only slow,
give more time with --timeout (and above that NRPE's command_timeout).""",
        _BY_HAND,
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
        _SCRIPT,
    ),
    Kind.ENDED: ("Something else ended the check before its own --timeout.",),
    Kind.INTERNAL: ("Please report this, with the command line and duplicity's version.",),
}


def advise(found: Iterable[tuple[Kind, Job]]) -> list[list[str]]:
    """Return for each kind of finding, in a job, what to read and to type; each text only once."""
    found = list(found)
    # Nothing may spoil what only needs its manifest again: the next run removes it, too.
    spoiling = any(kind == Kind.MISSING_MANIFEST for kind, _ in found)
    said: set[str] = set()
    advice = []
    for kind, job in found:
        values = _values(job)
        texts = [
            text.format_map(values)
            for text in _offered(ADVICE[kind], job)
            if not (spoiling and text in (_CLEANUP, _RERUN))
        ]
        advice.append([text for text in texts if text not in said])
        said.update(texts)
    return advice


def _offered(texts: Iterable[str], job: Job) -> Iterator[str]:
    """Yield what may be told of a job: nothing that others would decide is to be run."""
    for text in texts:
        if text == _RERUN and job.script_by:
            yield _NOT_AGAIN
        elif not (job.script and text == _SCRIPT) and not (job.others and text in _RUNNING):
            yield text


def _values(job: Job) -> dict[str, str]:
    plain = ["--no-encryption"] if job.encrypted is False else []
    return {
        "user": job.user,
        "sudo": pasted(job.sudo),
        "check": job.check,
        "again": job.again(),
        "starter": job.starter or job.user,
        "script_by": job.script_by,
        "command": pasted(job.command),
        "url": pasted([job.url or "DESTINATION"]),
        "directory": pasted([job.directory or "DIRECTORY"]),
        "stamp": job.stamp,
        "status": job.duplicity("collection-status"),
        "cleanup": job.duplicity("cleanup", "--force", *plain),
        "older": job.duplicity("remove-older-than", job.kept or "TIME", "--force", *plain),
        "full": job.duplicity("full", *plain, "SOURCE"),
        "options": "" if job.url and job.encrypted is not None else _UNKNOWN_OPTIONS,
        "verify": job.duplicity("verify", "-v4", *plain) + " SOURCE",
        "process": job.process_check(),
        "log": job.log_check(),
    }
