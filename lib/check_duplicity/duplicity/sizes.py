"""Find the files of a destination that are empty or cut short, by their sizes. Pure.

The rules follow from how duplicity ends a volume (``GPGWriteFile`` and ``GzipWriteFile`` of its
``gpg.py``, the same from 0.8.23 to 3.2.1). It looks at the size of the *written* file, after
compression and encryption, and stops where the next block of 64 KiB might pass the limit:
``--volsize``, whole MiB, less 50 KiB, and with gpg less 16 KiB more. So however well the data are
compressed, no volume but the last is smaller than ``--volsize`` less 130 KiB.

Measured on 800 good sets of six versions, 602 of several volumes, of data of nine sorts and with
thirteen sorts of options: the 4,285 volumes that are not the last have from 114 KiB less to 68 KiB
more than ``--volsize``, and up to 849 KiB more with bzip2 in gpg, which holds back 900 KB; even
these are not mistaken for volumes of a whole MiB more. The last volume may have any size: up to 3.0
an empty one has 0 bytes without compression and encryption, 20 bytes with gzip, 110 with gpg.

A resumed run may have been given another ``--volsize``: then a good set has some stretches of
smaller and some of larger volumes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import accumulate

from check_duplicity.duplicity.collection import Spoiled
from check_duplicity.duplicity.names import Prefixes, read_name
from check_duplicity.values import TYPE_CHECKING

if TYPE_CHECKING:
    from check_duplicity.duplicity.names import Key

    Sizes = dict[str, dict[str, int]]
    """Sizes in bytes, by what stands in front of ``.vol`` in a file's name, and behind it."""

_KIB, _MIB = 1 << 10, 1 << 20
_SMALLEST_FILE = 20  # bytes; gzip makes no smaller one, and the smallest of gpg are larger.
# The largest distance of a volume from its --volsize, with a margin. Above it gpg's is larger, by
# the data that gpg has not written yet when duplicity looks; only bzip2 exceeds that.
_BELOW = 136 * _KIB
_ABOVE = {False: 64 * _KIB, True: 160 * _KIB}  # by whether they are encrypted
_ABOVE_BZIP2 = 1280 * _KIB
# By how much volumes of one --volsize may differ, unless bzip2 is ruled out.
_SPREAD = {False: _BELOW + _ABOVE[False], True: _BELOW + _ABOVE_BZIP2}
_SMALLEST_VOLUME = _MIB - _BELOW  # but for the last of a set
_TAIL = re.compile(r"([1-9][0-9]{0,8})\.difftar(\.gz|\.gpg|)")


class _Set:
    """The files of one set."""

    __slots__ = ("encrypted", "others", "plain", "volumes")

    def __init__(self) -> None:
        self.volumes: dict[int, int] = {}
        self.plain = True  # Whether nothing is compressed or encrypted.
        self.encrypted = False
        self.others: list[tuple[str, int]] = []

    def add(self, number: int, suffix: str, size: int) -> None:
        if size >= self.volumes.get(number, 0):
            self.volumes[number] = size
        if suffix:
            self.plain = False
            self.encrypted = self.encrypted or suffix not in (".gz", ".z")


def group(files: Iterable[tuple[str, int]]) -> Sizes:
    """Return files with their sizes in groups, so that a million of them takes little memory."""
    sizes: Sizes = {}
    tails: dict[str, str] = {}
    for name, size in files:
        head, _, tail = name.rpartition(".vol")
        sizes.setdefault(head, {})[tails.setdefault(tail, tail)] = size
    return sizes


def find_spoiled(
    sizes: Sizes, prefixes: Prefixes = Prefixes(), *, in_bytes: bool = True
) -> dict[Key, tuple[Spoiled, ...]]:
    """Return the files that are empty or cut short, by set.

    ``in_bytes`` is whether the sizes are known to be in bytes. If not, and they are too small for
    that (``ls --block-size``), only empty files are returned.
    """
    sets = _sets(sizes, prefixes)
    only_empty = not in_bytes and not _may_be_bytes(sets.values())
    found = {}
    for key, files in sets.items():
        spoiled = list(_spoiled(files))
        if only_empty:
            spoiled = [file for file in spoiled if not file.size]
        if spoiled:
            found[key] = tuple(spoiled)
    return found


def _sets(sizes: Sizes, prefixes: Prefixes) -> dict[Key, _Set]:
    sets: dict[Key, _Set] = {}
    # The text behind ".vol" is the same in nearly all sets: each one is read only once.
    tails: dict[str, tuple[int, str] | None] = {}
    for head, behind in sizes.items():
        own = _set_of(head, prefixes, sets)
        for tail, size in behind.items():
            volume = None
            if own is not None:
                if tail not in tails:
                    match = _TAIL.fullmatch(tail)
                    tails[tail] = (int(match[1]), match[2]) if match else None
                volume = tails[tail]
            if own is not None and volume is not None:
                own.add(*volume, size)
            else:
                _add(f"{head}.vol{tail}" if head else tail, size, prefixes, sets)
    return sets


def _set_of(head: str, prefixes: Prefixes, sets: dict[Key, _Set]) -> _Set | None:
    """Return the set of some volumes, if the text before ``.vol`` names only their set."""
    name = read_name(f"{head}.vol1.difftar.gz", prefixes) if head else None
    if name is None or name.encrypted or name.volume != 1 or name.prefix != prefixes.volume:
        return None
    whole = name.text.endswith(f"{name.key[1]}.vol1.difftar.gz")
    return sets.setdefault(name.key, _Set()) if whole else None


def _add(text: str, size: int, prefixes: Prefixes, sets: dict[Key, _Set]) -> None:
    name = read_name(text, prefixes)
    if name is None or name.part or name.prefix != prefixes.expected_of(name):
        return
    files = sets.setdefault(name.key, _Set())
    if name.volume is None:
        files.others.append(("signature file" if name.signature else "manifest", size))
    elif name.readable:
        files.add(name.volume, _suffix(text), size)


def _suffix(text: str) -> str:
    """Return the suffix behind ``.difftar`` (``.dt`` in short names), which names the packing."""
    return "" if text.endswith(("difftar", "dt")) else text[text.rindex(".") :]


def _may_be_bytes(sets: Collection[_Set]) -> bool:
    """Whether sizes are plausible as bytes: manifests have some hundred, volumes a million."""
    several = [max(files.volumes.values()) for files in sets if len(files.volumes) > 1]
    others = [size for files in sets for _, size in files.others if size]
    return all(size >= _SMALLEST_FILE for size in others) and (
        not several or max(several) >= _SMALLEST_VOLUME
    )


def _spoiled(files: _Set) -> Iterator[Spoiled]:
    volumes = files.volumes
    if volumes:
        short = dict(_cut_short(volumes, files.encrypted))
        last, largest = max(volumes), max(volumes.values())
        if min(volumes.values()) < _SMALLEST_FILE:
            short.update((n, True) for n, size in volumes.items() if size < _SMALLEST_FILE)
        if files.plain and not volumes[last]:
            del short[last]  # An empty volume has 0 bytes if it isn't compressed or encrypted.
        for number in sorted(short):
            yield Spoiled("volume", volumes[number], number, largest, short[number])
    for what, size in files.others:
        if size < _SMALLEST_FILE:
            yield Spoiled(what, size)


def _cut_short(volumes: Mapping[int, int], encrypted: bool) -> Iterator[tuple[int, bool]]:
    """Yield the volumes that are too small to be whole, and whether that is sure.

    A volume with a larger one on one side only may be the only one with another ``--volsize``.
    """
    *numbers, last = sorted(volumes)
    sizes = [volumes[number] for number in numbers]
    narrow = _BELOW + _ABOVE[encrypted]
    if min(sizes, default=0) >= max(_SMALLEST_VOLUME, max(volumes.values()) - narrow):
        return
    before = [0, *accumulate(sizes, max)]
    behind = [*accumulate([volumes[last], *reversed(sizes)], max)][-2::-1]
    whole = [size for size in sizes if size >= _SMALLEST_VOLUME]
    misfits = [size for size in whole if not _fits(size, encrypted)]
    for position, (number, size) in enumerate(zip(numbers, sizes)):
        # If others don't fit, bzip2 may have made them; one encrypted volume alone proves nothing.
        others_fit = misfits in ([], [size]) and len(whole) > 2 * encrypted
        spread = narrow if others_fit else _SPREAD[encrypted]
        larger = [found > size + spread for found in (before[position], behind[position])]
        if size < _SMALLEST_VOLUME:
            yield number, True
        elif any(larger) and not _is_piece(sizes, position, spread):
            yield number, all(larger) or (others_fit and size in misfits)


def _is_piece(sizes: list[int], position: int, spread: int) -> bool:
    """Whether a neighbour has a similar size: several are not cut short to the same size."""
    beside = sizes[max(position - 1, 0) : position] + sizes[position + 1 : position + 2]
    return any(abs(size - sizes[position]) <= spread for size in beside)


def _fits(size: int, encrypted: bool) -> bool:
    """Whether some ``--volsize`` can give a whole volume of this size, without bzip2."""
    return (size + _BELOW) % _MIB <= _BELOW + _ABOVE[encrypted]
