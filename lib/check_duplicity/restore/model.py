"""What a drill restores, and what came of it."""

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
    """A backup set of the chain that is restored from, and where its private manifest is."""

    time: datetime
    path: str
    manifest: Manifested


class Volume(NamedTuple):
    """A volume of a chain: the time of its set, and its number there, from 1.

    The number 0 stands for the set's metadata at the destination: its manifest and signatures.
    """

    time: datetime
    number: int


class Sample(NamedTuple):
    """What is restored in one call of duplicity.

    ``at`` is the place in the chain of the set that it is restored from, with all before it.
    ``path`` is below the source; empty if only volumes are read. ``volumes`` are all that duplicity
    reads for it; ``wide`` are those of them in which there is no file of their own.
    """

    at: int
    path: str = ""
    volumes: tuple[Volume, ...] = ()
    wide: tuple[Volume, ...] = ()


class Compared(NamedTuple):
    """How many restored files were the same as in the source, and which of them weren't.

    ``touched`` have other contents, too, and the same size and time; but somebody has touched the
    source since, and may have changed it.
    """

    same: int = 0
    other: tuple[str, ...] = ()
    touched: tuple[str, ...] = ()


class Restored(NamedTuple):
    """What was restored: how many files, with how many bytes, and how they compare."""

    files: int = 0
    size: int = 0
    compared: Compared = Compared()


class Found(NamedTuple):
    """What a drill has found; what is CRITICAL is damage, and stays until it is mended.

    A ``path``, below the source, that was not restored, or with other contents, is restored once
    more. Other damage is mended when all its ``volumes`` have been read well; if it has none, when
    a drill gets to its end and doesn't find it again. ``time`` is that of the set that the path was
    restored from, or of what else is damaged.
    """

    kind: Kind
    state: State
    text: str
    volumes: frozenset[Volume] = frozenset()
    path: str = ""
    time: datetime | None = None


class Drilled(NamedTuple):
    """A drill. ``read`` are the volumes that were read well.

    ``volumes`` are all of the chain's, by the time of each set; ``lines`` say what was done.
    ``finished`` is whether all was tried that was wanted, ``well`` are the paths with which nothing
    is wrong now.
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
        """What was found, the worst first."""
        return tuple(
            Finding(found.kind, found.state, found.text)
            for found in sorted(self.found, key=lambda found: -found.state)
        )

    @property
    def volumes_read(self) -> int:
        """How many volumes were read well, without metadata."""
        return sum(1 for volume in self.read if volume.number)

    @property
    def bad(self) -> frozenset[Volume]:
        """The volumes that could not be read, or not so that they are worth something."""
        return bad_of(self.found)


def bad_of(found: Iterable[Found]) -> frozenset[Volume]:
    """Return the volumes in which there is damage."""
    damage = (one for one in found if one.state is State.CRITICAL)
    return frozenset(volume for one in damage for volume in one.volumes)
