r"""Read from a manifest which paths are in which volume of a backup set.

The form is that of duplicity's ``manifest.py`` (the same from 0.8.23 to 3.2.1)::

    Hostname vm
    Localdir /home
    Volume 1:
        StartingPath   .
        EndingPath     alice/mail 16
        Hash SHA1 e0dcdaf651fcb6b510dee7c8afb3d8f855ece62f
    Filelist 2
        new      alice/mail
        changed  "alice/a\\x20name"

A path is a tuple of its parts, and paths are ordered like tuples; ``.`` is the source itself, an
empty tuple. A number behind a path is the block of a file that continues in the next volume. Words
with blanks, quotes or backslashes are quoted.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence

from check_duplicity.values import NamedTuple

Path = tuple[bytes, ...]

_VOLUME = re.compile(rb"Volume (\d{1,9}):\s*")
_ENTRY = re.compile(rb"    (new|changed|deleted) +(\S+)\s*")
_ESCAPE = re.compile(rb"\\x([0-9A-Fa-f]{2})")
_LAST = b"\xff" * 8  # sorts behind every realistic name


class Volume(NamedTuple):
    """A volume, and the first and the last path in it."""

    number: int
    first: Path
    last: Path

    def may_have(self, path: Path) -> bool:
        """Whether duplicity reads this volume to restore a path (``VolumeInfo.contains``)."""
        return self.first[: len(path)] <= path <= self.last

    @property
    def wide(self) -> Volume:
        """Return this volume with a range that includes every path."""
        return self._replace(first=(), last=(_LAST,))


class Manifested(NamedTuple):
    """The host and source of a set, and its volumes by number, from its manifest."""

    host: str = ""
    source: str = ""
    volumes: tuple[Volume, ...] = ()

    def read_for(self, path: Path) -> tuple[int, ...]:
        """Return the numbers of the volumes that duplicity reads to restore a path."""
        return tuple(volume.number for volume in self.volumes if volume.may_have(path))

    @property
    def empty(self) -> frozenset[int]:
        """Return the numbers of the empty volumes: their first path is the source again.

        duplicity until 3.1.0 makes one if the data ends with a volume. It reads that volume in
        every restore, and checks its hash; but it does not report it as processed.
        """
        return frozenset(volume.number for volume in self.volumes[1:] if not volume.first)


def read(lines: Iterable[bytes]) -> Manifested:
    """Return the contents of a manifest; lines in another form are ignored.

    After a resumed backup a volume may be listed twice: the later one counts. Volumes with a higher
    number than the last one don't count.
    """
    host = source = ""
    found: dict[int, Volume] = {}
    number = 0
    for line in lines:
        if match := _VOLUME.fullmatch(line):
            number = int(match[1])
            found[number] = Volume(number, (), ())
            continue
        name, _, value = line.strip().partition(b" ")
        words = value.split()
        if not words:
            continue
        if name == b"StartingPath" and number:
            found[number] = found[number]._replace(first=path_of(words[0]))
        elif name == b"EndingPath" and number:
            found[number] = found[number]._replace(last=path_of(words[0]))
        elif name == b"Hostname":
            host = os.fsdecode(unquoted(words[0]))
        elif name == b"Localdir":
            source = os.fsdecode(unquoted(words[0]))
    volumes = (found[n] for n in sorted(found) if n <= number)
    return Manifested(host, source, tuple(volumes))


def files_in(lines: Iterable[bytes], volume: Volume) -> Iterator[bytes]:
    """Yield the files of which a volume has a part, as paths below the source.

    Only regular files are listed, and with ``--no-files-changed`` none.
    """
    for line in lines:
        match = _ENTRY.fullmatch(line)
        if match and match[1] != b"deleted":
            path = path_of(match[2])
            if any(path) and volume.first <= path <= volume.last:
                yield b"/".join(path)


def widened(lines: Iterable[bytes], numbers: Iterable[int]) -> Iterator[bytes]:
    """Yield a manifest's lines, with a range of all paths for the volumes in ``numbers``.

    duplicity then reads these volumes in every restore, even those that have only directories,
    links or deleted files.
    """
    wanted = set(numbers)
    number = 0
    for line in lines:
        if match := _VOLUME.fullmatch(line):
            number = int(match[1])
        name = line.split()[:1]
        if number in wanted and name == [b"StartingPath"]:
            yield b"    StartingPath   .  \n"
        elif number in wanted and name == [b"EndingPath"]:
            yield b'    EndingPath     "' + _LAST.replace(b"\xff", b"\\xff") + b'"  \n'
        else:
            yield line


def path_of(word: bytes) -> Path:
    """Return a path from its form in a manifest, quoted or not."""
    text = unquoted(word)
    return () if text == b"." else tuple(text.split(b"/"))


def unquoted(word: bytes) -> bytes:
    r"""Return a word without its quotes: ``"a\x20name"`` is ``a name``."""
    if len(word) < 2 or word[:1] != b'"' or word[-1:] != b'"':
        return word
    return _ESCAPE.sub(lambda escape: bytes([int(escape[1], 16)]), word[1:-1])


def below(path: str, source: str) -> Path:
    """Return a user's path, ``/home/alice/mail`` or ``alice/mail``, relative to the source."""
    root = source.rstrip("/") + "/"
    relative = path[len(root) :] if f"{path}/".startswith(root) else path
    parts: Sequence[bytes] = os.fsencode(relative).split(b"/")
    return tuple(part for part in parts if part not in (b"", b"."))
