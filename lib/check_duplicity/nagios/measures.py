"""Numbers with their limits, for judging, for the status line and for performance data."""

from __future__ import annotations

from collections.abc import Iterable

from check_duplicity.nagios.findings import Kind, State
from check_duplicity.nagios.limits import Limit
from check_duplicity.values import NamedTuple


class Measure(NamedTuple):
    """A number for the limits to judge.

    ``name`` and ``unit`` are for the performance data; ``kind`` and ``text`` for the finding, if
    the number can be outside of its limits. ``said`` is its part of the status line when all is
    well, ``None`` for the same text. ``job`` is its job, if there are many, and ``graphed`` whether
    it is performance data.
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
    """The limits of one measure, which is good without any, and never worse than ``worst``."""

    warning: Limit | None = None
    critical: Limit | None = None
    worst: State = State.CRITICAL


def said_of(measures: Iterable[Measure]) -> str:
    """Return the summary when all is well."""
    return ", ".join(filter(None, (m.text if m.said is None else m.said for m in measures)))


Bounded = tuple[Measure, Limits]
"""A measure with its limits."""


def in_graphs(bounded: Iterable[Bounded]) -> str:
    """Return performance data in the guidelines' form: ``label=value[UOM];warn;crit;min``."""
    return " ".join(sorted(_in_graphs(*pair) for pair in bounded if pair[0].graphed))


def _in_graphs(measure: Measure, limits: Limits) -> str:
    warning, critical = _plain(limits.warning), _plain(limits.critical)
    return f"{measure.name}={measure.value}{measure.unit};{warning};{critical};0"


def _plain(limit: Limit | None) -> str:
    """Return a limit for performance data: an upper limit as a plain number, which graphs can draw.

    Icinga 2 drops limits that are ranges.
    """
    if limit is None:
        return ""
    return limit.spec[2:] if limit.spec.startswith("~:") else limit.spec
