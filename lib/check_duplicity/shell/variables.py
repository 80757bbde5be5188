"""The variables of a shell, and what commands get of them at any time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping

from check_duplicity.shell.words import Segment, Value, known_text, value_of_text
from check_duplicity.values import NamedTuple

# Every shell, or cron, sets these: a default for them is never used.
ALWAYS_SET = frozenset(
    [
        "HOME",
        "HOSTNAME",
        "HOSTTYPE",
        "UID",
        "EUID",
        "GROUPS",
        "RANDOM",
        "SECONDS",
        "EPOCHSECONDS",
        "LINENO",
        "PATH",
        "PWD",
        "OLDPWD",
        "PPID",
        "BASH",
        "BASHPID",
        "BASH_SOURCE",
        "BASH_VERSION",
        "FUNCNAME",
        "IFS",
        "OPTIND",
        "SHELL",
        "SHLVL",
        "USER",
        "LOGNAME",
    ]
)


class Variable(NamedTuple):
    """What a variable is: several values if it is an array, none if it is unset.

    ``values`` is ``None`` if it is declared somewhere but never assigned: it may be inherited.
    """

    values: tuple[Value, ...] | None
    exported: bool = False
    array: bool = False


def unknown(name: str) -> Variable:
    """Return a variable whose value can't be known: it stays in words as ``$NAME``."""
    return Variable(((Segment(f"${name}", known=False),),))


def exported_text(variable: Variable | None) -> str | None:
    """Return what a program finds in its environment, if it is exported and known."""
    if variable is None or not variable.exported or variable.array or not variable.values:
        return None
    return known_text(variable.values[0])


class _History(NamedTuple):
    """What a variable was exported as, from which version of all variables on."""

    versions: list[int]
    texts: list[str | None]


class Environment(Mapping[str, str]):
    """The exported variables as they were at a time, without a copy of all for each command."""

    def __init__(
        self, exports: Mapping[str, _History], version: int, changes: Mapping[str, str | None]
    ) -> None:
        self._exports = exports
        self._version = version
        self._changes = changes

    def __getitem__(self, name: str) -> str:
        text = self._changes[name] if name in self._changes else self._exported(name)
        if text is None:
            raise KeyError(name)
        return text

    def _exported(self, name: str) -> str | None:
        if name not in self._exports:
            return None
        versions, texts = self._exports[name]
        position = bisect_right(versions, self._version)
        return texts[position - 1] if position else None

    def __iter__(self) -> Iterator[str]:
        return (name for name in {**self._exports, **self._changes} if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Variables:
    """The variables of a shell, all that were exported at any time, and how to go back."""

    def __init__(self, exported: Mapping[str, str]) -> None:
        self.all_exported = False  # set -a
        self._variables: dict[str, Variable] = {}
        self._exports: dict[str, _History] = {}
        self._version = 0
        self._journal: list[tuple[str, Variable | None]] = []
        for name, text in exported.items():
            self.set(name, Variable((value_of_text(text),), exported=True))

    def get(self, name: str) -> Variable | None:
        """Return a variable; ``None`` if nothing is known of it."""
        return self._variables.get(name)

    def set(self, name: str, variable: Variable | None) -> None:
        """Set a variable until it is set again, or that is undone."""
        self._journal.append((name, self._variables.get(name)))
        self._put(name, variable)

    def environment(self, changes: Mapping[str, str | None]) -> Mapping[str, str]:
        """Return what a program gets now, with changes; ``None`` takes a variable away."""
        return Environment(self._exports, self._version, changes)

    def count(self) -> int:
        """Return how many were ever exported."""
        return len(self._exports)

    def mark(self) -> tuple[int, bool]:
        """Return a mark to which `undo` goes back."""
        return len(self._journal), self.all_exported

    def undo(self, mark: tuple[int, bool]) -> None:
        """Forget what was set since a mark, as at the end of a subshell."""
        length, self.all_exported = mark
        while len(self._journal) > length:
            self._put(*self._journal.pop())

    def _put(self, name: str, variable: Variable | None) -> None:
        if variable is None:
            self._variables.pop(name, None)
        else:
            self._variables[name] = variable
        text = exported_text(variable)
        history = self._exports.get(name)
        if text is not None or history is not None:
            history = history or self._exports.setdefault(name, _History([], []))
            self._version += 1
            history.versions.append(self._version)
            history.texts.append(text)
