"""Evaluate ``[ ]`` and ``[[ ]]``, as far as that can be known (POSIX.1-2017, test)."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence

from check_duplicity.shell import patterns
from check_duplicity.shell.state import Asked, State, negated
from check_duplicity.shell.words import Value, known_text

_OF_FILES = frozenset(["-e", "-f", "-d", "-r", "-x", "-s", "-L", "-h"])
_NUMBERS: dict[str, Callable[[int, int], bool]] = {
    "-eq": lambda a, b: a == b, "-ne": lambda a, b: a != b, "-lt": lambda a, b: a < b,
    "-le": lambda a, b: a <= b, "-gt": lambda a, b: a > b, "-ge": lambda a, b: a >= b,
}  # fmt: skip
_OPERATORS = ("=", "==", "!=", *_NUMBERS)


def found_by_test(state: State, values: Sequence[Value]) -> object:
    """Return the status of ``test`` with these arguments."""
    if not values:
        return False
    if len(values) == 1:
        return _is_empty(values[0], opposite=True)
    first = known_text(values[0])
    if len(values) == 3 and known_text(values[1]) in _OPERATORS:
        return _compared(values[0], known_text(values[1]) or "", values[2])
    if first == "!":
        return negated(found_by_test(state, values[1:]))
    if len(values) == 2:
        return of_one(state, first, values[1])
    return None


def of_one(state: State, operator: str | None, value: Value) -> object:
    """Return the status of an operator with one operand."""
    if operator in ("-z", "-n"):
        return _is_empty(value, opposite=operator == "-n")
    if operator == "-t":
        return False  # cron and systemd start nothing in a terminal.
    path = known_text(value)
    if operator in _OF_FILES and path is not None and operator is not None:
        if not path:
            return False
        place = state.place
        if not os.path.isabs(path) and not place:
            return None
        where, test = os.path.join(place, path), operator[1]
        return Asked(lambda: state.host.has(test, where))
    return None


def of_two(value: Value, operator: str, other: Value, pattern: patterns.Pattern | None) -> object:
    """Return the status of ``[[ value operator other ]]``; = compares with the pattern."""
    if operator in _NUMBERS:
        return _compared(value, operator, other)
    text = known_text(value)
    if text is None or pattern is None or operator not in _OPERATORS:
        return None
    same = patterns.matches(text, pattern)
    return same if operator != "!=" else negated(same)


def both(one: object, other: object) -> object:
    """Return the status of ``one && other``."""
    if one is False or other is False:
        return False
    if one is True:
        return other
    if other is True:
        return one
    if isinstance(one, Asked) and isinstance(other, Asked):
        return Asked(lambda: _and(one.ask(), other.ask()))
    return None


def _and(one: bool | None, other: bool | None) -> bool | None:
    if one is None or other is None:
        return None
    return one and other


def _is_empty(value: Value, opposite: bool) -> bool | None:
    if any(known and text for text, known in value):
        return opposite
    return None if value else not opposite


def _compared(value: Value, operator: str, other: Value) -> bool | None:
    texts = known_text(value), known_text(other)
    if texts[0] is None or texts[1] is None:
        return None
    if operator in _NUMBERS:
        numbers = [re.fullmatch(r" *(-?[0-9]{1,15}) *", text) for text in texts if text]
        if len(numbers) < 2 or None in numbers:
            return None
        first, second = (int(number[1]) for number in numbers if number)
        return _NUMBERS[operator](first, second)
    return (texts[0] == texts[1]) == (operator != "!=")
