"""Where to look for a collection: at its destination, in the archive directory, in a file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from check_duplicity import destination
from check_duplicity.secrets import Secrets


class Source(NamedTuple):
    """Where to look, in the words of the command line. ``command`` starts duplicity."""

    destination: str = ""
    archive_dir: str | None = None
    name: str | None = None
    from_archive: bool = False
    from_file: str | None = None
    options: Sequence[str] = ()
    command: Sequence[str] = ("duplicity",)


@contextlib.contextmanager
def asking(source: Source, secrets: Secrets) -> Iterator[destination.Asked | None]:
    """Ask duplicity, if the source needs it: it runs from here to the end of the block.

    Yields what `reading.see` goes on with. Raises `CannotSee`.
    """
    if source.from_archive or source.from_file or destination.nowhere(source.destination):
        yield None
    else:
        words = source.destination, source.options, source.command
        with destination.asking(*words, secrets) as asked:
            yield asked
