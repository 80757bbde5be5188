r"""Read which paths lie in which volume of a backup set: its manifest says so.

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

A path is a tuple of its parts, and they are in the order of tuples; ``.`` is the source itself, and
has none. A number behind a path is the block of a file that goes on in the next volume. Words with
blanks, quotes or backslashes are quoted.
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
_LAST = b"\xff" * 8  # behind every name that people give


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
        """It, as if every path could be in it."""
        return self._replace(first=(), last=(_LAST,))


class Manifested(NamedTuple):
    """What a manifest says of where a set comes from, and of its volumes, by number."""

    host: str = ""
    source: str = ""
    volumes: tuple[Volume, ...] = ()

    def read_for(self, path: Path) -> tuple[int, ...]:
        """The numbers of the volumes that duplicity reads to restore a path."""
        return tuple(volume.number for volume in self.volumes if volume.may_have(path))

    @property
    def empty(self) -> frozenset[int]:
        """The numbers of the volumes with nothing in them: they begin anew with the source.

        duplicity until 3.1.0 makes one if the data ends with a volume. It reads it whenever it
        restores, and checks its hash; but it does not tell that it has been processed.
        """
        return frozenset(volume.number for volume in self.volumes[1:] if not volume.first)


def read(lines: Iterable[bytes]) -> Manifested:
    """Read a manifest; what has another form is passed over.

    If a volume stands there twice, the later one counts, and none that is numbered higher than the
    last one: so it is after a resumed backup.
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
    """Yield the files that a volume has something of, as paths below the source.

    Those are regular files, and not all: a list may have been left out (``--no-files-changed``).
    """
    for line in lines:
        match = _ENTRY.fullmatch(line)
        if match and match[1] != b"deleted":
            path = path_of(match[2])
            if any(path) and volume.first <= path <= volume.last:
                yield b"/".join(path)


def widened(lines: Iterable[bytes], numbers: Iterable[int]) -> Iterator[bytes]:
    """Yield a manifest's lines, in which some volumes may have every path.

    duplicity then reads them whatever is restored: that is how a volume is read in which there is
    no file, but directories, links, or what was deleted.
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
    """Read a path as manifests write it, or as it is."""
    text = unquoted(word)
    return () if text == b"." else tuple(text.split(b"/"))


def unquoted(word: bytes) -> bytes:
    r"""Take the quotes off a word: ``"a\x20name"`` is ``a name``."""
    if len(word) < 2 or word[:1] != b'"' or word[-1:] != b'"':
        return word
    return _ESCAPE.sub(lambda escape: bytes([int(escape[1], 16)]), word[1:-1])


def below(path: str, source: str) -> Path:
    """Return a path that a person gives, ``/home/alice/mail`` or ``alice/mail``, below a source."""
    root = source.rstrip("/") + "/"
    relative = path[len(root) :] if f"{path}/".startswith(root) else path
    parts: Sequence[bytes] = os.fsencode(relative).split(b"/")
    return tuple(part for part in parts if part not in (b"", b"."))
