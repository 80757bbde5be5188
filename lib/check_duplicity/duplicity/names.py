"""Read duplicity's file names, which describe a collection completely.

One reader for names from any source: the machine log, an archive directory, a listing made by
another tool. The forms are those of duplicity's ``file_naming.py``, 0.8.22 to 3.2.1, the short ones
(``--short-filenames``, written by versions before 2.0, read by all) included. Neither the version's
messages nor the order of the names matter.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from functools import lru_cache
from types import MappingProxyType

from check_duplicity.duplicity.collection import BackupSet, Collection, link
from check_duplicity.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Optional

    from check_duplicity.duplicity.collection import Spoiled
    from check_duplicity.duplicity.jsonstat import Statistics
    from check_duplicity.duplicity.manifest import Manifest

    Key = tuple[Optional[str], str]
    """Start and time of a set as its names spell them: parsed once a set, not once a file."""

_STAMP = r"[0-9]{8}[Tt][0-9]{6}[Zz]"
# duplicity accepts any suffix, even a copy's ".bak" or ".par2".
_SUFFIX = r"(?P<part>\.part)?(?:\.(?P<suffix>.*))?"
_LONG = re.compile(
    r"duplicity-(?P<kind>full|inc|full-signatures|new-signatures)"
    rf"\.(?:(?P<start>{_STAMP})\.to\.)?(?P<time>{_STAMP})"
    rf"\.(?:vol(?P<volume>[0-9]{{1,9}})\.difftar|(?P<manifest>manifest)|(?P<sigtar>sigtar))"
    rf"{_SUFFIX}",
    re.DOTALL,
)
_STATISTICS = re.compile(
    rf"(?P<prefix>.*?)duplicity-(?:full|inc)\.(?:(?P<start>{_STAMP})\.to\.)?(?P<time>{_STAMP})"
    r"\.jsonstat(?:\.gz)?",
    re.DOTALL,
)
# The parts of a volume's name before and after ".vol".
_HEAD = re.compile(rf"duplicity-(?:full|inc)\.(?:{_STAMP}\.to\.)?{_STAMP}")
_SHORT = re.compile(
    r"(?P<kind>df|di|dfs|dns)\.(?P<time>[0-9a-z]{6,7})(?:\.(?P<end>[0-9a-z]{6,7}))?"
    r"\.(?:(?P<volume>[0-9a-z]{1,5})\.dt|(?P<manifest>m)|(?P<sigtar>st))"
    r"(?P<part>\.p)?(?:\.(?P<suffix>z|g))?"
)
_ENCRYPTED = {"gpg", "p7m", "g"}
# duplicity chooses by the last suffix how to read a file. With another one, such as ".locked", it
# neither decrypts nor decompresses the file, and can't restore from it.
_READABLE = {*_ENCRYPTED, "gz", "z"}


class Prefixes(NamedTuple):
    """The prefixes of a job's file names: ``--file-prefix`` and its four related options."""

    volume: str = ""
    manifest: str = ""
    signature: str = ""
    statistics: str = ""

    @classmethod
    def of_options(cls, options: Sequence[str]) -> Prefixes:
        """Return the prefixes in duplicity's options; the last of each wins, as in duplicity."""
        kinds = ("-archive", "-manifest", "-signature", "-jsonstat")
        given = dict.fromkeys(("", *kinds), "")
        for position, option in enumerate(options):
            name, equals, value = option.partition("=")
            kind = name[len("--file-prefix") :] if name.startswith("--file-prefix") else None
            if kind in given:
                given[kind] = value if equals else "".join(options[position + 1 : position + 2])
        return cls(*(given[""] + given[kind] for kind in kinds))

    def expected_of(self, name: _Name) -> str:
        """Return the prefix that a name must have."""
        if name.signature:
            return self.signature
        return self.manifest if name.volume is None else self.volume


class Archive(NamedTuple):
    """The contents of a job's own archive directory.

    ``manifests`` and ``statistics`` are the parsed files, by their names. ``settled`` are the
    manifests that were complete before the destination was listed, ``fresh`` those completed
    since. ``problem`` is why something could not be read; the data are simply missing then.
    """

    names: tuple[str, ...] = ()
    manifests: Mapping[str, Manifest] = MappingProxyType({})
    statistics: Mapping[str, Statistics] = MappingProxyType({})
    settled: frozenset[str] = frozenset()
    fresh: frozenset[str] = frozenset()
    problem: str = ""


class _Name(NamedTuple):
    """One recognised file name."""

    text: str
    prefix: str
    signature: bool
    key: Key
    volume: int | None
    part: bool
    encrypted: bool
    readable: bool


class _Volume(NamedTuple):
    """A volume's file; ``text`` distinguishes it from other files of the same volume."""

    number: int
    text: str
    encrypted: bool
    readable: bool


class _Files:
    """The files of one set, in any order; compact, since there can be a million files and sets."""

    __slots__ = ("encrypted", "head", "manifest", "twice", "unreadable", "volumes")

    def __init__(self) -> None:
        self.volumes: list[_Volume] = []
        # A volume's text is the part behind ``head``, or the whole name if it begins otherwise.
        self.head = ""
        self.manifest = ""
        self.unreadable = False  # Whether there is a manifest that can't be read.
        self.twice = False  # Whether there are two manifests.
        self.encrypted: bool | None = None  # Whether the manifests are.

    def add_manifest(self, name: _Name) -> None:
        if name.encrypted and not name.readable:
            self.twice |= bool(self.manifest)
            self.unreadable = True
        elif not name.part:
            self.twice |= self.unreadable or (bool(self.manifest) and self.manifest != name.text)
            self.manifest = name.text
        self.encrypted = name.encrypted and self.encrypted is not False

    def numbers(self) -> set[int]:
        """Return the numbers of the readable volumes."""
        return {volume.number for volume in self.volumes if volume.readable}

    def highest(self) -> int:
        """Return the number of the last volume, readable or not; 0 if there is none."""
        return max((volume.number for volume in self.volumes), default=0)

    def doubled(self) -> set[int]:
        """Return the numbers of the volumes that have more than one file."""
        files = Counter(volume.number for volume in set(self.volumes))
        return {number for number, count in files.items() if count > 1}

    def all_encrypted(self) -> bool | None:
        """Whether all files are encrypted; ``None`` if unknown."""
        if not self.volumes:
            return self.encrypted
        return self.encrypted is not False and all(volume.encrypted for volume in self.volumes)


class _Sorted:
    """Names grouped by their set."""

    def __init__(self) -> None:
        self.files: dict[Key, _Files] = {}
        self.signed: set[Key] = set()
        self.other_prefixes: set[str] = set()


def read_names(
    names: Iterable[str],
    prefixes: Prefixes = Prefixes(),
    archive: Archive | None = None,
    spoiled: Mapping[Key, tuple[Spoiled, ...]] = MappingProxyType({}),
) -> Collection:
    """Return the collection at a destination, from its names and the job's archive directory.

    Names that are not duplicity's, or belong to another job, are ignored. ``spoiled`` are each
    set's files that are empty or cut short (`sizes.find_spoiled`).
    """
    archive = archive or Archive()
    found = _sort(names, prefixes)
    manifests, statistics = _manifests(archive, prefixes), _statistics(archive, prefixes)
    settled, fresh = _sort(archive.settled, prefixes).files, _sort(archive.fresh, prefixes).files
    for key, files in _sort(archive.names, prefixes).files.items():
        if not files.manifest:
            found.files.setdefault(key, _Files())  # From a run that goes on or was broken off.
    sets = []
    for key, start, time, files in _timed(found):
        # A run that has just ended may have uploaded its last files after the listing.
        ended = key in fresh
        numbers = files.numbers()
        doubled = len(files.doubled()) if len(numbers) < len(files.volumes) else 0
        manifest = manifests.get(key)
        highest = max(manifest.volumes if manifest else 0, files.highest())
        missing = _missing(numbers, highest) if files.manifest and not ended else ()
        sets.append(
            BackupSet(
                start,
                time,
                len(numbers),
                bool(files.manifest) or ended,
                files.all_encrypted(),
                missing,
                doubled=doubled + files.twice,
                signed=key in found.signed,
                # duplicity renames its local manifest after it has uploaded the remote one.
                manifest_lost=key in settled and not files.manifest,
                manifest=manifest,
                statistics=statistics.get(key),
                spoiled=() if ended else spoiled.get(key, ()),
            )
        )
    return link(sets, found.other_prefixes)


def _missing(numbers: set[int], highest: int) -> tuple[range, ...]:
    """Return the missing volumes between 1 and the highest known number."""
    highest = max(highest, 1)  # Even an empty backup has one volume.
    if len(numbers) == highest:
        return ()  # The usual case.
    holes, expected = [], 1
    for number in sorted(numbers):
        if number > expected:
            holes.append(range(expected, number))
        expected = number + 1
    if expected <= highest:
        holes.append(range(expected, highest + 1))
    return tuple(holes)


def read_ahead(archive: Archive, prefixes: Prefixes) -> None:
    """Read an archive directory's names while duplicity lists the destination's.

    Most of them are at the destination, too: `read_names` has less to do then.
    """
    for text in archive.names:
        read_name(text, prefixes)


def read_archive(archive: Archive, prefixes: Prefixes = Prefixes()) -> Collection:
    """Return the collection in an archive directory, which has manifests but never volumes.

    It does not show whether a set is encrypted: its manifests never are.
    """
    found = _sort(archive.names, prefixes)
    manifests, statistics = _manifests(archive, prefixes), _statistics(archive, prefixes)
    sets = []
    for key, start, time, files in _timed(found):
        manifest = manifests.get(key)
        sets.append(
            BackupSet(
                start,
                time,
                manifest.volumes if manifest else 0,
                # A manifest without volumes was cut off, perhaps by a full disk.
                complete=bool(files.manifest) and (manifest is None or manifest.volumes > 0),
                signed=key in found.signed,
                manifest=manifest,
                statistics=statistics.get(key),
            )
        )
    return link(sets, found.other_prefixes)


def without_unfinished(
    collection: Collection, archive: Archive, prefixes: Prefixes = Prefixes()
) -> Collection:
    """Return a collection in which sets that the archive directory shows as unfinished are so.

    For sources in which an unfinished set looks like any other: ``collection-status`` calls it
    complete if it runs with the job's own archive directory.
    """
    found = _sort(archive.names, prefixes)
    unfinished = {(start, time) for _, start, time, files in _timed(found) if not files.manifest}
    sets = [
        backup_set._replace(complete=(backup_set.start, backup_set.time) not in unfinished)
        for backup_set in collection.sets
    ]
    linked = link(sets)
    return linked._replace(
        orphaned=linked.orphaned + collection.orphaned,
        incomplete=linked.incomplete + collection.incomplete,
    )


def _sort(names: Iterable[str], prefixes: Prefixes) -> _Sorted:
    found = _Sorted()
    # Nearly all names are volumes'. The part before ".vol" is the same for a set, the part behind
    # it for a volume's number: each part is read only once.
    heads: dict[str, list[_Volume]] = {}
    tails: dict[str, _Volume] = {}
    for text in names:
        head, _, tail = text.rpartition(".vol")
        if head in heads and tail in tails:
            heads[head].append(tails[tail])
            continue
        name = read_name(text, prefixes)
        if name is None:
            continue
        if name.prefix != prefixes.expected_of(name):
            found.other_prefixes.add(name.prefix)
        elif name.signature:
            if not name.part:
                found.signed.add(name.key)
        else:
            files = found.files.setdefault(name.key, _Files())
            if name.volume is None:
                files.add_manifest(name)
                continue
            if not files.head and _HEAD.fullmatch(head, len(name.prefix)):
                files.head = head
                heads[head] = files.volumes
            behind = tail if head in heads else text
            files.volumes.append(_Volume(name.volume, behind, name.encrypted, name.readable))
            if head in heads:
                tails[tail] = files.volumes[-1]
    return found


# Cached: a manifest's name is at the destination and in three lists of an archive directory.
@lru_cache(maxsize=1 << 14)
def read_name(text: str, prefixes: Prefixes) -> _Name | None:
    """Return one parsed file name; ``None`` if it isn't duplicity's."""
    return _long_name(text) or _short_name(text, prefixes)


def _long_name(text: str) -> _Name | None:
    match = _long_match(text)
    if match is None or match["kind"].startswith(("inc", "new")) != bool(match["start"]):
        return None
    if bool(match["sigtar"]) != match["kind"].endswith("signatures") or match["volume"] == "0":
        return None
    # Like duplicity, accept lower case, to which some file systems change the stamps.
    base = match["start"].upper() if match["start"] else None
    return _Name(
        text=text,
        prefix=text[: match.start()],
        signature=bool(match["sigtar"]),
        key=(base, match["time"].upper()),
        volume=int(match["volume"]) if match["volume"] else None,
        part=bool(match["part"]),
        encrypted=_is_encrypted(match["suffix"]),
        readable=_is_readable(match),
    )


def _long_match(text: str) -> re.Match[str] | None:
    """Return the match of a long name; a prefix may contain the word "duplicity-", too."""
    start = text.find("duplicity-")
    while start >= 0:
        if match := _LONG.fullmatch(text, start):
            return match
        start = text.find("duplicity-", start + 1)
    return None


def _is_readable(match: re.Match[str]) -> bool:
    suffix = match["suffix"]
    return not match["part"] if suffix is None else suffix.rpartition(".")[2] in _READABLE


def _is_encrypted(suffix: str | None) -> bool:
    return not _ENCRYPTED.isdisjoint((suffix or "").split("."))


def _short_name(text: str, prefixes: Prefixes) -> _Name | None:
    for prefix in (prefixes.volume, prefixes.manifest, prefixes.signature):
        match = _SHORT.fullmatch(text, len(prefix)) if text.startswith(prefix) else None
        if match is None or (match["kind"] in ("di", "dns")) != bool(match["end"]):
            continue
        if bool(match["sigtar"]) != (match["kind"] in ("dfs", "dns")):
            continue
        start, time = (match["time"], match["end"]) if match["end"] else (None, match["time"])
        return _Name(
            text=text,
            prefix=prefix,
            signature=bool(match["sigtar"]),
            key=(start, time),
            volume=int(match["volume"], 36) if match["volume"] else None,
            part=bool(match["part"]),
            encrypted=_is_encrypted(match["suffix"]),
            readable=_is_readable(match),
        )
    return None


def _timed(found: _Sorted) -> Iterator[tuple[Key, datetime | None, datetime, _Files]]:
    """Yield the sets with parsed stamps, without those whose stamp is impossible (month 13)."""
    for key, files in found.files.items():
        try:
            start = read_stamp(key[0]) if key[0] else None
            yield key, start, read_stamp(key[1]), files
        except (ValueError, OverflowError, OSError):
            continue


@lru_cache(maxsize=1 << 14)  # An incremental begins at the time of another set.
def read_stamp(stamp: str) -> datetime:
    """Read ``20261123T003608Z``, or the seconds in base 36 of a short name; both are in UTC.

    Raises `ValueError`, `OverflowError` or `OSError` for an impossible time.
    """
    if "T" in stamp:
        parts = (stamp[0:4], stamp[4:6], stamp[6:8], stamp[9:11], stamp[11:13], stamp[13:15])
        year, month, day, hour, minute, second = map(int, parts)
        return datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)
    return datetime.fromtimestamp(int(stamp, 36), timezone.utc)


def _manifests(archive: Archive, prefixes: Prefixes) -> dict[Key, Manifest]:
    """Return the manifests in the archive directory by set."""
    found = {}
    for text, manifest in archive.manifests.items():
        name = read_name(text, prefixes)
        if name is not None and name.prefix == prefixes.manifest:
            found[name.key] = manifest
    return found


def _statistics(archive: Archive, prefixes: Prefixes) -> dict[Key, Statistics]:
    """Return the statistics of ``--jsonstat`` in the archive directory by set."""
    found = {}
    for text, statistics in archive.statistics.items():
        match = _STATISTICS.fullmatch(text)
        if match is not None and match["prefix"] == prefixes.statistics:
            found[(match["start"], match["time"])] = statistics
    return found


def statistics_stamp(text: str) -> str:
    """Return the time stamp in the name of a ``--jsonstat`` file; empty for any other name."""
    match = _STATISTICS.fullmatch(text)
    return match["time"] if match else ""


def is_of_full(text: str) -> bool:
    """Return whether the name is of a file of a full set."""
    name = read_name(text, Prefixes())
    return name is not None and name.key[0] is None
