"""Find the jobs in crontabs, systemd's timers, duply's and backupninja's files.

Nothing is executed but ``crontab -l``; unreadable files are reported.
"""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

from check_duplicity.jobs import backupninja, entries, following, job_file, outputs
from check_duplicity.jobs.duply import job_of_duply
from check_duplicity.jobs.host import ThisHost
from check_duplicity.jobs.model import Fact, Known
from check_duplicity.jobs.search import Search
from check_duplicity.nagios.findings import CannotSee
from check_duplicity.system import rights
from check_duplicity.values import NamedTuple

_FITS_ANY_USER = {*job_file.LIMITS, "schedule", "time_zone", "encryption", "mail", "started"}


class Found(NamedTuple):
    """The jobs that were found, and what may not be read or can't be understood."""

    jobs: tuple[Known, ...]
    problems: tuple[str, ...]


def find(jobs_dir: str, root: str = "/") -> Found:
    """Return all jobs: those with a file, and those found; a file's facts beat what is found."""
    search = Search(root)
    of_users: dict[str, dict[str, Known]] = {}
    for known in (*_of_profiles(search), *_of_entries(search)):
        _add(of_users.setdefault(known.get("user"), {}), known)
    found = _named_apart([known for of_user in of_users.values() for known in of_user.values()])
    filed = {known.job: known for known in _of_files(search, jobs_dir)}
    others = {name: known for name, known in found.items() if name not in filed}
    for name, known in filed.items():
        own = others.pop(f"{name}-{known.get('user')}", None)
        same = own or found.get(name) or others.pop(_found_as(known, others), None)
        filed[name] = merged(known, same)
    everything = {**others, **filed}
    ordered = tuple(everything[name] for name in sorted(everything))
    return Found(ordered, tuple(dict.fromkeys(search.problems)))


def _add(found: dict[str, Known], known: Known) -> None:
    """Add a job to those found: join it with the same job, or give it a name of its own."""
    same = found.get(known.job)
    if same is not None and _is_same(same, known):
        found[known.job] = _joined(same, known)
        return
    name, count = known.job, 1
    while name in found:
        count += 1
        name = f"{known.job}-{count}"
    found[name] = known._replace(job=name)


def _joined(same: Known, known: Known) -> Known:
    """Join two lines that make the backups of one job, with both schedules."""
    lines = [one for one in (same, known) if not one.is_off] or [same]
    first = lines[0] if len(lines) == 1 or "script" in same.facts else known
    other = known if first is same else same
    facts = {**other.facts, **first.facts}
    schedules = [one.facts["schedule"] for one in lines if "schedule" in one.facts]
    zones = {one.get("time_zone") for one in lines if "schedule" in one.facts}
    if len(schedules) == 2 and len(zones) == 1:
        times = "; ".join(dict.fromkeys(f"{s.value}" for s in schedules))
        by = schedules[0].by | schedules[1].by
        facts["schedule"] = Fact(
            "; ".join(dict.fromkeys(times.split("; "))), schedules[0].origin, by
        )
    mail = outputs.joined(*(one.facts.get("mail") for one in (lines * 2)[:2]))
    if mail:
        facts["mail"] = mail
    return first._replace(facts=facts, starts=(*same.starts, *known.starts))


def _named_apart(found: Sequence[Known]) -> dict[str, Known]:
    """Return the jobs of all users by name, so that no user's job takes another user's name.

    A job that root alone decides keeps its name. If jobs of several users have one name, each gets
    its user's name appended: nobody can take over a name that is checked.
    """
    named: dict[str, Known] = {}
    for known in filter(_is_roots, found):
        _add(named, known)
    users = [known for known in found if not _is_roots(known)]
    for _ in users:
        count = Counter(known.job for known in users)
        if all(count[known.job] == 1 and known.job not in named for known in users):
            break
        users = [
            known._replace(job=f"{known.job}-{known.get('user')}")
            if count[known.job] > 1 or known.job in named
            else known
            for known in users
        ]
    return {**{known.job: known for known in users}, **named}


def _is_roots(known: Known) -> bool:
    return known.get("user") == "root" or not known.by


def _of_files(search: Search, jobs_dir: str) -> Iterator[Known]:
    for name in job_file.names(jobs_dir):
        try:
            filed = job_file.load(name, jobs_dir)
        except CannotSee as reason:
            search.problems.append(reason.reason)
            continue
        if filed is not None:
            yield filed


def _found_as(filed: Known, found: Mapping[str, Known]) -> str:
    """Return the name of the only found job with the user, destination and script of a file.

    Found jobs are named after their scripts, but files as their owners like.
    """
    keys = ["user", "destination", *(["script"] if filed.get("script") else [])]
    same = [
        name
        for name, known in found.items()
        if all(filed.get(key) == known.get(key) != "" for key in keys)
    ]
    return same[0] if len(same) == 1 else ""


def _is_same(one: Known, other: Known) -> bool:
    """Return whether two jobs of one name are the same: one user, and no other destination."""
    if one.get("user") != other.get("user"):
        return False
    return not other.get("destination") or one.get("destination") == other.get("destination")


def merged(known: Known, found: Known | None) -> Known:
    """Return a job with the facts of its file, and found facts where the file has none.

    Only facts of the same user's job are added. A file without a user fits any user's job if it has
    nothing but limits in it. With anything else it fits only root's, so no other user gets that.
    """
    if found is None:
        return known
    if known.get("destination") and found.get("destination") not in ("", known.get("destination")):
        return known
    if known.get("user") != found.get("user") and not _is_open_to(known, found):
        return known
    doubts = found.doubts
    if known.get("destination"):
        # The file says what could not be known about the destination.
        found = _trusted(found)
        doubts = (*known.doubts, *found.commented_out)
    facts = {**found.facts, **known.facts}
    own = bool(known.environment)
    return known._replace(
        facts=facts,
        environment=known.environment if own else found.environment,
        environment_by=known.environment_by if own else found.environment_by,
        doubts=doubts,
        starter=found.starter,
        starts=found.starts,
    )


def _is_open_to(filed: Known, found: Known) -> bool:
    """Return whether a file that names no user can be the file of a found job."""
    if filed.get("user") or filed.get("destination"):
        return False
    return set(filed.facts) <= _FITS_ANY_USER or found.get("user") == "root"


def _trusted(found: Known) -> Known:
    """Leave out what others than root and the job's user decide."""
    user = found.runs_as
    found = found.without([k for k, f in found.facts.items() if not rights.may(user, f.by)])
    if rights.may(user, found.environment_by):
        return found
    return found._replace(environment={}, environment_by=rights.NOBODY)


def _of_entries(search: Search) -> Iterator[Known]:
    for entry in entries.started(search):
        yield from following.jobs_of_entry(search, entry)


def _of_profiles(search: Search) -> Iterator[Known]:
    homes = ["/root", *search.glob("/home/*")]
    for path in (*search.glob("/etc/duply/*/conf"), *_in_homes(search, homes)):
        profile = os.path.basename(os.path.dirname(path))
        text, by = search.decided(path)
        if text is not None:
            owner = Fact(rights.only(by) or min(by), path)
            host = ThisHost(search, owner.value)
            read = partial(job_of_duply, host=host, is_directory=partial(search.has, "d"))
            for known in _read(search, read, text, profile, path):
                by |= host.by
                yield known._replace(facts={**known.facts, "user": owner}).decided_by(by)
    default, _ = search.decided("/etc/backupninja.conf")
    when = backupninja.default_when(default or "")
    for path in search.glob("/etc/backup.d/*.dup"):
        base = os.path.basename(path)
        text, by = search.decided(path)
        if text is not None and backupninja.is_read(base):
            read = partial(backupninja.job_of_backupninja, when=when)
            for known in _read(search, read, text, base[: -len(".dup")], path):
                yield known.decided_by(by)


def _in_homes(search: Search, homes: Iterable[str]) -> Iterator[str]:
    for home in homes:
        yield from search.glob(f"{glob.escape(home)}/.duply/*/conf")


def _read(
    search: Search, read: Callable[[str, str, str], Known], text: str, name: str, path: str
) -> Iterator[Known]:
    try:
        yield read(text, following.proper(name), path)
    except ValueError as error:
        search.problems.append(str(error))
