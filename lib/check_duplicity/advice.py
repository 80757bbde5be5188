"""Tell the operator what to type: one entry for each kind of finding."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass

from check_duplicity.findings import Kind


@dataclass(frozen=True)
class Job:
    """What the commands need to be right for one job; no secret is in it.

    ``check`` is the check's own command line. ``url`` is empty where it is not known,
    ``directory`` is that of a ``file://`` URL that isn't there.
    """

    user: str
    check: str = ""
    url: str = ""
    archive_dir: str | None = None
    name: str | None = None
    options: tuple[str, ...] = ()
    command: tuple[str, ...] = ("duplicity",)
    directory: str = ""
    encrypted: bool | None = None

    def duplicity(self, action: str, *arguments: str) -> str:
        """Return a line that runs duplicity as the job does."""
        words = ["sudo", "-iu", self.user, *self.command, action, *arguments]
        if self.archive_dir:
            words += ["--archive-dir", self.archive_dir]
        if self.name:
            words += ["--name", self.name]
        words += self.options
        return "  " + shlex.join([*words, self.url or "DESTINATION"])


_RERUN = """\
Run the job again, in tmux or screen; its script stands in the crontab:
  sudo crontab -lu {user}
  sudo -iu {user} SCRIPT"""

_LAST_RUN = """\
See what the last run said (cron's mail to {user}), and whether one runs now:
  pgrep -au {user} duplicity"""

_BY_HAND = """\
Ask duplicity yourself:
{status}"""

_CLEANUP = """\
If no backup runs now (pgrep -au {user} duplicity), remove them:
{cleanup}"""

_FULL = """\
Make a new full backup, in tmux or screen, with the source and the options of the job's script:
  sudo crontab -lu {user}
{full}"""

ADVICE: dict[Kind, tuple[str, ...]] = {
    Kind.NO_DESTINATION: (
        """\
Is its disk mounted, is the URL right?
  ls -ld {directory}
  findmnt --fstab""",
        _RERUN,
    ),
    Kind.MISSING_VOLUMES: (
        """\
What these volumes held can't be restored, and duplicity goes on without noticing. Find out what
removes files at the destination, and put them back if they are elsewhere.""",
        _FULL,
    ),
    Kind.NO_BACKUP: (
        "Nothing can be restored. Has the job ever run to its end, and to this URL?",
        _LAST_RUN,
        _RERUN,
    ),
    Kind.NOT_ENCRYPTED: (
        """\
Who can read the destination can read the backup. Look for --no-encryption in the job's script;
when that is mended, make a new full backup and remove the old ones.""",
        _FULL,
    ),
    Kind.STALE: (_LAST_RUN, _RERUN),
    Kind.STALE_FULL: (
        "The job has made incrementals only. Give it --full-if-older-than, or make a full one now.",
        _FULL,
    ),
    Kind.CHAIN: (
        """\
One lost file breaks all that follows it in a chain, and restoring reads all of it. Give the job
--full-if-older-than, or make a full one now.""",
        _FULL,
    ),
    Kind.FUTURE: (
        """\
A clock was wrong when that backup was made, or is wrong now. Until that time has come, duplicity
makes no new incrementals. Compare the clocks; if they are right, make a new full backup.
  date --utc""",
        _FULL,
    ),
    Kind.UNFINISHED: (
        """\
It is no backup yet: it is still running, or it was interrupted. If none runs now, run the job
again: duplicity goes on where it stopped.""",
        _LAST_RUN,
        _RERUN,
    ),
    Kind.ORPHANED: (
        "What they build on is gone, so nothing can be restored from orphaned sets.",
        _CLEANUP,
    ),
    Kind.INCOMPLETE: ("Interrupted runs have left incomplete sets behind.", _CLEANUP),
    Kind.USAGE: (),
    Kind.WRONG_USER: ("  sudo -u {user} {check}",),
    Kind.NO_DUPLICITY: (
        """\
Is duplicity installed, and for this user too? One in a virtual environment is named with
--duplicity.
  sudo -iu {user} duplicity --version""",
    ),
    Kind.DUPLICITY_FAILED: (
        "The destination was not seen; this says nothing about the backups.",
        _BY_HAND,
    ),
    Kind.TIMEOUT: (
        """\
The destination was not seen in time; this says nothing about the backups. If it is reachable and
only slow, give more time with --timeout (and above that NRPE's command_timeout).""",
        _BY_HAND,
    ),
    Kind.NOT_READABLE: (
        """\
This was run as {user}. Run it as the user whom the backup belongs to:
  sudo -u USER {check}""",
    ),
    Kind.NOT_RECOGNISED: (
        """\
Give it what duplicity says at -v9 when asked with an empty archive directory:
  LC_ALL=C duplicity collection-status -v9 --archive-dir EMPTY_DIR --log-file FILE DESTINATION""",
    ),
    Kind.ENDED: ("Something else ended the check before its own --timeout.",),
    Kind.INTERNAL: ("Please report this, with the command line and duplicity's version.",),
}


def advise(kinds: Iterable[Kind], job: Job) -> list[list[str]]:
    """Return for each kind the paragraphs to read and to type; each paragraph only once."""
    cleanup = ["--force", *(["--no-encryption"] if job.encrypted is False else [])]
    values = {
        "user": job.user,
        "check": job.check,
        "directory": shlex.quote(job.directory),
        "status": job.duplicity("collection-status"),
        "cleanup": job.duplicity("cleanup", *cleanup),
        "full": job.duplicity("full", "SOURCE"),
    }
    said: set[str] = set()
    advice = []
    for kind in kinds:
        advice.append([text.format_map(values) for text in ADVICE[kind] if text not in said])
        said.update(ADVICE[kind])
    return advice
