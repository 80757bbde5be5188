"""Where to look for a collection, and what was seen there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from check_duplicity.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from check_duplicity.duplicity.collection import Collection
    from check_duplicity.duplicity.invocation import Running
    from check_duplicity.duplicity.names import Archive
    from check_duplicity.duplicity.sizes import Sizes

# Options of ours that must not be overruled: they keep the check apart from the job.
_OWN_OPTIONS = ("--archive-dir", "--name", "--log-fd", "--log-file", "--tempdir", "--verbosity")


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

    @property
    def forbidden(self) -> str:
        """What to say if its options have one of the check's own; empty if they have not."""
        from check_duplicity.duplicity.invocation import is_one_of  # mostly there are no options

        for option in self.options:
            if is_one_of(option, _OWN_OPTIONS):
                return f"{option} is the check's own; the job's archive is named with -a and -n"
        return ""


class Listing(NamedTuple):
    """What a source holds, not read yet; one of ``log``, ``saved`` and ``nowhere`` at most.

    ``log`` is what duplicity said when it was asked, ``saved`` what stands in a file, ``nowhere``
    the directory of a ``file://`` destination that isn't there. Without any of them the archive
    directory is all that counts; else it adds what only it knows. ``sizes`` are those of the files
    at a ``file://`` destination, ``unsized`` is how many there was no time for.
    """

    archive: Archive
    log: str | None = None
    saved: str | None = None
    nowhere: str = ""
    sizes: Sizes | None = None
    unsized: int = 0


class Seen(NamedTuple):
    """What was seen of a job: its collection, its archive directory, and its running backup.

    ``sure`` is whether no backup can be running unseen.
    """

    collection: Collection
    archive: Archive
    running: Running | None
    sure: bool
