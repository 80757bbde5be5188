"""What lies at a duplicity destination: backup sets, chains and what is left over.

The words are duplicity's own (``collection-status``): a *set* is what one run leaves, a *chain* a
full set and the incrementals that build on it. An *incomplete* set has no manifest: its run has not
ended, or never did. An *orphaned* set is complete, but what it builds on is not there.
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

    ``what`` it is: "volume", with its number, "manifest" or "signature file". ``size`` is in bytes,
    as that of the set's largest volume, ``largest``. Of a volume that may have been made with
    another ``--volsize`` it is not ``sure``.
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
    seen, ``missing`` the numbers of those that should be there and are not. ``encrypted`` is
    ``None`` where the source does not say. ``signed`` tells that the set's signature file is there,
    ``manifest_lost`` that it was complete once, and its manifest is gone from the destination.
    ``doubled`` is how many of its files are there twice, under different names, ``spoiled`` are
    those that are empty or cut short, where sizes are seen. ``manifest`` and ``statistics`` are
    what the archive directory has of it, ``None`` without.
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
        """Whether it can't be restored: a volume is missing, or a file surely spoiled."""
        return bool(self.missing) or any(file.sure for file in self.spoiled)

    @property
    def full(self) -> bool:
        """Whether it builds on no other."""
        return self.start is None

    @property
    def missing_volumes(self) -> int:
        """How many volumes are missing."""
        return sum(len(numbers) for numbers in self.missing)


class Chain(NamedTuple):
    """A full backup set and the incrementals on it, in the order of time."""

    sets: tuple[BackupSet, ...]

    @property
    def restorable(self) -> tuple[BackupSet, ...]:
        """The sets up to the first that is damaged: what can be restored."""
        for position, backup_set in enumerate(self.sets):
            if backup_set.damaged:
                return self.sets[:position]
        return self.sets


class Collection(NamedTuple):
    """All that was recognised at a destination.

    ``chains`` are in the order of their full sets. ``orphaned`` and ``incomplete`` count sets.
    ``unfinished`` is the newest incomplete set, where the source names it, ``lost`` are those that
    were complete once and have lost their manifest. ``other_prefixes`` are
    what duplicity's names begin with that belong to another job (``--file-prefix``). ``encrypted``
    tells whether the newest of all sets is. ``nowhere`` is the directory of a ``file://``
    destination that isn't there, ``gone`` what duplicity says of any other that isn't.
    ``lost_full`` is when the newest full set was made, if it was complete once and is not there.
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
        """Every set that is part of a chain."""
        return tuple(backup_set for chain in self.chains for backup_set in chain.sets)


def link(sets: Iterable[BackupSet], other_prefixes: Iterable[str] = ()) -> Collection:
    """Build the chains from sets in any order, in linear time after sorting them.

    The rules are those of duplicity's ``BackupChain.add_inc`` (the same from 0.8 to 3.2), applied
    to complete sets only: a set that builds on an incomplete one is orphaned, since it cannot be
    restored.
    """
    ordered = sorted(sets, key=_order)
    complete = [backup_set for backup_set in ordered if backup_set.complete]
    incomplete = [backup_set for backup_set in ordered if not backup_set.complete]
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
    """The number of the oldest chain that a set can go on with which builds on that time; or -1."""
    while ending:
        number, chain = ending[0]
        if start in (chain[-1].time, chain[-1].start):
            return number
        heappop(ending)  # It has gone on otherwise.
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
