"""Named tuples without ``typing``, which only type checkers need.

``typing`` is a third of what a plugin loads to start, psutil and nagiosplugin not counted. A
running plugin uses nothing of it: every module takes ``NamedTuple`` from here, and imports names
for annotations behind ``if TYPE_CHECKING``.
"""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple  # noqa: PLC0414
else:
    from collections import namedtuple

    class _Fields(type):
        """Make a class a named tuple of its annotated fields, as ``typing.NamedTuple`` does."""

        def __new__(cls, name, bases, members):
            if not bases:
                return super().__new__(cls, name, bases, members)
            fields = members.pop("__annotations__", {})
            defaults = [members.pop(field) for field in fields if field in members]
            plain = namedtuple(name, fields, defaults=defaults)
            return type(name, (plain,), {"__slots__": (), "__annotations__": fields, **members})

    class NamedTuple(metaclass=_Fields):
        """A class whose fields are annotated: ``name: type`` or ``name: type = default``."""
