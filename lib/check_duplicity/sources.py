"""Where to look for a collection: at its destination, in the archive directory, in a file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence

from check_duplicity import destination
from check_duplicity.secrets import Secrets
from check_duplicity.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from check_duplicity.collection import Collection
    from check_duplicity.freshness import Running
    from check_duplicity.names import Archive


class Source(NamedTuple):
    """Where to look, in the words of the command line.

    ``command`` starts duplicity, ``environment`` is given to it besides this process' own.
    """

    destination: str = ""
    archive_dir: str | None = None
    name: str | None = None
    from_archive: bool = False
    from_file: str | None = None
    options: Sequence[str] = ()
    command: Sequence[str] = ("duplicity",)
    environment: Mapping[str, str] = {}


class Seen(NamedTuple):
    """What was seen of a job: its collection, its archive directory, and its running backup.

    ``sure`` is whether no backup can be running unseen.
    """

    collection: Collection
    archive: Archive
    running: Running | None
    sure: bool


def look(source: Source, user: str | None, secrets: Secrets) -> Seen:
    """See and read all of it. Raises `CannotSee`."""
    with asking(source, secrets) as asked:
        # Imported while duplicity starts, which takes longer.
        from check_duplicity import reading

        running, sure = reading.see_running(source, user)
        collection, archive = reading.see(source, asked)
    if collection.unfinished and not running:
        # It may have begun after the first look.
        running, sure = reading.see_running(source, user)
    return Seen(collection, archive, running, sure)


@contextlib.contextmanager
def asking(source: Source, secrets: Secrets) -> Iterator[destination.Asked | None]:
    """Ask duplicity, if the source needs it: it runs from here to the end of the block.

    Yields what `reading.see` goes on with. Raises `CannotSee`.
    """
    if source.from_archive or source.from_file or destination.nowhere(source.destination):
        yield None
    else:
        words = source.destination, source.options, source.command
        with destination.asking(*words, source.environment, secrets) as asked:
            yield asked
