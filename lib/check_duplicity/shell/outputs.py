"""Find out where a command's output goes: redirections, and readers of pipes."""

from __future__ import annotations

import glob
import os
import re
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from check_duplicity.shell.expanding import Expander
from check_duplicity.shell.model import NOWHERE, UNKNOWN, Output
from check_duplicity.shell.starters import options_of
from check_duplicity.shell.state import Redirected, State
from check_duplicity.shell.syntax import Redirected as RedirectedStatement
from check_duplicity.shell.syntax import (
    Redirection,
    Simple,
    Statement,
    Substitution,
    WrittenWord,
)
from check_duplicity.shell.words import Value, Word, known_text

_TO_FILES = (">", ">>", ">|", "&>", "&>>", ">&")
_DIGIT = re.compile("[0-9]|-")  # after >&: the descriptor to copy, or - to close it
_DESCRIPTOR = re.compile(r"(?:/dev/fd|/proc/self/fd)/([0-9])|/dev/std(out|err)")
# Only these may differ between runs: a log with another unknown part may be another job's.
_DATE = re.compile(
    r"\$\((?:\S*/)?date(?: [^$`|;&()]*)?\)|`(?:\S*/)?date(?: [^$`|;&()]*)?`"
    r"|\$(?:\$|RANDOM|BASHPID|EPOCHSECONDS|SECONDS)"
)
_OF_LOGGER = [
    "--tag", "--file", "--server", "--port", "--priority", "--size", "--socket", "--msgid",
    "--sd-id", "--sd-param",
]  # fmt: skip
_PASSING_ON = ("cat", "ts")  # print all that they read


class Outputs:
    """Keeps track of where the output of a state's commands goes."""

    def __init__(self, state: State, expander: Expander) -> None:
        self._state = state
        self._expander = expander

    @contextmanager
    def redirected(
        self, redirections: Sequence[Redirection], lasting: bool = False
    ) -> Iterator[None]:
        """Apply redirections to what is followed inside, and undo them afterwards.

        ``lasting`` redirections stay (``exec``).
        """
        if not redirections:
            yield
            return
        state = self._state
        names = {f"{one.descriptor}>" for one in redirections} | {"1>", "2>"}
        captured, before = state.captured, {name: state.variables.get(name) for name in names}
        state.redirected.append(Redirected(len(state.frames), {} if lasting else before))
        self.redirect(redirections)
        try:
            yield
        finally:
            state.captured = captured
            state.redirected.pop()
            for name, variable in () if lasting else before.items():
                state.variables.set(name, variable)

    @contextmanager
    def piped(self, readers: Sequence[Statement]) -> Iterator[None]:
        """Send the output of what is followed inside to the statements that read the pipe.

        The end of the subshell around it undoes that.
        """
        captured = self._state.captured
        self._state.lead("1", self._reader(readers))
        self._state.captured = ""
        try:
            yield
        finally:
            self._state.captured = captured

    def redirect(self, redirections: Sequence[Redirection]) -> None:
        """Apply redirections to what follows."""
        for descriptor, operator, target in redirections:
            if operator not in _TO_FILES or not (descriptor or "1").isdigit():
                self._expander.value(target)
                continue
            first, copied = target[0] if len(target) == 1 else None, ""
            if isinstance(first, Substitution) and first.path:
                output = self._reader_in(first)
                self._expander.value(target)
            else:
                value = self._expander.value(target)
                text = known_text(value) or ""
                copied = text if operator == ">&" and _DIGIT.fullmatch(text) else ""
                output = self._copied(copied) if copied else self._file(value)
            both = not descriptor and not copied and "&" in operator
            for number in ("1", "2") if both else (descriptor or "1",):
                self._state.lead(number, output)
                if number == "1" and copied != "1":
                    self._state.captured = ""

    def _copied(self, descriptor: str) -> Output:
        return NOWHERE if descriptor == "-" else self._state.stream(descriptor)

    def _file(self, value: Value) -> Output:
        found = _DESCRIPTOR.fullmatch(known_text(value) or "")
        if found:
            return self._state.stream(found[1] or ("1" if found[2] == "out" else "2"))
        return file_named(value, self._state.place)

    # Pipes

    def _reader_in(self, piece: Substitution) -> Output:
        """Return where the output to ``>( )`` ends up."""
        pipelines = piece.body[0].pipelines if len(piece.body) == 1 else ()
        return self._reader(pipelines[0][1].statements) if len(pipelines) == 1 else UNKNOWN

    def _reader(self, readers: Sequence[Statement]) -> Output:
        """Return where the input of these statements in a pipe ends up."""
        if not readers:
            return self._state.stream("1")
        first = readers[0]
        redirections: tuple[Redirection, ...] = ()
        if isinstance(first, RedirectedStatement):
            redirections, first = first.redirections, first.statement
        if not isinstance(first, Simple):
            return UNKNOWN
        # The statement itself is followed elsewhere: undo what expanding its words does.
        mark, count = self._state.variables.mark(), len(self._state.found)
        try:
            written = [word for word in first.words if isinstance(word, WrittenWord)]
            words = deque(word for one in written for word in self._expander.words(one))
            program = words.popleft().text.rpartition("/")[2] if words else ""
            file = self._read_by(program, words)
            if file is not None:
                return file
            self._state.lead("1", self._reader(readers[1:]))
            with self.redirected([*first.redirections, *redirections]):
                return self._state.stream("1")
        finally:
            self._state.variables.undo(mark)
            del self._state.found[count:]

    def _read_by(self, program: str, words: deque[Word]) -> Output | None:
        """Return where a program puts its input; ``None`` if it prints it."""
        if program == "logger":
            options = dict(options_of(words, "fnPpStu", _OF_LOGGER))
            remote = options.keys() & {"-n", "--server", "-f", "--file"}
            return UNKNOWN if remote or words else _tagged(options, "-t", "--tag")
        if program == "systemd-cat":
            options = dict(options_of(words, "tp", ["--identifier", "--priority"]))
            return UNKNOWN if words else _tagged(options, "-t", "--identifier")
        if program == "tee":
            list(options_of(words, "", []))
            files = [self._file(word.value) for word in words]
            return files[0] if files else None
        return None if program in _PASSING_ON else UNKNOWN


def file_named(value: Value, place: str) -> Output:
    """Return the file with a name in a directory, or files that differ in a date only."""
    text = known_text(value)
    if text is not None:
        path = os.path.join(place, text)
        return Output(path) if text and os.path.isabs(path) else UNKNOWN
    if any(not known and not _DATE.fullmatch(part) for part, known in value):
        return UNKNOWN
    name = "".join(glob.escape(part) if known else "*" for part, known in value)
    path = os.path.join(glob.escape(place), re.sub(r"\*\*+", "*", name))
    directory, base = os.path.split(path)
    named = os.path.isabs(path) and re.search(r"\w", base)
    return Output(path) if named and directory == glob.escape(directory) else UNKNOWN


def _tagged(options: dict[str, Word | None], *names: str) -> Output:
    found = [word for name in names if (word := options.get(name))]
    tag = known_text(found[0].value) if found else None
    return Output(tag=tag) if tag else UNKNOWN
