"""Take a pattern apart: yield the pattern without each of its alternatives.

An *alternative* is one arm of a ``|``, one character of a set such as ``[Nn]``, and both that an
optional part is there and that it isn't. A *guard* makes a pattern match less: the beginning or end
of a line or word, and lookahead and lookbehind. A test with an example of each alternative fails
when one is lost.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

# The parser and compiler of `re` itself: no other parser reads a pattern in exactly the same way.
if sys.version_info >= (3, 11):
    from re import _compiler as compiler  # type: ignore[attr-defined]
    from re import _constants as constants  # type: ignore[attr-defined]
    from re import _parser as parser  # type: ignore[attr-defined]
else:
    import sre_compile as compiler
    import sre_constants as constants
    import sre_parse as parser

_GUARDS = (constants.AT, constants.ASSERT, constants.ASSERT_NOT)
_Items = Sequence[tuple[Any, Any]]


class Change(NamedTuple):
    """A pattern without one alternative or guard, and a text for the part that is left out."""

    left_out: str
    pattern: re.Pattern[str]
    of_guard: bool = False


def changes(pattern: str | re.Pattern[str]) -> Iterator[Change]:
    """Yield a pattern without each of its alternatives, and without each of its guards."""
    text, flags = (pattern, 0) if isinstance(pattern, str) else (pattern.pattern, pattern.flags)
    parsed = parser.parse(text, flags)
    for left_out, of_guard, items in _of_row(list(parsed)):
        compiled = compiler.compile(_joined(parsed, items), parsed.state.flags)
        yield Change(left_out, compiled, of_guard)


def _joined(parsed: Any, items: _Items) -> Any:
    """Return items in the parser's own form, including those inside others."""
    return parser.SubPattern(parsed.state, [(op, _with_rows(parsed, av)) for op, av in items])


def _with_rows(parsed: Any, value: Any) -> Any:
    if isinstance(value, _Row):
        return _joined(parsed, value.items)
    if isinstance(value, tuple):
        return tuple(_with_rows(parsed, part) for part in value)
    if isinstance(value, list) and any(isinstance(part, _Row) for part in value):
        return [_with_rows(parsed, part) for part in value]
    return value


class _Row(NamedTuple):
    """A sequence of items in a pattern, after a change inside it."""

    items: _Items


def _of_row(items: _Items) -> Iterator[tuple[str, bool, _Items]]:
    """Yield the part that is left out, whether it is a guard, and the items without it."""
    for at, (op, value) in enumerate(items):
        for left_out, of_guard, instead in _of_item(op, value):
            yield left_out, of_guard, [*items[:at], *instead, *items[at + 1 :]]


def _of_item(op: Any, value: Any) -> Iterator[tuple[str, bool, _Items]]:
    if op in _GUARDS:
        yield words([(op, value)]), True, []
    elif op is constants.BRANCH:
        yield from _of_branch(op, value[1])
    elif op is constants.IN and all(one is constants.LITERAL for one, _ in value):
        for one in value:
            yield words([one]), False, [(op, [other for other in value if other is not one])]
    elif op in (constants.MAX_REPEAT, constants.MIN_REPEAT):
        least, most, inner = value
        if (least, most) == (0, 1):
            yield words(inner), False, []
            yield f"nothing instead of {words(inner)}", False, list(inner)
        yield from _inside(op, inner, lambda row: (least, most, row))
    elif op is constants.SUBPATTERN:
        yield from _inside(op, value[-1], lambda row: (*value[:-1], row))


def _of_branch(op: Any, arms: Sequence[_Items]) -> Iterator[tuple[str, bool, _Items]]:
    for at, arm in enumerate(arms):
        others = [*arms[:at], *arms[at + 1 :]]
        yield words(arm), False, [(op, (None, others))]
        yield from _inside(op, arm, partial(_as_arm, arms, at))


def _as_arm(arms: Sequence[_Items], at: int, row: _Row) -> Any:
    """Return the parser's form of a ``|`` in which one arm is replaced by a row."""
    return None, [*arms[:at], row, *arms[at + 1 :]]


def _inside(
    op: Any, items: _Items, wrap: Callable[[_Row], Any]
) -> Iterator[tuple[str, bool, _Items]]:
    for left_out, of_guard, changed in _of_row(list(items)):
        yield left_out, of_guard, [(op, wrap(_Row(changed)))]


def words(items: Iterable[tuple[Any, Any]]) -> str:
    """Return the plain text in a part of a pattern, with dots for everything else."""
    said = []
    for op, value in items:
        if op is constants.LITERAL:
            said.append(chr(value))
        elif op is constants.SUBPATTERN:
            said.append(words(value[-1]))
        elif op in _GUARDS:
            said.append(str(op if op is not constants.AT else value).lower())
        else:
            said.append("…")
    return re.sub("…+", "…", "".join(said))
