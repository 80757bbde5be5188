"""Numbers with their limits: what is judged, said, and handed on as performance data."""

from __future__ import annotations

from collections.abc import Iterable

from check_duplicity.nagios.findings import Kind, State
from check_duplicity.nagios.limits import Limit
from check_duplicity.values import NamedTuple


class Measure(NamedTuple):
    """A number for the limits to judge.

    ``name`` and ``unit`` are those of the performance data; if the number can be outside of its
    limits, ``kind`` and ``text`` are those of the finding. ``said`` is what the status line says of
    it when all is well, ``None`` for the same text. ``job`` is whose it is, if there are many, and
    ``graphed`` whether it is performance data.
    """

    name: str
    value: int
    unit: str = ""
    text: str = ""
    kind: Kind | None = None
    said: str | None = None
    job: str = ""
    graphed: bool = True


class Limits(NamedTuple):
    """The limits of one measure; without one it is always good, and never worse than ``worst``."""

    warning: Limit | None = None
    critical: Limit | None = None
    worst: State = State.CRITICAL


def said_of(measures: Iterable[Measure]) -> str:
    """Return the summary when all is well."""
    return ", ".join(filter(None, (m.text if m.said is None else m.said for m in measures)))


Bounded = tuple[Measure, Limits]
"""A measure beside its limits."""


def in_graphs(bounded: Iterable[Bounded]) -> str:
    """Return performance data as the guidelines have it: ``label=value[UOM];warn;crit;min``."""
    return " ".join(sorted(_in_graphs(*pair) for pair in bounded if pair[0].graphed))


def _in_graphs(measure: Measure, limits: Limits) -> str:
    warning, critical = _plain(limits.warning), _plain(limits.critical)
    return f"{measure.name}={measure.value}{measure.unit};{warning};{critical};0"


def _plain(limit: Limit | None) -> str:
    """A limit for performance data: an upper one as the plain number that graphs can draw.

    Icinga 2 drops limits that are ranges.
    """
    if limit is None:
        return ""
    return limit.spec[2:] if limit.spec.startswith("~:") else limit.spec
