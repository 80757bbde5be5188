"""What a command of a script is, and the error if there is no reading it."""

from __future__ import annotations

from collections.abc import Mapping

from check_duplicity.values import NamedTuple

_SHELL_NAMES = ("sh", "bash", "dash", "ksh", "zsh")


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
        words = [word for word in self.words if not word.startswith("-")]
        shell = bool(words) and words[0].rpartition("/")[2] in _SHELL_NAMES
        return "".join(words[1:2] if shell else words[:1])


class ShellError(ValueError):
    """The script can't be read; says the line and why."""
