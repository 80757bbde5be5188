"""Change values as ``${NAME#...}``, ``${NAME//a/b}``, ``${NAME^^}`` and ``${NAME:0:3}`` do."""

from __future__ import annotations

import re
from collections.abc import Sequence

from check_duplicity.shell import patterns
from check_duplicity.shell.words import KEPT, SPLIT, Part

Operand = tuple["patterns.Pattern | None", "str | None"]


def changed(operator: str, value: list[Part], operands: Sequence[Operand]) -> list[Part] | None:
    """Return the changed value; ``None`` if that can't be known."""
    if len(value) > 1 or any(part.kind not in (KEPT, SPLIT) for part in value):
        return None
    kind = value[0].kind if value else KEPT
    text = _changed(operator, value[0].text if value else "", operands)
    if text is None:
        return None
    return [Part(kind, text)]


def _changed(operator: str, text: str, operands: Sequence[Operand]) -> str | None:
    pattern = operands[0][0] if operands else ()
    if operator[0] in "#%":
        return None if pattern is None else patterns.cut(text, operator, pattern)
    if operator[0] == "/":
        by = operands[1][1] if len(operands) > 1 else ""
        if pattern is None or by is None:
            return None
        return patterns.replaced(text, operator, pattern, by)
    if operator == ":":
        return _part(text, [words for _, words in operands])
    return _cased(operator, text) if pattern == () else None


def _part(text: str, bounds: Sequence[str | None]) -> str | None:
    """Return the text of ``${NAME:offset:length}``."""
    numbers = [re.fullmatch(r" ?(-?[0-9]{1,6})", bound or "") for bound in bounds]
    if not numbers or None in numbers:
        return None
    first, *others = (int(number[1]) for number in numbers if number)
    start = first if first >= 0 else len(text) + first
    if start < 0 or start > len(text):
        return ""
    length = others[0] if others else len(text)
    end = start + length if length >= 0 else len(text) + length
    return text[start:end] if end >= start else None


def _cased(operator: str, text: str) -> str | None:
    """Return the text of ``${NAME^^}`` and the like; only of ASCII, whatever the locale is."""
    if not text.isascii():
        return None
    change = str.upper if operator[0] == "^" else str.lower
    return change(text) if len(operator) == 2 else change(text[:1]) + text[1:]
