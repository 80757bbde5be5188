"""See which of a mailbox's messages matter, without reading all of them.

An mbox can be large and old: most of its messages are passed over by the day in their "From " line,
and of the others only the newest of each subject are read. The messages of a Maildir are files.
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
    """Where a message stands in an mbox, in bytes; when it was sent, in seconds since the epoch."""

    start: int
    end: int
    time: float


class Index(NamedTuple):
    """The messages of an mbox by subject, and the last one, if cron may have sent it.

    ``last`` is where that begins: it may be growing.
    """

    subjects: dict[bytes, Messages]
    last: int
    end: Place | None


class Messages:
    """The places of the messages with one subject, of which few are looked at.

    Their numbers stand in one row: of a hundred thousand messages that is quickly made, and takes
    little memory.
    """

    def __init__(self) -> None:
        """Begin without any."""
        from array import array

        self._numbers = array("d")

    def add(self, place: tuple[float, float, float]) -> None:
        """Add one; of very many, only the newest are kept."""
        self._numbers.extend(place)
        if len(self._numbers) >= 6 * _MOST_PLACES:
            newest = list(islice(self.newest_first(_ANY_TIME), _MOST_PLACES))
            del self._numbers[:]
            for kept in reversed(newest):
                self._numbers.extend(kept)

    def __len__(self) -> int:
        """Return how many they are."""
        return len(self._numbers) // 3

    def newest_first(self, latest: float, passed_over: Container[int] = ()) -> Iterator[Place]:
        """Yield them by when they were sent; what was sent after ``latest`` is the last.

        That was dated by a wrong clock. Those of days (since the epoch) that are passed over when
        it is their turn are left out.
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
    """When a message was sent that was delivered on a day: see `when`."""
    date = _date(header)
    if date is not None and -28 < date // 86400 - day <= 0:
        return date  # Whatever the hour that it was delivered.
    delivered = _delivered(found)
    return when(date, delivered) or delivered


def _boundaries(
    mbox: BinaryIO, start: int, oldest: int
) -> Iterator[tuple[int, re.Match[bytes] | None, int, bytes | None]]:
    """Yield where each message begins, its day, and its header if that isn't too old.

    At last comes the end.
    """
    mbox.seek(start)
    # A newline in front, so that every message begins behind one.
    block, base = b"\n", start - 1
    more = True
    while more:
        read = mbox.read(_BLOCK)
        more = len(read) > 0
        block += read
        # Of what begins later the header may not be there yet.
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
    """The subject as it stands there, folded or encoded; ``?`` if it may be further down."""
    start = header.find(b"\nSubject:")  # So it is mostly written, and found quickly.
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
    """The days since the epoch; a day that there isn't is an old one."""
    try:
        return date(int(year), _MONTHS.index(month) // 3 + 1, int(day)).toordinal() - _EPOCH
    except ValueError:
        return 0


def _delivered(found: re.Match[bytes]) -> float:
    month, day, hour, minute, second, year = found.groups(b"00")
    seconds = (int(hour) * 60 + int(minute)) * 60 + int(second)
    return float(_day(year, month, day) * 86400 + seconds)


def _date(header: bytes) -> float | None:
    """The Date of a header in seconds since the epoch; quickly, if others are of the same hour."""
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
    """When an hour began; ``None`` if it is none that `read_date` knows."""
    return read_date(f"{hour.decode('latin-1')}:00:00{zone.decode('latin-1')}")


@lru_cache(maxsize=3600)
def _seconds_of(text: bytes) -> int | None:
    """The seconds of ``MM:SS``."""
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

    Links and pipes are none. What is neither root's, nor of whom the Maildir is, nor of whom this
    process runs as, was not delivered: path and owner of these are returned besides. Raises
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
                continue  # Its reader has moved it.
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
