"""Where to look for a collection, and what was seen there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from check_duplicity.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from check_duplicity.duplicity.collection import Collection
    from check_duplicity.duplicity.invocation import Running
    from check_duplicity.duplicity.names import Archive
    from check_duplicity.duplicity.sizes import Sizes

# The check's own options, which keep it apart from the job: the job's must not replace them.
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
        """The error text if the options have one of the check's own; otherwise empty."""
        from check_duplicity.duplicity.invocation import is_one_of  # mostly there are no options

        for option in self.options:
            if is_one_of(option, _OWN_OPTIONS):
                return f"{option} is the check's own; the job's archive is named with -a and -n"
        return ""


class Listing(NamedTuple):
    """The unparsed listing of a source, with at most one of ``log``, ``saved`` and ``nowhere``.

    ``log`` is duplicity's answer, ``saved`` the text of a file, ``nowhere`` the missing directory
    of a ``file://`` destination. Without any of them only the archive directory counts; otherwise
    it adds what only it knows. ``sizes`` are the sizes of the files at a ``file://`` destination,
    ``unsized`` is the number of files that there was no time for.
    """

    archive: Archive
    log: str | None = None
    saved: str | None = None
    nowhere: str = ""
    sizes: Sizes | None = None
    unsized: int = 0


class Seen(NamedTuple):
    """A job's collection, archive directory and running backup, as seen.

    ``sure`` is true if no backup can be running unseen.
    """

    collection: Collection
    archive: Archive
    running: Running | None
    sure: bool
