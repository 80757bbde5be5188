"""Look up the job of ``-j NAME``: in its file, and only if that isn't enough, by a search.

A check starts every few minutes for every job, so only jobs without a file load the modules that
search a machine.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from check_duplicity.jobs import job_file
from check_duplicity.jobs.model import Known
from check_duplicity.lines import is_plain
from check_duplicity.nagios.findings import CannotSee, Kind
from check_duplicity.system.rights import deciders, named


def job(name: str, jobs_dir: str) -> Known:
    """Return what is known of a job. Raises `CannotSee` if there is no such job."""
    known = job_file.load(name, jobs_dir)
    if known is not None and known.get("destination"):
        return with_environment(known)
    from check_duplicity.jobs import see

    found = see.find(jobs_dir)
    return among(found.jobs, name, jobs_dir)


def among(found: Sequence[Known], name: str, jobs_dir: str) -> Known:
    """Return the job of that name. Raises `CannotSee` if it isn't there."""
    for candidate in found:
        if candidate.job == name:
            return candidate
    there = ", ".join(candidate.job for candidate in found) or "none"
    path = job_file.path_of(name, jobs_dir)
    reason = f"no job {name}: there is no {path}, and nothing starts it (found: {there})"
    raise CannotSee(Kind.NO_JOB, reason)


def with_environment(known: Known) -> Known:
    """Add the variables that a job's script exports, if its file names no environment.

    Add nothing if anybody but root and the job's user decides the content of the script.
    """
    script, user = known.get("script"), known.runs_as
    one_path = os.path.isabs(script) and is_plain(script) and " " not in script
    if known.environment or not one_path:
        return known
    from check_duplicity.jobs.deciding import account
    from check_duplicity.jobs.host import ThisHost
    from check_duplicity.jobs.scripts import Script, commands_of, jobs_of
    from check_duplicity.jobs.search import Search

    by = deciders(script)
    if by - {user}:
        doubt = f"{named(by)} can change {script}, so nothing that it exports goes to {user}"
        return known._replace(doubts=(*known.doubts, doubt))
    search = Search("")
    host = ThisHost(search, user)
    read = Script(search.text(script, user) or "", script, account(user), (script,))
    try:
        of_script = jobs_of(commands_of(read, host), script, known.job)
    except ValueError:
        return known
    same = [k for k in of_script if k.get("destination") == known.get("destination")]
    if not same or host.by - {user}:
        return known
    return known._replace(environment=same[0].environment, environment_by=by | host.by)
