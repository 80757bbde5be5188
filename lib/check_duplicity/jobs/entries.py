"""See what the clock starts: crontabs, cron.daily and its likes, systemd's timers.

Nothing is executed but ``crontab -l``; what may not be read is said.
"""

from __future__ import annotations

import glob
import os
import re
import shlex
import subprocess
from collections.abc import Iterable, Iterator

from check_duplicity.jobs.crontabs import Entry, Unit, cron_of_calendar, read_crontab, read_unit
from check_duplicity.jobs.search import Search
from check_duplicity.shell.model import ShellError
from check_duplicity.shell.reading import read_variables
from check_duplicity.system import rights
from check_duplicity.system.user import current, name_of

_PLAIN = re.compile(r"[A-Za-z0-9_-]+")  # the names that cron.d and cron.daily heed
_SPOOLS = ("/var/spool/cron/crontabs", "/var/spool/cron/tabs", "/var/spool/cron")
_SYSTEM = ("/etc/crontab", "/etc/cron.d/*")
_PERIODS = {"hourly": "@hourly", "daily": "@daily", "weekly": "@weekly", "monthly": "@monthly"}
_UNITS = (
    "/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
)  # fmt: skip


def started(search: Search) -> Iterator[Entry]:
    """Yield all that is started by the clock, or would be if it weren't commented out."""
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
            if text is not None and _PLAIN.fullmatch(os.path.basename(path)):
                entries = _decided(read_crontab(text, path), by)
                yield from (entry for entry in entries if entry.user)


def _decided(entries: Iterable[Entry], by: frozenset[str]) -> Iterator[Entry]:
    return (entry._replace(by=entry.by | by) for entry in entries)


def _own_crontab() -> str:
    """The user's own crontab, which only crontab itself may read."""
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
            if _PLAIN.fullmatch(os.path.basename(path)):
                yield Entry(schedule, "root", path, f"/etc/cron.{period}")


def _timer_entries(search: Search) -> Iterator[Entry]:
    names = {os.path.basename(p) for d in _UNITS for p in search.glob(f"{d}/*.timer")}
    for name in sorted(names):
        timer, _, by = _unit(search, name)
        if timer is not None:
            service = timer.get("Unit") or name.removesuffix(".timer") + ".service"
            yield from _decided(_service_entries(search, service, _calendar(timer)), by)


def _unit(search: Search, name: str) -> tuple[Unit | None, str, frozenset[str]]:
    """A unit with its drop-ins (systemd.unit(5)), its path, and who decides it."""
    path = next((p for d in _UNITS for p in search.glob(f"{d}/{glob.escape(name)}")), "")
    text, by = search.decided(path) if path else (None, rights.NOBODY)
    if text is None:
        return None, path, by
    for drop_in in _drop_ins(search, name):
        more, others = search.decided(drop_in)
        text, by = f"{text}\n{more or ''}", by | others
    return read_unit(text), path, by


def _drop_ins(search: Search, name: str) -> list[str]:
    """The drop-ins of a unit in their order: those of its type, its name's beginnings, its name.

    Of two with the same name the more special one counts, and /etc before the others.
    """
    stem, _, kind = name.rpartition(".")
    template = [f"{stem.partition('@')[0]}@.{kind}"] if "@" in stem else []
    beginnings = [f"{stem[: match.end()]}.{kind}" for match in re.finditer("-", stem)]
    found: dict[str, str] = {}
    for of in (kind, *beginnings, *template, name):
        for directory in _UNITS[::-1]:
            for path in search.glob(f"{directory}/{glob.escape(of)}.d/*.conf"):
                found[os.path.basename(path)] = path
    return [found[base] for base in sorted(found)]


def _calendar(timer: Unit) -> str:
    times = timer.values.get("OnCalendar", ())
    return cron_of_calendar(times[0]) if len(times) == 1 else ""


def _service_entries(search: Search, service: str, schedule: str) -> Iterator[Entry]:
    unit, path, by = _unit(search, service)
    if unit is None:
        return
    user = name_of(unit.get("User") or "root")
    environment: dict[str, str] = {}
    for line in unit.values.get("Environment", ()):
        environment |= _of_unit(line)
    for name in unit.values.get("EnvironmentFile", ()):
        text, others = search.decided(name.removeprefix("-"), user)
        environment, by = environment | _assignments(text or ""), by | others
    for command in unit.values.get("ExecStart", ()):
        words = command.lstrip("-@:+!")
        yield Entry(schedule, user, words, path, environment, by=by)


def _of_unit(line: str) -> dict[str, str]:
    """The variables in an ``Environment=`` (systemd.exec(5)): quoted, and nothing replaced."""
    try:
        words = shlex.split(line)
    except ValueError:
        return {}
    return {name: value for name, equals, value in (w.partition("=") for w in words) if equals}


def _assignments(text: str) -> dict[str, str]:
    try:
        return read_variables(text)
    except ShellError:
        return {}
