"""The backup collection at a destination: sets, chains and leftovers.

The words are duplicity's own (``collection-status``): a *set* is what one run leaves, a *chain* a
full set and the incrementals that build on it. An *incomplete* set has no manifest: its run is
still going on, or was broken off. An *orphaned* set is complete, but its base set is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from heapq import heappop, heappush

from check_duplicity.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from check_duplicity.duplicity.jsonstat import Statistics
    from check_duplicity.duplicity.manifest import Manifest

    _Ending = list[tuple[int, list["BackupSet"]]]
    """The chains that end at a time, or did, with their numbers; a heap."""


class Spoiled(NamedTuple):
    """A file that is empty or cut short.

    ``what`` is "volume" with its number, "manifest" or "signature file". ``size`` is in bytes, and
    so is ``largest``, the size of the set's largest volume. ``sure`` is false for a volume that may
    have been made with another ``--volsize``.
    """

    what: str
    size: int
    number: int = 0
    largest: int = 0
    sure: bool = True


class BackupSet(NamedTuple):
    """One backup set.

    ``start`` is the time of the set that an incremental builds on, ``None`` for a full one;
    ``time`` is when its run began; both are aware and in UTC. ``volumes`` is the number of volumes
    seen, ``missing`` the numbers of the missing ones. ``encrypted`` is ``None`` where the source
    does not say. ``signed`` means that the set's signature file is there, ``manifest_lost`` that
    the set was complete once, and its manifest is gone from the destination. ``doubled`` is the
    number of files that exist twice, under different names; ``spoiled`` are the files that are
    empty or cut short, where sizes are known. ``manifest`` and ``statistics`` come from the archive
    directory; they are ``None`` if it has none.
    """

    start: datetime | None
    time: datetime
    volumes: int
    complete: bool = True
    encrypted: bool | None = None
    missing: tuple[range, ...] = ()
    signed: bool = True
    manifest_lost: bool = False
    doubled: int = 0
    manifest: Manifest | None = None
    statistics: Statistics | None = None
    spoiled: tuple[Spoiled, ...] = ()

    @property
    def damaged(self) -> bool:
        """Whether the set can't be restored: a volume is missing, or a file surely spoiled."""
        return bool(self.missing) or any(file.sure for file in self.spoiled)

    @property
    def full(self) -> bool:
        """Whether this is a full set, which builds on no other."""
        return self.start is None

    @property
    def missing_volumes(self) -> int:
        """Return the number of missing volumes."""
        return sum(len(numbers) for numbers in self.missing)


class Chain(NamedTuple):
    """A full backup set and the incrementals on it, in the order of time."""

    sets: tuple[BackupSet, ...]

    @property
    def restorable(self) -> tuple[BackupSet, ...]:
        """Return the sets that can be restored: those before the first damaged one."""
        for position, backup_set in enumerate(self.sets):
            if backup_set.damaged:
                return self.sets[:position]
        return self.sets


class Collection(NamedTuple):
    """All that was recognised at a destination.

    ``chains`` are in the order of their full sets. ``orphaned`` and ``incomplete`` count sets.
    ``unfinished`` is the newest incomplete set, where the source names it; ``lost`` are the sets
    that were complete once and have lost their manifest. ``other_prefixes`` are the prefixes of
    files that belong to another job (``--file-prefix``). ``encrypted`` is that of the newest set.
    ``nowhere`` is the directory of a ``file://`` destination that doesn't exist, ``gone``
    duplicity's message about any other destination that doesn't exist. ``lost_full`` is when the
    newest full set was made, if it was complete once and is missing now.
    """

    chains: tuple[Chain, ...] = ()
    orphaned: int = 0
    incomplete: int = 0
    unfinished: BackupSet | None = None
    lost: tuple[BackupSet, ...] = ()
    other_prefixes: tuple[str, ...] = ()
    encrypted: bool | None = None
    nowhere: str = ""
    gone: str = ""
    lost_full: datetime | None = None

    @property
    def sets(self) -> tuple[BackupSet, ...]:
        """Return every set that is part of a chain."""
        return tuple(backup_set for chain in self.chains for backup_set in chain.sets)


def link(sets: Iterable[BackupSet], other_prefixes: Iterable[str] = ()) -> Collection:
    """Build the chains from sets in any order, in linear time after sorting them.

    The rules are those of duplicity's ``BackupChain.add_inc`` (the same from 0.8 to 3.2), applied
    to complete sets only: a set that builds on an incomplete one is orphaned, since it cannot be
    restored.
    """
    ordered = sorted(sets, key=_order)
    complete = [backup_set for backup_set in ordered if backup_set.complete]
    # A run builds on complete sets only: one that another builds on has lost its manifest.
    built_on = {backup_set.start for backup_set in complete}
    incomplete = [
        backup_set._replace(manifest_lost=backup_set.manifest_lost or backup_set.time in built_on)
        for backup_set in ordered
        if not backup_set.complete
    ]
    chains, orphaned = _build_chains(complete)
    incomplete += _discard_unsigned(chains)
    return Collection(
        chains=tuple(Chain(tuple(chain)) for chain in chains),
        orphaned=orphaned,
        incomplete=len(incomplete),
        unfinished=max(incomplete, key=_order, default=None),
        lost=tuple(backup_set for backup_set in incomplete if backup_set.manifest_lost),
        other_prefixes=tuple(sorted(set(other_prefixes))),
        encrypted=ordered[-1].encrypted if ordered else None,
    )


def _build_chains(ordered: Iterable[BackupSet]) -> tuple[list[list[BackupSet]], int]:
    """Return the chains, in the order of their full sets, and the number of orphaned sets."""
    chains: list[list[BackupSet]] = []
    ending: dict[datetime, _Ending] = {}
    orphaned = 0
    for backup_set in ordered:
        start = backup_set.start
        if start is None:
            number = len(chains)
            chains.append([])
        else:
            number = _oldest(ending.get(start, []), start)
            if number < 0:
                orphaned += 1
                continue
            if chains[number][-1].time != start:
                chains[number].pop()  # duplicity prefers the later of two that build on one set
        chains[number].append(backup_set)
        heappush(ending.setdefault(backup_set.time, []), (number, chains[number]))
    return chains, orphaned


def _oldest(ending: _Ending, start: datetime) -> int:
    """Return the number of the oldest chain to which a set that builds on ``start`` fits, or -1."""
    while ending:
        number, chain = ending[0]
        if start in (chain[-1].time, chain[-1].start):
            return number
        heappop(ending)  # Another set has continued this chain.
    return -1


def _discard_unsigned(chains: Sequence[list[BackupSet]]) -> list[BackupSet]:
    """Take the set off the newest chain that duplicity discards, and return it in a list.

    Seen on 0.8.23 to 3.2.1: the last incremental is left out, also when restoring, if its signature
    file is the only one of its chain that is lost ("discarding last backup set, because of missing
    signature file"), and ``cleanup`` deletes it.
    """
    newest = max(chains, key=lambda chain: chain[-1].time, default=[])
    if len(newest) < 3 or newest[-1].signed or not all(earlier.signed for earlier in newest[:-1]):
        return []
    return [newest.pop()]


def _order(backup_set: BackupSet) -> tuple[datetime, bool, datetime]:
    return backup_set.time, not backup_set.full, backup_set.start or backup_set.time
