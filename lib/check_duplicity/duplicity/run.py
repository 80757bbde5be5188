"""What a run of a job says: how it ended, what there is to complain about, its statistics."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from check_duplicity.duplicity import catalogue
from check_duplicity.nagios.findings import Kind
from check_duplicity.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any

_DAY = 86400  # seconds
_DAYS = 31  # back from the newest run that earlier ones are remembered
_NEWEST = 30  # runs that are remembered, however quickly they followed each other
GOOD, FAILED, OTHER, OPEN, NOTHING = "good", "failed", "other", "open", "nothing"


class Statistics(NamedTuple):
    """What duplicity's statistics say: times in seconds since the epoch, sizes in bytes.

    ``entries`` are all files and directories of the source, ``new``, ``changed`` and ``deleted``
    some of them; ``deltas`` are what there was to back up. ``backup_size`` is wrong before 3.0.6
    with ``--concurrency``.
    """

    start: float | None = None
    end: float | None = None
    source_size: int | None = None
    backup_size: int | None = None
    errors: int = 0
    entries: int | None = None
    new: int | None = None
    changed: int | None = None
    deleted: int | None = None
    deltas: int | None = None


class Past(NamedTuple):
    """How much an earlier run found of the source; its end in seconds since the epoch."""

    end: float
    entries: int | None
    size: int | None


class Told(NamedTuple):
    """A finding in a run, and the line that tells it, without secrets."""

    kind: Kind
    line: str


class Run(NamedTuple):
    """What the output of one run says.

    ``outcome`` is good (by its statistics), failed, other (no backup, and it came to its end),
    open (neither), or nothing, if there was no word of duplicity's. ``uploading`` tells of an open
    one that it had begun to write, ``cleaned`` that leftovers of earlier runs were deleted.
    ``past`` is of runs before it that nobody keeps any more.
    """

    outcome: str
    told: tuple[Told, ...] = ()
    statistics: Statistics | None = None
    uploading: bool = False
    cleaned: bool = False
    past: tuple[Past, ...] = ()

    @property
    def skipped(self) -> bool:
        """Whether it was good and had nothing to back up: ``--skip-if-no-change`` makes no set."""
        return self.outcome == GOOD and self.statistics is not None and self.statistics.deltas == 0


def extents_of(runs: Iterable[Run]) -> list[Past]:
    """Return how much these runs, and those before them, found of the source, in order.

    Of many they are the newest and one of each day of a month, whichever runs were left out first.
    """
    found = {past.end: past for run in runs for past in (*run.past, *_own_extent(run))}
    ends = sorted(found)
    last_of_days = {end // _DAY: end for end in ends}
    kept = {*ends[-_NEWEST:], *last_of_days.values()}
    return [found[end] for end in ends if end in kept and end > ends[-1] - _DAYS * _DAY]


def _own_extent(run: Run) -> list[Past]:
    statistics = run.statistics
    if run.outcome != GOOD or statistics is None or statistics.end is None:
        return []
    return [Past(statistics.end, statistics.entries, statistics.source_size)]


def remembering(run: Run, dropped: Iterable[Run]) -> Run:
    """Return a run that remembers what earlier runs found, which aren't kept."""
    return run._replace(past=tuple(extents_of([*dropped, Run(NOTHING, past=run.past)])))


def last_of(runs: Sequence[Run], count: int) -> list[Run]:
    """Return the last runs of a job; the first of them remembers those before it."""
    if len(runs) <= count:
        return list(runs)
    dropped, kept = runs[:-count], list(runs[-count:])
    kept[0] = remembering(kept[0], dropped)
    return kept


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
    past = tuple(extents_of([Run(NOTHING, past=call.past) for call in calls]))
    return Run(outcome, tuple(told.values()), statistics, uploading, cleaned, past)


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
    past = list(map(list, run.past))
    return [run.outcome, told, statistics, run.uploading, run.cleaned, past]


def run_of(values: Any) -> Run:
    """Return the run of plain values. Raises `ValueError` for any others."""
    try:
        outcome, told, statistics, uploading, cleaned, past = values
        kinds = tuple(Told(Kind[kind], text_of(line)) for kind, line in told)
        if outcome not in (GOOD, FAILED, OTHER, OPEN, NOTHING):
            raise ValueError(outcome)
        counted = None if statistics is None else _statistics_of(statistics)
        extents = tuple(map(_past_of, past))
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a run: {error}") from None
    return Run(outcome, kinds, counted, bool(uploading), bool(cleaned), extents)


def _past_of(values: Any) -> Past:
    past = Past(*values)
    if past.end is None or not all(value is None or is_number(value) for value in past):
        raise ValueError("not an extent")
    return past


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
