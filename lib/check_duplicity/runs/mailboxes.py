"""Find the relevant messages of a mailbox, without reading all of them.

An mbox can be large and old: most of its messages are skipped by the day in their "From " line, and
of the others only the newest of each subject are read. The messages of a Maildir are files.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Container, Iterator
from datetime import date
from functools import lru_cache
from itertools import islice

from check_duplicity.duplicity import catalogue
from check_duplicity.runs.mail import read_date
from check_duplicity.runs.model import when
from check_duplicity.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import BinaryIO

_BLOCK = 1 << 20  # bytes read at once
_LONGEST_HEADER = 1 << 16  # bytes: of a longer one the subject may be overlooked
_LONGEST_BOUNDARY = 300  # bytes
_LONGEST = 1 << 20  # bytes read of the beginning, and of the end, of one message
_MOST_PLACES = 10_000  # messages of one subject
_ANY_TIME = 1e12  # seconds since the epoch
_MOST_SUBJECTS = 10_000  # the latest
_BOUNDARY = re.compile(
    rb"From [^\n]{0,200}? (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) "
    rb"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +(\d{1,2}) (\d\d):(\d\d)(?::(\d\d))?"
    rb"[^\n]{0,20}? (\d{4})[^\n]{0,20}\n"
)
_CANDIDATE = re.compile(rb"\nFrom ")  # quicker to look for than the whole
_MONTHS = b"JanFebMarAprMayJunJulAugSepOctNovDec"
_CRON = re.compile(rb"Cron|\] (?:Failure|Output): |=\?")
_SUBJECT = re.compile(rb"\nSubject:", re.I)
_MAY_BE = re.compile(f"(?i){catalogue.ITS_NAME}|{catalogue.ITS_OWN}".encode())
_DATE = re.compile(rb"\nDate:([^\n]{0,100})", re.I)
_DATED = b"\nDate: "
_USUAL = b"Sat, 28 Nov 2026 02:00:01 +0100"
_MINUTES = re.compile(rb"([0-5]\d):([0-5]\d)")
_EPOCH = date(1970, 1, 1).toordinal()


class Place(NamedTuple):
    """Where a message is in an mbox, in bytes, and when it was sent, in seconds since the epoch."""

    start: int
    end: int
    time: float


class Index(NamedTuple):
    """The messages of an mbox by subject, and the last one, if cron may have sent it.

    ``last`` is where the last message begins: it may be growing.
    """

    subjects: dict[bytes, Messages]
    last: int
    end: Place | None


class Messages:
    """The places of the messages with one subject, of which few are read.

    All numbers are in one array: fast and small even for a hundred thousand messages.
    """

    def __init__(self) -> None:
        """Begin without any."""
        from array import array

        self._numbers = array("d")

    def add(self, place: tuple[float, float, float]) -> None:
        """Add a place; of very many, only the newest are kept."""
        self._numbers.extend(place)
        if len(self._numbers) >= 6 * _MOST_PLACES:
            newest = list(islice(self.newest_first(_ANY_TIME), _MOST_PLACES))
            del self._numbers[:]
            for kept in reversed(newest):
                self._numbers.extend(kept)

    def __len__(self) -> int:
        """Return the number of messages."""
        return len(self._numbers) // 3

    def newest_first(self, latest: float, passed_over: Container[int] = ()) -> Iterator[Place]:
        """Yield the places, newest first; those later than ``latest`` come last.

        A wrong clock dated those. Messages of the days (since the epoch) in ``passed_over`` are
        skipped; the caller may add days during the iteration.
        """
        times = [0 if time > latest else time for time in self._numbers[2::3]]
        for count in sorted(range(len(times)), key=times.__getitem__)[::-1]:
            if times[count] // 86400 not in passed_over:
                start, end, time = self._numbers[3 * count : 3 * count + 3]
                yield Place(int(start), int(end), time)


def index(mbox: BinaryIO, start: int, horizon: float) -> Index:
    """Find the messages that cron may have sent since ``horizon``, in seconds since the epoch.

    ``start`` is where a message begins.
    """
    subjects: dict[bytes, Messages] = {}
    last, subject, time, at = start, b"", 0.0, start
    oldest = int(horizon // 86400) - 2  # The time in the "From " line is a local one.
    for at, found, day, header in _boundaries(mbox, start, oldest):
        if found is None:
            break
        if subject:
            messages = subjects.get(subject)
            if messages is None:
                if len(subjects) >= _MOST_SUBJECTS:
                    del subjects[next(iter(subjects))]
                messages = subjects[subject] = Messages()
            messages.add((last, at, time))
        last = at
        subject = b"" if header is None else _subject(header)
        if header is not None and subject and (subject in subjects or _is_crons(subject)):
            time = _sent(header, day, found)
        else:
            subject = b""
    return Index(subjects, last, Place(last, at, time) if subject else None)


def _sent(header: bytes, day: int, found: re.Match[bytes]) -> float:
    """Return when a message was sent; ``day`` is its day of delivery. See `when`."""
    date = _date(header)
    if date is not None and -28 < date // 86400 - day <= 0:
        return date  # The hour of delivery doesn't matter.
    delivered = _delivered(found)
    return when(date, delivered) or delivered


def _boundaries(
    mbox: BinaryIO, start: int, oldest: int
) -> Iterator[tuple[int, re.Match[bytes] | None, int, bytes | None]]:
    """Yield where each message begins, its day, and its header, unless it is too old.

    The last item is the end of the mbox.
    """
    mbox.seek(start)
    # A newline comes first, so that every message has one before it.
    block, base = b"\n", start - 1
    more = True
    while more:
        read = mbox.read(_BLOCK)
        more = len(read) > 0
        block += read
        # The header of a message that begins later may be incomplete.
        complete = len(block) - (_LONGEST_HEADER if more else 0)
        keep = max(0, complete)
        for candidate in _CANDIDATE.finditer(block):
            at = candidate.start()
            if at >= complete:
                keep = at
                break
            found = _BOUNDARY.match(block, at + 1)
            if found:
                day = _day(*found.group(6, 1, 2))
                yield base + at + 1, found, day, _header(block, at + 1) if day >= oldest else None
        base += keep
        block = block[keep:]
    yield base + len(block), None, 0, None


def _header(block: bytes, start: int) -> bytes:
    end = block.find(b"\n\n", start, start + _LONGEST_HEADER)
    return block[start : end if end >= 0 else start + _LONGEST_HEADER]


def _subject(header: bytes) -> bytes:
    """Return the raw subject, folded or encoded; ``?`` if it may be further down."""
    start = header.find(b"\nSubject:")  # The usual spelling, which is found quickly.
    if start < 0:
        found = _SUBJECT.search(header)
        if found is None:
            return b"?" if len(header) >= _LONGEST_HEADER else b""
        start = found.start()
    end = header.find(b"\n", start + 1)
    while end >= 0 and header[end + 1 : end + 2] in (b" ", b"\t"):
        end = header.find(b"\n", end + 1)
    return header[start + 9 : end if end >= 0 else len(header)]


def _is_crons(subject: bytes) -> bool:
    """Whether cron may have written a subject, which may be encoded."""
    return subject == b"?" or bool(_CRON.search(subject)) or b"Anacron" in subject


@lru_cache(maxsize=1000)
def _day(year: bytes, month: bytes, day: bytes) -> int:
    """Return the days since the epoch; an impossible day counts as old."""
    try:
        return date(int(year), _MONTHS.index(month) // 3 + 1, int(day)).toordinal() - _EPOCH
    except ValueError:
        return 0


def _delivered(found: re.Match[bytes]) -> float:
    month, day, hour, minute, second, year = found.groups(b"00")
    seconds = (int(hour) * 60 + int(minute)) * 60 + int(second)
    return float(_day(year, month, day) * 86400 + seconds)


def _date(header: bytes) -> float | None:
    """Return a header's Date in seconds since the epoch; fast for dates of the same hour."""
    at = header.find(_DATED) + len(_DATED)
    text = header[at : at + len(_USUAL) + 1]
    usual = at >= len(_DATED) and len(text.rstrip(b"\n")) == len(_USUAL)
    if usual and text[19:23:3] == b"::":
        begin, rest = _begin_of(text[:19], text[25:31]), _seconds_of(text[20:25])
        if begin is not None and rest is not None:
            return begin + rest
    other = _DATE.search(header)
    return None if other is None else read_date(other[1].decode("latin-1"))


@lru_cache(maxsize=1000)
def _begin_of(hour: bytes, zone: bytes) -> float | None:
    """Return when an hour began; ``None`` if `read_date` can't read it."""
    return read_date(f"{hour.decode('latin-1')}:00:00{zone.decode('latin-1')}")


@lru_cache(maxsize=3600)
def _seconds_of(text: bytes) -> int | None:
    """Return the seconds of ``MM:SS``."""
    found = _MINUTES.fullmatch(text)
    return int(found[1]) * 60 + int(found[2]) if found else None


def delivered(mbox: BinaryIO, place: Place) -> float | None:
    """Return when a message was delivered, by its "From " line, in seconds since the epoch."""
    mbox.seek(place.start)
    found = _BOUNDARY.match(mbox.read(_LONGEST_BOUNDARY))
    return _delivered(found) if found else None


def message(mbox: BinaryIO, place: Place) -> bytes:
    """Return a message without its "From " line; of a very long one the beginning and the end."""
    mbox.seek(place.start)
    raw = mbox.read(min(place.end - place.start, _LONGEST))
    if place.end - place.start > 2 * _LONGEST:
        mbox.seek(place.end - _LONGEST)
        raw += b"\n\n" + mbox.read(_LONGEST)
    elif place.end - place.start > _LONGEST:
        raw += mbox.read(place.end - place.start - _LONGEST)
    return raw[raw.find(b"\n") + 1 :]


def may_be_duplicity(raw: bytes) -> bool:
    """Whether a message can be duplicity's, without reading all of it."""
    encoded = b"base64" in raw or b"quoted-printable" in raw or b"=?" in raw
    return encoded or _MAY_BE.search(raw) is not None


def maildir(
    directory: str, horizon: float
) -> tuple[list[tuple[str, str, float, int]], list[tuple[str, int]]]:
    """Return the messages of a Maildir since ``horizon``: unique name, path, delivery, and size.

    Links and pipes don't count. Only files of root, of the Maildir's owner and of this process's
    user can have been delivered: path and owner of other files are returned separately. Raises
    `OSError`.
    """
    found, others = [], []
    for folder in ("new", "cur"):
        place = os.path.join(directory, folder)
        owners = (os.stat(place).st_uid, os.geteuid(), 0)
        for entry in os.scandir(place):
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # The user's mail program has moved it.
            if not stat.S_ISREG(status.st_mode) or status.st_mtime < horizon:
                continue
            if status.st_uid not in owners:
                others.append((entry.path, status.st_uid))
                continue
            name = entry.name.partition(":")[0]
            found.append((name, entry.path, status.st_mtime, status.st_size))
    return sorted(found), sorted(others)


def maildir_message(path: str) -> bytes:
    """Return a message of a Maildir, of a very long one the beginning and the end."""
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(file, "rb") as opened:
        size = os.fstat(file).st_size
        raw = opened.read(_LONGEST)
        if size > _LONGEST:
            opened.seek(max(_LONGEST, size - _LONGEST))
            raw += (b"\n\n" if size > 2 * _LONGEST else b"") + opened.read(_LONGEST)
    return raw
