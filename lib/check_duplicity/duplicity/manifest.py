"""Read a manifest: how many volumes a set has, and how many files are new, changed and deleted.

Seen on 0.8.23 to 3.2.1: the list of files comes before or after the volumes, has regular files
only, one on each line, quoted (so that no name has a line break), and is whole even after a
resumed backup. In a full set all files are new. The list is empty with ``--no-files-changed``, or
if the source has no files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from check_duplicity.values import NamedTuple

_VOLUME = re.compile(rb"\nVolume (\d{1,9}):")
_FILES = re.compile(rb"\nFilelist (\d{1,12})\n")
_ONLY_ROOT = b"\n    EndingPath     .  \n"
# duplicity writes ``%-7s  %s`` for each file, so these have the same length.
_NEW, _CHANGED, _DELETED = b"\n    new      ", b"\n    changed  ", b"\n    deleted  "
_KEPT = len(b"\nFilelist 999999999999\n")  # bytes that are searched again with the next block
_HEAD = 4096  # bytes: a manifest that lists no file is short


class Files(NamedTuple):
    """How many regular files the source got, changed and lost since the set before."""

    new: int
    changed: int = 0
    deleted: int = 0


class Manifest(NamedTuple):
    """The contents of a manifest.

    ``volumes`` is their number. ``entries`` is how many files its list has, ``None`` without a
    list. ``files`` counts the new, changed and deleted ones; it is ``None`` if they weren't counted
    or the list is not whole. ``only_root`` means that it has only the source's own directory.
    """

    volumes: int = 0
    entries: int | None = None
    files: Files | None = None
    only_root: bool = False


def read(blocks: Iterable[bytes], most: int = 0) -> Manifest:
    """Read a manifest that comes in blocks, in one pass and little memory.

    ``most`` is the number of bytes to search for files; those in a longer manifest aren't counted.
    The last volume counts, not the highest: a resumed run may list "1, 2, 3, 2" (duplicity's
    ``Manifest.from_string``).
    """
    volumes, entries, head = 0, None, b""
    counts = [0, 0, 0]
    before = b"\n"  # so that every line has a line break before it
    for block in blocks:
        whole = before + block
        last = _last_volume(whole)
        volumes = volumes if last is None else last
        if entries is None and (header := _FILES.search(whole)):
            entries = int(header[1])
        if len(head) < _HEAD:
            head += block
        most -= len(block)
        if most >= 0:
            new = whole[max(0, len(before) - len(_NEW) + 1) :]
            counts = [n + new.count(word) for n, word in zip(counts, (_NEW, _CHANGED, _DELETED))]
        before = whole[-_KEPT:]
    counted = most >= 0 and sum(counts) == entries
    only_root = volumes == 1 and _ONLY_ROOT in head[:_HEAD]
    return Manifest(volumes, entries, Files(*counts) if counted else None, only_root)


def _last_volume(block: bytes) -> int | None:
    """Return the number of the last volume in a block."""
    # Most blocks have none: a plain search is quicker than the pattern.
    if b"\nVolume " not in block:
        return None
    numbers = _VOLUME.findall(block)
    return int(numbers[-1]) if numbers else None
