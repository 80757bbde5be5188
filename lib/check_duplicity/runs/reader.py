"""Read a log line by line, with any prefix: the text behind it goes to a `transcript.Reader`.

A line counts by its text behind a known prefix, or behind one of the shape that is usual in this
log. A known message behind anything else is noted as not recognised: it is neither a failure nor a
good end. If several programs or containers write to a log, each has its own transcript, so that one
neither clears nor spoils another's result.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from check_duplicity.duplicity import catalogue, transcript
from check_duplicity.duplicity.run import Run, text_of
from check_duplicity.runs import forms, records, shapes
from check_duplicity.runs.forms import Cut
from check_duplicity.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

_MOST_SOURCES = 20
_MOST_USUAL = 1000
_MOST_PENDING = 30  # lines that wait until the shape of their prefix is known
_ITS_OWN = re.compile(f"(?i){catalogue.ITS_OWN}")
_UNIT = re.compile(r"([\w@.:\\-]{1,200})\.service\b")
_MOST_UNITS = 20
_WHOLE = Cut(0, "")
_WEAK = frozenset("HMWB")  # parts that may be the text's own


class LogReader:
    """A reader of lines; its state between two lines can be saved as plain values.

    ``latest`` is the latest possible time of a line, in seconds since the epoch.
    """

    def __init__(
        self, hide: Callable[[str], str], latest: float, kept: dict[str, Any] | None = None
    ) -> None:
        """Begin, or go on from the values of ``keep``. Raises `ValueError` and the like."""
        self._hide = hide
        self._latest = latest
        self._main, self._form, self._candidate, self._started = "", "", "", ""
        self._learned = ""
        self._pending: list[str] = []
        self._units: list[str] = []
        self._usual: set[str] = set()  # Only saves time, and isn't kept.
        self._sources = {"": _Source(transcript.Reader(hide), False)}
        if kept is not None:
            texts = map(text_of, kept["form"])
            self._main, self._form, self._candidate, self._learned, self._started = texts
            self._units = list(map(text_of, kept["units"]))[:_MOST_UNITS]
            self._pending = list(map(text_of, kept["pending"]))[:_MOST_PENDING]
            self._sources = {
                text_of(name): _Source(transcript.Reader(hide, reader), bool(own))
                for name, (reader, own) in kept["sources"].items()
            }

    def keep(self) -> dict[str, Any]:
        """Return the reader's state as plain values, without secrets."""
        form = self._main, self._form, self._candidate, self._learned, self._started
        return {
            "form": list(map(self._hide, form)),
            "units": list(self._units),
            "pending": list(map(self._hide, self._pending)),
            "sources": {
                name: [source.reader.keep(), source.own] for name, source in self._sources.items()
            },
        }

    def runs(self) -> list[Run]:
        """Return the runs that were read, program by program."""
        return [
            run._replace(label=" ".join(filter(None, (name or self._main, run.label))))
            for name, source in self._counting()
            for run in source.reader.runs()
        ]

    def fail(self) -> None:
        """Mark the whole output as failed, see `transcript.Reader.fail`."""
        self._sources[""].reader.fail()

    def read(self, line: str) -> None:
        """Read one line, or the lines in a JSON record."""
        if line.startswith("{"):
            for each in records.lines_of(line):
                self._read(each)
        else:
            self._read(line)

    def _read(self, line: str) -> None:
        line = transcript.bare(line)
        if not line:
            return
        if self._form and self._read_usual(line):
            return
        found = forms.cuts(line)
        if not found and transcript.is_known(line):
            self._read_known(_WHOLE, line)
        elif found and (cut := self._known_cut(line, found)):
            self._form = cut.form or self._form
            self._note_usual(cut)
            self._read_known(cut, line[cut.end :])
        elif not (self._pending or self._learned) or not self._read_shaped(line):
            cut = self._likely_cut(found) if found else _WHOLE
            if cut.source:
                self._form = self._form or cut.form
            self._note_usual(cut)
            self._read_unknown(line, cut)

    def _note_usual(self, cut: Cut) -> None:
        if cut.end and cut.form == self._form and len(self._usual) < _MOST_USUAL:
            self._usual.add(cut.source)

    def _read_usual(self, line: str) -> bool:
        """Read a line if it has the form and program of earlier lines; return whether it has."""
        cut = forms.cut_of(line, self._form)
        if cut is None or cut.source not in self._usual:
            return False
        text = line[cut.end :]
        if transcript.is_known(text):
            self._read_known(cut, text)
        elif forms.cuts(text):
            return False  # The prefix may be longer.
        else:
            self._read_unknown(line, cut)
        return True

    def _known_cut(self, line: str, found: Sequence[Cut]) -> Cut | None:
        """Return the first possible end of the prefix with a known message behind it.

        Only a listing's own text begins with a time, with a file's name behind it.
        """
        timed = bool(found) and found[0].form == "T"
        order = [*found, _WHOLE] if timed else [_WHOLE, *found]
        return next((cut for cut in order if transcript.is_known(line[cut.end :])), None)

    def _likely_cut(self, found: Sequence[Cut]) -> Cut:
        """Return the likely end of an unknown line's prefix: as in known lines, or certain."""
        same = [cut for cut in found if cut.form == self._form]
        sure = [cut for cut in found if not _WEAK & set(cut.form)]
        return (same or sure or [_WHOLE])[-1]

    def _read_shaped(self, line: str) -> bool:
        """Read a line whose prefix has the learned shape, or from which a new shape is learned."""
        found = shapes.shape(self._learned).match(line) if self._learned else None
        if found:
            text = line[found.end() :]
            cut = self._known_cut(text, forms.cuts(text))
            if cut is None:
                self._read_unknown(line, Cut(found.end(), ""))
            else:
                self._read_known(cut, text[cut.end :])
            return True
        return bool(self._candidate) and self._learn(line)

    def _learn(self, line: str) -> bool:
        """Learn the shape if this is its second line, and read all waiting lines that have it."""
        found = shapes.shape(self._candidate).match(line)
        text = line[found.end() :] if found else ""
        if not text or line in self._pending or self._known_cut(text, forms.cuts(text)) is None:
            return False
        self._learned, self._candidate = self._candidate, ""
        pending, self._pending = [*self._pending, line], []
        self._sources[""].reader.make_out()
        for each in pending:
            if not self._read_shaped(each):
                self._read_unknown(each, _WHOLE)
        return True

    def _read_known(self, cut: Cut, text: str) -> None:
        if cut.source.endswith("systemd"):
            if not self._is_of_our_unit(text):
                return
            cut = cut._replace(source=self._main)
        elif cut.source and not self._main:
            self._main = cut.source
        source = self._source(cut.source)
        time = forms.instant(cut.time, self._latest) if cut.time else None
        source.reader.read(text, time, known=True)
        source.own = source.own or _ITS_OWN.search(text) is not None

    def _is_of_our_unit(self, text: str) -> bool:
        """Whether systemd's message is about the unit of this log: the only one, or by its name."""
        unit = _UNIT.search(text)
        if unit is None:
            return False
        if unit[1] not in self._units and len(self._units) < _MOST_UNITS:
            self._units.append(unit[1])
        if text.startswith("Start"):
            self._started = unit[1]
        elif self._started != unit[1]:
            self._sources[""].reader.leave_frame()  # The frame was another unit's.
        program = self._main.rpartition(" ")[2].rpartition("/")[2].partition(".")[0]
        return len(self._units) == 1 or unit[1] == program

    def _read_unknown(self, line: str, cut: Cut) -> None:
        text = line[cut.end :]
        if transcript.is_muddled(text):
            prefix = shapes.prefix(line)
            self._candidate = prefix or self._candidate
            self._pending = [*self._pending, line][-_MOST_PENDING:]
            source = self._source(cut.source if self._main and cut.form == self._form else "")
            source.reader.muddle(text)
            source.own = source.own or _ITS_OWN.search(text) is not None
        elif not self._main or self._key(cut.source) in self._sources:
            # Other programs don't count until one prints a known message.
            key = self._key(cut.source) if self._main else ""
            self._sources[key].reader.read(text, known=False)

    def _key(self, source: str) -> str:
        return "" if source == self._main else source

    def _source(self, name: str) -> _Source:
        key = self._key(name)
        if key not in self._sources:
            quiet = [
                name for name, each in self._sources.items() if name and not each.reader.runs()
            ]
            if len(self._sources) >= _MOST_SOURCES:
                del self._sources[(quiet or list(self._sources)[1:])[0]]
            self._sources[key] = _Source(transcript.Reader(self._hide), False)
        return self._sources[key]

    def _counting(self) -> list[tuple[str, _Source]]:
        """Return the programs that count: those with duplicity's own messages, else all."""
        found = [(name, source) for name, source in self._sources.items() if source.reader.runs()]
        return [(name, source) for name, source in found if source.own] or found


class _Source:
    """The output of one program, and whether it is surely duplicity's."""

    def __init__(self, reader: transcript.Reader, own: bool) -> None:
        self.reader = reader
        self.own = own
