"""The output of one call of duplicity, as far as it has been read."""

from __future__ import annotations

from check_duplicity.duplicity import catalogue
from check_duplicity.duplicity.run import (
    FAILED,
    GOOD,
    OPEN,
    OTHER,
    UNREAD,
    Run,
    Statistics,
    Told,
    is_number,
    text_of,
)
from check_duplicity.nagios.findings import Kind
from check_duplicity.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

_LATEST = 4e9  # seconds since the epoch: a later time is nonsense
_RANK = {kind: rank for rank, kind in enumerate(Kind)}


class Call:
    """What is known of a call; it can be saved as plain values."""

    def __init__(self, kept: dict[str, Any] | None = None, label: str = "") -> None:
        kept = kept or {}
        self.label = text_of(kept.get("label", label))
        self.any = bool(kept.get("any"))
        self.ended = bool(kept.get("ended"))
        self.other = bool(kept.get("other"))
        self.complete = bool(kept.get("complete"))
        self.uploading = bool(kept.get("uploading"))
        self.cleaned = bool(kept.get("cleaned"))
        self.backup = bool(kept.get("backup"))
        self.aside = text_of(kept.get("aside", ""))
        self.behind = int(kept.get("behind", 0))
        self.failed = text_of(kept.get("failed", ""))
        self.muddled = text_of(kept.get("muddled", ""))
        self.time = float(kept["time"]) if kept.get("time") is not None else None
        self.beginnings = [int(number) for number in kept.get("beginnings", [])]
        self.statistics = {text_of(k): float(v) for k, v in kept.get("statistics", {}).items()}
        self.causes = _kinds(kept.get("causes", {}))
        self.warnings = _kinds(kept.get("warnings", {}))

    def keep(self) -> dict[str, Any]:
        """Return the call's state as plain values, from which reading can go on."""
        values = {**vars(self), "beginnings": list(self.beginnings)}
        values["statistics"] = dict(self.statistics)
        for name in ("causes", "warnings"):
            values[name] = {kind.name: line for kind, line in values[name].items()}
        return values

    @property
    def begun(self) -> bool:
        """Whether the output shows that the call began."""
        return bool(self.beginnings or self.uploading or self.statistics or self.complete)

    @property
    def vague(self) -> bool:
        """Whether the failure is a traceback: only its last line gives the reason."""
        return "Traceback (" in self.failed or self.failed.endswith("occured:")

    @property
    def said(self) -> bool:
        """Whether any line of the output was relevant."""
        return bool(self.any or self.muddled)

    def fail(self, line: str) -> None:
        """Note a failure, and the line that reports it."""
        self.any = True
        self.failed = line if self.vague else self.failed or line or "?"

    def cause(self, kind: Kind, line: str) -> None:
        """Note a possible cause of a failure."""
        # The last line of a kind is mostly the most precise one.
        self.causes[kind] = line

    def warn(self, kind: Kind, line: str) -> None:
        """Note a problem that doesn't stop the call."""
        self.any = True
        self.warnings.setdefault(kind, line)

    def run(self) -> Run:
        """Return the run that this call makes, as far as it was read."""
        told = [
            Told(kind, line)
            for kind, line in self.warnings.items()
            if not (self.cleaned and kind in catalogue.LEFTOVERS)
        ]
        if self.failed:
            cause = min(self.causes, key=_RANK.__getitem__, default=Kind.RUN_FAILED)
            told.insert(0, Told(cause, self.causes.get(cause) or self.failed.rstrip("?")))
            return Run(FAILED, tuple(told), aside=self.aside, time=self.time, label=self.label)
        if self.ended:
            return Run(
                GOOD, tuple(told), _statistics(self.statistics), time=self.time, label=self.label
            )
        if self.muddled:
            told.insert(0, Told(Kind.NOT_RECOGNISED, self.muddled))
            return Run(UNREAD, tuple(told), time=self.time, label=self.label)
        # A quiet call prints only its warnings: its beginning isn't printed, either.
        ended = (self.other and not self.backup) or not self.begun
        outcome = OTHER if ended else OPEN
        run = Run(outcome, tuple(told), None, self.uploading, self.cleaned, time=self.time)
        return run._replace(label=self.label)


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
