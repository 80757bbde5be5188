"""See and read a collection, wherever it is to be found."""

from __future__ import annotations

from check_duplicity import archive, processes
from check_duplicity.collection import Collection
from check_duplicity.findings import CannotSee, Kind
from check_duplicity.freshness import Running
from check_duplicity.names import Archive, Prefixes, read_ahead, read_archive, read_names
from check_duplicity.sources import Source, nowhere
from check_duplicity.status import has_names, read_block, read_names_line, read_saved
from check_duplicity.user import current
from check_duplicity.values import TYPE_CHECKING

if TYPE_CHECKING:
    from check_duplicity.destination import Asked

_LARGEST = 128 << 20  # bytes of a saved listing


def see(source: Source, asked: Asked | None) -> tuple[Collection, Archive]:
    """Return the collection, and what was seen of the archive directory.

    ``asked`` is duplicity at work, if it was asked. Raises `CannotSee`.
    """
    prefixes = Prefixes.of_options(source.options)
    archived = _archive(source, asked.began if asked else 0)
    if source.from_file:
        return read_saved(_file_text(source.from_file), prefixes, archived), archived
    if source.from_archive:
        if archived.problem and not archived.names:
            raise CannotSee(Kind.NOT_READABLE, archived.problem)
        return read_archive(archived, prefixes), archived
    if asked is None:
        return Collection(nowhere=nowhere(source.destination)), archived
    read_ahead(archived, prefixes)
    collection = _read_log(asked.log_until(has_names), prefixes, archived)
    if collection.sets and not archived.listed and not archived.problem:
        archived = archived._replace(
            problem="no manifest in the archive directory, is it the job's?"
        )
    return collection, archived


def see_running(source: Source, user: str | None) -> tuple[Running | None, bool]:
    """Return the oldest running backup of the job, and whether none can be running unseen.

    Only a backup of the job's user counts: of the one that this process runs as, if none is named.
    But another's may be one: what is unfinished isn't called interrupted then.
    """
    wanted = processes.Wanted(
        source.destination,
        source.archive_dir or "",
        source.name or "",
        user or current(),
        Prefixes.of_options(source.options),
    )
    if not wanted.archive:
        return None, False  # It isn't known which job that is.
    sight = processes.look(wanted)
    # Who holds the lock for something else, verify perhaps, makes nothing fresher.
    backups = [p for p in sight.running if p.invocation.backup or not p.invocation.action]
    running = [Running(process.pid, process.started) for process in backups]
    return (running[0] if running else None), sight.sure and not sight.others


def _read_log(log: str, prefixes: Prefixes, archived: Archive) -> Collection:
    names = read_names_line(log)
    collection = read_block(log) if names is None else read_names(names, prefixes, archived)
    if collection is None:
        reason = "duplicity ended well, but said nothing about the destination"
        raise CannotSee(Kind.NOT_RECOGNISED, reason)
    return collection


def _archive(source: Source, before: float) -> Archive:
    if not source.destination and not (source.archive_dir and source.name):
        return Archive()
    path = archive.archive_path(source.destination, source.archive_dir, source.name)
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
