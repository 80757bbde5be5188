"""Find out from a process's argument vector whether it is duplicity, and what it does.

The vector decides, not the name of the process: ``#!/usr/bin/python3``, ``#!/usr/bin/env python3``,
``python3 /usr/bin/duplicity`` and ``python3 -m duplicity`` all run duplicity; editors, pagers, log
tails and shells that have its name in their arguments don't.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice

from check_duplicity.nagios.limits import format_time
from check_duplicity.secrets import without_password
from check_duplicity.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from check_duplicity.duplicity.names import Prefixes

_PYTHON = re.compile(r"(?:python|pypy)[0-9.]*")
_PYTHON_OPTIONS_WITH_VALUE = ("-W", "-X", "--check-hash-based-pycs")

# From commandline.py of 0.8.23 and cli_data.py of 2.1.5 and 3.2.1, like the lists below.
_ACTIONS = {
    "full": "full", "fb": "full",
    "incremental": "incremental", "incr": "incremental", "inc": "incremental", "ib": "incremental",
    "backup": "backup", "bu": "backup",
    "verify": "verify", "vb": "verify",
    "restore": "restore", "rb": "restore",
    "cleanup": "cleanup", "cl": "cleanup",
    "collection-status": "collection-status", "st": "collection-status",
    "list-current-files": "list-current-files", "ls": "list-current-files",
    "remove-older-than": "remove-older-than", "ro": "remove-older-than",
    "remove-all-but-n-full": "remove-all-but-n-full", "ra": "remove-all-but-n-full",
    "remove-all-inc-of-but-n-full": "remove-all-inc-of-but-n-full",
    "ri": "remove-all-inc-of-but-n-full",
    "replicate": "replicate",
}  # fmt: skip
_BACKUPS = ("full", "incremental", "backup")
_FLAGS_TEXT = """\
    --allow-source-mismatch --asynchronous-upload --b2-hide-files --check-remote --compare-data
    --compression --copy-links --do-not-restore-ownership --dry-run --encryption
    --exclude-device-files --exclude-filelist-stdin --exclude-other-filesystems --files-changed
    --filter-globbing --filter-ignorecase --filter-literal --filter-regexp --filter-strictcase
    --force --ftp-passive --ftp-regular --gio --help --ignore-errors --imap-full-address
    --include-filelist-stdin --jsonstat --log-timestamp --mf-purge --no-check-remote
    --no-compression --no-encryption --no-files-changed --no-print-statistics
    --no-restore-ownership --null-separator --numeric-owner --old-filenames --print-statistics
    --progress --pydevd --restore-ownership --s3-european-buckets --s3-unencrypted-connection
    --s3-use-deep-archive --s3-use-glacier --s3-use-glacier-ir --s3-use-ia
    --s3-use-multiprocessing --s3-use-new-style --s3-use-onezone-ia --s3-use-rrs
    --s3-use-server-side-encryption --s3-use-server-side-kms-encryption --short-filenames
    --skip-if-no-change --ssh-askpass --ssl-no-check-certificate --use-agent --use-gpgsm --version
"""
_FLAGS = frozenset(_FLAGS_TEXT.split())
_OF_BACKUPS = re.compile(
    r"--(?:(?:exclude|include|filter-)\S*|files-from|(?:encrypt-)?sign-key|volsize|full-if-older-than"
    r"|skip-if-no-change|asynchronous-upload|concurrency|allow-source-mismatch|jsonstat|check-remote"
    r"|no-check-remote|compression|copy-links|max-blocksize|(?:no-)?print-statistics"
    r"|(?:no-)?files-changed)"
)
_TWO_VALUES = ("--rename",)
_SHORT_WITH_VALUE = ("-v", "-t", "-r")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


class Invocation(NamedTuple):
    """What a running duplicity does, according to its arguments.

    ``action`` is the long name of the command, ``backup`` or ``restore`` where it is implied,
    empty if unknown. ``url`` is the destination without its password. ``archive_dir`` is
    as given, empty for the default; ``name`` is the backup's name, by default the MD5 of the URL.
    ``prefixes`` are the prefixes of its files' names.
    """

    action: str = ""
    url: str = ""
    archive_dir: str = ""
    name: str = ""
    prefixes: Prefixes | None = None

    @property
    def backup(self) -> bool:
        """Whether it makes a backup."""
        return self.action in _BACKUPS


class Running(NamedTuple):
    """A backup that is running.

    ``since`` is ``None`` if this user may not see it.
    """

    pid: int
    since: datetime | None = None

    def __str__(self) -> str:
        since = f" since {format_time(self.since)}" if self.since else ""
        return f"in progress{since}, pid {self.pid}"


class Arguments(NamedTuple):
    """A parsed argument vector; the URL still has its password.

    ``command`` starts duplicity; ``values`` are the long options' values, empty for flags.
    """

    command: tuple[str, ...]
    action: str
    url: str
    values: Mapping[str, str]

    @property
    def backup(self) -> bool:
        """Whether these arguments make a backup."""
        return self.action in _BACKUPS

    def options(self, wanted: re.Pattern[str]) -> list[str]:
        """Return the long options whose names begin with a pattern, ready for a new call."""
        return [
            name if name in _FLAGS else f"{name}={value}"
            for name, value in self.values.items()
            if wanted.match(name)
        ]


def of_any_action(options: Sequence[str]) -> list[str]:
    """Return the options that suit any action: without those that only a backup needs.

    Some versions refuse these for other actions (2.0 and 2.1 most of them, 3.2.1 those that select
    files). An older set may be signed with another key: a restore with today's signing key
    then fails as if the signature were wrong (0.8.23 to 3.2.1).
    """
    kept: list[str] = []
    words = iter(options)
    for word in words:
        value = [*islice(words, 1)] if _has_value_behind(word) else []
        if not _OF_BACKUPS.fullmatch(word.partition("=")[0]):
            kept += [word, *value]
    return kept


def is_one_of(option: str, names: Sequence[str]) -> bool:
    """Whether an option is one of these long options, or an abbreviation of one.

    duplicity takes ``--log-file X``, ``--log-file=X`` and ``--log-fi X`` alike (0.8.23 to 3.2.1).
    """
    name = option.partition("=")[0]
    return len(name) > 2 and any(other.startswith(name) for other in names)


def _has_value_behind(word: str) -> bool:
    """Whether the next word is an option's value."""
    if word.startswith("--"):
        return "=" not in word and word not in _FLAGS
    return word in _SHORT_WITH_VALUE


def read_arguments(argv: Sequence[str]) -> Arguments | None:
    """Return the parsed argument vector; ``None`` if it isn't duplicity's."""
    arguments = _duplicity_arguments(argv)
    if arguments is None:
        return None
    positionals, values = _parse(arguments)
    action = _ACTIONS.get(positionals[0], "") if positionals else ""
    urls = [word for word in positionals if _URL.match(word)]
    url = urls[-1] if urls else ""
    if not action and len(positionals) >= 2:
        # duplicity SOURCE URL backs up, duplicity URL TARGET restores. In a script the URL may be
        # unknown.
        target = bool(url) or positionals[-1].startswith(("/", ".", "~"))
        action = "backup" if positionals[-1] == url or not target else "restore"
    return Arguments(tuple(argv[: len(argv) - len(arguments)]), action, url, values)


def read_invocation(argv: Sequence[str]) -> Invocation | None:
    """Return what duplicity does with an argument vector; ``None`` if it isn't duplicity's."""
    read = read_arguments(argv)
    if read is None:
        return None
    import hashlib

    from check_duplicity.duplicity.names import (
        Prefixes,  # imported late: most processes are not duplicity
    )

    url = read.url
    digest = hashlib.md5(url.encode(errors="surrogateescape"), usedforsecurity=False).hexdigest()
    return Invocation(
        read.action,
        without_password(url),
        read.values.get("--archive-dir", ""),
        read.values.get("--name") or (digest if url else ""),
        Prefixes.of_options(argv[len(read.command) :]),
    )


def _duplicity_arguments(argv: Sequence[str]) -> Sequence[str] | None:
    """Return the arguments behind the program's name, if the program is duplicity."""
    if not argv:
        return None
    if os.path.basename(argv[0]) == "duplicity":
        return argv[1:]
    if not _PYTHON.fullmatch(os.path.basename(argv[0])):
        return None
    position = 1
    while position < len(argv) and argv[position].startswith("-"):
        option = argv[position]
        # -m ends Python's options, and may be combined with others: -Im.
        module = re.fullmatch(r"-[bBdEiIOPqsSuvx]*m(.*)", option)
        if module:
            name = module[1] or "".join(argv[position + 1 : position + 2])
            rest = argv[position + (1 if module[1] else 2) :]
            return rest if name.split(".")[0] == "duplicity" else None
        if option in ("-", "-c", "--"):
            return None
        position += 2 if option in _PYTHON_OPTIONS_WITH_VALUE else 1
    if position < len(argv) and os.path.basename(argv[position]) == "duplicity":
        return argv[position + 1 :]
    return None


def _parse(arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Return the positional arguments and the values of the long options."""
    positionals: list[str] = []
    values: dict[str, str] = {}
    words = iter(arguments)
    for word in words:
        if word == "--":
            positionals += words
        elif word.startswith("--"):
            name, _, value = word.partition("=")
            if _has_value_behind(word):
                value = next(words, "")
                if name in _TWO_VALUES:
                    next(words, "")
            values[name] = value
        elif _has_value_behind(word):
            next(words, "")
        elif not word.startswith("-"):
            positionals.append(word)
    return positionals, values
