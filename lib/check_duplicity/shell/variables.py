"""Keep a shell's variables, and the environment that each command gets."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence

from check_duplicity.shell.words import (
    Segment,
    Value,
    common_ends,
    known_text,
    value_of_text,
)
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
_MOST_HIDDEN = 200  # variables


class Variable(NamedTuple):
    """A variable: it has several values if it is an array, and none if it is unset.

    ``values`` is ``None`` if it is declared somewhere but never assigned: it may be inherited.
    ``exported`` is ``None`` if it isn't known whether it is exported.
    """

    values: tuple[Value, ...] | None
    exported: bool | None = False
    array: bool = False


def unknown(name: str, exported: bool | None = False) -> Variable:
    """Return a variable whose value can't be known: it stays in words as ``$NAME``."""
    return Variable((_unknown_value(name),), exported)


# Stands in an array for any number of unknown elements.
ALL_UNKNOWN: Value = (Segment("$@", known=False), Segment("", known=False))


def forgotten(name: str, variable: Variable | None) -> Variable:
    """Return a variable that may now have any value; it stays exported, or an array."""
    if variable is not None and variable.array:
        return variable._replace(values=(ALL_UNKNOWN,))
    return unknown(name, variable.exported if variable is not None else False)


def _unknown_value(name: str) -> Value:
    return (Segment(f"${name}", known=False),)


def _joined(name: str, found: Sequence[Variable | None]) -> Variable:
    """Return a variable that differs between branches: only what they agree in is known."""
    all_of = {variable is not None and variable.exported for variable in found}
    exported = all_of.pop() if len(all_of) == 1 else None
    array = any(variable is not None and variable.array for variable in found)
    texts = [
        known_text(variable.values[0])
        if variable is not None and variable.values and len(variable.values) == 1
        else None
        for variable in found
    ]
    if array:
        return Variable((ALL_UNKNOWN,), exported, array)
    if None in texts:
        return unknown(name, exported)
    ends = common_ends([text for text in texts if text is not None])
    before, after = map(value_of_text, ends)
    return Variable(((*before, *_unknown_value(name), *after),), exported)


def exported_text(variable: Variable | None) -> str | None:
    """Return a variable's text in a program's environment; ``None`` unless exported and known."""
    if variable is None or not variable.exported or variable.array or not variable.values:
        return None
    return known_text(variable.values[0])


def _is_hidden(variable: Variable, text: str | None) -> bool:
    """Return whether a program may get this variable with a value that isn't known."""
    if variable.exported is None:
        return True
    return bool(variable.exported) and text is None and variable.values != ()


class _History(NamedTuple):
    """The texts that a variable was exported with, and the versions from which each one holds."""

    versions: list[int]
    texts: list[str | None]


class Environment(Mapping[str, str]):
    """The exported variables at one version: commands share a history instead of copies."""

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
    """The variables of a shell, the history of its exports, and a journal for `undo`."""

    def __init__(self, exported: Mapping[str, str]) -> None:
        self._variables: dict[str, Variable] = {}
        self._exports: dict[str, _History] = {}
        self._version = 0
        self._journal: list[tuple[str, Variable | None]] = []
        self._hidden: dict[str, None] = {}
        self._hidden_now: frozenset[str] | None = frozenset()
        for name, text in exported.items():
            self.set(name, Variable((value_of_text(text),), exported=True))

    def get(self, name: str) -> Variable | None:
        """Return a variable; ``None`` if nothing is known of it."""
        return self._variables.get(name)

    def set(self, name: str, variable: Variable | None) -> None:
        """Set a variable, or remove it (``None``); `undo` takes that back."""
        self._journal.append((name, self._variables.get(name)))
        self._put(name, variable)

    def environment(self, changes: Mapping[str, str | None]) -> Mapping[str, str]:
        """Return a program's environment now, with changes; ``None`` removes a variable."""
        return Environment(self._exports, self._version, changes)

    def hidden(self) -> frozenset[str]:
        """Return the variables that a program may get with values that aren't known."""
        if self._hidden_now is None:
            self._hidden_now = frozenset(self._hidden)
        return self._hidden_now

    def count(self) -> int:
        """Return how many variables were ever exported."""
        return len(self._exports)

    def names(self) -> list[str]:
        """Return the names of the variables that a script can name."""
        return [name for name in self._variables if name.isidentifier()]

    def all_names(self) -> list[str]:
        """Return the names of all variables, including those that no script can name."""
        return list(self._variables)

    def mark(self) -> int:
        """Return a mark to which `undo` goes back."""
        return len(self._journal)

    def undo(self, mark: int) -> None:
        """Forget what was set since a mark, as at the end of a subshell."""
        while len(self._journal) > mark:
            self._put(*self._journal.pop())

    def changes(self, mark: int) -> dict[str, Variable | None]:
        """Return the variables that were set since a mark, with their present values."""
        return {name: self._variables.get(name) for name, _ in self._journal[mark:]}

    def join(self, ways: Sequence[Mapping[str, Variable | None]]) -> None:
        """Set what branches changed: to the value that all of them agree in, or to unknown."""
        for name in dict.fromkeys(name for way in ways for name in way):
            now = self._variables.get(name)
            found = [way.get(name, now) for way in ways]
            if any(variable != found[0] for variable in found):
                self.set(name, _joined(name, found))
            elif found[0] != now:
                self.set(name, found[0])

    def _note_hidden(self, name: str, hidden: bool) -> None:
        if hidden and name not in self._hidden and len(self._hidden) < _MOST_HIDDEN:
            self._hidden[name] = None
            self._hidden_now = None
        elif not hidden and name in self._hidden:
            del self._hidden[name]
            self._hidden_now = None

    def _put(self, name: str, variable: Variable | None) -> None:
        if variable is None:
            self._variables.pop(name, None)
        else:
            self._variables[name] = variable
        text = exported_text(variable)
        self._note_hidden(name, variable is not None and _is_hidden(variable, text))
        history = self._exports.get(name)
        if text is not None or history is not None:
            history = history or self._exports.setdefault(name, _History([], []))
            self._version += 1
            history.versions.append(self._version)
            history.texts.append(text)
