"""Read runs from duplicity's output: pure, line by line, so that reading can go on later.

A *call* is the output of one duplicity process; a *run* is what a job does at one time, mostly one
backup and the removal of old ones. Only the statistics prove that a call was good: 3.2 prints
"Duplicity backup complete." after failures, too.

Most lines are irrelevant, so each is first tested quickly against all known ones. The cause of a
failure may be in any line near it: the last lines are remembered for that.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable
from functools import lru_cache

from check_duplicity.duplicity import catalogue, frames, languages
from check_duplicity.duplicity.call import Call
from check_duplicity.duplicity.catalogue import Sign
from check_duplicity.duplicity.run import (
    GOOD,
    OPEN,
    Run,
    grouped,
    joined,
    last_of,
    run_of,
    text_of,
    values_of,
)
from check_duplicity.nagios.findings import Kind
from check_duplicity.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

_KEPT = 3  # runs of a log: the newest two count, and the next call may join the one before them
_MOST = 100  # runs at once
_ECHO = 8  # lines within which the same line comes again as a record
_NEAR = 30  # lines before a failure, and behind it, that may have its cause
_REPEATED = 2048  # cached lines: a job's output is mostly the same every night
_LONGEST_LINE = 600  # characters; the rest is ignored
_LONGEST_QUOTE = 200
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_MACHINE = ". "  # in front of each line of text in the machine log
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
_LABEL = re.compile("|".join(catalogue.LABELS))
_ASIDE = re.compile(catalogue.ASIDE)
_ENDINGS = _either(catalogue.ENDINGS)
_HARMLESS = _either(catalogue.HARMLESS)
_NOISE = _either((*catalogue.HARMLESS, *catalogue.ENDINGS, catalogue.CLEANED, r"[-=\s]*$", "--- "))
_CLEANED = re.compile(catalogue.CLEANED)
_COMPLETE = re.compile(catalogue.COMPLETE)
_UPLOADING = re.compile(catalogue.UPLOADING)
_UPLOADED = re.compile(catalogue.UPLOADED)
_RETRY = re.compile(catalogue.RETRY)
_FAILURES = _either(catalogue.FAILURES)
_BY_SHELLS = [(needle, re.compile(form)) for needle, form in catalogue.BY_SHELLS.items()]
_ANY_CAUSE = _either(sign.pattern for sign in catalogue.CAUSES)
_ANY_WARNING = _either(sign.pattern for sign in catalogue.WARNINGS)
# Everything that is recognised by its beginning, or by a part of the line.
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
            *catalogue.LABELS,
            "--- Logging error",
        ),
        *(_RECORD.pattern, _STATISTIC.pattern, frames.ANY),
    )
)
_MUDDLED = _either(catalogue.UNMISTAKABLE)
_NEEDLES = re.compile("|".join(map(re.escape, catalogue.NEEDLES)))


def bare(line: str) -> str:
    """Return a line cut to the longest size that is read, without a terminal's colours."""
    line = line[:_LONGEST_LINE].rstrip()
    return _ESCAPE.sub("", line).rstrip() if "\x1b" in line else line


@lru_cache(maxsize=_REPEATED)
def is_known(line: str) -> bool:
    """Whether the catalogue knows the beginning of a line."""
    line = _unmarked(line)
    if _KNOWN.match(line) or _is_by_shell(line):
        return True
    english = languages.english(line)
    return english != line and _KNOWN.match(english) is not None


@lru_cache(maxsize=_REPEATED)
def is_muddled(line: str) -> bool:
    """Whether a line contains a known message, but not at its beginning."""
    if _NEEDLES.search(line) and _MUDDLED.search(line):
        return True
    if not languages.has_inside(line):
        return False
    return any(_MUDDLED.match(english) for english in languages.inside(line))


def _unmarked(line: str) -> str:
    """Return a line without the machine log's marks; another program may have added one."""
    while line.startswith(_MACHINE):
        line = line[len(_MACHINE) :]
    return line


def _is_by_shell(line: str) -> bool:
    # any() takes twice as long, and every line comes here.
    for needle, form in _BY_SHELLS:  # noqa: SIM110
        if needle in line and form.match(line):
            return True
    return False


class Reader:
    """A reader of lines; its state between two lines can be saved as plain values."""

    def __init__(self, hide: Callable[[str], str], kept: dict[str, Any] | None = None) -> None:
        """Begin, or go on from the values of ``keep``. Raises `ValueError` for other values."""
        self._hide = hide
        self._done: list[Run] = []
        self._call = Call()
        self._near: deque[str] = deque(maxlen=_NEAR)
        self._retrying = self._silent = self._logging = False
        self._frame = frames.Frame()
        # The last beginning, and where the statistics are: in a record, or in a bare line.
        self._begun, self._age, self._in_record, self._counted_in = -1, 0, False, False
        if kept is not None:
            self._done = [run_of(value) for value in kept["done"]]
            self._call = Call(kept["call"])
            self._near.extend(map(text_of, kept["near"]))
            self._retrying, self._silent, self._logging = map(bool, kept["inside"])
            begun, age, in_record, counted_in = kept["place"]
            self._begun, self._age = int(begun), int(age)
            self._in_record, self._counted_in = bool(in_record), bool(counted_in)
            begun, command, backed_up, label = kept["frame"]
            self._frame = frames.Frame(
                bool(begun), text_of(command), bool(backed_up), text_of(label)
            )

    def keep(self) -> dict[str, Any]:
        """Return the reader's state as plain values, without secrets."""
        return {
            "done": [values_of(run) for run in last_of(self._done, _KEPT)],
            "call": self._call.keep(),
            "near": [self._hide(line) for line in self._near],
            "frame": self._frame.keep(),
            "place": [self._begun, self._age, self._in_record, self._counted_in],
            "inside": [self._retrying, self._silent, self._logging],
        }

    def runs(self) -> list[Run]:
        """Return the runs that were read; the last one may be unfinished."""
        return grouped(self._done, [self._call.run()] if self._call.said else [])

    def read(self, line: str, time: float | None = None, *, known: bool | None = None) -> None:
        """Read one line, as `bare` gives it, and when it was printed, if that is known.

        ``known`` is the result of `is_known`, if the caller has it.
        """
        if not line:
            return
        known = is_known(line) if known is None else known
        self._age += 1
        in_record = self._in_record = line.startswith(_MACHINE)
        line = _unmarked(line)
        if known:
            line = languages.english(line)
        # A traceback that is followed by another attempt is indented.
        if self._retrying and (not line or line[0].isspace()):
            return
        self._retrying = False
        if self._logging or known:
            self._read_known(line, record=None if in_record else _RECORD.match(line))
            if time is not None and self._call.any:
                self._call.time = time
        if self._call.vague and line and not line.startswith(("  ", "Traceback", "GnuPG")):
            self._call.fail(self._quote(line))
        if line and not self._silent and not _NOISE.match(line):
            self._near.append(line)
            if self._call.failed and self._call.behind < _NEAR:
                self._call.behind += 1
                self._look_for_cause([line])

    def muddle(self, line: str) -> None:
        """Note a line that has a known message behind an unknown prefix."""
        if self._silent or self._logging or (self._retrying and line[:1].isspace()):
            return
        if self._call.ended or self._call.failed:
            self._next()
        self._call.muddled = self._call.muddled or self._quote(line)

    def leave_frame(self) -> None:
        """Forget the frame around the next lines."""
        self._frame = frames.Frame()

    def make_out(self) -> None:
        """Forget the line that `muddle` noted: its prefix is known now, and it is read again."""
        self._call.muddled = ""

    def fail(self) -> None:
        """Mark the whole output as failed; the last lines may have the cause.

        If every call of duplicity was good, something else failed.
        """
        last = self._quote(self._near[-1]) if self._near else ""
        runs = self.runs()
        if runs and joined(runs).outcome == GOOD and self._call.run().outcome != OPEN:
            self._call.warn(Kind.SCRIPT_FAILED, last)
            return
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
        elif not self._read_course(line) and not self._silent and not self._read_frame(line):
            self._read_complaint(line)

    def _is_of_logging(self, line: str) -> bool:
        """Whether a line is part of a harmless traceback of Python's logging (a full disk)."""
        inside = self._logging or line.startswith("--- Logging error ---")
        self._logging = inside and not line.startswith("Arguments: ")
        return inside

    def _read_record(self, level: str, code: int) -> None:
        # In records of these levels even a traceback is no failure.
        self._silent = level in ("DEBUG", "INFO")
        if level == "ERROR":
            self._fail(f"{level} {code}")
            if code in catalogue.ERROR_CODES:
                self._call.cause(catalogue.ERROR_CODES[code], f"{level} {code}")
        elif level == "WARNING" and code in catalogue.WARNING_CODES:
            self._warn(catalogue.WARNING_CODES[code], "")

    def _read_course(self, line: str) -> bool:
        """Read the progress of the call from a line; return whether the line has nothing else."""
        statistic = _STATISTIC.match(line)
        beginning = _BEGINNINGS.match(line)
        if statistic:
            self._add_statistic(statistic[1], statistic[2])
        elif beginning:
            self._begin(beginning.lastindex or 0)
            self._call.backup = self._call.backup or bool(_BACKUP.match(line))
            aside = _ASIDE.match(line)
            self._call.aside = self._call.aside or (aside["action"] if aside else "")
            self._label(line)
        elif _LABEL.match(line):
            self._label(line)
        elif _COMPLETE.match(line):
            self._call.any = self._call.complete = True
        elif _UPLOADING.match(line):
            if self._call.ended:
                self._next()  # In other languages this is the first sign of another call.
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

    def _read_frame(self, line: str) -> bool:
        """Read a line of the frame around duplicity's output; return whether it is one."""
        said = frames.read_frame(line)
        if said is None:
            return False
        frame = self._frame
        if said.what in (frames.BEGUN, frames.COMMAND):
            frame.go_on(said)
        elif said.what == frames.PROFILE:
            frame.label = self._quote(said.command)
            if not self._call.said:
                self._call.label = frame.label
        elif said.what == frames.SKIPPED:
            if said.command in frames.BACKUPS and not frame.backed_up:
                self._fail(self._quote(line))
        elif frame.is_of_script:
            words = next((near for near in self._near if near.startswith("Output: ")), line)
            self._call.warn(Kind.SCRIPT_FAILED, self._quote(words))
        else:
            self._fail(self._quote(line))
            if said.kind:
                self._call.cause(said.kind, self._quote(line))
        return True

    def _read_complaint(self, line: str) -> None:
        if _ANY_WARNING.match(line):
            self._warn(_first(catalogue.WARNINGS, re.match, line), self._quote(line))
            return
        if _FAILURES.match(line) or _is_by_shell(line):
            self._fail(self._quote(line))

    def _look_for_cause(self, lines: Iterable[str]) -> None:
        for line in lines:
            if _ANY_CAUSE.search(line):
                self._call.cause(_first(catalogue.CAUSES, re.search, line), self._quote(line))

    def _begin(self, which: int) -> None:
        call = self._call
        # If output and --log-file are one file, it has each line twice, once as a record.
        place = 2 * which + self._in_record
        if self._begun == place ^ 1 and self._age <= _ECHO:
            self._begun = -1
            return
        self._begun, self._age = place, 0
        if call.ended or call.failed or call.complete or which in call.beginnings:
            self._near.clear()
            self._next()
        self._call.any = True
        self._call.beginnings.append(which)

    def _label(self, line: str) -> None:
        """Note the job of the call: by duply's profile, else by its archive directory.

        The directory's path is more precise than its name, the last part of the path.
        """
        found = _LABEL.match(line)
        if found is None or self._frame.label or self._call.ended:
            return
        label = found["directory"] or self._call.label or found["lock"] or found["local"]
        label = label or found["name"] or _archive_of(found["arguments"] or "")
        self._call.label = self._quote(label)

    def _add_statistic(self, name: str, value: str) -> None:
        if self._counted_in != self._in_record and self._is_echo(name, value):
            return
        self._counted_in = self._in_record
        if self._call.ended or (name == "StartTime" and "StartTime" in self._call.statistics):
            self._next()
        if name != "StartTime" and "StartTime" not in self._call.statistics:
            return  # Not below duplicity's own heading: any program may print "Errors 3".
        self._call.any = True
        self._call.statistics[name] = float(value)
        if name == "Errors":
            self._call.ended, self._call.muddled = True, ""
            self._frame.backed_up = self._frame.begun
            self._near.clear()
            if float(value) > 0:
                self._call.warn(Kind.SKIPPED, f"Errors {value}")

    def _is_echo(self, name: str, value: str) -> bool:
        """Whether this repeats a number of the same run in the other form (record or bare)."""
        known = self._call.statistics
        return "StartTime" in known and (name not in known or known[name] == float(value))

    def _end_other(self, *, cleaned: bool) -> None:
        if self._call.failed:
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
        self._call.aside = self._call.aside or self._frame.aside
        self._call.fail(line)

    def _next(self) -> None:
        if self._call.said:
            self._done = grouped(self._done, [self._call.run()])
        if len(self._done) > _MOST:
            self._done = last_of(self._done, _KEPT)
        self._call = Call(label=self._frame.label)

    def _quote(self, line: str) -> str:
        return self._hide(line.strip())[:_LONGEST_QUOTE]


def _archive_of(arguments: str) -> str:
    """Return the archive directory or the backup's name from duplicity's arguments, or nothing."""
    from check_duplicity.duplicity.invocation import read_invocation

    if len(arguments) >= _LONGEST_LINE - len("Args: "):
        return ""  # The line was cut off.
    found = read_invocation(arguments.split())
    name = found.name if found else ""
    return f"{found.archive_dir}/{name}" if found and found.archive_dir else name


def _first(
    signs: Iterable[Sign], finds: Callable[[str, str], re.Match[str] | None], line: str
) -> Kind:
    return next(sign.kind for sign in signs if finds(sign.pattern, line))
