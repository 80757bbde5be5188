"""The model of a script's command and its host, and the error for an unreadable script."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from check_duplicity.values import NamedTuple

_SHELLS = ("sh", "bash", "dash", "ash", "ksh", "mksh", "zsh")


class Output(NamedTuple):
    """Where what is printed goes: to a ``file``, or to the system's log under a ``tag``.

    ``file`` is a full path, or a pattern in whose last part ``*`` stands for a date. If neither is
    there, that can't be known.
    """

    file: str = ""
    tag: str = ""


UNKNOWN = Output()
NOWHERE = Output("/dev/null")
STDOUT, STDERR = Output("/dev/stdout"), Output("/dev/stderr")  # as they are of who starts it all


class Command(NamedTuple):
    """A simple command.

    A variable whose value can't be known without running is left out of the environment. So are
    HOME, USER and LOGNAME of the one who started it, if it runs as somebody else.
    """

    words: tuple[str, ...]  # program and arguments; what only starts it (wrappers) taken off
    environment: Mapping[str, str]  # variables exported so far, and those assigned in front of it
    line: int  # 1-based line where it begins
    user: str = ""  # whom sudo -u / su - / runuser -u / setpriv in front makes it run as
    unresolved: tuple[str, ...] = ()  # pieces of the words that can't be known: "$(date)", "$1"
    certain: bool = True  # run whenever the script is, as far as is known; not in a branch
    output: Output = STDOUT  # where what it prints goes
    place: str = ""  # the directory that it runs in, empty if that isn't known
    known: tuple[bool, ...] = ()  # of each word, if there is one that isn't
    loose: bool = False  # whether one of them may be several
    file: str = ""  # the sourced file that it stands in
    hidden: frozenset[str] = frozenset()  # variables that it may get, and whose value isn't known
    errors: Output = STDERR  # where what it prints to standard error goes

    @property
    def program(self) -> str:
        """The program, or the script that a shell runs; empty if there is none."""
        words = operands_of_shell(self.words)[1] if is_shell(self.words) else self.words
        return "".join(words[:1])


class Host:
    """What a script sees of the host that it runs on; this one knows nothing."""

    def text(self, path: str) -> str | None:
        """Return the text of a file that is sourced, empty if there is none; ``None``: unknown."""
        return None

    def has(self, test: str, path: str) -> bool | None:
        """Return what ``[ -f path ]`` would, by the letter of the test."""
        return None

    def real_path(self, path: str) -> str | None:
        """Return what ``readlink -f`` prints, empty if it fails."""
        return None

    def paths(self, pattern: str) -> list[str] | None:
        """Return the paths that a pattern stands for, sorted."""
        return None

    def program(self, name: str, path: str | None) -> str | None:
        """Return what ``command -v`` prints of a name without a slash, by ``$PATH``."""
        return None

    def deciders_of_program(self, path: str) -> frozenset[str]:
        """Return who besides root can change what a program does."""
        return frozenset()

    def hostname(self) -> str | None:
        """Return the name of the host."""
        return None

    def uid(self) -> str | None:
        """Return the number of who runs the script."""
        return None

    def user(self) -> str | None:
        """Return who runs the script."""
        return None


class ShellError(ValueError):
    """The script can't be read; says the line and why."""


def is_shell(words: Sequence[str]) -> bool:
    """Whether a command is a shell, which runs the script that its words name."""
    return bool(words) and words[0].rpartition("/")[2] in _SHELLS


def operands_of_shell(words: Sequence[str]) -> tuple[bool, Sequence[str]]:
    """Return of a shell's words what follows its options, and whether that is a string (``-c``)."""
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
