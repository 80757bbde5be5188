"""Where to look for a collection: at its destination, in the archive directory, in a file."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping, Sequence

from check_duplicity.findings import CannotSee, Kind
from check_duplicity.secrets import Secrets
from check_duplicity.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from check_duplicity.collection import Collection
    from check_duplicity.destination import Asked
    from check_duplicity.freshness import Running
    from check_duplicity.names import Archive


# Options of ours that must not be overruled: they keep the check apart from the job.
OWN_OPTIONS = ("--archive-dir", "--name", "--log-fd", "--log-file", "--tempdir", "--verbosity")


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
    asked = ask(source, secrets)
    # Imported while duplicity starts, which takes longer.
    from check_duplicity import reading

    running, sure = reading.see_running(source, user)
    collection, archive = reading.see(source, asked)
    if collection.unfinished and not running:
        # It may have begun after the first look.
        running, sure = reading.see_running(source, user)
    return Seen(collection, archive, running, sure)


def ask(source: Source, secrets: Secrets) -> Asked | None:
    """Ask duplicity, if the source needs it: `reading.see` hears the answer. Raises `CannotSee`."""
    if source.from_archive or source.from_file or nowhere(source.destination):
        return None
    from check_duplicity import destination

    words = source.destination, source.options, source.command
    return destination.ask(*words, source.environment, secrets)


def nowhere(url: str) -> str:
    """Return the directory of a ``file://`` URL if there is none, otherwise an empty string.

    duplicity would make it: an unmounted disk would look like a backup that never ran, and the
    check would have left something behind. Raises `CannotSee` if it may not be looked at.
    """
    match = re.match(r"(?:par2\+)?file:(?://(?=/))?", url, re.IGNORECASE)
    if match is None:
        return ""
    path = re.split(r"[?#]", url[match.end() :])[0]
    if "%" in path:
        from urllib.parse import unquote  # slow to load, and rarely needed

        path = unquote(path)
    try:
        return "" if stat.S_ISDIR(os.stat(path).st_mode) else path
    except (FileNotFoundError, NotADirectoryError):
        return path
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CannotSee(Kind.NOT_READABLE, f"destination {path}: {reason}") from None
