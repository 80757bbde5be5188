"""Read units of systemd 252: what they start, when, as which user and with which variables.

No shell reads them (systemd.service(5), systemd.exec(5), systemd.time(7), systemd.unit(5)).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping

from check_duplicity.values import NamedTuple

_ALIASES = {
    "minutely": "* * * * *", "hourly": "@hourly", "daily": "@daily", "weekly": "@weekly",
    "monthly": "@monthly", "yearly": "@yearly", "annually": "@yearly",
    "quarterly": "0 0 1 1,4,7,10 *", "semiannually": "0 0 1 1,7 *",
}  # fmt: skip
_DAYS = {"mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6, "sun": 0}
_NUMBERS = r"[0-9*/,.]+"
_WEEKDAYS = r"[A-Za-z]{3,9}(?:(?:\.\.|-|,)[A-Za-z]{3,9}){0,6},?"
_CALENDAR = re.compile(
    rf"(?:({_WEEKDAYS})(?: +|\Z))?(?:(?:\*-)?({_NUMBERS})-({_NUMBERS})(?: +|\Z))?"
    rf"(?:({_NUMBERS}):({_NUMBERS})(?::[0-9]{{1,2}}(?:\.0+)?)?)?"
)
_ZONE = re.compile(r"(.*\S) +(UTC|[A-Z][A-Za-z_]+/[A-Za-z_/+-]+)")
_SPAN = re.compile(r"([0-9]+) *([a-z]*)", re.I)
_SECONDS = {
    "": 1, "s": 1, "sec": 1, "second": 1, "seconds": 1, "m": 60, "min": 60, "minute": 60,
    "minutes": 60, "h": 3600, "hr": 3600, "hour": 3600, "hours": 3600, "d": 86400, "day": 86400,
    "days": 86400, "w": 604800, "week": 604800, "weeks": 604800,
}  # fmt: skip
_TMP = "/tmp"  # noqa: S108  # nosec B108  # what a specifier stands for
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORD_ALONE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
_IN_WORD = re.compile(r"(\$\$|\$\{[A-Za-z_][A-Za-z0-9_]*\})")


class Unit(NamedTuple):
    """A unit: its values by key."""

    values: Mapping[str, tuple[str, ...]]

    def get(self, key: str) -> str:
        """Return the last value of a key, empty if it has none."""
        return self.values.get(key, ("",))[-1]


def read_unit(text: str) -> Unit:
    """Read a unit: ``Key=value``, continued by backslashes; an empty value clears earlier ones."""
    values: dict[str, tuple[str, ...]] = {}
    for line in re.sub(r"\\\n(?:[ \t]*[#;].*\n)*", " ", text).split("\n"):
        key, equals, value = line.strip().partition("=")
        if not equals or line.lstrip().startswith(("#", ";")):
            continue
        key, value = key.strip(), value.strip()
        values[key] = (*values.get(key, ()), value) if value else ()
    return Unit({key: value for key, value in values.items() if value})


# Schedules


def schedule_of(timer: Unit) -> tuple[str, str]:
    """Return the schedule of a timer and its time zone; both empty if it isn't understood."""
    times = timer.values.get("OnCalendar", ())
    read = [cron_of_calendar(calendar) for calendar in times]
    zones = {zone for _, zone in read}
    if read:
        known = all(cron for cron, _ in read) and len(zones) == 1
        return (
            ("; ".join(dict.fromkeys(cron for cron, _ in read)), zones.pop()) if known else ("", "")
        )
    for key in ("OnUnitActiveSec", "OnUnitInactiveSec"):
        seconds = _seconds(timer.get(key))
        if seconds >= 60:
            return f"every {seconds // 60}m" if seconds % 3600 else f"every {seconds // 3600}h", ""
    return "", ""


def cron_of_calendar(calendar: str) -> tuple[str, str]:
    """Return the cron expression of an ``OnCalendar`` and its zone; empty if there is none."""
    calendar, zone = calendar.strip(), ""
    zoned = _ZONE.fullmatch(calendar)
    if zoned:
        calendar, zone = zoned.groups()
    if calendar.lower() in _ALIASES:
        return _ALIASES[calendar.lower()], zone
    match = _CALENDAR.fullmatch(calendar) if len(calendar) < 200 else None
    if match is None or not calendar:
        return "", ""
    weekdays = _days(match[1]) if match[1] else "*"
    fields = [
        _field(match[5] or "0", 0, 59), _field(match[4] or "0", 0, 23),
        _field(match[3] or "*", 1, 31), _field(match[2] or "*", 1, 12), weekdays,
    ]  # fmt: skip
    if "" in fields or (weekdays != "*" and fields[2] != "*"):
        return "", ""  # A timer needs both days to match, a crontab either.
    return " ".join(fields), zone


def _days(text: str) -> str:
    parts = []
    for part in text.strip(",").lower().split(","):
        ends = [_DAYS.get(name[:3]) for name in re.split(r"\.\.|-", part)]
        full = all(_is_day(name) for name in re.split(r"\.\.|-", part))
        if None in ends or len(ends) > 2 or not full:
            return ""
        parts.append("-".join(map(str, ends)))
    return ",".join(parts)


def _is_day(name: str) -> bool:
    names = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    return any(name in (full, full[:3]) for full in names)


def _field(text: str, low: int, high: int) -> str:
    """Return ``00/6``, ``8..18``, ``1,15`` or ``*`` as a crontab writes it; empty for others."""
    parts = []
    for part in text.split(","):
        match = re.fullmatch(r"(?:(\*)|([0-9]{1,2})(?:\.\.([0-9]{1,2}))?)(?:/([0-9]{1,2}))?", part)
        if match is None:
            return ""
        star, first, last, step = match.groups()
        numbers = [int(number) for number in (first, last) if number]
        if any(not low <= number <= high for number in numbers) or step in ("0", "00"):
            return ""
        if star or (step and not last and numbers == [low]):
            whole = "*"
        elif step and not last:
            whole = f"{numbers[0]}-{high}"
        else:
            whole = "-".join(map(str, numbers))
        parts.append(f"{whole}/{int(step)}" if step else whole)
    return ",".join(parts)


def _seconds(span: str) -> int:
    """Return the seconds of a time span like ``1d 12h``; 0 if it isn't one."""
    total, position = 0, 0
    for match in _SPAN.finditer(span[:100]):
        if span[position : match.start()].strip() or match[2].lower() not in _SECONDS:
            return 0
        total += int(match[1]) * _SECONDS[match[2].lower()]
        position = match.end()
    return total if not span[position:].strip() else 0


# Variables and outputs


def specifiers(name: str, user: str, home: str, host: str) -> dict[str, str]:
    """Return the values of ``%i`` and the other specifiers in a unit of a manager's user."""
    stem = name.rpartition(".")[0]
    prefix, at, instance = stem.partition("@")
    return {
        "%": "%", "n": name, "N": stem, "p": prefix, "i": instance if at else "",
        "I": _unescaped(instance), "H": host, "l": host.partition(".")[0], "h": home, "u": user,
        "t": "/run", "S": "/var/lib", "C": "/var/cache", "L": "/var/log", "E": "/etc",
        "T": _TMP,
    }  # fmt: skip


def _unescaped(instance: str) -> str:
    text = instance.replace("-", "/")
    return re.sub(r"\\x([0-9a-f]{2})", lambda match: chr(int(match[1], 16)), text)


def specified(text: str, known: Mapping[str, str]) -> str:
    """Replace the specifiers in a value; unknown ones stay."""
    return re.sub(r"%([%A-Za-z])", lambda match: known.get(match[1], match[0]), text)


def environment_of(line: str) -> dict[str, str]:
    """Return the variables of an ``Environment=``: quotes count, and nothing is replaced."""
    try:
        words = shlex.split(line)
    except ValueError:
        return {}
    return {name: value for name, equals, value in (w.partition("=") for w in words) if equals}


def environment_file(text: str) -> dict[str, str]:
    """Return the variables of an ``EnvironmentFile=``: only quotes and backslashes are special."""
    found: dict[str, str] = {}
    rest = text
    while rest:
        line, _, following = rest.partition("\n")
        key, equals, _ = line.partition("=")
        if not equals or line.lstrip().startswith(("#", ";")):
            rest = following
            continue
        value, rest = _value(rest[len(key) + 1 :])
        if _NAME.fullmatch(key.strip()):
            found[key.strip()] = value
    return found


_PLAIN = re.compile(r"(?:[^\\\n]|\\.|\\\n)*", re.S)
_SINGLE = re.compile(r"'([^']*)(?:'|\Z)")
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)(?:"|\Z|\\\Z)', re.S)


def _value(text: str) -> tuple[str, str]:
    """Return a value, and the text after its line, as systemd's env-file.c reads them.

    A quote counts only at the beginning of a value, or of what follows another quoted part.
    """
    parts = []
    position = 0
    while True:
        while text[position : position + 1] in (" ", "\t"):
            position += 1
        special = text[position : position + 1]
        if special in ("", "\n"):
            break
        match = (_SINGLE if special == "'" else _DOUBLE if special == '"' else _PLAIN).match(
            text, position
        )
        if match is None or match.end() == position:
            break  # a backslash at the very end
        position = match.end()
        if special == "'":
            parts.append(match[1])
        elif special == '"':
            parts.append(re.sub(r"\\(\n|[\"\\`$])", _kept, match[1]))
        else:
            parts.append(re.sub(r"\\(.)", _kept, match[0].rstrip(" \t"), flags=re.S))
    return "".join(parts), text[position + 1 :]


def _kept(match: re.Match[str]) -> str:
    return "" if match[1] == "\n" else match[1]


def outputs_of(unit: Unit, name: str, known: Mapping[str, str]) -> tuple[str, str]:
    """Return where a service's standard output and error go (systemd.exec(5)).

    Each is a path or ``journal:NAME``, or empty if it can't be read.
    """
    output = _output(specified(unit.get("StandardOutput"), known), f"journal:{name}")
    wanted = specified(unit.get("StandardError"), known)
    return output, output if wanted in ("", "inherit") else _output(wanted, f"journal:{name}")


def _output(value: str, journal: str) -> str:
    kind, _, path = value.partition(":")
    if kind in ("file", "append", "truncate"):
        return path
    if kind == "null":
        return "/dev/null"
    kept = ("", "inherit", "journal", "journal+console", "syslog", "syslog+console", "kmsg",
            "kmsg+console")  # fmt: skip
    return journal if kind in kept else ""


# Commands


def commands_of(line: str, known: Mapping[str, str]) -> Iterator[str]:
    """Yield the commands of an ``ExecStart``, each written as a shell's command line."""
    lexer = shlex.shlex(line.lstrip("-@:+!"), posix=True)
    lexer.commenters = ""
    lexer.whitespace_split = True
    words: list[str] = []
    try:
        for word in lexer:
            if word == ";":
                yield " ".join(words)
                words = []
            else:
                words.append(_for_shell(specified(word, known)))
    except ValueError:
        return
    yield " ".join(words)


def _for_shell(word: str) -> str:
    """Quote a word so that a shell replaces what systemd does: ``$NAME`` alone, and ``${NAME}``."""
    if _WORD_ALONE.fullmatch(word):
        return word
    parts = _IN_WORD.split(word)
    if len(parts) == 1:
        return shlex.quote(word)
    return "".join(
        shlex.quote(part) if not place % 2 else "'$'" if part == "$$" else f'"{part}"'
        for place, part in enumerate(parts)
        if part
    )
