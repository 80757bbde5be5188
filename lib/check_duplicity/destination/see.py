"""See a job's collection: at its destination, in its archive directory, or in a file."""

from __future__ import annotations

from collections.abc import Callable

from check_duplicity.destination import local
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
    """Read a collection, and see whether a backup of it is running. Raises `CannotSee`.

    ``see_running`` returns the job's running backup, and true if none can be running unseen.
    """
    asked = _ask(source, secrets)
    # Imported while duplicity starts, which takes longer.
    from check_duplicity.destination import read
    from check_duplicity.duplicity.names import Prefixes

    prefixes = Prefixes.of_options(source.options)
    running, sure = see_running()
    listing = _listing(source, asked, prefixes)
    collection = read.read(listing, prefixes)
    if any(backup_set.spoiled for backup_set in collection.sets) and listing.sizes is not None:
        # A run may have been writing its last files while duplicity listed them.
        listing = listing._replace(sizes=local.sizes(source.destination)[0])
        collection = read.read(listing, prefixes)
    if collection.unfinished and not running:
        # A backup may have begun after the first look.
        running, sure = see_running()
    return Seen(collection, read.archive_of(listing, collection), running, sure)


def _ask(source: Source, secrets: Secrets) -> Asked | None:
    """Ask duplicity, if the source needs it: `_listing` hears the answer. Raises `CannotSee`."""
    if source.forbidden:
        raise CannotSee(Kind.USAGE, secrets.hide(source.forbidden))
    if source.from_archive or source.from_file or local.nowhere(source.destination):
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
        return Listing(archived, nowhere=local.nowhere(source.destination))
    from check_duplicity.duplicity.names import read_ahead
    from check_duplicity.duplicity.status import has_names

    read_ahead(archived, prefixes)
    sizes, unsized = local.sizes(source.destination)  # while duplicity lists
    return Listing(archived, log=asked.log_until(has_names), sizes=sizes, unsized=unsized)


def _archive(source: Source, before: float) -> Archive:
    from check_duplicity.destination import archive
    from check_duplicity.duplicity.names import Archive

    if not source.destination and not (source.archive_dir and source.name):
        return Archive()
    path = archive_path(source.destination, source.archive_dir, source.name)
    return archive.look(path, before)


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
