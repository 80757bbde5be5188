"""What changes variables: assignments, export and its likes, set, unset, read ..."""

from __future__ import annotations

import re

from check_duplicity.shell.blocks import Blocks
from check_duplicity.shell.expansions import Expansions
from check_duplicity.shell.text import Text
from check_duplicity.shell.variables import ALWAYS_SET, Variable, unknown
from check_duplicity.shell.words import (
    NAME,
    Segment,
    Value,
    Word,
    length_of,
    value_of,
    value_of_word,
)

DECLARATIONS = ("export", "declare", "typeset", "local", "readonly")

_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(?:\[([^\]\n]{0,100})\])?(\+?)=", re.A)


class Assignments:
    """Reads ``NAME=value``, where it stands alone, in front of a command and behind export."""

    def __init__(self, text: Text, blocks: Blocks, expansions: Expansions) -> None:
        self._text = text
        self._blocks = blocks
        self._variables = blocks.variables
        self._expansions = expansions

    def follows(self) -> bool:
        """Tell whether an assignment comes next."""
        return self._text.match(_ASSIGNMENT) is not None

    def take(self) -> tuple[str, Variable]:
        """Read ``NAME=value``, ``NAME=(values)``, ``NAME[0]=value`` or one of these with +=."""
        match = self._text.take(_ASSIGNMENT)
        assert match is not None
        name, subscript, plus = match.groups()
        old = self._variables.get(name) or Variable(None)
        exported = old.exported or self._variables.all_exported
        if self._text.next == "(" and subscript is None:
            values = self._take_array(name)
            if plus:
                values = (*self._values_before(name, old), *values)
            return name, Variable(values, exported, array=True)
        value = value_of(self._expansions.take_parts())
        if subscript is not None:
            return name, self._with_element(name, old, subscript, value)
        if plus:
            before = self._values_before(name, old)
            joined = (*(before[0] if before else ()), *value)
            return name, Variable((joined, *before[1:]), exported, old.array)
        return name, Variable((value,), exported, old.array)

    def _values_before(self, name: str, old: Variable) -> tuple[Value, ...]:
        values = old.values
        if values is None:
            # Nobody sets up an array outside, and what a script's own variables begin with is "".
            return ((Segment(f"${name}", known=False),),) if name in ALWAYS_SET else ()
        self._text.spend(length_of(values))
        return values

    def _with_element(self, name: str, old: Variable, subscript: str, value: Value) -> Variable:
        values = self._values_before(name, old)
        index = int(subscript) if re.fullmatch("[0-9]{1,6}", subscript) else len(values) + 1
        if index > len(values):
            return unknown(name)._replace(array=True)
        return Variable((*values[:index], value, *values[index + 1 :]), old.exported, array=True)

    def _take_array(self, name: str) -> tuple[Value, ...]:
        start = self._text.position
        self._text.position += 1
        values: list[Value] = []
        keyed = False
        self._text.skip_lines()
        while self._text.next != ")":
            if not self._text.next:
                raise self._text.error("array without its end", start)
            if self._text.at_end_of_command():
                self._text.position += 1
            else:
                keyed = keyed or self._text.next == "["
                words = self._expansions.take_words()
                values += (value_of_word(word, word.text) for word in words)
            self._text.skip_lines()
        self._text.position += 1
        return unknown(name).values or () if keyed else tuple(values)

    def read_declared(self, words: list[Word]) -> None:
        """Read the next word of export, declare, local ...; those before are command and options.

        An option is added to them.
        """
        if self.follows():
            name, variable = self.take()
            self._declare(words, name, variable)
            return
        for word in self._expansions.take_words():
            assignment = _ASSIGNMENT.match(word.text)
            if assignment and not assignment[2] and not assignment[3]:
                value = value_of_word(word, word.text[assignment.end() :])
                self._declare(words, assignment[1], Variable((value,)))
            elif NAME.fullmatch(word.text):
                self._declare(words, word.text, None)
            elif word.text[:1] in ("-", "+") and len(words) < 10:
                words.append(word)

    def _declare(self, words: list[Word], name: str, variable: Variable | None) -> None:
        command = words[0].text
        options = "".join(word.text for word in words[1:])
        if "f" in options or "F" in options:
            return
        old = self._variables.get(name)
        local = command in ("local", "declare", "typeset") and "g" not in options
        if local and self._blocks.in_function:
            self._blocks.make_local(name)
            old = Variable((), exported=bool(old and old.exported))
        exported = bool(old and old.exported) or self._variables.all_exported
        if command == "export":
            exported = "n" not in options
        elif "x" in options:
            exported = "+x" not in options
        variable = variable or old or Variable(None)
        if "A" in options or ("n" in options and command != "export"):
            variable = unknown(name)
        self._blocks.assign(name, variable._replace(exported=exported))


def note_builtin(words: list[str], blocks: Blocks) -> None:
    """Do what a builtin does to variables."""
    if words[0] == "set":
        _note_set(words[1:], blocks)
    elif words[0] == "unset":
        for name in filter(NAME.fullmatch, words[1:]):
            blocks.assign(name, Variable(()))
    else:
        for name in filter(NAME.fullmatch, _filled(words)):
            blocks.forget(name)


def _note_set(options: list[str], blocks: Blocks) -> None:
    for option, following in zip(options, [*options[1:], ""]):
        if option == "--":
            return
        if re.match("[-+][a-z]*a", option) or (option[1:] == "o" and following == "allexport"):
            blocks.variables.all_exported = option[0] == "-"


def _filled(words: list[str]) -> list[str]:
    """Return the variables that a builtin fills with what can't be known."""
    if words[0] == "read":
        return words[1:]  # Its options' values are hardly names that matter.
    if words[0] in ("mapfile", "readarray"):
        return words[-1:]
    if words[0] == "getopts":
        return [*words[2:3], "OPTARG", "OPTIND"]
    if words[:2] == ["printf", "-v"]:
        return words[2:3]
    return []
