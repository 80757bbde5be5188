"""See a job's collection: at its destination, in its archive directory, or in a file."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable

from check_duplicity.destination.model import Listing, Seen, Source
from check_duplicity.duplicity.archive_path import archive_path
from check_duplicity.nagios.findings import CannotSee, Kind
from check_duplicity.secrets import Secrets
from check_duplicity.values import TYPE_CHECKING

if TYPE_CHECKING:
    from check_duplicity.destination.asking import Asked
    from check_duplicity.duplicity.invocation import Running
    from check_duplicity.duplicity.names import Archive, Prefixes

_LARGEST = 128 << 20  # bytes of a saved listing


def look(
    source: Source, see_running: Callable[[], tuple[Running | None, bool]], secrets: Secrets
) -> Seen:
    """See and read a collection, and whether a backup makes it just now. Raises `CannotSee`.

    ``see_running`` returns the job's running backup, and whether none can be running unseen.
    """
    asked = _ask(source, secrets)
    # Imported while duplicity starts, which takes longer.
    from check_duplicity.destination import read
    from check_duplicity.duplicity.names import Prefixes

    prefixes = Prefixes.of_options(source.options)
    running, sure = see_running()
    listing = _listing(source, asked, prefixes)
    collection = read.read(listing, prefixes)
    if collection.unfinished and not running:
        # It may have begun after the first look.
        running, sure = see_running()
    return Seen(collection, read.archive_of(listing, collection), running, sure)


def _ask(source: Source, secrets: Secrets) -> Asked | None:
    """Ask duplicity, if the source needs it: `_listing` hears the answer. Raises `CannotSee`."""
    if source.forbidden:
        raise CannotSee(Kind.USAGE, secrets.hide(source.forbidden))
    if source.from_archive or source.from_file or _nowhere(source.destination):
        return None
    from check_duplicity.destination import asking

    words = source.destination, source.options, source.command
    return asking.ask(*words, source.environment, secrets)


def _listing(source: Source, asked: Asked | None, prefixes: Prefixes) -> Listing:
    """Return what the source holds; ``asked`` is duplicity at work, if it was asked."""
    archived = _archive(source, asked.began if asked else 0)
    if source.from_file:
        return Listing(archived, saved=_file_text(source.from_file))
    if source.from_archive:
        if archived.problem and not archived.names:
            raise CannotSee(Kind.NOT_READABLE, archived.problem)
        return Listing(archived)
    if asked is None:
        return Listing(archived, nowhere=_nowhere(source.destination))
    from check_duplicity.duplicity.names import read_ahead
    from check_duplicity.duplicity.status import has_names

    read_ahead(archived, prefixes)
    return Listing(archived, log=asked.log_until(has_names))


def _archive(source: Source, before: float) -> Archive:
    from check_duplicity.destination import archive
    from check_duplicity.duplicity.names import Archive

    if not source.destination and not (source.archive_dir and source.name):
        return Archive()
    path = archive_path(source.destination, source.archive_dir, source.name)
    return archive.look(path, before)


def _nowhere(url: str) -> str:
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


def _file_text(path: str) -> str:
    try:
        with open(0 if path == "-" else path, "rb", closefd=path != "-") as file:
            content = file.read(_LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CannotSee(Kind.NOT_READABLE, f"{path}: {reason}") from None
    if len(content) > _LARGEST:
        raise CannotSee(Kind.NOT_READABLE, f"{path}: is larger than {_LARGEST >> 20} MiB")
    return content.decode(errors="replace")
