"""Read runs out of what duplicity prints: pure, line by line, so that reading can go on later.

A *call* is one duplicity's output; a *run* is what a job does at one time, mostly one backup and
what is removed after it. Of a call the statistics tell that it was good. Nothing else does: 3.2
prints "Duplicity backup complete." after failures, too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from check_duplicity import catalogue
from check_duplicity.findings import Kind

GOOD, FAILED, OTHER, OPEN = "good", "failed", "other", "open"

_KEPT = 3  # runs of a log: the newest two count, and that before them is what the next call joins
_MOST = 100  # runs at once
_LONGEST_LINE = 2000  # characters that are looked at
_LONGEST_QUOTE = 200
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# What stands in front: --log-timestamp's time and level, the journal's (systemd-cron mails it), and
# the dot of the machine log.
_PREFIX = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[,.]\d{3} (?:DEBUG|INFO|NOTICE|WARNING|ERROR) +"
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S* \S+ [^\s\[]+\[\d+\]: "
    r"|\. "
)
_RECORD = re.compile(r"(DEBUG|INFO|NOTICE|WARNING|ERROR) (\d{1,4})(?: .*)?$")
_STATISTIC = re.compile(
    r"(StartTime|EndTime|ElapsedTime|SourceFileSize|TotalDestinationSizeChange|Errors)"
    r" (-?\d{1,18}(?:\.\d{1,9})?)(?: |$)"
)


def _either(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))


_BEGINNINGS = re.compile("|".join(f"({pattern})" for pattern in catalogue.BEGINNINGS))
_ENDINGS = _either(catalogue.ENDINGS)
_FAILURES = _either(catalogue.FAILURES)
_CLEANED = re.compile(catalogue.CLEANED)
_COMPLETE = re.compile(catalogue.COMPLETE)
_UPLOADING = re.compile(catalogue.UPLOADING)
_UPLOADED = re.compile(catalogue.UPLOADED)
_BACKUP = re.compile(catalogue.BACKUP)
_EXCEPTION = re.compile(catalogue.EXCEPTION)
_RETRY = re.compile(catalogue.RETRY)
_CAUSES = [(sign.kind, re.compile(sign.pattern)) for sign in catalogue.CAUSES]
_ANY_CAUSE = _either(sign.pattern for sign in catalogue.CAUSES)
_WARNINGS = [(sign.kind, re.compile(sign.pattern)) for sign in catalogue.WARNINGS]
_ANY_WARNING = _either(sign.pattern for sign in catalogue.WARNINGS)
_RANK = {kind: rank for rank, kind in enumerate(Kind)}


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

    ``outcome`` is good (by its statistics), failed, other (no backup, and it came to its end) or
    open (neither). ``uploading`` tells of an open one that it had begun to write, ``cleaned`` that
    leftovers of earlier runs were deleted.
    """

    outcome: str
    told: tuple[Told, ...] = ()
    statistics: Statistics | None = None
    uploading: bool = False
    cleaned: bool = False


class Reader:
    """Reads lines; what it knows between two of them can be kept, as plain values."""

    def __init__(self, hide: Callable[[str], str], kept: dict[str, Any] | None = None) -> None:
        """Begin, or go on with what ``keep`` has returned. Raises `ValueError`."""
        self._hide = hide
        self._done: list[Run] = []
        self._call = _Call()
        self._retrying = self._silent = self._logging = False
        self._last = ""
        if kept is not None:
            self._done = [run_of(value) for value in kept["done"]]
            self._call = _Call(kept["call"])
            self._retrying, self._silent, self._logging = map(bool, kept["inside"])

    def keep(self) -> dict[str, Any]:
        """Return what is needed to go on, as plain values."""
        return {
            "done": [values_of(run) for run in self._done[-_KEPT:]],
            "call": self._call.keep(),
            "inside": [self._retrying, self._silent, self._logging],
        }

    def runs(self) -> list[Run]:
        """Return the runs that were read, the last one as far as it has come."""
        return _grouped(self._done, [self._call.run()] if self._call.any else [])

    def read(self, line: str) -> None:
        """Read one line."""
        line = _ESCAPE.sub("", line[:_LONGEST_LINE]).rstrip()
        # A traceback that is followed by another attempt is indented.
        if self._retrying and (not line or line[0].isspace()):
            return
        prefix = _PREFIX.match(line)
        if prefix:
            line = line[prefix.end() :]
        self._retrying = bool(_RETRY.match(line))
        if self._retrying or self._is_of_logging(line):
            return
        record = _RECORD.match(line)
        if record and not prefix:
            self._read_record(record[1], int(record[2]))
        else:
            self._read_text(line)

    def fail(self) -> None:
        """Say that the whole has failed, for a reason that stands in the last line or nowhere."""
        call = self._call
        if call.begun and not (call.ended or call.failed or call.causes or call.other):
            call.cause(Kind.KILLED, self._last)
        self._fail(self._last)

    def _is_of_logging(self, line: str) -> bool:
        """Whether it is of a traceback from Python's logging, which harms nobody: a full disk."""
        inside = self._logging or line.startswith("--- Logging error ---")
        self._logging = inside and not line.startswith("Arguments: ")
        return inside

    def _read_record(self, level: str, code: int) -> None:
        # In records of these levels even a traceback is none of a failure.
        self._silent = level in ("DEBUG", "INFO")
        if level == "ERROR":
            self._fail(f"{level} {code}")
            if code in catalogue.ERROR_CODES:
                self._call.cause(catalogue.ERROR_CODES[code], f"{level} {code}")
        elif level == "WARNING" and code in catalogue.WARNING_CODES:
            self._warn(catalogue.WARNING_CODES[code], "")

    def _read_text(self, line: str) -> None:
        self._last = self._quote(line) or self._last
        if line and not self._read_course(line) and not self._silent:
            self._read_complaint(line)

    def _read_course(self, line: str) -> bool:
        """Read how far the call is; return whether the line says nothing else."""
        statistic = _STATISTIC.match(line)
        beginning = _BEGINNINGS.match(line)
        if statistic:
            self._add_statistic(statistic[1], statistic[2])
        elif beginning:
            self._begin(beginning.lastindex or 0)
            self._call.backup = self._call.backup or bool(_BACKUP.match(line))
        elif _COMPLETE.match(line):
            self._call.any = self._call.complete = True
        elif _UPLOADING.match(line):
            self._call.any = self._call.uploading = True
        elif _UPLOADED.match(line):
            self._call.any, self._call.uploading = True, False
        elif _ENDINGS.match(line):
            self._end_other(cleaned=False)
            return False
        elif _CLEANED.match(line):
            self._end_other(cleaned=True)
        else:
            return False
        return True

    def _read_complaint(self, line: str) -> None:
        if _ANY_WARNING.match(line):
            self._warn(_first(_WARNINGS, line, match=True), self._quote(line))
            return
        if _FAILURES.match(line):
            self._fail(self._quote(line))
        elif _EXCEPTION.match(line) and not self._call.ended:
            self._call.fail(self._quote(line), maybe=True)
        if _ANY_CAUSE.search(line):
            self._call.cause(_first(_CAUSES, line), self._quote(line))

    def _begin(self, which: int) -> None:
        call = self._call
        if call.ended or call.failed or call.doubt or call.complete or which in call.beginnings:
            self._next()
        self._call.any = True
        self._call.beginnings.append(which)

    def _add_statistic(self, name: str, value: str) -> None:
        if self._call.ended or (name == "StartTime" and "StartTime" in self._call.statistics):
            self._next()
        if name != "StartTime" and "StartTime" not in self._call.statistics:
            return  # Not below duplicity's own heading: anybody may write "Errors 3".
        self._call.any = True
        self._call.statistics[name] = float(value)
        if name == "Errors":
            self._call.ended, self._call.doubt = True, ""
            if float(value) > 0:
                self._call.warn(Kind.SKIPPED, f"Errors {value}")

    def _end_other(self, *, cleaned: bool) -> None:
        if self._call.failed or self._call.doubt:
            self._next()
        self._call.any = self._call.other = True
        self._call.cleaned = self._call.cleaned or cleaned

    def _warn(self, kind: Kind, line: str) -> None:
        if self._call.ended or self._call.failed:
            self._next()
        self._call.warn(kind, line)

    def _fail(self, line: str) -> None:
        if self._call.ended:
            self._next()
        self._call.fail(line)

    def _next(self) -> None:
        if self._call.any:
            self._done = _grouped(self._done, [self._call.run()])
        if len(self._done) > _MOST:
            self._done[:2] = [joined(self._done[:2])]
        self._call = _Call()

    def _quote(self, line: str) -> str:
        return self._hide(line.strip())[:_LONGEST_QUOTE]


def _first(
    signs: Iterable[tuple[Kind, re.Pattern[str]]], line: str, *, match: bool = False
) -> Kind:
    return next(k for k, p in signs if (p.match(line) if match else p.search(line)))


class _Call:
    """One duplicity's output, as far as it has been read."""

    def __init__(self, kept: dict[str, Any] | None = None) -> None:
        kept = kept or {}
        self.any = bool(kept.get("any"))
        self.ended = bool(kept.get("ended"))
        self.other = bool(kept.get("other"))
        self.complete = bool(kept.get("complete"))
        self.uploading = bool(kept.get("uploading"))
        self.cleaned = bool(kept.get("cleaned"))
        self.backup = bool(kept.get("backup"))
        self.failed = _text(kept.get("failed", ""))
        self.doubt = _text(kept.get("doubt", ""))
        self.beginnings = [int(number) for number in kept.get("beginnings", [])]
        self.statistics = {_text(k): float(v) for k, v in kept.get("statistics", {}).items()}
        self.causes = _kinds(kept.get("causes", {}))
        self.warnings = _kinds(kept.get("warnings", {}))

    def keep(self) -> dict[str, Any]:
        values = dict(vars(self))
        for name in ("causes", "warnings"):
            values[name] = {kind.name: line for kind, line in values[name].items()}
        return values

    @property
    def begun(self) -> bool:
        """Whether it has said that it began."""
        return bool(self.beginnings or self.uploading or self.statistics)

    def fail(self, line: str, *, maybe: bool = False) -> None:
        """Note a failure, which is none if it is only ``maybe`` one and statistics follow."""
        self.any = True
        if maybe:
            self.doubt = self.doubt or line
        else:
            vague = "Traceback (" in self.failed  # its last line says what it is
            self.failed = line if vague else self.failed or line or "?"

    def cause(self, kind: Kind, line: str) -> None:
        # The last line of a kind is mostly the one that says it.
        self.causes[kind] = line

    def warn(self, kind: Kind, line: str) -> None:
        self.any = True
        self.warnings.setdefault(kind, line)

    def run(self) -> Run:
        told = [
            Told(kind, line)
            for kind, line in self.warnings.items()
            if not (self.cleaned and kind in catalogue.LEFTOVERS)
        ]
        failed = self.failed or self.doubt
        if failed:
            cause = min(self.causes, key=_RANK.__getitem__, default=Kind.RUN_FAILED)
            told.insert(0, Told(cause, self.causes.get(cause) or failed.rstrip("?")))
            return Run(FAILED, tuple(told))
        if self.ended:
            return Run(GOOD, tuple(told), _statistics(self.statistics))
        # What only has something to complain about is quiet: it didn't say when it began, either.
        ended = (self.other and not self.backup) or not self.begun
        return Run(OTHER if ended else OPEN, tuple(told), None, self.uploading, self.cleaned)


def _statistics(values: dict[str, float]) -> Statistics:
    source, backup = values.get("SourceFileSize"), values.get("TotalDestinationSizeChange")
    return Statistics(
        values.get("StartTime"),
        values.get("EndTime"),
        None if source is None else int(source),
        None if backup is None else int(backup),
        int(values["Errors"]),
    )


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
    outcome = next((o for o in (FAILED, GOOD, OPEN) if o in outcomes), OTHER)
    uploading = outcome == OPEN and any(call.uploading for call in calls)
    cleaned = any(call.cleaned for call in calls)
    return Run(outcome, tuple(told.values()), statistics, uploading, cleaned)


def _grouped(runs: Sequence[Run], calls: Iterable[Run]) -> list[Run]:
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
        kinds = tuple(Told(Kind[kind], _text(line)) for kind, line in told)
        if outcome not in (GOOD, FAILED, OTHER, OPEN):
            raise ValueError(outcome)
        counted = None if statistics is None else Statistics(*map(_number, statistics))
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a run: {error}") from None
    return Run(outcome, kinds, counted, bool(uploading), bool(cleaned))


def _number(value: Any) -> Any:
    if value is not None and not (isinstance(value, (int, float)) and math.isfinite(value)):
        raise ValueError(value)
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(value)
    return value


def _kinds(values: dict[str, Any]) -> dict[Kind, str]:
    return {Kind[name]: _text(line) for name, line in values.items()}
