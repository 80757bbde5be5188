"""Provide the metadata of a chain: copied from the job's archive directory, or fetched.

duplicity gets a private archive directory, so it takes no lock in the job's. There it finds what it
would otherwise fetch: copies of the chain's manifests, and its signature files by name. A restore
doesn't read signatures, which may have gigabytes: empty files replace them (tried on 0.8.23 to
3.2.1). duplicity doesn't fetch metadata of older chains (``--metadata-sync-mode partial``, its
default).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from check_duplicity.duplicity import volumes
from check_duplicity.duplicity.names import Prefixes, read_name, read_stamp
from check_duplicity.nagios.limits import format_time
from check_duplicity.restore.model import Set, Volume
from check_duplicity.values import TYPE_CHECKING

if TYPE_CHECKING:
    from io import BufferedIOBase

    from check_duplicity.duplicity.collection import BackupSet


_BLOCK = 1 << 20  # bytes


def copy(own: str, private: str, times: Collection[datetime], prefixes: Prefixes) -> bool:
    """Copy the metadata of sets, given by times, from a job's archive directory.

    Returns whether it was complete. Makes the directory ``private``. Never raises `OSError`.
    """
    os.mkdir(private, 0o700)
    manifests, signatures = set(), set()
    with contextlib.suppress(OSError):
        for name in os.listdir(own):
            time, signature = _metadata(name, prefixes)
            if time not in times:
                continue
            to = os.path.join(private, name)
            if signature:
                with open(to, "wb"):
                    signatures.add(time)
            elif _copied(os.path.join(own, name), to):
                manifests.add(time)
    return manifests == signatures == set(times)


def sets(private: str, times: Iterable[datetime], prefixes: Prefixes) -> tuple[Set, ...]:
    """Read the manifests of the given times in a private archive directory, oldest first.

    Raises `OSError` if a manifest is missing.
    """
    paths = {}
    for name in os.listdir(private):
        time, signature = _metadata(name, prefixes)
        if time is not None and not signature:
            paths[time] = os.path.join(private, name)
    found = []
    for time in sorted(times):
        if time not in paths:
            raise OSError(0, f"no manifest of the backup of {time:%Y%m%dT%H%M%SZ}")
        with open(paths[time], "rb") as lines:
            found.append(Set(time, paths[time], volumes.read(lines)))
    return tuple(found)


def missing_volumes(
    chain: Iterable[Set], sets: Iterable[BackupSet]
) -> Iterator[tuple[str, list[Volume]]]:
    """Yield what the destination lacks of each set: a sentence, and the volumes.

    ``sets`` are as the destination's names show them: without the job's archive directory these
    don't tell that the last volumes of a set are gone, but the set's manifest does.
    """
    there = {one.time: one.volumes for one in sets}
    for one in chain:
        numbers = [volume.number for volume in one.manifest.volumes]
        missing = [Volume(one.time, number) for number in numbers if number > there[one.time]]
        if missing:
            count = f"{len(missing)} of {len(numbers)} volumes, the last ones"
            yield f"backup of {format_time(one.time)} lacks {count}", missing


@contextlib.contextmanager
def widened(chain: Iterable[Set], wide: Collection[Volume]) -> Iterator[None]:
    """Make duplicity read the ``wide`` volumes during the block, whatever it restores."""
    with contextlib.ExitStack() as undo:
        for one in chain:
            numbers = [volume.number for volume in wide if volume.time == one.time]
            if not numbers:
                continue
            # Keep the manifest elsewhere: duplicity would complain about a second one here.
            kept = os.path.join(os.path.dirname(os.path.dirname(one.path)), "kept")
            kept = f"{kept}-{one.time:%Y%m%dT%H%M%SZ}"
            os.rename(one.path, kept)
            undo.callback(os.replace, kept, one.path)
            with open(kept, "rb") as lines, open(one.path, "wb") as new:
                new.writelines(volumes.widened(lines, numbers))
        yield


def signatures_of(directory: str, time: datetime, prefixes: Prefixes) -> tuple[str, int]:
    """Return the path of a set's signatures in an archive directory, and their size in bytes.

    Return ``""`` and 0 if the file is missing or can't be read.
    """
    with contextlib.suppress(OSError):
        for name in os.listdir(directory):
            if _metadata(name, prefixes) == (time, True):
                path = os.path.join(directory, name)
                return path, os.path.getsize(path)
    return "", 0


def same_contents(one: str, other: str) -> bool:
    """Return whether two signature files have the same contents, compressed or not.

    duplicity doesn't notice damage in signatures that it fetches (0.8.23, 3.2.1). If the second
    file is missing, return `True`.
    """
    import zlib

    try:
        with _unpacked(one) as left, _unpacked(other) as right:
            while block := right.read(_BLOCK):
                if block != left.read(_BLOCK):
                    return False
            return not left.read(1)
    except (EOFError, OSError, zlib.error):
        return not os.path.exists(other)


def is_whole(path: str) -> bool:
    """Return whether a signature file can be unpacked to its end."""
    import zlib

    try:
        with _unpacked(path) as file:
            while file.read(_BLOCK):
                pass
    except (EOFError, OSError, zlib.error):
        return False
    return True


def _unpacked(path: str) -> BufferedIOBase:
    import gzip

    with open(path, "rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path) if packed else open(path, "rb")


def digest(path: str) -> str:
    """Return a digest of a file's contents, or ``""`` if there is no file."""
    import hashlib

    found = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while block := file.read(_BLOCK):
                found.update(block)
    except FileNotFoundError:
        return ""
    return found.hexdigest()


@contextlib.contextmanager
def without(paths: Iterable[str]) -> Iterator[None]:
    """Take files out of a private archive directory during the block.

    duplicity fetches missing files from the destination.
    """
    with contextlib.ExitStack() as undo:
        for number, path in enumerate(paths):
            kept = os.path.join(os.path.dirname(os.path.dirname(path)), f"kept-{number}")
            os.rename(path, kept)
            undo.callback(os.replace, kept, path)
        yield


def _metadata(name: str, prefixes: Prefixes) -> tuple[datetime | None, bool]:
    """Return the time of a metadata file's set, and whether it is a signature file."""
    read = read_name(name, prefixes)
    if read is None or read.volume is not None or read.part:
        return None, False
    if read.prefix != (prefixes.signature if read.signature else prefixes.manifest):
        return None, False
    try:
        return read_stamp(read.key[1]), read.signature
    except (ValueError, OverflowError, OSError):
        return None, False


def _copied(path: str, to: str) -> bool:
    """Copy a file if it is a regular one; return whether it was copied completely."""
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        with open(os.open(path, flags), "rb") as source:
            if not stat.S_ISREG(os.fstat(source.fileno()).st_mode):
                return False
            with open(to, "xb") as copied:
                shutil.copyfileobj(source, copied)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(to)  # duplicity would not replace an incomplete copy.
        return False
    return True
