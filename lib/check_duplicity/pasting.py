"""What commands need to be right for a known job when they are pasted, passwords included.

A command has no secret in it, but takes it from where it stands: only if that gives just the right
one, and runs nothing else.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping

from check_duplicity import user
from check_duplicity.advice import REST, Job, before_secret
from check_duplicity.jobs import Known
from check_duplicity.secrets import Secrets

_ORIGIN = re.compile(r"(.*?)(?::\d+)?")


def job_of(known: Known, secrets: Secrets, unknown: Job) -> Job:
    """Return what the commands need that are printed for a job; ``unknown`` has the plugins'."""
    owner = known.get("user") or unknown.user
    url = secrets.hide(known.get("destination"))
    destination = known.facts.get("destination")
    match = _ORIGIN.fullmatch(destination.origin) if destination else None
    origin = match[1] if match and os.path.isabs(match[1]) else ""
    script = known.get("script")
    exporting = origin if _is_exported(origin, known.environment) else script
    return unknown._replace(
        user=owner,
        login=user.has_shell(owner),
        url=url,
        archive_dir=known.get("archive_dir") or None,
        name=known.get("name") or None,
        options=tuple(map(secrets.hide, known.words("options"))),
        command=known.words("duplicity") or ("duplicity",),
        script=secrets.hide(known.get("script")),
        logs=tuple(map(secrets.hide, known.words("mail"))),
        encrypted={"no": False}.get(known.get("encryption")),
        url_from=origin if _is_found_by_grep(origin, url, known.get("destination")) else "",
        url_reader=_reader(origin),
        environment_from=exporting if _is_exported(exporting, known.environment) else "",
        environment_file=known.get("environment_file"),
    )


def _is_found_by_grep(path: str, url: str, destination: str) -> bool:
    """Whether the command that `Job` prints for a URL with a password finds just that URL."""
    if not path or url == destination:
        return False
    found = re.search(re.escape(before_secret(url)) + REST, _text(path))
    return found is not None and found[0] == destination


def _is_exported(path: str, environment: Mapping[str, str]) -> bool:
    """Whether the lines that `Job` takes from a script are these variables, and nothing else."""
    lines = re.findall(r"^ *export +[A-Za-z_]\w*=.*$", _text(path) if path else "", re.M)
    plain = re.compile(r""" *export +(\w+)=(?:'[^']*'|"[^"$`\\]*"|[^\s;|&$`()<>'"\\]*)\s*""")
    names = {match[1] for match in map(plain.fullmatch, lines) if match}
    return bool(environment) and len(lines) == len(names) and names == set(environment)


def _reader(path: str) -> str:
    """Who reads a file for others: whoever decides what is there, for he may change it any time.

    What a crontab is only cron decides, although its user owns it.
    """
    return "root" if path.startswith("/var/spool/cron/") else user.who_decides(path)


def _text(path: str) -> str:
    try:
        with (
            user.acting_as(_reader(path)),
            open(path, opener=user.nonblocking, errors="replace") as opened,
        ):
            regular = stat.S_ISREG(os.fstat(opened.fileno()).st_mode)
            return opened.read(1 << 20) if regular else ""
    except (OSError, ValueError, KeyError):
        return ""
