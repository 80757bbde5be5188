"""The model of a script's command and its host, and the error for an unreadable script."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from check_duplicity.values import NamedTuple

_SHELLS = ("sh", "bash", "dash", "ash", "ksh", "mksh", "zsh")


class Output(NamedTuple):
    """The target of output: a ``file``, or the system's log under a ``tag``.

    ``file`` is a full path, or a pattern in whose last part ``*`` stands for a date. Both are empty
    if the target can't be known.
    """

    file: str = ""
    tag: str = ""


UNKNOWN = Output()
NOWHERE = Output("/dev/null")
STDOUT, STDERR = Output("/dev/stdout"), Output("/dev/stderr")  # those of whoever starts the script


class Command(NamedTuple):
    """A simple command.

    The environment has no variables whose value can't be known without running. If the command runs
    as another user than the script, it has no HOME, USER and LOGNAME of the script's user either.
    """

    words: tuple[str, ...]  # program and arguments, without wrappers that only start it
    environment: Mapping[str, str]  # variables exported so far, and those assigned in front of it
    line: int  # 1-based line where it begins
    user: str = ""  # the user that sudo -u, su -, runuser -u or setpriv names
    unresolved: tuple[str, ...] = ()  # pieces of the words that can't be known: "$(date)", "$1"
    certain: bool = True  # run whenever the script is, as far as is known; not in a branch
    output: Output = STDOUT  # where its standard output goes
    place: str = ""  # the directory that it runs in, empty if that isn't known
    known: tuple[bool, ...] = ()  # whether each word is known; empty if all are
    loose: bool = False  # whether one word may be several
    file: str = ""  # the sourced file that it stands in
    hidden: frozenset[str] = frozenset()  # variables that it may get, with unknown values
    errors: Output = STDERR  # where its standard error goes

    @property
    def program(self) -> str:
        """The program, or the script that a shell runs; empty if there is none."""
        words = operands_of_shell(self.words)[1] if is_shell(self.words) else self.words
        return "".join(words[:1])


class Host:
    """What a script sees of the host that it runs on; this one knows nothing."""

    def text(self, path: str) -> str | None:
        """Return the text of a sourced file, empty if there is none; ``None``: unknown."""
        return None

    def has(self, test: str, path: str) -> bool | None:
        """Return the result of ``[ -f path ]``; ``test`` is the letter."""
        return None

    def real_path(self, path: str) -> str | None:
        """Return what ``readlink -f`` prints, empty if it fails."""
        return None

    def paths(self, pattern: str) -> list[str] | None:
        """Return the paths that a pattern stands for, sorted."""
        return None

    def program(self, name: str, path: str | None) -> str | None:
        """Return what ``command -v`` prints for a name without a slash; ``path`` is ``$PATH``."""
        return None

    def deciders_of_program(self, path: str) -> frozenset[str]:
        """Return who besides root can change what a program does."""
        return frozenset()

    def hostname(self) -> str | None:
        """Return the name of the host."""
        return None

    def uid(self) -> str | None:
        """Return the number of the user who runs the script."""
        return None

    def user(self) -> str | None:
        """Return the name of the user who runs the script."""
        return None


class ShellError(ValueError):
    """The script can't be read; says the line and why."""


def is_shell(words: Sequence[str]) -> bool:
    """Return whether a command is a shell, which runs the script that its words name."""
    return bool(words) and words[0].rpartition("/")[2] in _SHELLS


def operands_of_shell(words: Sequence[str]) -> tuple[bool, Sequence[str]]:
    """Return whether a shell runs a string (``-c``), and the words that follow its options."""
    given = False
    position = 1
    while position < len(words) and re.match("[-+].", words[position]):
        option = words[position]
        position += 1
        if option == "--":
            break
        letters = "" if option.startswith("--") else option[1:]
        given = given or ("c" in letters and option[0] == "-")
        has_value = option in ("--rcfile", "--init-file") or not {"o", "O"}.isdisjoint(letters)
        position += has_value
    return given, words[position:]
