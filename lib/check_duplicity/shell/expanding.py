"""Expand words as a shell does: replace $NAME and $( ), and split where it would."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable

from check_duplicity.shell import parameters, patterns
from check_duplicity.shell.state import State
from check_duplicity.shell.syntax import (
    Arithmetic,
    Assignment,
    Block,
    Home,
    Literal,
    Parameter,
    Piece,
    Pieces,
    Strange,
    Substitution,
    WrittenWord,
)
from check_duplicity.shell.variables import ALL_UNKNOWN, ALWAYS_SET, Variable, unknown
from check_duplicity.shell.words import (
    BREAK,
    KEPT,
    LOOSE,
    NAME,
    OPEN,
    SPLIT,
    Part,
    Segment,
    Value,
    Word,
    known_text,
    length_of,
    value_of,
    value_of_text,
    words_of,
)

_SUM = re.compile(r"\s*(\$?\w+)\s*(?:([-+*])\s*(\$?\w+)\s*)?", re.A)
# Only bash sets these.
_BASH_ONLY = ("HOSTNAME", "BASH_SOURCE", "BASH", "UID", "EUID")


class Expander:
    """Expands written words with the variables of a shell.

    ``captured`` follows a block and returns what it prints.
    """

    def __init__(self, state: State, captured: Callable[[Block], Value | None]) -> None:
        self._state = state
        self._variables = state.variables
        self._allowance = state.allowance
        self._captured = captured

    # Words

    def words(self, written: WrittenWord) -> list[Word]:
        """Return the words that a command gets for a written one."""
        return words_of(self._parts(written.pieces), written.line)

    def listed(self, written: WrittenWord) -> list[Word]:
        """Return the words of a list, as in ``for``, where patterns stand for paths."""
        words = self.words(written)
        if not any(_is_pattern(piece) for piece in written.pieces) or len(words) != 1:
            return words
        place = self._state.place
        paths = None
        if not words[0].pieces and (words[0].text.startswith("/") or place):
            paths = self._state.host.paths(os.path.join(place, words[0].text))
        if paths is None:
            text = words[0].text
            return [Word(text, written.line, (text,), True, (Segment(text, known=False),))]
        beginning = "" if words[0].text.startswith("/") else place.rstrip("/") + "/"
        return [Word(path.removeprefix(beginning), written.line) for path in paths] or words

    def value(self, pieces: Pieces) -> Value:
        """Return a word as an assignment takes it, which doesn't split it."""
        return value_of(self._parts(pieces))

    def text(self, pieces: Pieces) -> str | None:
        """Return the text of a word without splitting it, if all of it is known."""
        return known_text(self.value(pieces))

    def pattern(self, pieces: Pieces) -> patterns.Pattern | None:
        """Return a word as a pattern, if it is known."""
        parts: list[Part] = []
        quoted: list[bool] = []
        for piece in pieces:
            found = self._parts_of(piece)
            parts += found
            quoted += [bool(getattr(piece, "quoted", False))] * len(found)
        return patterns.pattern_of(parts, quoted)

    def _parts(self, pieces: Pieces) -> list[Part]:
        return [part for piece in pieces for part in self._parts_of(piece)]

    def _parts_of(self, piece: Piece) -> list[Part]:
        if isinstance(piece, Literal):
            self._allowance.spend(len(piece.text))
            unknown_as = OPEN if piece.quoted else LOOSE
            return self._allowance.marks.parts(piece.text, KEPT, unknown_as)
        if isinstance(piece, Parameter):
            return self._parameter(piece)
        if isinstance(piece, Substitution):
            return self._substitution(piece)
        if isinstance(piece, Home):
            return [self._home(piece)]
        if isinstance(piece, Arithmetic):
            result = self._sum(piece.inside)
            return [Part(OPEN, piece.raw) if result is None else Part(KEPT, result)]
        assert isinstance(piece, Strange)
        return [Part(LOOSE, piece.raw)]

    def _home(self, piece: Home) -> Part:
        home = None if piece.user else self._variables.get("HOME")
        text = known_text(home.values[0]) if home and home.values else None
        if text is None:
            return Part(OPEN, piece.raw)
        self._allowance.spend(len(text))
        return Part(KEPT, text)

    def _substitution(self, piece: Substitution) -> list[Part]:
        printed = self._captured(piece.body)
        if piece.path or printed is None:
            return [Part(OPEN if piece.quoted or piece.path else LOOSE, piece.raw)]
        self._allowance.spend(length_of([printed]))
        return _parts_of_value(printed, piece.quoted)

    def _sum(self, text: str) -> str | None:
        """Return the result of ``A``, ``A + 1`` and the like; ``None`` if it isn't known."""
        if re.search(r"\+\+|--|=", text):
            for name in NAME.findall(text):
                self._state.forget(name)
            return None
        match = _SUM.fullmatch(text)
        if match is None:
            return None
        numbers = [self._number(word) for word in (match[1], match[3]) if word]
        if None in numbers:
            return None
        first, second = (int(n or 0) for n in (*numbers, 0)[:2])
        by = {"+": first + second, "-": first - second, "*": first * second}
        return str(by[match[2]] if match[2] else first)

    def _number(self, word: str) -> int | None:
        text: str | None = word
        if not word[0].isdigit():
            variable = self._variables.get(word.lstrip("$"))
            text = known_text(variable.values[0]) if variable and variable.values else None
        is_decimal = text is not None and re.fullmatch(r"0|[1-9][0-9]{0,8}", text) is not None
        return int(text or 0) if is_decimal else None

    # Parameters

    def _variable(self, name: str) -> Variable | None:
        """Return a variable, or one that the shell sets itself."""
        if name in ("@", "*"):
            arguments = self._variables.get("@")
            return arguments or Variable(None)
        if name.isdigit() and name != "0":
            arguments = self._variables.get("@")
            if arguments is None or arguments.values is None:
                return None
            return _nth(arguments.values, int(name) - 1)
        if name == "#":
            arguments = self._variables.get("@")
            if arguments is None or arguments.values is None or ALL_UNKNOWN in arguments.values:
                return None
            return Variable((value_of_text(str(len(arguments.values))),))
        found = self._variables.get(name)
        if found is None and name in _BASH_ONLY and self._state.is_bash:
            text = self._state.host.hostname() if name == "HOSTNAME" else None
            return Variable((value_of_text(text),)) if text else None
        return found

    def _parameter(self, piece: Parameter) -> list[Part]:
        """Return what a parameter is replaced by."""
        name = piece.name
        opened = [_opened(piece)]
        variable = self._variable(name)
        if piece.prefix:
            return self._prefixed(piece, variable) or opened
        found = self._whole(piece, variable)
        if not piece.operator:
            return found
        unset = variable is None or variable.values is None
        if unset and (name in ALWAYS_SET or not NAME.fullmatch(name)):
            return opened
        if piece.operator[-1] in "-=?+":
            return self._defaulted(piece, variable, found)
        operands = [self._operand(pieces) for pieces in piece.operands]
        return parameters.changed(piece.operator, found, operands) or opened

    def _operand(self, pieces: Pieces) -> tuple[patterns.Pattern | None, str | None]:
        return self.pattern(pieces), self.text(pieces)

    def _whole(self, piece: Parameter, variable: Variable | None) -> list[Part]:
        opened = [_opened(piece)]
        if variable is None or variable.values is None:
            return opened
        values = variable.values
        subscript = piece.name if piece.name in ("@", "*") else piece.subscript
        if subscript is None or subscript in ("@", "*"):
            values = values if subscript else values[:1]
        elif re.fullmatch("[0-9]{1,6}", subscript) and ALL_UNKNOWN not in values:
            values = values[int(subscript) : int(subscript) + 1]
        else:
            return opened
        self._allowance.spend(length_of(values))
        between = Part(KEPT, " ") if piece.quoted and subscript == "*" else Part(BREAK)
        parts: list[Part] = []
        for count, value in enumerate(values):
            parts += [between] if count else []
            if value == ALL_UNKNOWN:
                parts.append(Part(LOOSE, f"${piece.name}"))
            else:
                parts += _parts_of_value(value, piece.quoted)
            parts += [Part(KEPT)] if piece.quoted and subscript and not value else []
        return parts

    def _prefixed(self, piece: Parameter, variable: Variable | None) -> list[Part] | None:
        """Return what ``${#NAME}`` or ``${!NAME}`` is replaced by, if that is known."""
        text = known_text(variable.values[0]) if variable and variable.values else None
        if text is None or piece.subscript is not None:
            return None
        if piece.prefix == "#":
            return [Part(KEPT, str(len(text)))] if text.isascii() and piece.name != "@" else None
        if not NAME.fullmatch(text):
            return None
        return self._whole(Parameter(text, piece.raw, piece.quoted), self._variable(text))

    def _defaulted(
        self, piece: Parameter, variable: Variable | None, found: list[Part]
    ) -> list[Part]:
        """Return what ``${NAME:-operand}`` and the like (=, ?, +) are replaced by."""
        operator = piece.operator
        opened = [_opened(piece)]
        unset = variable is None or variable.values is None
        text = any(part.text for part in found if part.kind in (KEPT, SPLIT))
        if not unset and not text and any(part.kind in (OPEN, LOOSE) for part in found):
            return opened
        usable = not unset and (text or (operator[0] != ":" and bool(variable and variable.values)))
        if usable != (operator[-1] == "+"):
            return found if usable else []
        if operator[-1] == "?":
            return opened
        operand = [p for one in piece.operands for p in self._split_parts(one, piece.quoted)]
        if operator[-1] == "=":
            exported = self._state.exports(variable)
            self._variables.set(piece.name, Variable((value_of(operand),), exported))
        return operand

    def _split_parts(self, pieces: Pieces, quoted: bool) -> list[Part]:
        """Return the parts of an operand, whose unquoted text is split like a value."""
        parts: list[Part] = []
        for piece in pieces:
            found = self._parts_of(piece)
            if isinstance(piece, Literal) and not piece.quoted and not quoted:
                found = [p._replace(kind=SPLIT) if p.kind == KEPT else p for p in found]
            parts += found
        return parts

    # Assignments

    def assigned(self, assignment: Assignment) -> Variable:
        """Return the variable as an assignment sets it."""
        name = assignment.name
        old = self._variables.get(name) or Variable(None)
        exported = self._state.exports(old)
        if assignment.elements is not None:
            values = self._elements(assignment)
            if assignment.plus:
                values = (*self._before(name, old), *values)
            return Variable(values, exported, array=True)
        value = self.value(assignment.value)
        if assignment.subscript is not None:
            return self._with_element(assignment, old, value)
        if assignment.plus:
            before = self._before(name, old)
            whole = (*(before[0] if before else ()), *value)
            return Variable((whole, *before[1:]), exported, old.array)
        if old.array and old.values:
            return Variable((value, *old.values[1:]), exported, array=True)
        return Variable((value,), exported)

    def _before(self, name: str, old: Variable) -> tuple[Value, ...]:
        values = old.values
        if values is None:
            # No array is inherited, and a script's own variables begin empty.
            return ((Segment(f"${name}", known=False),),) if name in ALWAYS_SET else ()
        self._allowance.spend(length_of(values))
        return values

    def _with_element(self, assignment: Assignment, old: Variable, value: Value) -> Variable:
        name, subscript = assignment.name, assignment.subscript or ""
        values = self._before(name, old)
        index = int(subscript) if re.fullmatch("[0-9]{1,6}", subscript) else len(values) + 1
        if index > len(values) or ALL_UNKNOWN in values or assignment.plus:
            return unknown(name)._replace(array=True)
        return Variable((*values[:index], value, *values[index + 1 :]), old.exported, array=True)

    def _elements(self, assignment: Assignment) -> tuple[Value, ...]:
        if assignment.keyed:
            return (ALL_UNKNOWN,)
        written = assignment.elements or ()
        return values_of(word for one in written for word in self.words(one))


def _is_pattern(piece: Piece) -> bool:
    return isinstance(piece, Literal) and not piece.quoted and patterns.has_special(piece.text)


def values_of(words: Iterable[Word]) -> tuple[Value, ...]:
    """Return words as the elements of an array: all after one that may be several are unknown."""
    values: list[Value] = []
    for word in words:
        if word.loose:
            return (*values, ALL_UNKNOWN)
        values.append(word.value)
    return tuple(values)


def _opened(piece: Parameter) -> Part:
    """Return the part for a parameter that isn't known; a list may be several words."""
    is_list = piece.subscript == "@" or piece.name == "@"
    return Part(OPEN if piece.quoted and not is_list else LOOSE, piece.raw)


def _nth(values: tuple[Value, ...], index: int) -> Variable | None:
    known = values.index(ALL_UNKNOWN) if ALL_UNKNOWN in values else len(values)
    if index < known:
        return Variable((values[index],))
    return Variable(()) if known == len(values) else None


def _parts_of_value(value: Value, quoted: bool) -> list[Part]:
    kinds = (OPEN, KEPT) if quoted else (LOOSE, SPLIT)
    return [Part(kinds[known], text) for text, known in value]
