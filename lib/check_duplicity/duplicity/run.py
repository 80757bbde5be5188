"""The model of a job's run: how it ended, its findings and its statistics."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from check_duplicity.duplicity import catalogue
from check_duplicity.nagios.findings import Kind
from check_duplicity.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any

_DAY = 86400  # seconds
_MINUTES = 600  # seconds from one run of a script to the next
_DAYS = 31  # before the newest run, for which earlier ones are remembered
_JOBS = 50  # of one log
GOOD, FAILED, OTHER, OPEN, NOTHING = "good", "failed", "other", "open", "nothing"
UNREAD = "unread"
_LATEST = 4e9  # seconds since the epoch: a later time is nonsense


class Statistics(NamedTuple):
    """duplicity's statistics: times in seconds since the epoch, sizes in bytes.

    ``entries`` counts all files and directories of the source, ``new``, ``changed`` and ``deleted``
    some of them, ``deltas`` those to back up. ``backup_size`` is wrong before 3.0.6 with
    ``--concurrency``.
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
    """The size of the source in an earlier run; ``end`` is in seconds since the epoch."""

    end: float
    entries: int | None
    size: int | None


class Told(NamedTuple):
    """A finding in a run, and the line that shows it, without secrets."""

    kind: Kind
    line: str


class Sitting(NamedTuple):
    """Good runs within minutes of each other, in output that names no job.

    ``good`` is the number of good runs so far, the last at ``end`` (seconds since the epoch);
    ``failure`` is the message of a failed run among them; ``jobs`` is the largest number of good
    runs in an earlier sitting without a failure.
    """

    good: int = 0
    jobs: int = 0
    failure: str = ""
    end: float = 0.0

    @property
    def usual(self) -> int:
        """Return how many jobs write to this output, as far as that is known."""
        return self.jobs if self.failure else max(self.jobs, self.good)


class Run(NamedTuple):
    """The result of one run, by its output.

    ``outcome`` is good (by its statistics), failed, other (no backup, and complete), open
    (neither), unread (its last message is unclear), or nothing (no output of duplicity's).
    ``uploading`` means that an open run had begun to write, ``cleaned`` that leftovers of earlier
    runs were deleted. ``past`` is about earlier runs that aren't kept any more. ``time`` is the
    time in front of its last line, in seconds since the epoch. ``aside`` is the failed action, if
    it was no backup, ``backed_up`` whether a good backup came before it. ``label`` is the name of
    the job, if the output has one; otherwise ``sitting`` is about the runs before it.
    """

    outcome: str
    told: tuple[Told, ...] = ()
    statistics: Statistics | None = None
    uploading: bool = False
    cleaned: bool = False
    past: tuple[Past, ...] = ()
    time: float | None = None
    aside: str = ""
    backed_up: bool = False
    label: str = ""
    sitting: Sitting = Sitting()

    @property
    def skipped(self) -> bool:
        """Whether a good run had nothing to back up: ``--skip-if-no-change`` makes no set then."""
        return self.outcome == GOOD and self.statistics is not None and self.statistics.deltas == 0


def extents_of(runs: Iterable[Run]) -> list[Past]:
    """Return the sizes of the source in these runs and those before them, in order."""
    found = {past.end: past for run in runs for past in (*run.past, *_own_extent(run))}
    return [found[end] for end in sorted(found)]


def _thinned(extents: Sequence[Past]) -> tuple[Past, ...]:
    """Return the last extent of each day of a month; thinning in steps has the same result."""
    last_of_days = {past.end // _DAY: past for past in extents}
    return tuple(p for p in last_of_days.values() if p.end > extents[-1].end - _DAYS * _DAY)


def _own_extent(run: Run) -> list[Past]:
    statistics = run.statistics
    if run.outcome != GOOD or statistics is None or statistics.end is None:
        return []
    return [Past(statistics.end, statistics.entries, statistics.source_size)]


def remembering(run: Run, dropped: Iterable[Run]) -> Run:
    """Return a run that remembers the source's sizes in the dropped runs."""
    dropped = list(dropped)
    past = _thinned(extents_of([*dropped, Run(NOTHING, past=run.past)]))
    jobs = max([run.sitting.jobs, *(other.sitting.usual for other in dropped)])
    return run._replace(past=past, sitting=run.sitting._replace(jobs=jobs))


def last_of(runs: Sequence[Run], count: int) -> list[Run]:
    """Return the last runs of each job; the first of them remembers those before it."""
    kept: dict[int, Run] = {}
    for label in {run.label for run in runs}:
        theirs = [position for position, run in enumerate(runs) if run.label == label]
        kept.update((position, runs[position]) for position in theirs[-count:])
        if theirs[:-count]:
            first = theirs[-count]
            kept[first] = remembering(runs[first], [runs[i] for i in theirs[:-count]])
    return [kept[position] for position in sorted(kept)][-_JOBS * count :]


def joined(calls: Sequence[Run]) -> Run:
    """Return the calls of one run as one: failed if any has failed, else good if one is good."""
    told: dict[Kind, Told] = {}
    outcomes = set()
    statistics = None
    for call in calls:
        if call.cleaned:
            told = {kind: it for kind, it in told.items() if kind not in catalogue.LEFTOVERS}
        told.update((it.kind, told.get(it.kind, it)) for it in call.told)
        outcomes.add(call.outcome)
        statistics = call.statistics or statistics
    outcome = next((o for o in (FAILED, UNREAD, GOOD, OPEN, NOTHING) if o in outcomes), OTHER)
    if outcome != UNREAD:
        told.pop(Kind.NOT_RECOGNISED, None)
    uploading = outcome == OPEN and any(call.uploading for call in calls)
    cleaned = any(call.cleaned for call in calls)
    past = _thinned(extents_of([Run(NOTHING, past=call.past) for call in calls]))
    time = next((call.time for call in reversed(calls) if call.time is not None), None)
    aside = next((call.aside for call in reversed(calls) if call.outcome == FAILED), "")
    backed_up = outcome == FAILED and _is_behind_good(calls)
    whole = Run(outcome, tuple(told.values()), statistics, uploading, cleaned, past, time)
    label = next((call.label for call in calls if call.label), "")
    return whole._replace(aside=aside, backed_up=backed_up, label=label)


def _is_behind_good(calls: Sequence[Run]) -> bool:
    """Whether a good backup came before any failure."""
    first = next((call for call in calls if call.outcome in (GOOD, FAILED)), None)
    return first is not None and (first.outcome == GOOD or first.backed_up)


def grouped(runs: Sequence[Run], calls: Iterable[Run]) -> list[Run]:
    """Add calls to runs: one that makes no backup belongs to the run before it."""
    grouped = list(runs)
    for call in calls:
        theirs = (i for i, run in enumerate(grouped) if call.label in ("", run.label))
        before = max(theirs, default=None)
        if before is not None and (
            call.outcome == OTHER or (call.aside and grouped[before].outcome == GOOD)
        ):
            grouped[before] = joined([grouped[before], call])
        else:
            before = len(grouped)
            grouped.append(call)
        if not grouped[before].label:
            sitting = _sitting(grouped[:before], grouped[before])
            grouped[before] = grouped[before]._replace(sitting=sitting)
    return grouped


def _sitting(before: Sequence[Run], run: Run) -> Sitting:
    """Return the sitting up to a run, for runs without a label.

    Nobody repeats a good backup: if another one is good within minutes, it is another job's.
    """
    position = max((i for i, other in enumerate(before) if not other.label), default=None)
    known = Sitting() if position is None else before[position].sitting
    statistics = run.statistics
    if run.outcome != GOOD or statistics is None:
        return known
    start, end = statistics.start, statistics.end
    if start is None or end is None:
        return known
    if end == known.end:
        return known  # The same output was read twice.
    behind = max((i for i, other in enumerate(before) if other.outcome == GOOD), default=-1)
    failures = (_failure(other, start) for other in before[behind + 1 :])
    failure = next(filter(None, failures), "")
    if -_DAY < start - known.end <= _MINUTES:
        return Sitting(known.good + 1, known.jobs, known.failure or failure, end)
    return Sitting(1, known.usual, failure, end)


def _failure(run: Run, start: float) -> str:
    """Return the message of a run that failed shortly before ``start``, or at an unknown time."""
    if run.time is not None and start - run.time > _MINUTES:
        return ""
    if run.outcome == OPEN and run.uploading:
        return catalogue.SENTENCES[Kind.KILLED]
    if run.outcome not in (FAILED, UNREAD):
        return ""
    said = (item.line for item in run.told)
    return next(filter(None, said), catalogue.SENTENCES[Kind.RUN_FAILED])


def values_of(run: Run) -> list[Any]:
    """Return a run as plain values, for `run_of`."""
    told = [[item.kind.name, item.line] for item in run.told]
    statistics = None if run.statistics is None else list(run.statistics)
    past = list(map(list, run.past))
    return [
        run.outcome,
        told,
        statistics,
        run.uploading,
        run.cleaned,
        past,
        run.time,
        run.aside,
        run.backed_up,
        run.label,
        list(run.sitting),
    ]


def run_of(values: Any) -> Run:
    """Return the run of plain values. Raises `ValueError` for any others."""
    try:
        outcome, told, statistics, uploading, cleaned, past, time, aside, *others = values
        backed_up, label, sitting = others
        good, jobs, failure, end = sitting
        if not all(is_number(number) for number in (good, jobs, end)):
            raise ValueError(sitting)
        before = Sitting(good, jobs, text_of(failure), end)
        aside, label = text_of(aside), text_of(label)
        kinds = tuple(Told(Kind[kind], text_of(line)) for kind, line in told)
        if outcome not in (GOOD, FAILED, OTHER, OPEN, NOTHING, UNREAD):
            raise ValueError(outcome)
        if time is not None and not is_number(time, _LATEST):
            raise ValueError(time)
        counted = None if statistics is None else _statistics_of(statistics)
        extents = tuple(map(_past_of, past))
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a run: {error}") from None
    flags = bool(uploading), bool(cleaned)
    return Run(
        outcome, kinds, counted, *flags, extents, time, aside, bool(backed_up), label, before
    )


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
    """Whether a value is a finite number within the limit."""
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    return plain and math.isfinite(value) and abs(value) <= largest


def text_of(value: Any) -> str:
    """Return a value if it is a text. Raises `ValueError` if not."""
    if not isinstance(value, str):
        raise ValueError(value)
    return value
