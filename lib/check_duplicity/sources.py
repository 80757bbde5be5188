"""Where to look for a collection: at its destination, in the archive directory, in a file."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from check_duplicity import destination
from check_duplicity.secrets import Secrets

if TYPE_CHECKING:
    from check_duplicity.collection import Collection
    from check_duplicity.names import Archive


@dataclass(frozen=True)
class Source:
    """Where to look, in the words of the command line. ``command`` starts duplicity."""

    destination: str = ""
    archive_dir: str | None = None
    name: str | None = None
    from_archive: bool = False
    from_file: str | None = None
    options: Sequence[str] = ()
    command: Sequence[str] = ("duplicity",)


@contextlib.contextmanager
def seeing(source: Source, secrets: Secrets) -> Iterator[Callable[[], tuple[Collection, Archive]]]:
    """Begin to look; duplicity, if it is asked, runs from here to the end of the block.

    Yields a function that returns the collection and what was seen of the archive directory, and
    raises `CannotSee` if there is no seeing the collection. The archive directory need not be
    readable, unless it is the source: what it would have added is missing then.
    """
    with _asking(source, secrets) as asked:
        # Imported while duplicity starts, which takes longer.
        from check_duplicity import reading

        yield functools.partial(reading.see, source, asked)


@contextlib.contextmanager
def _asking(source: Source, secrets: Secrets) -> Iterator[destination.Asked | None]:
    if source.from_archive or source.from_file or destination.nowhere(source.destination):
        yield None
    else:
        words = source.destination, source.options, source.command
        with destination.asking(*words, secrets) as asked:
            yield asked
