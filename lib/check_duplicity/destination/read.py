"""Read a collection from a listing in duplicity's words. Pure."""

from __future__ import annotations

from check_duplicity.destination.model import Listing
from check_duplicity.duplicity.collection import Collection
from check_duplicity.duplicity.failure import no_destination
from check_duplicity.duplicity.names import Archive, Prefixes, read_archive, read_names
from check_duplicity.duplicity.sizes import find_spoiled
from check_duplicity.duplicity.status import read_block, read_names_line, read_saved
from check_duplicity.nagios.findings import CannotSee, Kind


def read(listing: Listing, prefixes: Prefixes) -> Collection:
    """Return the collection in a listing. Raises `CannotSee` if nothing is recognised in it."""
    if listing.nowhere:
        return Collection(nowhere=listing.nowhere)
    if listing.saved is not None:
        return read_saved(listing.saved, prefixes, listing.archive)
    if listing.log is not None:
        return _read_log(listing, listing.log, prefixes)
    return read_archive(listing.archive, prefixes)


def archive_of(listing: Listing, collection: Collection) -> Archive:
    """Return what was seen of the archive directory, and the notes on it."""
    archive = listing.archive
    if listing.unsized:
        reason = f"sizes of {listing.unsized} older files, for want of time"
        return archive._replace(problem=f"{archive.problem}; {reason}".lstrip("; "))
    if listing.log is None or not collection.sets or archive.manifests or archive.problem:
        return archive
    return archive._replace(problem="no manifest in the archive directory, is it the job's?")


def _read_log(listing: Listing, log: str, prefixes: Prefixes) -> Collection:
    names = read_names_line(log)
    if names is None:
        collection = read_block(log)
    else:
        spoiled = find_spoiled(listing.sizes or {}, prefixes)
        collection = read_names(names, prefixes, listing.archive, spoiled)
        collection = _with_lost(collection, listing.archive, prefixes)
    if collection is None and (gone := no_destination(log)):
        return Collection(gone=gone)
    if collection is None:
        reason = "duplicity ended well, but said nothing about the destination"
        raise CannotSee(Kind.NOT_RECOGNISED, reason)
    return collection


def _with_lost(collection: Collection, archive: Archive, prefixes: Prefixes) -> Collection:
    """Add the newest full set if the destination has lost it, as the archive directory tells.

    It has the manifest of every set that was ever complete. It is used only if something is wrong
    at the destination already.
    """
    if collection.chains and not collection.orphaned:
        return collection
    known = read_archive(archive._replace(names=tuple(archive.settled)), prefixes)
    newest = max((chain.sets[0].time for chain in known.chains), default=None)
    there = [chain.sets[0] for chain in collection.chains] + list(collection.lost)
    there += [collection.unfinished] if collection.unfinished else []
    if newest is None or any(backup_set.time >= newest for backup_set in there):
        return collection
    return collection._replace(lost_full=newest)
