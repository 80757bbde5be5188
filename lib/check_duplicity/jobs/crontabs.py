"""Read crontabs (crontab(5) of Debian's cron and cronie)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from check_duplicity.values import NamedTuple

_NAMES = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mon|tue|wed|thu|fri|sat|sun"
_TIMES = rf"(?:[\d*/,\-~]|{_NAMES})+"
_ENTRY = re.compile(
    rf"-?(?P<schedule>@[a-z]+|{_TIMES}(?:[ \t]+{_TIMES}){{4}})[ \t]+(?P<rest>\S.*)",
    re.I,
)
_VARIABLE = re.compile(r"""["']?([A-Za-z_]\w*)["']?\s*=\s*(.*)""")
_ALIASES = {"@annually": "@yearly", "@midnight": "@daily"}


class Entry(NamedTuple):
    """A command that cron or a timer starts.

    ``schedule`` is a cron expression, empty if it isn't known; ``time_zone`` that of its times,
    empty for the machine's. ``origin`` is its file, with the line in a crontab. ``active`` is false
    if it is commented out. ``by`` are the users besides root who decide it. ``place`` is the
    directory that it starts in, empty for the user's home. ``timer`` is the file of the timer that
    starts it, if one does, and ``off`` the reason if that timer doesn't start it. ``output`` is
    where its standard output and error go, as a job's file names that, empty if that can't be read;
    ``None``: cron mails them.
    """

    schedule: str
    user: str
    command: str
    origin: str
    environment: Mapping[str, str] = {}
    time_zone: str = ""
    active: bool = True
    by: frozenset[str] = frozenset()
    place: str = ""
    timer: str = ""
    off: str = ""
    output: tuple[str, str] | None = None


def read_crontab(text: str, origin: str, user: str = "") -> Iterator[Entry]:
    """Yield the entries of a user's crontab; without a user, of a crontab that names the users.

    Entries that are commented out are yielded, too. Other lines are skipped.
    """
    environment: dict[str, str] = {}
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        active = not line.startswith("#")
        entry = _ENTRY.fullmatch(line.lstrip("# \t"))
        variable = _VARIABLE.fullmatch(line)
        if entry is not None:
            owner, command = (user, entry["rest"]) if user else _split_user(entry["rest"])
            if command:
                schedule = _ALIASES.get(entry["schedule"], entry["schedule"])
                zone = environment.get("CRON_TZ", "")
                yield Entry(
                    schedule, owner, _plain(command), f"{origin}:{number}", dict(environment),
                    zone, active,
                )  # fmt: skip
        elif active and variable is not None:
            environment[variable[1]] = _unquoted(variable[2].rstrip())


def _split_user(rest: str) -> tuple[str, str]:
    user, command = (*rest.split(None, 1), "", "")[:2]
    if re.fullmatch(r"[A-Za-z_][\w.-]*\$?", user):
        return user, command.strip()
    return "", ""


def _plain(command: str) -> str:
    """Return a command as the shell gets it: text after an unescaped % is its input."""
    return re.split(r"(?<!\\)%", command)[0].replace("\\%", "%").strip()


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value
