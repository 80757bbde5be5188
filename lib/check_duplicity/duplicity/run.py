"""What a run of a job says: how it ended, what there is to complain about, its statistics."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from check_duplicity.duplicity import catalogue
from check_duplicity.nagios.findings import Kind
from check_duplicity.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any

GOOD, FAILED, OTHER, OPEN, NOTHING = "good", "failed", "other", "open", "nothing"


class Statistics(NamedTuple):
    """What duplicity's statistics say: times in seconds since the epoch, sizes in bytes."""

    start: float | None = None
    end: float | None = None
    source_size: int | None = None
    backup_size: int | None = None
    errors: int = 0


class Told(NamedTuple):
    """A finding in a run, and the line that tells it, without secrets."""

    kind: Kind
    line: str


class Run(NamedTuple):
    """What the output of one run says.

    ``outcome`` is good (by its statistics), failed, other (no backup, and it came to its end),
    open (neither), or nothing, if there was no word of duplicity's. ``uploading`` tells of an open
    one that it had begun to write, ``cleaned`` that leftovers of earlier runs were deleted.
    """

    outcome: str
    told: tuple[Told, ...] = ()
    statistics: Statistics | None = None
    uploading: bool = False
    cleaned: bool = False


def joined(calls: Sequence[Run]) -> Run:
    """Return calls of the same run as one: it has failed if any has, and is good if one is."""
    told: dict[Kind, Told] = {}
    outcomes = set()
    statistics = None
    for call in calls:
        if call.cleaned:
            told = {kind: it for kind, it in told.items() if kind not in catalogue.LEFTOVERS}
        told.update((it.kind, told.get(it.kind, it)) for it in call.told)
        outcomes.add(call.outcome)
        statistics = call.statistics or statistics
    outcome = next((o for o in (FAILED, GOOD, OPEN, NOTHING) if o in outcomes), OTHER)
    uploading = outcome == OPEN and any(call.uploading for call in calls)
    cleaned = any(call.cleaned for call in calls)
    return Run(outcome, tuple(told.values()), statistics, uploading, cleaned)


def grouped(runs: Sequence[Run], calls: Iterable[Run]) -> list[Run]:
    """Add calls to runs: one that makes no backup belongs to the run before it."""
    grouped = list(runs)
    for call in calls:
        if call.outcome == OTHER and grouped:
            grouped[-1] = joined([grouped[-1], call])
        else:
            grouped.append(call)
    return grouped


def values_of(run: Run) -> list[Any]:
    """Return a run as plain values, for `run_of`."""
    told = [[item.kind.name, item.line] for item in run.told]
    statistics = None if run.statistics is None else list(run.statistics)
    return [run.outcome, told, statistics, run.uploading, run.cleaned]


def run_of(values: Any) -> Run:
    """Return the run of plain values. Raises `ValueError` for any others."""
    try:
        outcome, told, statistics, uploading, cleaned = values
        kinds = tuple(Told(Kind[kind], text_of(line)) for kind, line in told)
        if outcome not in (GOOD, FAILED, OTHER, OPEN, NOTHING):
            raise ValueError(outcome)
        counted = None if statistics is None else _statistics_of(statistics)
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a run: {error}") from None
    return Run(outcome, kinds, counted, bool(uploading), bool(cleaned))


def _statistics_of(values: Any) -> Statistics:
    statistics = Statistics(*values)
    if statistics.errors is None or not all(v is None or is_number(v) for v in statistics):
        raise ValueError("not statistics")
    return statistics


def is_number(value: Any, largest: float = 1e18) -> bool:
    """Whether a value is a number that can be reckoned with."""
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    return plain and math.isfinite(value) and abs(value) <= largest


def text_of(value: Any) -> str:
    """Return a value if it is a text. Raises `ValueError`."""
    if not isinstance(value, str):
        raise ValueError(value)
    return value
