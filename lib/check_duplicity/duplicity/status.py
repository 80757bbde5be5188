"""Read a collection from a machine log, from saved ``collection-status`` text, or from a listing.

The machine log (``--log-fd``, ``--log-file``) is in UTC. At ``-v9`` it has the names of all files
in one line, in every version from 0.8 to 3.2, unless that line is translated. Its ``INFO 3`` block,
never translated, has the chains. The text on standard output is translated and in local time
without a zone, and its wording has changed twice. This module relies only on its stable parts:
``time.asctime``, which Python never translates, the rules, the order of the lines, and the word
"cleanup", a command.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone, tzinfo

from check_duplicity.duplicity.collection import BackupSet, Collection, Spoiled, link
from check_duplicity.duplicity.listed_sizes import name_last, read_sizes
from check_duplicity.duplicity.names import (
    Archive,
    Prefixes,
    read_names,
    read_stamp,
    without_unfinished,
)
from check_duplicity.duplicity.sizes import find_spoiled, group
from check_duplicity.nagios.findings import CannotSee, Kind
from check_duplicity.values import TYPE_CHECKING

if TYPE_CHECKING:
    from check_duplicity.duplicity.names import Key

# English only: other lines end in a list, too, such as a server's list of authentication methods.
_NAMES = re.compile(r"^\. Extracting backup chains from list of files: \[(.*)\]$", re.M)
_QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")

_BLOCK = re.compile(
    r"^INFO 3 *\n((?:(?!INFO 3 *$)[^.\n].*\n)*?)"
    r"orphaned-sets-num (\d{1,9})\nincomplete-sets-num (\d{1,9})$",
    re.M,
)
_BLOCK_SET = re.compile(r"^ (full|inc) (\d{8}T\d{6}Z) (\d{1,9}) (enc|noenc)$", re.A)
_VERSION = re.compile(r"^\. duplicity (\d{1,9})\.", re.M)

_TEXT_HEAD = re.compile(r"^-{17}\n[^\n]*: \w*Backend\w*$", re.M)
_TEXT_RULE = re.compile(r"^-{25}$", re.M)
_TEXT_SET = re.compile(
    r"([A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}) +(\d{1,9})$", re.A
)
_TEXT_LEFT = re.compile(r"^[^\d\n]*(\d{1,9})[^\d\n]*\n[^\d\n]*(\d{1,9})[^\d\n]*\n.*cleanup", re.M)

_PART = 1 << 16  # characters that are split at once
_LONGEST_PATH = 4096
# A name is no longer than file systems allow, and ends with its line or with its closing quote.
_LISTED = re.compile(
    r"(?:duplicity-(?:full|inc|new)|(?<![^\s/\"'])(?:df|di|dfs|dns)\.)[^\s/\"']{0,255}(?=[\"']|\s*$)"
)
# ls -F appends a mark to a name, gsutil ls -a a version.
_MARKS = re.compile(r"(?:[*@]|#\d+)$")
_LISTED_NAME = re.compile(r"duplicity-(?:full|inc|new)[.-]")
_BLANK_OR_QUOTE = re.compile(r"[\s\"']")
_PATH_OR_QUOTE = re.compile(r"[/\"']")
_SIZE = re.compile(r"\d[\d.,]{0,18}[kKMGTPE]?i?B:")  # as name_last writes it before the name
_ANSWERS = (_NAMES, _BLOCK, _TEXT_HEAD)
_FAILED = re.compile(r"^ERROR \d+", re.M)
_NAMES_BEGIN = ". Extracting backup chains from list of files: ["


def read_saved(
    text: str,
    prefixes: Prefixes = Prefixes(),
    archive: Archive | None = None,
    zone: tzinfo | None = None,
) -> Collection:
    """Read saved output: machine log, collection-status text, or any listing of file names.

    ``archive`` adds what only the job's archive directory knows. ``zone`` is the time zone of the
    text; ``None`` is this machine's zone. Raises `CannotSee` if nothing is recognised, if the text
    doesn't show which sets are unfinished, or if one file has runs that differ.
    """
    text = text.replace("\r\n", "\n")
    _refuse_broken(text)
    names = read_names_line(text)
    told = [_told_or_why(read_block, text), _told_or_why(lambda text: read_text(text, zone), text)]
    collections = [other for other in told if isinstance(other, Collection)]
    if names is not None:
        if collections:
            _demand_same([read_names(names, prefixes), *collections])
            names = read_names_line(text)
        return read_names(names or (), prefixes, archive)
    for reason in told:
        if isinstance(reason, CannotSee):
            raise reason
    if collections:
        _demand_same(collections)
        return without_unfinished(collections[0], archive or Archive(), prefixes)
    _refuse_several_directories(text)
    found = read_names(_listed_names(text, prefixes), prefixes)
    if found == Collection():
        raise CannotSee(
            Kind.NOT_RECOGNISED,
            "nothing recognised: neither collection-status output nor duplicity's file names",
        )
    if not found.sets and any(re.search(r"[\s;]", prefix) for prefix in found.other_prefixes):
        text = "words in front of the file names: give a listing of names only, such as ls -1"
        raise CannotSee(Kind.NOT_RECOGNISED, text)
    spoiled = _listed_spoiled(text, prefixes)
    return read_names(_listed_names(text, prefixes), prefixes, archive, spoiled)


def _told_or_why(
    read: Callable[[str], Collection | None], text: str
) -> Collection | CannotSee | None:
    try:
        return read(text)
    except CannotSee as reason:
        return reason


def _demand_same(collections: Sequence[Collection]) -> None:
    """Refuse a file whose parts contradict each other: they are from runs of different days."""
    outlines = {
        (
            tuple((s.start, s.time, s.volumes) for s in collection.sets),
            collection.orphaned,
            collection.incomplete,
        )
        for collection in collections
    }
    if len(outlines) > 1:
        reason = "several runs that differ, or another time zone or prefix: give one run only"
        raise CannotSee(Kind.NOT_RECOGNISED, reason)


def _refuse_broken(text: str) -> None:
    """Refuse a log whose last run has failed or is cut off, whatever earlier runs printed."""
    last = [match.start() for pattern in _ANSWERS if (match := _last(pattern, text))]
    failed, begun = _last(_FAILED, text), text.rfind(_NAMES_BEGIN)
    if last and failed and failed.start() > max(last):
        raise CannotSee(Kind.NOT_RECOGNISED, "the last run in it has failed")
    if begun >= 0 and not _NAMES.match(text, begun):
        raise CannotSee(Kind.NOT_RECOGNISED, "the list of files in it is cut short")


def _refuse_several_directories(listing: str) -> None:
    """Refuse a recursive listing: the files of several jobs would pass for those of one."""
    directories = set(_directories(listing))
    if len(directories) > 1:
        shown = ", ".join(sorted(directories)[:2])
        reason = f"files of {len(directories)} directories in one listing: {shown}"
        raise CannotSee(Kind.NOT_RECOGNISED, reason)


def _lines(text: str) -> Iterator[str]:
    """Yield the lines of a text, split in parts: all at once would need too much memory."""
    start = 0
    while start < len(text):
        stop = text.find("\n", start + _PART) + 1 or len(text)
        yield from text[start:stop].splitlines()
        start = stop


def _directories(listing: str) -> Iterator[str]:
    """Yield the directory of each line's file: in front of its name (find), or above it (ls -R)."""
    above = ""
    for line in map(name_last, _lines(listing)):
        if line.endswith(":"):
            above = line[:-1]
        name = _LISTED.search(line)
        if name is not None:
            before = _BLANK_OR_QUOTE.split(line[: name.start()][-_LONGEST_PATH:])[-1]
            yield before.rpartition("/")[0] or above


def _listed_names(listing: str, prefixes: Prefixes) -> Iterator[str]:
    return (name for name, _ in _listed(listing, prefixes))


def _listed_spoiled(listing: str, prefixes: Prefixes) -> Mapping[Key, tuple[Spoiled, ...]]:
    try:
        sizes = group(read_sizes(_listed(listing, prefixes)))
    except ValueError:
        return {}  # The listing has no sizes, or ambiguous ones.
    return find_spoiled(sizes, prefixes, in_bytes=False)


def _listed(listing: str, prefixes: Prefixes) -> Iterator[tuple[str, str]]:
    """Yield possible file names in a listing, each with the text before it in its line.

    A path or columns of numbers may come before a name; a word is part of the name ("old copy of
    ...").
    """
    expected = sorted({prefixes.volume, prefixes.manifest, prefixes.signature}, key=len)
    for line in map(name_last, _lines(listing)):
        if len(_LISTED_NAME.findall(line)) > 1 and not re.search("[\"']", line):
            reason = "several file names in one line: give one in each, as ls -1 does"
            raise CannotSee(Kind.NOT_RECOGNISED, reason)
        for found in _LISTED.finditer(line):
            before = line[max(0, found.start() - _LONGEST_PATH) : found.start()]
            own = [prefix for prefix in expected if before.endswith(prefix)][-1:] or [""]
            before = before[: len(before) - len(own[0])]
            name = _MARKS.sub("", found[0])
            if not name.endswith("par2"):  # duplicity's par2 backend hides these files from it.
                bare = _without_columns(_PATH_OR_QUOTE.split(before)[-1])
                yield bare + own[0] + name, before


def _without_columns(before: str) -> str:
    """Return the text in front of a name without its columns, if these are only numbers."""
    words = before.split()
    last = words.pop() if before and not before[-1].isspace() else ""
    text = bool(words) and re.search(r"[^\W\d_]", words[-1]) and not _SIZE.fullmatch(words[-1])
    return before if text else last


def has_names(line: str) -> bool:
    """Whether a line of the machine log has the file names."""
    return line.startswith(_NAMES_BEGIN) and line.endswith(("]", "]\n"))


def read_names_line(log: str) -> Iterator[str] | None:
    """Return the file names of the last run in a machine log at -v9; ``None`` if it has none."""
    line = _last(_NAMES, log)
    return None if line is None else _read_list(log, *line.span(1))


def _read_list(text: str, start: int, end: int) -> Iterator[str]:
    """Yield the strings of a list as Python prints it; in parts, since there can be a million."""
    while start < end:
        stop = text.find("', '", start + _PART, end) + 1 or end
        part = text[start:stop]
        names = part[1:-1].split("', '")
        plain = part[0] == part[-1] == "'" and part.count("'") == 2 * len(names)
        if not plain or "\\" in part or '"' in part:
            # Quotes in names: from here on names are searched one by one.
            yield from (_unquoted(quoted[0]) for quoted in _QUOTED.finditer(text, start, end))
            return
        yield from names
        start = stop + len(", ")


def _unquoted(quoted: str) -> str:
    # The list is Python's repr. A literal is slow to evaluate, and hardly any name needs it.
    if "\\" not in quoted:
        return quoted[1:-1]
    import ast

    try:
        return str(ast.literal_eval(quoted))
    except (ValueError, SyntaxError):
        return quoted[1:-1]


def read_block(log: str) -> Collection | None:
    """Read the last ``INFO 3`` block of a machine log; ``None`` if there is none.

    Versions from 3.0 on list unfinished sets among the others, older ones leave them out, and the
    block does not show which rule applies. Raises `CannotSee` if a set is unfinished and the
    version is not known to be older.
    """
    block = _last(_BLOCK, log)
    if block is None:
        return None
    version = _VERSION.search(log)
    orphaned, incomplete = int(block[2]), int(block[3])
    if incomplete and (version is None or int(version[1]) >= 3):
        raise _unsaid(incomplete)
    sets = (_BLOCK_SET.match(line) for line in block[1].splitlines())
    rows = ((row[1] == "full", row[2], row[3], row[4] == "enc") for row in sets if row)
    return _told(_chained(rows, read_stamp), orphaned, incomplete)


def read_text(text: str, zone: tzinfo | None = None) -> Collection | None:
    """Read collection-status text, in any language; ``None`` if it is none.

    ``zone`` is as in `read_saved`. When daylight saving time ends, an hour comes twice: the earlier
    one is assumed, so that no backup seems newer than it is.
    """
    head = _last(_TEXT_HEAD, text)
    if head is None:
        return None
    *parts, tail = _TEXT_RULE.split(text[head.end() :])
    left = _TEXT_LEFT.search(tail)
    if len(parts) % 2 or not (left or _is_whole(tail, bool(parts))):
        raise CannotSee(Kind.NOT_RECOGNISED, "the collection-status text is cut short")
    orphaned, incomplete = (int(left[1]), int(left[2])) if left else (0, 0)
    if incomplete:
        raise _unsaid(incomplete)

    def read_time(text: str) -> datetime:
        local = datetime.strptime(text, "%a %b %d %H:%M:%S %Y")
        return local.replace(tzinfo=zone).astimezone(timezone.utc)

    rows = (row for chain in parts[1::2] for row in _text_rows(chain))
    return _told(_chained(rows, read_time), orphaned, incomplete)


def _is_whole(tail: str, chains: bool) -> bool:
    """Whether the text behind the chains ends with the line that reports no leftovers.

    It is the first line behind the primary chain, the second behind others (after a blank line),
    the third if there are no chains. The line that counts leftovers has two more lines behind it.
    """
    lines = [line for line in tail.splitlines() if line.strip()]
    if not chains:
        lines = lines[2:]  # "Archive dir: ...", "Found 0 secondary backup chains."
    needed = 1 if chains and not tail.startswith("\n\n") else 2
    # Anything may follow: duply's last line, or output of a script.
    last = lines[:needed]
    return len(last) == needed and not any(re.search(r"\d", line) for line in last)


def _text_rows(chain: str) -> Iterator[tuple[bool, str, str, None]]:
    """Yield the rows of one chain; the first is always its full set."""
    rows = [row for row in map(_TEXT_SET.search, chain.splitlines()) if row]
    for position, row in enumerate(rows):
        yield position == 0, row[1], row[2], None


def _chained(
    rows: Iterable[tuple[bool, str, str, bool | None]], read_time: Callable[[str], datetime]
) -> Iterator[BackupSet]:
    """Yield sets from rows (full?, time, number of volumes, encrypted?), each on the previous."""
    before: datetime | None = None
    for full, stamp, volumes, encrypted in rows:
        try:
            time = read_time(stamp)
        except (ValueError, OverflowError, OSError):
            raise CannotSee(Kind.NOT_RECOGNISED, f"there is no such time: {stamp!r}") from None
        if full or before is not None:
            yield BackupSet(None if full else before, time, int(volumes), encrypted=encrypted)
        before = time


def _told(sets: Iterable[BackupSet], orphaned: int, incomplete: int) -> Collection:
    return link(sets)._replace(orphaned=orphaned, incomplete=incomplete)


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    """Return the last match: in a file with several runs, the newest run's."""
    matches = deque(pattern.finditer(text), maxlen=1)
    return matches[0] if matches else None


def _unsaid(incomplete: int) -> CannotSee:
    return CannotSee(
        Kind.NOT_RECOGNISED,
        f"{incomplete} of the sets unfinished, and this output does not say which",
    )
