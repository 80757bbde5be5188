"""Collect what a job's printed commands need, passwords included, to be right when pasted.

No command contains a secret; it reads the secret from its file. That is offered only if the file
gives exactly the right secret, and if nothing else runs.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping

from check_duplicity.jobs.model import Known
from check_duplicity.nagios.commands import REST, Job, before_secret
from check_duplicity.secrets import Secrets
from check_duplicity.system import rights
from check_duplicity.system import user as users

_ORIGIN = re.compile(r"(.*?)(?::\d+)?")


def job_of(known: Known, secrets: Secrets, unknown: Job) -> Job:
    """Return what a job's printed commands need; ``unknown`` is a job without facts.

    If one other user decides the job, the commands are for that user and without any secret. If
    several do, there are no commands.
    """
    user = known.get("user") or unknown.user
    others = known.by - {user}
    owner = rights.only(known.by) if others else user
    if not owner:
        return unknown._replace(user=user, login=users.has_shell(user), others=rights.named(others))
    url = secrets.hide(known.get("destination"))
    starter = known.starter or user
    script, changing = _run_again(known, starter)
    job = unknown._replace(
        user=owner,
        login=users.has_shell(owner),
        others=rights.named(others),
        url=url,
        archive_dir=known.get("archive_dir") or None,
        name=known.get("name") or None,
        options=tuple(map(secrets.hide, known.options)),
        skips="--skip-if-no-change" in known.backup_options,
        command=rights.offered(tuple(map(secrets.hide, known.words("duplicity"))), owner),
        script=secrets.hide(script),
        script_by=rights.named(changing),
        starter=starter,
        logs=tuple(map(secrets.hide, known.words("mail"))),
        encrypted={"no": False}.get(known.get("encryption")),
    )
    if others:
        return job
    return _with_secrets(job._replace(variables=_variables(known, secrets, owner)), known)


def _variables(known: Known, secrets: Secrets, user: str) -> tuple[str, ...]:
    """Return the variables that a job's commands need and that are no secrets."""
    given = dict(known.handed_on)
    home = known.environment.get("HOME", "")
    if os.path.isabs(home) and rights.may(user, rights.deciders(home)):
        given["HOME"] = home  # gpg, ssh and duplicity look for their files there.
    lines = (f"{name}={given[name]}" for name in sorted(given) if not _is_secret(name))
    return tuple(line for line in lines if secrets.hide(line) == line and line.isprintable())


def _is_secret(name: str) -> bool:
    return re.search("PASS|SECRET|TOKEN|KEY|CREDENTIAL|AUTH(?!_SOCK|URL)", name) is not None


def _run_again(known: Known, starter: str) -> tuple[str, frozenset[str]]:
    """Return the command that runs a job again, and who besides its starter decides it.

    The command is empty if anybody else decides it, or if that can't be known.
    """
    if "script" not in known.facts:
        return "", rights.NOBODY
    from check_duplicity.jobs.deciding import others_of
    from check_duplicity.jobs.running import without_deleting
    from check_duplicity.jobs.scripts import Script, commands_of

    script, _, by = known.facts["script"]
    try:
        others = (by - {starter}) | others_of(script, starter)
        script = without_deleting(script, commands_of(Script(script, "")))
    except ValueError:
        return "", rights.NOBODY
    return "" if others else script, others


def _with_secrets(job: Job, known: Known) -> Job:
    """Add the files that secrets are read from, if only root or the job's user decides them."""
    destination = known.facts.get("destination")
    match = _ORIGIN.fullmatch(destination.origin) if destination else None
    origin = match[1] if match and os.path.isabs(match[1]) else ""
    by_grep = _is_found_by_grep(origin, job, known.get("destination"))
    places = [p for p in (origin, known.get("script")) if os.path.isabs(p)]
    exporting = (p for p in places if _is_exported(p, job.user, known.environment))
    return job._replace(
        url_from=origin if by_grep else "",
        url_reader=_reader(origin, job.user),
        environment_from=next(exporting, ""),
        environment_file=known.get("environment_file"),
    )


def _is_found_by_grep(path: str, job: Job, destination: str) -> bool:
    """Return whether the command that `Job` prints to find a URL with a password finds just it."""
    if not path or job.url == destination:
        return False
    found = re.search(re.escape(before_secret(job.url)) + REST, _text(path, job.user))
    return found is not None and found[0] == destination


def _is_exported(path: str, user: str, environment: Mapping[str, str]) -> bool:
    """Return whether the lines that `Job` takes from a script set just these variables."""
    lines = re.findall(r"^ *export +[A-Za-z_]\w*=.*$", _text(path, user), re.M)
    plain = re.compile(r""" *export +(\w+)=(?:'[^']*'|"[^"$`\\]*"|[^\s;|&$`()<>'"\\]*)\s*""")
    names = {match[1] for match in map(plain.fullmatch, lines) if match}
    return bool(environment) and len(lines) == len(names) and names == set(environment)


def _reader(path: str, user: str) -> str:
    """Return who reads a file for a user's command: root or that user; empty if others decide it.

    root reads a crontab in the spool: its user owns it, but only cron decides which file it is.
    """
    if re.fullmatch(r"/var/spool/cron/(?:crontabs/|tabs/)?[^/]+", path) and _is_in_spool(path):
        return "root"
    by = rights.deciders(path)
    return rights.only(by) if rights.may(user, by) else ""


def _is_in_spool(path: str) -> bool:
    """Return whether only root can put another file there."""
    directory, name = os.path.split(path)
    return name not in ("..", ".") and not os.path.islink(path) and not rights.deciders(directory)


def _text(path: str, user: str) -> str:
    try:
        reader = _reader(path, user)
        if not reader:
            return ""  # Not even opened: it may be a device.
        with (
            users.acting_as(reader),
            open(path, opener=users.nonblocking, errors="replace") as opened,
        ):
            regular = stat.S_ISREG(os.fstat(opened.fileno()).st_mode)
            return opened.read(1 << 20) if regular else ""
    except (OSError, ValueError, KeyError):
        return ""
