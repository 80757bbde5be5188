"""Parse the prefix that programs write before a log line: time, host, program, level. Pure.

Known are the forms of journalctl (short, short-iso, short-precise, short-unix), syslog (RFC 3164
and 5424), moreutils' ``ts``, ``logger``, ``docker logs -t``, docker compose and swarm, the
kubelet, backupninja, Python's logging, duplicity's own ``--log-timestamp``, and scripts'
combinations of dates, levels and brackets. A prefix is a sequence of parts, each of which has its
letter in a *form* (``TI`` is a time and a program's name). One line doesn't always show where its
prefix ends: `cuts` returns the possible ends.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from functools import lru_cache

from check_duplicity.values import NamedTuple

_MOST_PARTS = 6
_REPEATED = 2048  # cached lines: a job's output is mostly the same every night
_CLOCK = r"\d\d?:\d\d:\d\d(?:[.,]\d{1,9})?"
_ZONE = r"(?: ?(?:Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)(?![\w:]))?"
_WORD = r"[^\W\d_]{1,9}\.?"  # a month or a day of the week, in any language
# The rest of date(1)'s output, behind the hour.
_OF_DATE = r"(?: [AP]M)?(?: [A-Z]{2,5}(?= \d{4}))?(?: \d{4}(?![\d:]))?"
_TIME = "|".join(
    (
        rf"\d{{4}}[-/.]\d\d[-/.]\d\d[T _-]{_CLOCK}{_ZONE}",
        rf"{_WORD} \d{{4}}-\d\d-\d\d {_CLOCK} [A-Z]{{2,5}}",  # journalctl's short-full
        rf"\d{{8}}[T _-]?(?:{_CLOCK}|\d{{6}}){_ZONE}",
        rf"\d\d?[-/.](?:\d\d?|{_WORD})[-/.]\d{{4}}[: T]{_CLOCK}{_ZONE}",
        rf"(?:{_WORD},? )?{_WORD} [ \d]?\d {_CLOCK}{_OF_DATE}",
        rf"(?:{_WORD},? )?\d\d?\.? {_WORD} (?:\d{{4}} )?{_CLOCK}(?: [+-]\d{{4}})?{_OF_DATE}",
        r"1\d{9}(?:[.,]\d{1,9}|\d{3}|\d{6})?",
        _CLOCK,
    )
)
_LEVELS = (
    "debug|info|information|notice|warn|warning|err|error|crit|critical|alert|emerg|fatal|halt"
)
_LEVEL = rf"(?:{_LEVELS}|{_LEVELS.upper()}|{_LEVELS.title()}|[IWEDN])"
_NAME = r"[^\s\[\]():|<>{}\"']{1,64}"
_HOST = r"[\w.-]{1,255}"
_DATA = r"(?:-|(?:\[(?:[^\]\\]|\\.){0,400}\]){1,9})"
# Only one blank behind most parts belongs to the prefix: the text may begin with blanks.
_PARTS = {
    "P": r"<\d{1,3}>",
    "V": r"<\d{1,3}>1 ",
    "T": rf"(?P<open>[\[(<] ?)?(?P<time>{_TIME})(?(open) ?[\])>]|(?!\w))"
    r" ?(?:(?:[:,;|>-]|[=-]>|>>|--)(?: |$))?",
    # The program's own time, behind its name: duplicity's --log-timestamp, too.
    "t": rf"[\[(]?(?:{_TIME})(?!\w)[\])]? ?",
    # RFC 5424: host, program, its process, the message's name, structured data.
    "S": rf" ?(?P<host>\S{{1,255}}) (?P<name>{_NAME}) \S{{1,128}} \S{{1,32}} {_DATA}(?: \ufeff?|$)",
    "I": rf" ?(?:(?P<host>{_HOST}) )?(?P<name>{_NAME})\[\d{{1,10}}\]:(?: |$)",
    "H": rf" ?(?P<host>{_HOST}) (?P<name>{_NAME}):(?: |$)",
    "N": rf"(?!{_LEVEL} {{0,40}}\|)(?P<name>[\w.@-]{{1,128}}) {{0,40}}\|(?: |$)",
    "F": r" ?(?:stdout|stderr) [FP](?: |$)",
    "L": rf" ?(?:(?:\[ ?{_LEVEL} ?\]|\({_LEVEL}\)|<{_LEVEL}>):?|{_LEVEL}(?::| {{0,8}}[|>-](?= )))"
    r"(?: +|$)",
    # A plain word is a level only behind a time; not before a number, as in the machine log.
    "W": rf" ?{_LEVEL}(?: +(?!\d{{1,4}}(?: |$))|$)",
    "M": r" ?[\w.-]{1,64}(?::| [-|>])(?: |$)",
    "B": r" ?(?:\[[^\]\[]{1,80}\]|\([^()]{1,80}\))[:,]?(?: |$)",
}
_PART = {letter: re.compile(pattern) for letter, pattern in _PARTS.items()}
_WHOSE = "SIHN"  # parts that name the source of a line: one of them is enough
_NEXT = {"": "VPTNLI", "V": "T", "VT": "S"}
_BEHIND = "TtFINLWBHM"
_BEGINS = re.compile(rf"{_WORD},? (?:{_WORD} )?[ \d][ \d]|{_LEVEL}[:\]|> -]")


@lru_cache(maxsize=64)
def _whole(form: str) -> tuple[Callable[[str], re.Match[str] | None], tuple[str, ...]]:
    """Return the matcher for a form's prefix, and its groups that name the source of the line.

    No two parts of a form name the same group.
    """
    pattern = re.compile("".join(_PARTS[letter] for letter in form))
    return pattern.match, tuple(name for name in ("host", "name") if name in pattern.groupindex)


def cut_of(line: str, form: str) -> Cut | None:
    """Return where the prefix of a line ends if it has this form: quicker than `cuts`."""
    match, whose = _whole(form)
    found = match(line)
    if found is None:
        return None
    source = " ".join(filter(None, found.group(*whose))) if len(whose) == 2 else ""
    if len(whose) == 1:
        source = found[whose[0]] or ""
    time = found["time"] if "T" in form else None
    return Cut(found.end(), form, time or "", source)


class Cut(NamedTuple):
    """A possible end of a prefix, with its form, its time as written there, and its source."""

    end: int
    form: str
    time: str = ""
    source: str = ""


@lru_cache(maxsize=_REPEATED)
def cuts(line: str) -> tuple[Cut, ...]:
    """Return the possible ends of a line's prefix, the shortest first; empty without a prefix."""
    found: list[Cut] = []
    if line and (
        line[:1] in "<[(0123456789" or "|" in line or "]: " in line or _BEGINS.match(line)
    ):
        cut = Cut(0, "")
        while len(found) < _MOST_PARTS and (cut := _longer(line, cut)).end:
            found.append(cut)
    return tuple(found)


def _longer(line: str, cut: Cut) -> Cut:
    """Return a prefix with one more part; one without an end if there is none."""
    for letter, match in _behind(cut.form):
        part = match(line, cut.end)
        if part and part.end() > cut.end:
            return _cut(part, cut, letter)
    return Cut(0, "")


@lru_cache(maxsize=256)
def _behind(form: str) -> tuple[tuple[str, Callable[[str, int], re.Match[str] | None]], ...]:
    """Return the parts that may follow those of a form."""
    letters = (letter for letter in _NEXT.get(form, _BEHIND) if _fits(letter, form))
    return tuple((letter, _PART[letter].match) for letter in letters)


def _cut(part: re.Match[str], before: Cut, letter: str) -> Cut:
    if not part.re.groupindex:
        return Cut(part.end(), before.form + letter, before.time, before.source)
    said = part.groupdict()
    whose = " ".join(filter(None, (said.get("host"), said.get("name"))))
    time = said.get("time") or before.time
    return Cut(part.end(), before.form + letter, time, whose or before.source)


def _fits(letter: str, form: str) -> bool:
    if letter in _WHOSE and any(other in form for other in _WHOSE):
        return False
    if letter in "HMW" and "T" not in form:
        return False
    if letter == "t" and not any(other in form for other in ("T", *_WHOSE)):
        return False
    return letter not in form or (letter == "B" and form.count("B") < 2)


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_EPOCH_TIME = re.compile(r"(1\d{9})(?:[.,]?(\d{1,9}))?$")
_CLOCK_TIME = re.compile(r"(\d\d?):(\d\d):(\d\d)(?:[.,]\d+)?(?: ([AP])M)?")
_DATES = (
    re.compile(rf"(?:{_WORD} )?(?P<year>\d{{4}})[-/.]?(?P<month>\d\d)[-/.]?(?P<day>\d\d)[T _-]?"),
    re.compile(rf"(?P<day>\d\d?)[-/. ]+(?P<month>\d\d?|{_WORD})[-/. ]+(?P<year>\d{{4}})?[: T]*"),
    re.compile(rf"(?:{_WORD},? )?(?P<month>{_WORD}) +(?P<day>\d\d?) "),
    re.compile(rf"(?:{_WORD},? )?(?P<day>\d\d?)\.? (?P<month>{_WORD}) (?P<year>\d{{4}})? ?"),
)
_OFFSET = re.compile(r"(?:(Z|UTC|GMT)|([+-])(\d\d):?(\d\d)?)$")


@lru_cache(maxsize=64)
def instant(text: str, latest: float) -> float | None:
    """Return a prefix's time in seconds since the epoch, ``None`` if it has no date.

    The default zone is this machine's; without a year it is the last such day before ``latest``.
    """
    epoch = _EPOCH_TIME.match(text)
    if epoch:
        return float(epoch[1])
    try:
        return _instant(text, latest)
    except (ValueError, OverflowError, OSError):
        return None


def _instant(text: str, latest: float) -> float | None:
    date = next(filter(None, (form.match(text) for form in _DATES)), None)
    if date is None:
        return None
    said = date.groupdict()
    month = _month(said["month"])
    rest = text[date.end() :]
    if len(rest) >= 6 and rest[:6].isdigit():
        rest = f"{rest[:2]}:{rest[2:4]}:{rest[4:]}"
    clock = _CLOCK_TIME.match(rest)
    if clock is None:
        return None
    hour = int(clock[1]) % 12 + (12 if clock[4] == "P" else 0) if clock[4] else int(clock[1])
    year = said.get("year") or (re.findall(r"(?<= )\d{4}$", rest) or [""])[0]
    days = int(said["day"]), hour, int(clock[2]), int(clock[3])
    zone = _zone(rest[clock.end() :])
    if year:
        return datetime(int(year), month, *days, tzinfo=zone).timestamp()
    this = datetime.fromtimestamp(latest, timezone.utc).year
    found = [
        datetime(y, month, *days, tzinfo=zone).timestamp()
        for y in (this + 1, this, this - 1)
        if not (month == 2 and days[0] == 29) or y % 4 == 0
    ]
    return next((time for time in found if time <= latest), None)


def _month(text: str) -> int:
    """Return a month's number from its number or its English name. Raises `ValueError`."""
    return int(text) if text.isdigit() else _MONTHS.index(text[:3].lower()) + 1


def _zone(text: str) -> timezone | None:
    offset = _OFFSET.search(text)
    if offset is None:
        return None
    if offset[1]:
        return timezone.utc
    minutes = int(offset[3]) * 60 + int(offset[4] or 0)
    return timezone(timedelta(minutes=-minutes if offset[2] == "-" else minutes))
