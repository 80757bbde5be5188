"""What a command of a script is, and the error if there is no reading it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from check_duplicity.values import NamedTuple

_SHELLS = ("sh", "bash", "dash", "ash", "ksh", "mksh", "zsh")


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

    @property
    def program(self) -> str:
        """The program, or the script that a shell runs; empty if there is none."""
        words = operands_of_shell(self.words)[1] if is_shell(self.words) else self.words
        return "".join(words[:1])


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
