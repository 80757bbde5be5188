"""Read the runs in systemd's journal: ``journal:UNIT`` or ``journal:tag=TAG``, perhaps ``,/PATH``.

One invocation of a unit is one run: the unit's lines are read like any output, and the fields of
systemd's own records show how it ended. A tag has only lines, one run after the other; anybody can
use a tag, so only root's and this user's lines count. All times are the journal's.

A cursor is kept: everything before it has been read completely. Unfinished invocations of a unit
are read again; the reader of a tag goes on where it was.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

from check_duplicity.duplicity.run import FAILED, NOTHING, OPEN, OTHER, Run, Told, joined
from check_duplicity.nagios.findings import CannotSee, Kind
from check_duplicity.runs.files import Found, Look
from check_duplicity.runs.model import Logged, logged_of, newest, values_of_logged
from check_duplicity.runs.paths import JOURNAL
from check_duplicity.runs.records import text_in as _of
from check_duplicity.system import journal
from check_duplicity.system.journal import Place
from check_duplicity.system.user import name_of_uid
from check_duplicity.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

_TAG = "tag="
# systemd's catalogue (sd-messages.h): how an invocation has ended.
_SUCCESS = "7ad2d189f7e94e70a38c781354912448"
_FAILURE = "d9b373ed55a64feb8242e02dbe79a49c"
_NOT_STARTED = "be02cf6855d2428ba40df7e9d022f03d"
_STARTED = "39f53479d3a045ac8e11786248231fbf"  # For a oneshot its text is "Finished".
_SETTLED = 60  # seconds after which no line comes late
_MOST = 1000  # invocations at once
_PAUSE = 10  # seconds between lines after which the end of a run is noted


def place_of(path: str) -> Place:
    """Return the unit or tag that a path names: ``journal:UNIT`` or ``journal:tag=TAG``.

    ``,/PATH`` may follow, the file or directory of another journal: a unit's name has no comma.
    Raises `CannotSee`.
    """
    what, at, where = path[len(JOURNAL) :].partition(",/")
    tagged = what.startswith(_TAG)
    name = what[len(_TAG) :] if tagged else what
    if not name or not name.isprintable():
        form = "write journal:UNIT or journal:tag=TAG"
        raise CannotSee(Kind.USAGE, f"not in a journal: {path!r} ({form})")
    return Place("" if tagged else name, name if tagged else "", "/" + where if at else "")


def look(path: str, kept: dict[str, Any], how: Look) -> Found:
    """Return the runs in a journal, and the values to keep for the next check.

    ``kept`` may be anything that was once returned. Raises `CannotSee`, with what to do.
    """
    place = place_of(path)
    try:
        read = _read_unit if place.unit else _read_tag
        try:
            found = read(path, place, kept, how)
        except (CannotSee, KeyError, ValueError, TypeError, AttributeError) as reason:
            if not kept or (isinstance(reason, CannotSee) and reason.kind is not Kind.NOT_READABLE):
                raise
            found = read(path, place, {}, how)  # The cursor is no longer valid.
        if not found.runs and not any(True for _ in journal.records(place, ["--lines=1"])):
            other = (
                "what is it called? systemctl list-units --all, or journalctl -F SYSLOG_IDENTIFIER"
            )
            raise CannotSee(Kind.NOT_READABLE, f"not a line in the journal; {other}")
    except CannotSee as reason:
        if reason.kind is not Kind.NOT_READABLE:
            raise
        raise CannotSee(reason.kind, f"{path}: {reason.reason}") from None
    return found


def is_active(run: Logged, path: str) -> bool | None:
    """Whether the invocation of a run still goes on; ``None`` if that can't be seen."""
    return journal.is_active(place_of(path), run.command)


class _Invocation:
    """One run of a unit, as far as its records have been read."""

    def __init__(self, record: dict[str, Any], at: int, before: str, how: Look) -> None:
        from check_duplicity.runs.reader import LogReader

        self.id = _of(record, "INVOCATION_ID") or _of(record, "_SYSTEMD_INVOCATION_ID")
        self.unit = _of(record, "UNIT") or _of(record, "_SYSTEMD_UNIT")
        self.host = _of(record, "_HOSTNAME")
        self.first, self.before = at, before
        self.ended = self.failed = self.killed = False
        self._own: list[str] = []  # systemd's messages; late lines of the unit may follow
        self._reader = LogReader(how.hide, how.latest)
        self._hide = how.hide

    def add(self, record: dict[str, Any], at: int) -> None:
        self.last, self.time = at, _time_of(record)
        if _of(record, "_PID") != "1" or not _of(record, "UNIT"):
            for line in _of(record, "MESSAGE").split("\n"):
                self._reader.read(line)
            return
        said, result = _of(record, "MESSAGE_ID"), _of(record, "UNIT_RESULT")
        bad = said in (_FAILURE, _NOT_STARTED) or result not in ("", "success")
        finished = said == _STARTED and _of(record, "MESSAGE").startswith("Finished ")
        self.ended = self.ended or bad or finished or said == _SUCCESS
        self.failed = self.failed or bad
        code = _of(record, "EXIT_CODE")
        self.killed = self.killed or result == "oom-kill" or code in ("killed", "dumped")
        if bad or code:
            self._own.append(_of(record, "MESSAGE"))

    def run(self) -> Run:
        for line in self._own if self.failed else ():
            self._reader.read(line)
        self._own.clear()
        run = joined(self._reader.runs() or [Run(NOTHING)])
        if self.failed and run.outcome != FAILED:
            self._reader.fail()
            run = joined(self._reader.runs())
        if self.failed and self.killed:
            told = [item for item in run.told if item.kind not in (Kind.RUN_FAILED, Kind.KILLED)]
            last = next((i.line for i in run.told if i not in told), "")
            run = run._replace(told=(Told(Kind.KILLED, last), *told))
        if self.ended and run.outcome in (OPEN, NOTHING):
            return run._replace(outcome=OTHER)
        return run if run.outcome != NOTHING else run._replace(outcome=OPEN)

    def logged(self, path: str, place: Place) -> Logged:
        job, name = path, self.unit.removesuffix(".service")
        if self.unit not in (place.unit, f"{place.unit}.service"):
            job += f": {self.unit}"
        if place.where:
            job, name = f"{job}: {self.host}", f"{name} on {self.host}"
        return Logged(job, name, "", "", self.id, self.time, self.ended, True, self.run())


def _read_unit(path: str, place: Place, kept: dict[str, Any], how: Look) -> Found:
    known = [logged_of(values) for values in kept.get("runs", [])]
    read: dict[tuple[str, str, str], _Invocation] = {}
    running: dict[tuple[str, str], _Invocation] = {}
    at, cursor = -1, str(kept.get("cursor", ""))
    for at, record in enumerate(journal.records(place, _from(cursor, how))):
        new = _Invocation(record, at, cursor, how)
        invocation = read.setdefault((new.unit, new.host, new.id or str(at)), new)
        if invocation is new:
            before = running.get((new.unit, new.host))
            if before:
                before.ended = True  # The machine went down during it.
            running[new.unit, new.host] = new
            if len(read) > _MOST:
                del read[next(iter(read))]
        invocation.add(record, at)
        cursor = _of(record, "__CURSOR")
    done, open_ = _settled(list(read.values()), how.now)
    known = newest([*known, *(each.logged(path, place) for each in done)], how.latest)
    cursor = open_[0].before if open_ else cursor
    runs = newest([*known, *(each.logged(path, place) for each in open_)], how.latest)
    return Found(runs, {"cursor": cursor, "runs": list(map(values_of_logged, known))})


def _settled(
    read: Sequence[_Invocation], now: float
) -> tuple[Sequence[_Invocation], Sequence[_Invocation]]:
    """Return the finished invocations, and the others, which will be read again.

    With an unfinished one, all that had not ended when it began are read again.
    """
    again = {e.first for e in read if not e.ended or now - e.time < _SETTLED}
    cut = min(again, default=None)
    while cut is not None:
        earlier = [each.first for each in read if each.first < cut <= each.last]
        if not earlier:
            break
        cut = min(earlier)
    done = [each for each in read if cut is None or each.last < cut]
    return done, [each for each in read if each not in done]


def _read_tag(path: str, place: Place, kept: dict[str, Any], how: Look) -> Found:
    cursor = str(kept.get("cursor", ""))
    streams = {host: _Stream(how, *values) for host, values in kept.get("streams", {}).items()}
    others: dict[str, int] = {}
    for record in journal.records(place, _from(cursor, how)):
        cursor = _of(record, "__CURSOR")
        uid = _of(record, "_UID")
        if uid in ("0", str(os.geteuid())):
            streams.setdefault(_of(record, "_HOSTNAME"), _Stream(how)).add(record)
        else:
            others[uid] = others.get(uid, 0) + 1
    runs = newest(
        (run for host, stream in streams.items() for run in stream.logged(path, place, host)),
        how.latest,
    )
    said = tuple(
        f"Passed over: {count} lines of {place.tag}, {name_of_uid(int(uid or -1))}'s"
        for uid, count in sorted(others.items())
    )
    return Found(
        runs, {"cursor": cursor, "streams": {h: s.keep() for h, s in streams.items()}}, said
    )


class _Stream:
    """The lines of a tag: one run after the other, with the times at which they ended."""

    def __init__(
        self, how: Look, reader: Any = None, ends: Iterable[float] = (), time: float = 0
    ) -> None:
        from check_duplicity.runs.reader import LogReader

        self._reader = LogReader(how.hide, how.latest, reader)
        self._ends, self._time = list(map(float, ends)), float(time)

    def add(self, record: dict[str, Any]) -> None:
        time = _time_of(record)
        if time - self._time > _PAUSE:
            self._note()
        self._time = time
        for line in _of(record, "MESSAGE").split("\n"):
            self._reader.read(line)

    def _note(self) -> int:
        """Note the times of all runs that have ended since, and of the last one so far."""
        count = len(self._reader.runs())
        known = (
            self._ends[: max(0, count - 1)] if count >= len(self._ends) else self._ends[-count:-1]
        )
        self._ends = [*known, *[self._time] * (count - len(known))]
        return count

    def keep(self) -> list[Any]:
        self._note()
        return [self._reader.keep(), self._ends, self._time]

    def logged(self, path: str, place: Place, host: str) -> Iterator[Logged]:
        job = f"{path}: {host}" if place.where else path
        name = f"{place.tag} on {host}" if place.where else place.tag
        last = self._note() - 1
        for count, (run, time) in enumerate(zip(self._reader.runs(), self._ends)):
            whole = count < last or run.outcome != OPEN
            yield Logged(job, name, "", "", "", time, whole, True, run)


def _from(cursor: str, how: Look) -> list[str]:
    return [f"--after-cursor={cursor}" if cursor else f"--since=@{int(how.horizon)}"]


def _time_of(record: dict[str, Any]) -> float:
    """Return when a record was received, in seconds since the epoch; 0 if unknown."""
    time = _of(record, "__REALTIME_TIMESTAMP")
    return int(time) / 1e6 if time.isascii() and time.isdigit() else 0
