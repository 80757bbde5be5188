"""What $NAME and ${NAME...} are replaced by."""

from __future__ import annotations

import re

from check_duplicity.shell.blocks import Blocks
from check_duplicity.shell.text import Text
from check_duplicity.shell.variables import ALWAYS_SET, Variable
from check_duplicity.shell.words import (
    BREAK,
    KEPT,
    NAME,
    OPEN,
    SPLIT,
    Part,
    length_of,
    value_of,
)


class Parameters:
    """The variables of a shell as words see them."""

    def __init__(self, text: Text, blocks: Blocks) -> None:
        self._text = text
        self._blocks = blocks
        self._variables = blocks.variables

    def value(self, name: str, subscript: str | None, raw: str, quoted: bool) -> list[Part]:
        """Return what a variable is replaced by; ``raw`` is how that is written."""
        variable = self._variables.get(name)
        if variable is None or variable.values is None:
            return [Part(OPEN, raw)]
        values = variable.values
        if subscript is None:
            values = values[:1]
        elif re.fullmatch("[0-9]{1,6}", subscript):
            values = values[int(subscript) : int(subscript) + 1]
        elif subscript not in ("@", "*"):
            return [Part(OPEN, raw)]
        self._text.spend(length_of(values))
        kind = KEPT if quoted else SPLIT
        between = Part(KEPT, " ") if quoted and subscript == "*" else Part(BREAK)
        parts: list[Part] = []
        for count, value in enumerate(values):
            parts += [between] if count else []
            parts += [Part(kind if known else OPEN, text) for text, known in value]
            parts += [Part(KEPT)] if quoted and subscript and not value else []
        return parts

    def operated(
        self, name: str, value: list[Part], operator: str, operand: list[Part], raw: str
    ) -> list[Part]:
        """Return what ``${NAME:-operand}`` is replaced by, and other operators' likes."""
        variable = self._variables.get(name)
        unknown = variable is None or variable.values is None
        opened = [Part(OPEN, raw)]
        if unknown and (name in ALWAYS_SET or not NAME.fullmatch(name)):
            return opened
        if operator[0] in "#%":
            return _cut(value, operator, operand, opened)
        text = any(part.text for part in value if part.kind != OPEN)
        if not unknown and not text and any(part.kind == OPEN for part in value):
            return opened
        usable = not unknown and (
            text or (operator[0] != ":" and bool(variable and variable.values))
        )
        if operator[-1] == "+":
            return operand if usable else []
        if usable:
            return value
        if operator[-1] == "=":
            exported = bool(variable and variable.exported) or self._variables.all_exported
            self._blocks.assign(name, Variable((value_of(operand),), exported))
        return opened if operator[-1] == "?" else operand


def _cut(
    value: list[Part], operator: str, operand: list[Part], otherwise: list[Part]
) -> list[Part]:
    """Return what ``${NAME%operand}`` and its likes leave of a value, if that can be known."""
    if len(value) > 1 or any(part.kind == OPEN for part in (*value, *operand)):
        return otherwise
    pattern = "".join(part.text for part in operand)
    texts = [_trimmed(text, operator, pattern) for _, text in value]
    if None in texts:
        return otherwise
    return [part._replace(text=text) for part, text in zip(value, texts) if text]


def _trimmed(text: str, operator: str, pattern: str) -> str | None:
    """Return a value without its beginning (# and ##) or its end; ``None`` for a hard pattern."""
    at_start, longest = operator[0] == "#", len(operator) == 2
    if "*" not in pattern and not set("?[\\") & set(pattern):
        return text.removeprefix(pattern) if at_start else text.removesuffix(pattern)
    fixed = pattern[1:] if at_start else pattern[:-1]
    if not fixed or set("*?[\\") & set(fixed):
        return None
    if at_start:
        _, found, rest = text.rpartition(fixed) if longest else text.partition(fixed)
    else:
        rest, found, _ = text.partition(fixed) if longest else text.rpartition(fixed)
    return rest if found else text
