"""Write values as plain text, and read the text that another user's process wrote.

Reading accepts only values of the declared types: no text can create anything but the named tuples,
enumerations and times in the annotations.
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from functools import cache

from check_duplicity.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any, TypeVar

    _T = TypeVar("_T")

_PLAIN = {"str": str, "int": int, "bool": bool}


def written(value: object) -> bytes:
    """Return a value as text: a named tuple of plain values, enumerations, times and tuples."""
    return json.dumps(_plain(value)).encode()


def read(kind: type[_T], data: bytes) -> _T:
    """Return the written named tuple of that kind. Raises `ValueError` if ``data`` isn't one."""
    try:
        value: _T = _fields(kind, json.loads(data))
    except (ValueError, KeyError, RecursionError) as error:
        raise ValueError(f"no {kind.__name__}: {type(error).__name__}") from None
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [*map(_plain, value)]
    return value


def _fields(kind: Any, value: object) -> Any:
    """Return a named tuple whose fields have their declared types."""
    declared = kind.__annotations__
    if not isinstance(value, list) or len(value) != len(declared):
        raise ValueError
    names = vars(sys.modules[kind.__module__])
    return kind(*(_fit(_parsed(text), one, names) for text, one in zip(declared.values(), value)))


@cache
def _parsed(annotation: str) -> ast.expr:
    return ast.parse(annotation, mode="eval").body


def _fit(wanted: ast.expr, value: Any, names: Mapping[str, Any]) -> Any:
    """Return a value of a type: ``X``, ``X | None``, ``tuple[X, Y]``, ``tuple[X, ...]``."""
    if isinstance(wanted, ast.BinOp):
        return None if value is None else _fit(wanted.left, value, names)
    if isinstance(wanted, ast.Subscript):
        return _tuple(wanted.slice, value, names)
    assert isinstance(wanted, ast.Name), ast.dump(wanted)
    if wanted.id in _PLAIN:
        if type(value) is not _PLAIN[wanted.id]:
            raise ValueError
        return value
    kind = names[wanted.id]
    return _time(value) if kind is datetime else _made(kind, value)


def _tuple(items: ast.expr, value: Any, names: Mapping[str, Any]) -> tuple[Any, ...]:
    assert isinstance(items, ast.Tuple), ast.dump(items)
    if not isinstance(value, list):
        raise ValueError
    first, *others = items.elts
    if len(others) == 1 and isinstance(others[0], ast.Constant):  # tuple[X, ...]
        return tuple(_fit(first, one, names) for one in value)
    if len(value) != len(items.elts):
        raise ValueError
    return tuple(_fit(item, one, names) for item, one in zip(items.elts, value))


def _time(value: Any) -> datetime:
    if not isinstance(value, str):
        raise ValueError
    time = datetime.fromisoformat(value)
    if time.tzinfo is None:
        raise ValueError
    return time


def _made(kind: Any, value: Any) -> Any:
    if issubclass(kind, Enum):
        if not isinstance(value, str):
            raise ValueError
        return kind[value]
    return _fields(kind, value)
