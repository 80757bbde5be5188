"""See which of a mailbox's messages matter, without reading all of them.

An mbox can be large and old: most of its messages are passed over by the day in their "From " line,
and of the others only the newest of each subject are read. The messages of a Maildir are files.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from datetime import date
from functools import lru_cache

from check_duplicity.duplicity import catalogue
from check_duplicity.runs.model import when
from check_duplicity.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import BinaryIO

_BLOCK = 1 << 20  # bytes read at once
_LONGEST_HEADER = 1 << 16  # bytes: of a longer one the subject may be overlooked
_LONGEST = 1 << 20  # bytes read of the beginning, and of the end, of one message
_MOST_PLACES = 500  # messages of one subject
_MOST_SUBJECTS = 10_000  # the latest
_BOUNDARY = re.compile(
    rb"From [^\n]{0,200}? (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) "
    rb"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +(\d{1,2}) (\d\d):(\d\d)(?::(\d\d))?"
    rb"[^\n]{0,20}? (\d{4})[^\n]{0,20}\n"
)
_CANDIDATE = re.compile(rb"\nFrom ")  # quicker to look for than the whole
_MONTHS = b"JanFebMarAprMayJunJulAugSepOctNovDec"
_CRON = re.compile(rb"Cron|\] (?:Failure|Output): |=\?")
_DATE = re.compile(
    rb"\nDate: +(?:\w{3}, )?(\d{1,2}) (\w{3}) (\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)\b"
)
_SUBJECT = re.compile(rb"\nSubject:", re.I)
_ANY_DATE = rb"(?i)\nDate:([^\n]{0,100})"
_EPOCH = date(1970, 1, 1).toordinal()


class Place(NamedTuple):
    """Where a message stands in an mbox, in bytes, and when it was sent and delivered."""

    start: int
    end: int
    time: float
    delivered: float | None


class Index(NamedTuple):
    """The messages of an mbox by subject, and where the last one begins, which may be growing."""

    subjects: dict[bytes, list[Place]]
    last: int


def index(mbox: BinaryIO, start: int, horizon: float) -> Index:
    """Find the messages that cron may have sent since ``horizon``, in seconds since the epoch.

    ``start`` is where a message begins. The last message is among them.
    """
    subjects: dict[bytes, list[Place]] = {}
    last, subject, time, delivered = start, b"", 0.0, None
    day = int(horizon // 86400) - 2  # The time in the "From " line is a local one.
    for at, found, header in _boundaries(mbox, start, day):
        if subject:
            places = subjects.setdefault(subject, [])
            places.append(Place(last, at, time, delivered))
            if len(places) >= 2 * _MOST_PLACES:
                places.sort(key=lambda place: place.time)
                del places[:_MOST_PLACES]
            if len(subjects) > _MOST_SUBJECTS:
                del subjects[next(iter(subjects))]
        subject = b""
        if found is None:
            break
        last = at
        if header is not None:
            subject = _subject(header)
            if subject:
                delivered = _delivered(found)
                time = when(_date(header), delivered) or delivered
    return Index(subjects, last)


def _boundaries(
    mbox: BinaryIO, start: int, day: int
) -> Iterator[tuple[int, re.Match[bytes] | None, bytes | None]]:
    """Yield where each message begins, with its header if it isn't too old; at last the end."""
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
                recent = _day(found[6], found[1], found[2]) >= day
                yield base + at + 1, found, _header(block, at + 1) if recent else None
        base += keep
        block = block[keep:]
    yield base + len(block), None, None


def _header(block: bytes, start: int) -> bytes:
    end = block.find(b"\n\n", start, start + _LONGEST_HEADER)
    return block[start : end if end >= 0 else start + _LONGEST_HEADER]


def _subject(header: bytes) -> bytes:
    """The subject as it stands there, folded or encoded; empty if cron hasn't written it."""
    found = _SUBJECT.search(header)
    if found is None:
        return b"?" if len(header) >= _LONGEST_HEADER else b""
    start = found.start()
    end = header.find(b"\n", start + 1)
    while end >= 0 and header[end + 1 : end + 2] in (b" ", b"\t"):
        end = header.find(b"\n", end + 1)
    subject = header[start + 9 : end if end >= 0 else len(header)]
    return subject if _CRON.search(subject) or b"Anacron" in subject else b""


@lru_cache(maxsize=1000)
def _day(year: bytes, month: bytes, day: bytes) -> int:
    """The days since the epoch; a day that there isn't is an old one."""
    try:
        return date(int(year), _MONTHS.index(month) // 3 + 1, int(day)).toordinal() - _EPOCH
    except ValueError:
        return 0


def _delivered(found: re.Match[bytes]) -> float:
    month, day, hour, minute, second, year = found.groups()
    seconds = int(hour) * 3600 + int(minute) * 60 + int(second or 0)
    return float(_day(year, month, day) * 86400 + seconds)


def _date(header: bytes) -> float | None:
    """The Date of a header in seconds since the epoch: quickly, for most are written alike."""
    found = _DATE.search(header)
    if found is None or found[2] not in _MONTHS:
        from check_duplicity.runs.mail import read_date

        other = re.search(_ANY_DATE, header)
        return None if other is None else read_date(other[1].decode("latin-1"))
    day, month, year, hour, minute, second, sign, hours, minutes = found.groups()
    zone = (int(hours) * 3600 + int(minutes) * 60) * (-1 if sign == b"-" else 1)
    seconds = int(hour) * 3600 + int(minute) * 60 + int(second)
    return float(_day(year, month, day) * 86400 + seconds - zone)


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
    encoded = b"base64" in raw or b"quoted-printable" in raw
    return encoded or re.search(f"(?i){catalogue.ITS_OWN}".encode(), raw) is not None


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
