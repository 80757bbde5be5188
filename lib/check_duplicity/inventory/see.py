"""Find the jobs of this host, and what starts each; the only program run is ``crontab -l``.

`jobs.see` searches the jobs. This module also finds files whose names cron and backupninja ignore,
programs that are gone, and schedulers (clocks) that don't run.
"""

from __future__ import annotations

import glob
import os
import re
import stat
from collections.abc import Container, Iterable, Iterator, Sequence
from functools import partial

from check_duplicity.inventory.model import Clocks, Job, Seen
from check_duplicity.jobs import backupninja, entries, following, job_file
from check_duplicity.jobs import see as see_jobs
from check_duplicity.jobs.crontabs import Entry, read_crontab
from check_duplicity.jobs.model import Known, Start
from check_duplicity.jobs.search import Search
from check_duplicity.nagios.findings import CannotSee, Kind
from check_duplicity.shell.model import is_shell
from check_duplicity.shell.programs import program_of
from check_duplicity.system import proc

_SPOOLS = ("/var/spool/cron/crontabs", "/var/spool/cron/tabs", "/var/spool/cron")
_LISTED = (
    *_SPOOLS, "/etc/cron.d", "/etc/cron.hourly", "/etc/cron.daily", "/etc/cron.weekly",
    "/etc/cron.monthly", "/etc/systemd/system", "/etc/duply", "/etc/backup.d",
)  # fmt: skip
_BETWEEN_WORDS = re.compile(r"""[\s;&|()<>'"`=]+""")
_PERIODIC = re.compile(r"/etc/cron\.(?:hourly|daily|weekly|monthly)\b")
_LINE = re.compile(r":\d+$")
_OF_NINJA = "/etc/backup.d/"
_IGNORED = "has a name that cron passes over"
_DEBIANS_CRON = "/usr/sbin/cron"  # Others heed files in /etc/cron.d that have a dot in their names.


def clocks(root: str = "") -> Clocks:
    """Return which schedulers don't run, as far as that can be seen."""
    search = Search(root)
    cron = "" if _cron_runs(search) else "cron is not running"
    systemd = "" if os.path.isdir(f"{root}/run/systemd/system") else "systemd is not running"
    daily = "" if os.path.exists(f"{root}/usr/sbin/anacron") else cron
    return Clocks(cron, systemd, daily)


def _cron_runs(search: Search) -> bool:
    """Whether root's cron runs, or may run unseen, or timers replace it (systemd-cron).

    Anybody can start a process of that name: only root's runs the crontabs.
    """
    if search.glob("/run/systemd/generator/cron*.timer") or proc.hides_others():
        return True
    return proc.runs((b"cron", b"crond", b"cronie", b"bcron-sched"), uid=0)


def look(jobs_dir: str, runs: Clocks, ignored: Container[str] = (), root: str = "/") -> Seen:
    """Return the jobs below ``root``, without those whose names are ``ignored``.

    Unreadable files are ignored by their paths. Raises `CannotSee` if the directory with the jobs'
    files can't be read.
    """
    if os.path.isdir(jobs_dir) and not os.access(jobs_dir, os.R_OK | os.X_OK):
        raise CannotSee(Kind.NOT_ALL_SEEN, f"{jobs_dir}: Permission denied")
    found = see_jobs.find(jobs_dir, root)
    names = set(job_file.names(jobs_dir))
    search = Search(root)
    others = [known for known in found.jobs if known.job not in names]
    ways = _Ways(search, others)
    jobs = []
    for known in found.jobs:
        if known.job in names:
            starts, theirs = ways.of(known)
            others = [other for other in others if other is not theirs]
            jobs.append(_filed(search, known, [_by(runs, start) for start in starts]))
    jobs += [Job(known, filed=False, starts=known.starts) for known in others]
    jobs.sort(key=lambda job: job.name)
    unread = (text for text in found.problems if text.partition(": ")[0] not in ignored)
    return Seen(
        tuple(job for job in jobs if job.name not in ignored),
        tuple(_hidden(search)),
        tuple(unread),
    )


class _Ways:
    """A search for what starts a job with a file."""

    def __init__(self, search: Search, others: Sequence[Known]) -> None:
        """Prepare the search; ``others`` are the found jobs without a file of that name."""
        self._others = list(others)
        self._entries = [*entries.started(search), *_ignored_entries(search)]
        self._passed_over = list(_passed_over(search))

    def of(self, known: Known) -> tuple[tuple[Start, ...], Known | None]:
        """Return what starts a job, and the other found job that is the same one, if any.

        The search is first for the command that makes its backup, then for the script that its file
        names, which may be no shell script, or be gone.
        """
        theirs = None
        starts = self._found(known)
        if not starts:
            same = [other for other in self._others if _may_be(known, other)]
            starts = tuple(start for other in same for start in self._found(other))
            theirs = same[0] if len(same) == 1 else None
        if not starts:
            starts = tuple(map(following.start_of, filter(partial(_names, known), self._entries)))
        off = (one for one in self._passed_over if _may_be(known, one))
        found = (*starts, *(start for one in off for start in one.starts))
        return tuple(dict.fromkeys(found)), theirs

    def _found(self, known: Known) -> tuple[Start, ...]:
        """Return what starts a found job; a job of backupninja's is started by backupninja."""
        of_ninja = any(fact.origin.startswith(_OF_NINJA) for fact in known.facts.values())
        if known.starts or not of_ninja:
            return known.starts
        lines = (entry for entry in self._entries if "backupninja" in _names_in(entry.command))
        return tuple(map(following.start_of, lines))


def _may_be(known: Known, other: Known) -> bool:
    """Whether a found job can be that of a file: same user, and same script or destination.

    An unknown destination matches any. A file that names no user is root's.
    """
    if other.get("user") not in ("", known.get("user") or "root"):
        return False
    urls = known.get("destination"), other.get("destination")
    if all(urls):
        return urls[0] == urls[1]
    return _runs_script(known, other)


def _runs_script(known: Known, other: Known) -> bool:
    script = _script_of(known)
    return bool(script) and (
        script in (_script_of(other), _LINE.sub("", other.place))
        or any(script in _BETWEEN_WORDS.split(start.command) for start in other.starts)
    )


def _names(known: Known, entry: Entry) -> bool:
    """Whether a line of a crontab or a unit runs the script that a job's file names."""
    script = _script_of(known)
    allowed = entry.user in ("root", known.get("user"))
    return bool(script) and allowed and script in _BETWEEN_WORDS.split(entry.command)


def _script_of(known: Known) -> str:
    """Return the full path of a job's script; empty if it has none."""
    program = program_of(known.get("script"))
    return os.path.normpath(program) if os.path.isabs(program) else ""


def _names_in(command: str) -> set[str]:
    return {os.path.basename(word) for word in _BETWEEN_WORDS.split(command)}


def _filed(search: Search, known: Known, starts: Iterable[Start]) -> Job:
    checked = [
        start if start.off else start._replace(off=_missing(search, start.command))
        for start in starts
    ]
    return Job(known, True, tuple(checked), _missing(search, known.get("script")))


def _by(runs: Clocks, start: Start) -> Start:
    """Return a start, marked as off if its scheduler doesn't run."""
    if start.off:
        return start
    if start.by_timer:
        return start._replace(off=runs.systemd and f"is not waited for: {runs.systemd}")
    stopped = runs.daily if _PERIODIC.match(start.origin) else runs.cron
    return start._replace(off=stopped and f"is not read: {stopped}")


def _missing(search: Search, command: str) -> str:
    """Return why the program of a command line can't be run; empty if it can, or is unknown."""
    program = program_of(command)
    if not os.path.isabs(program) or "\0" in program:
        return ""
    try:
        mode = os.stat(search.root + program).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return f"there is no {program}"
    except OSError:
        return ""  # This user may not read the directory.
    words = _BETWEEN_WORDS.split(command)
    before = words[: words.index(program)] if program in words else []
    if any(is_shell([word]) for word in before) or stat.S_ISDIR(mode):
        return ""  # A shell reads it, or it is a directory for run-parts.
    return "" if mode & 0o111 else f"{program} is not executable"


def _passed_over(search: Search) -> Iterator[Known]:
    """Yield the jobs in files that cron or backupninja ignore because of their names."""
    for entry in _ignored_entries(search):
        yield from following.jobs_of_entry(search, entry)
    for path in search.glob("/etc/backup.d/*"):
        name = os.path.basename(path)
        text, by = search.decided(path)
        if text is not None and ".dup" in name and not backupninja.is_read(name):
            try:
                known = backupninja.job_of_backupninja(text, "passed-over", path)
            except ValueError:
                continue
            off = Start(path, "", "has a name that backupninja passes over")
            yield known.decided_by(by)._replace(starts=(off,))


def _ignored_entries(search: Search) -> Iterator[Entry]:
    if not os.path.exists(search.root + _DEBIANS_CRON):
        return
    for path in search.glob("/etc/cron.d/*"):
        text, by = search.decided(path)
        if text is not None and not entries.is_heeded(path):
            for entry in read_crontab(text, path):
                if entry.user and entry.active:
                    yield entry._replace(off=_IGNORED, by=by)
    for period in ("hourly", "daily", "weekly", "monthly"):
        for path in search.glob(f"/etc/cron.{period}/*"):
            if not entries.is_heeded(path):
                yield Entry(f"@{period}", "root", path, path, off=_IGNORED)


def looked_at(jobs: Iterable[Known], root: str = "/") -> Iterator[str]:
    """Yield a line for each place that was searched: which jobs it starts, or why none."""
    search = Search(root)
    of_places: dict[str, dict[str, None]] = {}
    for known in jobs:
        for start in known.starts:
            of_places.setdefault(_place(start), {})[known.job] = None
    places = [_place(following.start_of(entry)) for entry in entries.started(search)]
    for place in dict.fromkeys(places):
        names = ", ".join(of_places.get(place, ()))
        yield f"{place}: {names or 'passed over, nothing was found there that makes a backup'}"
    ignored = (_place(following.start_of(entry)) for entry in _ignored_entries(search))
    for place in dict.fromkeys(ignored):
        yield f"{place}: passed over, it {_IGNORED}"
    for place in _hidden(search):
        yield f"{place}: passed over, this user may not look into it"


def _place(start: Start) -> str:
    """Return the file of a start; for cron.daily and the like, the program in it."""
    return start.command if _PERIODIC.match(start.origin) else _LINE.sub("", start.origin)


def _hidden(search: Search) -> Iterator[str]:
    """Yield the existing places with jobs that this user may not read."""
    for path in _LISTED:
        there = search.root + path
        if os.path.isdir(there) and not os.access(there, os.R_OK | os.X_OK):
            yield path
    for path in ("/root", *search.glob(f"{glob.escape('/home')}/*")):
        there = search.root + path
        if os.path.isdir(there) and not os.access(there, os.X_OK):
            yield path
