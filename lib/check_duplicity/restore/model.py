"""Describe what a drill restores, and its results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from check_duplicity.duplicity.volumes import Manifested
from check_duplicity.nagios.findings import Finding, Kind, State
from check_duplicity.values import NamedTuple


class Duplicity(NamedTuple):
    """How duplicity is started for a job: its command, options and environment, and the URL."""

    url: str
    options: Sequence[str] = ()
    command: Sequence[str] = ("duplicity",)
    environment: Mapping[str, str] = {}


class Set(NamedTuple):
    """A backup set of the chain to restore from, and the path of its private manifest."""

    time: datetime
    path: str
    manifest: Manifested


class Volume(NamedTuple):
    """A volume of a chain: the time of its set, and its number there, from 1.

    Number 0 is the set's metadata at the destination: its manifest and signatures.
    """

    time: datetime
    number: int


class Sample(NamedTuple):
    """What one call of duplicity restores.

    ``at`` is the index in the chain of the set that duplicity restores from; it also reads the sets
    before that one. ``path`` is below the source, and empty if duplicity shall only read volumes.
    ``volumes`` are all volumes that duplicity reads; ``wide`` are those that it would not read for
    the path, and must be made to read.
    """

    at: int
    path: str = ""
    volumes: tuple[Volume, ...] = ()
    wide: tuple[Volume, ...] = ()


class Compared(NamedTuple):
    """How many restored files were the same as in the source, and which files differed.

    ``touched`` files differ, too, with the same size and mtime; but their ctime is newer than the
    backup, so somebody may have changed the source.
    """

    same: int = 0
    other: tuple[str, ...] = ()
    touched: tuple[str, ...] = ()


class Restored(NamedTuple):
    """The restored files: their number, their size in bytes, and the comparison."""

    files: int = 0
    size: int = 0
    compared: Compared = Compared()


class Found(NamedTuple):
    """A finding of a drill. A CRITICAL one is damage, and stays until it is mended.

    If a ``path`` (below the source) was not restored, or differs, the next drill restores it again,
    and the damage is mended when that goes well. Other damage is mended when a drill has read all
    its ``volumes`` well; if it has no volumes, when a drill gets to its end without finding it
    again. ``time`` is that of the set that the path was restored from, or that is damaged.
    """

    kind: Kind
    state: State
    text: str
    volumes: frozenset[Volume] = frozenset()
    path: str = ""
    time: datetime | None = None


class Drilled(NamedTuple):
    """The results of a drill. ``read`` has the volumes that were read well.

    ``volumes`` has the number of volumes of each set of the chain, by the set's time. ``lines`` say
    what was done. ``finished`` is whether the drill tried everything that was wanted. ``well`` has
    the restored paths without any damage.
    """

    began: datetime
    volumes: Mapping[datetime, int] = {}
    read: frozenset[Volume] = frozenset()
    found: tuple[Found, ...] = ()
    restored: Restored = Restored()
    lines: tuple[str, ...] = ()
    seconds: int = 0
    finished: bool = False
    well: frozenset[str] = frozenset()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings, the worst first."""
        return tuple(
            Finding(found.kind, found.state, found.text)
            for found in sorted(self.found, key=lambda found: -found.state)
        )

    @property
    def volumes_read(self) -> int:
        """The number of volumes that were read well, without metadata."""
        return sum(1 for volume in self.read if volume.number)

    @property
    def bad(self) -> frozenset[Volume]:
        """The volumes that are damaged."""
        return bad_of(self.found)


def bad_of(found: Iterable[Found]) -> frozenset[Volume]:
    """Return the volumes in which there is damage."""
    damage = (one for one in found if one.state is State.CRITICAL)
    return frozenset(volume for one in damage for volume in one.volumes)
