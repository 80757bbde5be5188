"""Read what starts jobs: crontabs (crontab(5) of Debian's cron and cronie), systemd's units."""

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
_DAYS = {"mon": "1", "tue": "2", "wed": "3", "thu": "4", "fri": "5", "sat": "6", "sun": "0"}
_WEEKDAYS = r"[A-Za-z]{3}(?:\.\.[A-Za-z]{3})?"
_CALENDAR = re.compile(
    rf"(?:({_WEEKDAYS}(?:,{_WEEKDAYS})*) +)?"
    r"(?:\*-\*-(\*|\d{1,2}) +)?(\d{1,2}):(\d{2})(?::\d{2})?"
)


class Entry(NamedTuple):
    """Something that is started by the clock.

    ``schedule`` is a cron expression, empty if it isn't known; ``time_zone`` that of its times,
    empty for the machine's. ``origin`` is where it stands. ``active`` tells whether it is one, and
    not commented out. ``by`` are the users besides root who decide it.
    """

    schedule: str
    user: str
    command: str
    origin: str
    environment: Mapping[str, str] = {}
    time_zone: str = ""
    active: bool = True
    by: frozenset[str] = frozenset()


def read_crontab(text: str, origin: str, user: str = "") -> Iterator[Entry]:
    """Yield the entries of a crontab: a user's, or if no user is given, one that names the users.

    What is commented out is an entry, too, if it would be one otherwise. Other lines are passed
    over.
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
    """A command as the shell gets it: what stands behind an unescaped % is its input."""
    return re.split(r"(?<!\\)%", command)[0].replace("\\%", "%").strip()


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value


class Unit(NamedTuple):
    """What a unit of systemd says (systemd.service(5), systemd.timer(5)): values by key."""

    values: Mapping[str, tuple[str, ...]]

    def get(self, key: str) -> str:
        """Return the last value of a key, empty if it has none."""
        return self.values.get(key, ("",))[-1]


def read_unit(text: str) -> Unit:
    """Read a unit: ``Key=value``, continued by backslashes; an empty value forgets those before."""
    values: dict[str, tuple[str, ...]] = {}
    for line in re.sub(r"\\\n", " ", text).split("\n"):
        key, equals, value = line.strip().partition("=")
        if not equals or line.lstrip().startswith(("#", ";")):
            continue
        key, value = key.strip(), value.strip()
        values[key] = (*values.get(key, ()), value) if value else ()
    return Unit({key: value for key, value in values.items() if value})


def cron_of_calendar(calendar: str) -> str:
    """Return the cron expression of a timer's ``OnCalendar``, empty if there is none for it."""
    calendar = calendar.strip()
    if calendar in ("minutely", "hourly", "daily", "weekly", "monthly", "yearly", "annually"):
        return (
            _ALIASES.get(f"@{calendar}", f"@{calendar}") if calendar != "minutely" else "* * * * *"
        )
    match = _CALENDAR.fullmatch(calendar)
    if match is None:
        return ""
    days, date, hour, minute = match.groups()
    names = re.findall(r"[A-Za-z]{3}|,|\.\.", (days or "").lower())
    if any(name not in _DAYS and name not in (",", "..") for name in names):
        return ""
    if int(hour) > 23 or int(minute) > 59 or (date and date != "*" and not 0 < int(date) < 32):
        return ""
    if names and date and date != "*":
        return ""  # Both must fit there; in a crontab either.
    weekdays = "".join({"..": "-"}.get(n, _DAYS.get(n, n)) for n in names) or "*"
    return f"{int(minute)} {int(hour)} {int(date) if date and date != '*' else '*'} * {weekdays}"
