"""Named tuples, and what only type checkers ask for, without ``typing``.

That is a third of what a plugin has to load to start, psutil and nagiosplugin not counted, and
nothing of it is used when a plugin runs: every module takes ``NamedTuple`` from here, and what is
only for annotations behind ``if TYPE_CHECKING``.
"""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple  # noqa: PLC0414
else:
    from collections import namedtuple

    class _Fields(type):
        """Makes a class a named tuple of what is annotated in it, as ``typing.NamedTuple`` does."""

        def __new__(cls, name, bases, members):
            if not bases:
                return super().__new__(cls, name, bases, members)
            fields = members.pop("__annotations__", {})
            defaults = [members.pop(field) for field in fields if field in members]
            plain = namedtuple(name, fields, defaults=defaults)
            return type(name, (plain,), {"__slots__": (), "__annotations__": fields, **members})

    class NamedTuple(metaclass=_Fields):
        """A class whose fields are annotated: ``name: type`` or ``name: type = default``."""
