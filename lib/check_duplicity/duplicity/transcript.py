"""Read runs out of what duplicity prints: pure, line by line, so that reading can go on later.

A *call* is one duplicity's output; a *run* is what a job does at one time, mostly one backup and
what is removed after it. Of a call the statistics tell that it was good. Nothing else does: 3.2
prints "Duplicity backup complete." after failures, too.

Most lines say nothing, so each is only asked whether it can be one of the known. Why a call failed
may stand in any line near the failure: the last ones are remembered for that.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable

from check_duplicity.duplicity import catalogue
from check_duplicity.duplicity.catalogue import Sign
from check_duplicity.duplicity.run import (
    FAILED,
    GOOD,
    OPEN,
    OTHER,
    Run,
    Statistics,
    Told,
    grouped,
    is_number,
    last_of,
    run_of,
    text_of,
    values_of,
)
from check_duplicity.nagios.findings import Kind
from check_duplicity.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

_KEPT = 3  # runs of a log: the newest two count, and that before them is what the next call joins
_MOST = 100  # runs at once
_NEAR = 30  # lines before a failure, and behind it, that may say why
_LONGEST_LINE = 600  # characters that are looked at
_LONGEST_QUOTE = 200
_LATEST = 4e9  # seconds since the epoch: a later time is nonsense
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# What stands in front: --log-timestamp's time and level, the journal's (systemd-cron mails it), and
# the dot of the machine log.
_PREFIX = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[,.]\d{3} (?:DEBUG|INFO|NOTICE|WARNING|ERROR) +"
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S* \S+ [^\s\[]+\[\d+\]: "
    r"|\. "
)
_PREFIXED = (". ", "20")  # what such lines begin with
_RECORD = re.compile(r"(DEBUG|INFO|NOTICE|WARNING|ERROR) (\d{1,4})(?: .*)?$")
_STATISTIC = re.compile(
    r"(StartTime|EndTime|ElapsedTime|SourceFiles|SourceFileSize|NewFiles|DeletedFiles|ChangedFiles"
    r"|DeltaEntries|TotalDestinationSizeChange|Errors)"
    r" (-?\d{1,18}(?:\.\d{1,9})?)(?: |$)"
)


def _either(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))


_BEGINNINGS = re.compile("|".join(f"({pattern})" for pattern in catalogue.BEGINNINGS))
_BACKUP = re.compile(catalogue.BACKUP)
_ENDINGS = _either(catalogue.ENDINGS)
_HARMLESS = _either(catalogue.HARMLESS)
_CLEANED = re.compile(catalogue.CLEANED)
_COMPLETE = re.compile(catalogue.COMPLETE)
_UPLOADING = re.compile(catalogue.UPLOADING)
_UPLOADED = re.compile(catalogue.UPLOADED)
_RETRY = re.compile(catalogue.RETRY)
_FAILURES = _either((*catalogue.FAILURES, *catalogue.ANYWHERE.values()))
_EXCEPTION = re.compile(catalogue.EXCEPTION)
_ANY_CAUSE = _either(sign.pattern for sign in catalogue.CAUSES)
_ANY_WARNING = _either(sign.pattern for sign in catalogue.WARNINGS)
_RANK = {kind: rank for rank, kind in enumerate(Kind)}
# All that is known by its beginning, and what lines that are known otherwise have in them.
_KNOWN = _either(
    (
        *catalogue.BEGINNINGS,
        *catalogue.ENDINGS,
        *catalogue.FAILURES,
        *(sign.pattern for sign in catalogue.WARNINGS),
        *(
            catalogue.CLEANED,
            catalogue.COMPLETE,
            catalogue.RETRY,
            "DEBUG: to_",
            "--- Logging error",
        ),
        *(_RECORD.pattern, _STATISTIC.pattern),
    )
)
_ANYWHERE = (*catalogue.ANYWHERE, *catalogue.EXCEPTION_NEEDLES)


class Reader:
    """Reads lines; what it knows between two of them can be kept, as plain values."""

    def __init__(self, hide: Callable[[str], str], kept: dict[str, Any] | None = None) -> None:
        """Begin, or go on with what ``keep`` has returned. Raises `ValueError`."""
        self._hide = hide
        self._done: list[Run] = []
        self._call = _Call()
        self._near: deque[str] = deque(maxlen=_NEAR)
        self._retrying = self._silent = self._logging = False
        if kept is not None:
            self._done = [run_of(value) for value in kept["done"]]
            self._call = _Call(kept["call"])
            self._near.extend(map(text_of, kept["near"]))
            self._retrying, self._silent, self._logging = map(bool, kept["inside"])

    def keep(self) -> dict[str, Any]:
        """Return what is needed to go on, as plain values, without secrets."""
        return {
            "done": [values_of(run) for run in last_of(self._done, _KEPT)],
            "call": self._call.keep(),
            "near": [self._hide(line) for line in self._near],
            "inside": [self._retrying, self._silent, self._logging],
        }

    def runs(self) -> list[Run]:
        """Return the runs that were read, the last one as far as it has come."""
        return grouped(self._done, [self._call.run()] if self._call.any else [])

    def read(self, line: str) -> None:
        """Read one line."""
        if not line:
            return
        line = line[:_LONGEST_LINE].rstrip()
        if "\x1b" in line:
            line = _ESCAPE.sub("", line)
        prefix = _PREFIX.match(line) if line[:2] in _PREFIXED else None
        if prefix:
            line = line[prefix.end() :]
        # A traceback that is followed by another attempt is indented.
        if self._retrying and (not line or line[0].isspace()):
            return
        self._retrying = False
        if _KNOWN.match(line) or self._logging or any(map(line.__contains__, _ANYWHERE)):
            self._read_known(line, record=None if prefix else _RECORD.match(line))
        if self._call.vague and line and not line.startswith(("  ", "Traceback", "GnuPG")):
            self._call.fail(self._quote(line))
        if line and not self._silent and not _HARMLESS.match(line):
            self._near.append(line)
            if (self._call.failed or self._call.doubt) and self._call.behind < _NEAR:
                self._call.behind += 1
                self._look_for_cause([line])

    def fail(self) -> None:
        """Say that the whole has failed, for a reason that stands in the last lines or nowhere."""
        last = self._quote(self._near[-1]) if self._near else ""
        self._look_for_cause(self._near)
        call = self._call
        if call.begun and not (call.ended or call.failed or call.causes or call.other):
            call.cause(Kind.KILLED, last)
        self._fail(last)

    def _read_known(self, line: str, record: re.Match[str] | None) -> None:
        self._retrying = bool(_RETRY.match(line))
        if self._retrying or self._is_of_logging(line):
            return
        if record:
            self._read_record(record[1], int(record[2]))
        elif not self._read_course(line) and not self._silent:
            self._read_complaint(line)

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
            self._warn(_first(catalogue.WARNINGS, re.match, line), self._quote(line))
            return
        if _FAILURES.match(line):
            self._fail(self._quote(line))
        elif _EXCEPTION.match(line):
            if self._call.ended:
                self._next()
            self._look_for_cause(self._near)
            self._call.fail(self._quote(line), maybe=True)

    def _look_for_cause(self, lines: Iterable[str]) -> None:
        for line in lines:
            if _ANY_CAUSE.search(line):
                self._call.cause(_first(catalogue.CAUSES, re.search, line), self._quote(line))

    def _begin(self, which: int) -> None:
        call = self._call
        if call.ended or call.failed or call.doubt or call.complete or which in call.beginnings:
            self._near.clear()
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
            self._near.clear()
            if float(value) > 0:
                self._call.warn(Kind.SKIPPED, f"Errors {value}")

    def _end_other(self, *, cleaned: bool) -> None:
        if self._call.failed or self._call.doubt:
            self._next()
        self._near.clear()
        self._call.any = self._call.other = True
        self._call.cleaned = self._call.cleaned or cleaned

    def _warn(self, kind: Kind, line: str) -> None:
        if self._call.ended or self._call.failed:
            self._next()
        self._call.warn(kind, line)

    def _fail(self, line: str) -> None:
        if self._call.ended:
            self._next()
        if not self._call.failed:
            self._look_for_cause(self._near)
        self._call.fail(line)

    def _next(self) -> None:
        if self._call.any:
            self._done = grouped(self._done, [self._call.run()])
        if len(self._done) > _MOST:
            self._done = last_of(self._done, _KEPT)
        self._call = _Call()

    def _quote(self, line: str) -> str:
        return self._hide(line.strip())[:_LONGEST_QUOTE]


def _first(
    signs: Iterable[Sign], finds: Callable[[str, str], re.Match[str] | None], line: str
) -> Kind:
    return next(sign.kind for sign in signs if finds(sign.pattern, line))


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
        self.behind = int(kept.get("behind", 0))
        self.failed = text_of(kept.get("failed", ""))
        self.doubt = text_of(kept.get("doubt", ""))
        self.beginnings = [int(number) for number in kept.get("beginnings", [])]
        self.statistics = {text_of(k): float(v) for k, v in kept.get("statistics", {}).items()}
        self.causes = _kinds(kept.get("causes", {}))
        self.warnings = _kinds(kept.get("warnings", {}))

    def keep(self) -> dict[str, Any]:
        values = {**vars(self), "beginnings": list(self.beginnings)}
        values["statistics"] = dict(self.statistics)
        for name in ("causes", "warnings"):
            values[name] = {kind.name: line for kind, line in values[name].items()}
        return values

    @property
    def begun(self) -> bool:
        """Whether it has said that it began."""
        return bool(self.beginnings or self.uploading or self.statistics or self.complete)

    @property
    def vague(self) -> bool:
        """Whether it has failed with a traceback, of which only the last line says why."""
        return "Traceback (" in self.failed

    def fail(self, line: str, *, maybe: bool = False) -> None:
        """Note a failure, which is none if it is only ``maybe`` one and statistics follow."""
        self.any = True
        if maybe:
            self.doubt = self.doubt or line
        else:
            self.failed = line if self.vague else self.failed or line or "?"

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
    counts = [
        None if values.get(name) is None else int(values[name])
        for name in ("SourceFiles", "NewFiles", "ChangedFiles", "DeletedFiles", "DeltaEntries")
    ]
    sizes = [values.get(name) for name in ("SourceFileSize", "TotalDestinationSizeChange")]
    times = [values.get(name) for name in ("StartTime", "EndTime")]
    start, end = (t if t is not None and is_number(t, _LATEST) else None for t in times)
    source, backup = (int(size) if size is not None else None for size in sizes)
    return Statistics(start, end, source, backup, int(values["Errors"]), *counts)


def _kinds(values: dict[str, Any]) -> dict[Kind, str]:
    return {Kind[name]: text_of(line) for name, line in values.items()}
