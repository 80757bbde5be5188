"""Fill in the advice for what was found, from the job's command lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from check_duplicity.lines import pasted
from check_duplicity.nagios.advice import ADVICE, FIRST, NOT_WITH
from check_duplicity.nagios.commands import Job
from check_duplicity.nagios.findings import Kind
from check_duplicity.nagios.paragraphs import (
    DISK,
    EXPORT,
    NOT_AGAIN,
    RERUN,
    SCRIPT,
    SERVER,
    SKIPS,
    STARTING,
    TIMER,
    UNKNOWN_OPTIONS,
)


def advise(found: Iterable[tuple[Kind, Job]]) -> list[list[str]]:
    """Return the advice on each kind of finding of each job; each text only once."""
    found = list(found)
    kinds = {kind for kind, _ in found}
    said: set[str] = set()
    advice = []
    for kind, job in found:
        values = _values(job)
        harmless = [text for text in ADVICE[kind] if not _harms(text, kinds - {kind})]
        if kinds & set(FIRST) and kind not in (*FIRST, Kind.DOUBLED, Kind.NO_DESTINATION):
            harmless = []  # Words, too, may ask for what must not be done yet.
        texts = [text.format_map(values) for text in _offered(harmless, job)]
        advice.append([text for text in texts if text not in said])
        said.update(texts)
    return advice


def _harms(text: str, found: Iterable[Kind]) -> bool:
    """Whether a text offers what must not be typed while one of these kinds is there."""
    return any(command in text for kind in found for command in NOT_WITH.get(kind, ()))


def _offered(texts: Iterable[str], job: Job) -> Iterator[str]:
    """Yield the advice that is safe for a job: no command that other users could change."""
    for text in texts:
        if text == RERUN and job.script_by:
            yield NOT_AGAIN
        elif text == SKIPS:
            yield from [text] * job.skips
        elif text == TIMER and (not job.job or job.jobs_dir):
            continue  # A timer's name is that of a job file in the usual directory.
        elif text == EXPORT and job.job:
            continue  # sudo would not pass it on, and the job's file names its own.
        elif text in (DISK, SERVER) and _is_elsewhere(text, job):
            continue
        elif not (job.script and text == SCRIPT) and not (job.others and _starts(text)):
            yield text


def _starts(text: str) -> bool:
    return any(command in text for command in STARTING)


def _is_elsewhere(text: str, job: Job) -> bool:
    """Return whether a text is about a disk and the destination on a server, or vice versa."""
    local = job.directory or re.match(r"(?:par2\+)?file:", job.url, re.IGNORECASE)
    return bool(job.url) and text == (SERVER if local else DISK)


def _values(job: Job) -> dict[str, str]:
    plain = ["--no-encryption"] if job.encrypted is False else []
    return {
        "user": job.user,
        "sudo": pasted(job.sudo),
        "gpg": job.gpg(),
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
        "files": job.duplicity("list-current-files", *plain, "--time", job.before or "TIME"),
        "older": job.duplicity("remove-older-than", job.kept or "TIME", *plain),
        "full": job.duplicity("full", *plain, "SOURCE"),
        "options": "" if job.url and job.encrypted is not None else UNKNOWN_OPTIONS,
        "drill": job.drill(),
        "job": job.job,
        "ini": job.ini(),
        "programs": job.programs,
        "restore": job.duplicity("restore", *plain, *job.restored) + " NEW_FILE",
        "newest_files": job.duplicity("list-current-files", *plain),
        "verify": job.duplicity("verify", "-v4", *plain) + " SOURCE",
        "process": job.process_check(),
        "log": job.log_check(),
    }
