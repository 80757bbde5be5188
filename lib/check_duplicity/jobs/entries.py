"""Find what cron and systemd start: crontabs, cron.daily and the like, timers.

Nothing is executed but ``crontab -l``; unreadable files are reported.
"""

from __future__ import annotations

import glob
import os
import re
import socket
import subprocess
from collections.abc import Iterable, Iterator

from check_duplicity.jobs import enabling, units
from check_duplicity.jobs.crontabs import Entry, read_crontab
from check_duplicity.jobs.search import Search
from check_duplicity.runs.paths import JOURNAL
from check_duplicity.system import rights
from check_duplicity.system.user import current, name_of
from check_duplicity.values import NamedTuple

_PLAIN = re.compile(r"[A-Za-z0-9_-]+")  # the names of files that cron.d and cron.daily run
_SPOOLS = ("/var/spool/cron/crontabs", "/var/spool/cron/tabs", "/var/spool/cron")
_SYSTEM = ("/etc/crontab", "/etc/cron.d/*")
_PERIODS = {"hourly": "@hourly", "daily": "@daily", "weekly": "@weekly", "monthly": "@monthly"}
_UNITS = (
    "/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system", "/lib/systemd/system",
)  # fmt: skip
_MAIL_TO = re.compile(r"^MAILTO[ \t]*=(.*)$", re.M)
_USER_UNITS = ("/etc/systemd/user", "/usr/local/lib/systemd/user", "/usr/lib/systemd/user")


def started(search: Search) -> Iterator[Entry]:
    """Yield all entries of cron and timers, including those that are commented out."""
    yield from _crontab_entries(search)
    yield from _periodic_entries(search)
    yield from _timer_entries(search)


def _crontab_entries(search: Search) -> Iterator[Entry]:
    seen = set()
    for spool in _SPOOLS:
        for path in search.glob(f"{spool}/*"):
            user = os.path.basename(path)
            if user in seen or os.path.isdir(search.root + path):
                continue
            # Only cron reads it, and crontab lets its user write it.
            text = search.text(path)
            if text is not None:
                seen.add(user)
                by = rights.deciders(path, search.root) | {user} - {"root"}
                yield from _decided(read_crontab(text, path, user), by)
    if not search.root and current() not in seen:
        by = frozenset({current()} - {"root"})
        yield from _decided(read_crontab(_own_crontab(), "crontab -l", current()), by)
    for pattern in _SYSTEM:
        for path in search.glob(pattern):
            text, by = search.decided(path)
            if text is not None and is_heeded(path):
                entries = _decided(read_crontab(text, path), by)
                yield from (entry for entry in entries if entry.user)


def is_heeded(path: str) -> bool:
    """Return whether Debian's cron, and its run-parts, accept a file's name."""
    return _PLAIN.fullmatch(os.path.basename(path)) is not None


def _decided(entries: Iterable[Entry], by: frozenset[str]) -> Iterator[Entry]:
    return (entry._replace(by=entry.by | by) for entry in entries)


def _own_crontab() -> str:
    """Return the user's own crontab, which only ``crontab`` itself may read."""
    try:
        done = subprocess.run(
            ["crontab", "-l"],  # noqa: S607  # nosec B607  # wherever cron is
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""


def _periodic_entries(search: Search) -> Iterator[Entry]:
    for period, schedule in _PERIODS.items():
        for path in search.glob(f"/etc/cron.{period}/*"):
            if is_heeded(path):
                mail_to = _mail_to(search, period)
                yield Entry(schedule, "root", path, f"/etc/cron.{period}", mail_to)


def _mail_to(search: Search, period: str) -> dict[str, str]:
    """Return the MAILTO that anacron, or else cron, has for run-parts, if it is set."""
    by_anacron = period != "hourly" and search.has("e", "/usr/sbin/anacron")
    text, _ = search.decided("/etc/anacrontab" if by_anacron else "/etc/crontab")
    found = {value.strip(" \t\r\"'") for value in _MAIL_TO.findall(text or "")}
    return {"MAILTO": found.pop()} if len(found) == 1 else {}


def _timer_entries(search: Search) -> Iterator[Entry]:
    yield from _timers(search, _Manager(_UNITS, "root", "/root"))
    for home in ("/root", *search.glob("/home/*")):
        directories = (f"{home}/.config/systemd/user", f"{home}/.local/share/systemd/user")
        by = search.deciders(home)
        owner = rights.only(by) or os.path.basename(home)
        manager = _Manager((*directories, *_USER_UNITS), owner, home, own=directories)
        yield from _decided(_timers(search, manager), by)


class _Manager(NamedTuple):
    """A manager of systemd: the directories of its units, and its user.

    ``own`` are the directories whose timers it starts, if not those of all ``directories``.
    """

    directories: tuple[str, ...]
    user: str
    home: str
    own: tuple[str, ...] = ()


def _timers(search: Search, manager: _Manager) -> Iterator[Entry]:
    names = set()
    for directory in map(glob.escape, manager.own or manager.directories):
        paths = search.glob(f"{directory}/*.timer") + search.glob(f"{directory}/*.wants/*.timer")
        names |= {os.path.basename(path) for path in paths}
    for name in sorted(names):
        if name.endswith("@.timer"):
            continue  # systemd starts only instances of a template
        timer, path, by = _unit(search, manager, name)
        if timer is not None:
            stem = name.removesuffix(".timer")
            known = _specifiers(manager, name)
            service = units.specified(timer.get("Unit"), known) or f"{stem}.service"
            off = enabling.off(search, manager.directories, name, service)
            for entry in _decided(_service_entries(search, manager, service, timer), by):
                yield entry._replace(timer=path, off=off)


def _specifiers(manager: _Manager, name: str) -> dict[str, str]:
    return units.specifiers(name, manager.user, manager.home, socket.gethostname())


def _unit(
    search: Search, manager: _Manager, name: str
) -> tuple[units.Unit | None, str, frozenset[str]]:
    """Return a unit with its drop-ins (systemd.unit(5)), its path, and who decides it."""
    template = [f"{name.partition('@')[0]}@.{name.rpartition('.')[2]}"] if "@" in name else []
    candidates = (
        path
        for of in (name, *template)
        for directory in manager.directories
        for path in search.glob(f"{glob.escape(directory)}/{glob.escape(of)}")
        if not enabling.is_mask(search, path)
    )
    path = next(candidates, "")
    text, by = search.decided(path, manager.user) if path else (None, rights.NOBODY)
    if text is None:
        return None, path, by
    for drop_in in _drop_ins(search, manager, name):
        more, others = search.decided(drop_in, manager.user)
        text, by = f"{text}\n{more or ''}", by | others
    return units.read_unit(text), path, by


def _drop_ins(search: Search, manager: _Manager, name: str) -> list[str]:
    """Return a unit's drop-ins in their order: for its type, its name's beginnings, its name.

    Of two with the same name the more specific one counts, and /etc comes before the others.
    """
    stem, _, kind = name.rpartition(".")
    template = [f"{stem.partition('@')[0]}@.{kind}"] if "@" in stem else []
    beginnings = [f"{stem[: match.end()]}.{kind}" for match in re.finditer("-", stem)]
    found: dict[str, str] = {}
    for of in (kind, *beginnings, *template, name):
        for directory in manager.directories[::-1]:
            for path in search.glob(f"{glob.escape(directory)}/{glob.escape(of)}.d/*.conf"):
                found[os.path.basename(path)] = path
    return [found[base] for base in sorted(found)]


def _service_entries(
    search: Search, manager: _Manager, service: str, timer: units.Unit
) -> Iterator[Entry]:
    unit, path, by = _unit(search, manager, service)
    if unit is None:
        return
    schedule, zone = units.schedule_of(timer)
    known = _specifiers(manager, service)
    user = manager.user
    if user == "root":
        user = name_of(units.specified(unit.get("User"), known) or "root")
    environment: dict[str, str] = {}
    for line in unit.values.get("Environment", ()):
        environment |= units.environment_of(units.specified(line, known))
    for name in unit.values.get("EnvironmentFile", ()):
        text, others = search.decided(units.specified(name.removeprefix("-"), known), user)
        environment, by = environment | units.environment_file(text or ""), by | others
    given = units.specified(unit.get("WorkingDirectory").removeprefix("-"), known)
    at_home = given == "~" or (not given and manager.own)
    place = "" if at_home else given or "/"
    output, errors = units.outputs_of(unit, service, known)
    if manager.own:  # a user's manager has another journal
        output, errors = (o * (not o.startswith(JOURNAL)) for o in (output, errors))
    for line in unit.values.get("ExecStart", ()):
        for command in units.commands_of(line, known):
            yield Entry(
                schedule, user, command, path, environment, zone, by=by, place=place,
                output=(output, errors),
            )  # fmt: skip
