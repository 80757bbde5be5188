"""Keep what a job's drills have proved, for the next drill and for check_duplicity_restore.

A file of JSON (`system.memory`: private, replaced in one step), version 1::

    {"version": 1,
     "since": 1795645886,
     "good": [1795645886, 8, 3, 123456],
     "drills": [[1795645886, "", "", 8, 3, 123456, 12]],
     "damage": [[1795645886, "ROTTEN", "volume 7 of ...", {"20261128T102453Z": [[7, 7]]},
                 "alice/mail", "20261128T102453Z"]],
     "sets": {"20261128T102453Z": [120, [[0, 6, 1795645886], [8, 120, 1795040000]]]}}

``since`` is the time of the first drill. ``good`` is the newest good drill: time, volumes, files,
bytes. ``drills`` has the newest drills in the order in which they were made: time, kind and text of
the finding, volumes, files, bytes, seconds. ``damage`` has the damage that is not mended yet: when
it was found, kind, text, the volumes that it is in, the restored path, and the time of its backup.
``sets`` has, for each set of the newest chain, the number of volumes, and ranges of volumes, each
with the time at which it was proved; the volume 0 is the set's metadata. Times are seconds since
the epoch. The file has 3 MB if 100,000 volumes were each proved at another time.
"""

from __future__ import annotations

import fcntl
import os
import pwd
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone

from check_duplicity.duplicity.names import Prefixes, read_stamp
from check_duplicity.nagios.findings import CannotSee, Kind, State
from check_duplicity.restore.model import Drilled, Found, Volume
from check_duplicity.secrets import without_password
from check_duplicity.system import memory
from check_duplicity.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any

_VERSION = 1
_KEPT = 20  # drills
_MOST_DAMAGE = 100
AGAIN = (Kind.OTHER_CONTENTS, Kind.NOT_RESTORED)
"""Kinds of damage to a path that are mended only when a drill restores the path well."""
_LONGEST = 600  # characters of a text
_STAMP = "%Y%m%dT%H%M%SZ"
_MOST_VOLUMES = 1_000_000  # of a set; a file with more is damaged


class Past(NamedTuple):
    """A past drill. If it wasn't good, ``kind`` and ``text`` are its worst finding's."""

    time: datetime
    kind: Kind | None = None
    text: str = ""
    volumes: int = 0
    files: int = 0
    size: int = 0
    seconds: int = 0


class Damage(NamedTuple):
    """Damage to the backup, and the time of the drill that found it."""

    time: datetime
    found: Found

    def left_after(self, drilled: Drilled) -> Damage | None:
        """Return the damage that is left after another drill; see `Found` for when it is mended."""
        chain, found = drilled.volumes, self.found
        if found.path and found.kind in AGAIN:
            gone = bool(chain) and found.time not in chain
            return None if gone or found.path in drilled.well else self
        if not found.volumes:
            return None if drilled.finished else self
        left = frozenset(
            volume
            for volume in found.volumes - drilled.read
            if not chain or volume.number <= chain.get(volume.time, -1)
        )
        return Damage(self.time, found._replace(volumes=left)) if left else None


class History(NamedTuple):
    """What is known of a job's drills.

    ``volumes`` is the number of volumes of each set of the newest chain. ``damage`` is not mended
    yet.
    """

    since: datetime | None = None
    good: Past | None = None
    drills: tuple[Past, ...] = ()
    volumes: Mapping[datetime, int] = {}
    proved: Mapping[Volume, int] = {}
    damage: tuple[Damage, ...] = ()

    def percent(self, chain: Mapping[datetime, int]) -> int:
        """Return how many per cent of a chain's volumes are proved.

        ``chain`` has the number of volumes of each set.
        """
        total = sum(chain.values())
        known = sum(
            1 for time, number in self.proved if time in chain and 1 <= number <= chain[time]
        )
        return 100 * known // total if total else 0


class NewerVersion(ValueError):
    """A newer version of this program wrote the file."""


def path_of(url: str, archive_dir: str | None, name: str | None, options: Sequence[str]) -> str:
    """Return the path of a job's history, for the user that this process runs as.

    It is below the user's home, where nothing cleans up. If there is no home, it is where the other
    checks keep their state. Of duplicity's ``options``, only those that distinguish destinations
    matter.
    """
    archive_dir = os.path.abspath(os.path.expanduser(archive_dir)) if archive_dir else ""
    identity = [without_password(url), archive_dir, name or "", *Prefixes.of_options(options)]
    identity += _endpoint(options)
    return memory.default_path("restore", identity, os.environ.get("XDG_STATE_HOME") or _home())


def _endpoint(options: Sequence[str]) -> list[str]:
    """Return the S3 server, if it isn't Amazon's: each server has its own buckets."""
    for word, value in zip(options, (*options[1:], "")):
        name, equals, own = word.partition("=")
        if name == "--s3-endpoint-url":
            return [own if equals else value]
    return []


def _home() -> str:
    """Return the state directory below this user's own home; the environment doesn't matter."""
    try:
        home = pwd.getpwuid(os.geteuid()).pw_dir
        if os.stat(home).st_uid == os.geteuid():
            return os.path.join(home, ".local", "state")
    except (KeyError, OSError):
        pass
    return ""


def hold(path: str) -> None:
    """Keep other drills of this job from starting until this process ends.

    Raises `CannotSee` if another drill is running, or if there is no place for the history.
    """
    lock = f"{path}.lock"
    try:
        directory = memory.open_directory(path, make=True)
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            held = os.open(os.path.basename(lock), flags, 0o600, dir_fd=directory)
        finally:
            os.close(directory)
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CannotSee(Kind.NO_DRILL, "another drill of this job is running") from None
    except OSError as error:
        reason = f"no place to keep the result: {lock}: {error.strerror}"
        raise CannotSee(Kind.NO_DRILL, reason) from None


def recall(path: str) -> History:
    """Return what is known of a job's drills. Raises `memory.Forgotten`."""
    value = memory.recall(path)
    try:
        return read(value) if value else History()
    except NewerVersion:
        raise memory.Forgotten(f"{path}: is of a newer version of check-duplicity") from None
    except ValueError:
        raise memory.Damaged(f"{path}: is damaged") from None


def gone_on_with(path: str) -> tuple[History, str]:
    """Return a job's history, and a message if it had to be begun anew.

    Raises `CannotSee` if the file can't be read, because then it must not be overwritten either.
    """
    try:
        return recall(path), ""
    except memory.Damaged:
        return History(), f"what earlier drills have proved is lost: {path} was damaged"
    except memory.Forgotten as reason:
        raise CannotSee(Kind.NO_DRILL, f"no place to keep the result: {reason}") from None


def kept(path: str, history: History) -> str:
    """Write a history to its file; return the reason if that failed, else ``""``."""
    try:
        memory.remember(path, written(history), make_directory=True)
    except memory.Forgotten as reason:
        return str(reason)
    return ""


def after(before: History, drilled: Drilled) -> History:
    """Return the history after another drill."""
    now = drilled.began
    past = _past(drilled)
    proved = {
        volume: time
        for volume, time in before.proved.items()
        if volume.time in drilled.volumes and volume not in drilled.bad
    }
    proved.update(dict.fromkeys(drilled.read - drilled.bad, int(now.timestamp())))
    new = [
        Damage(now, found._replace(text=found.text[:_LONGEST]))
        for found in drilled.found
        if found.state is State.CRITICAL
    ]
    left = (damage.left_after(drilled) for damage in before.damage)
    again = {_identity(damage) for damage in new}
    old = [damage for damage in left if damage and _identity(damage) not in again]
    return History(
        before.since or now,
        past if past.kind is None else before.good,
        (*before.drills, past)[-_KEPT:],
        drilled.volumes or before.volumes,
        proved if drilled.volumes else before.proved,
        (*old, *new)[-_MOST_DAMAGE:],
    )


def _identity(damage: Damage) -> tuple[object, ...]:
    """Return the fields that are equal when two drills find the same damage."""
    return damage.found.kind, damage.found.volumes, damage.found.path


def _past(drilled: Drilled) -> Past:
    worst = max(drilled.findings, key=lambda finding: finding.state, default=None)
    restored = drilled.restored
    if worst is not None and worst.state is State.OK:
        worst = None
    return Past(
        drilled.began,
        worst.kind if worst else None,
        worst.text[:_LONGEST] if worst else "",
        drilled.volumes_read,
        restored.files,
        restored.size,
        drilled.seconds,
    )


def written(history: History) -> dict[str, Any]:
    """Return a history as plain values."""
    good = history.good
    proved: dict[datetime, list[tuple[int, int]]] = {}
    for (time, number), when in history.proved.items():
        proved.setdefault(time, []).append((number, when))
    return {
        "version": _VERSION,
        "since": _seconds(history.since),
        "good": [_seconds(good.time), good.volumes, good.files, good.size] if good else None,
        "drills": [
            [
                _seconds(past.time), past.kind.name if past.kind else "", past.text, past.volumes,
                past.files, past.size, past.seconds,
            ]
            for past in history.drills
        ],
        "damage": [
            [
                _seconds(time), found.kind.name, found.text, _written_volumes(found.volumes),
                found.path, _stamp(found.time) if found.time else "",
            ]
            for time, found in history.damage
        ],
        "sets": {
            _stamp(time): [count, _spans(proved.get(time, ()))]
            for time, count in history.volumes.items()
        },
    }  # fmt: skip


def _stamp(time: datetime) -> str:
    return time.strftime(_STAMP).zfill(16)  # strftime doesn't pad years before 1000.


def _written_volumes(volumes: Iterable[Volume]) -> dict[str, list[list[int]]]:
    numbers: dict[datetime, list[tuple[int, int]]] = {}
    for time, number in volumes:
        numbers.setdefault(time, []).append((number, 0))
    return {
        _stamp(time): [[first, last] for first, last, _ in _spans(found)]
        for time, found in numbers.items()
    }


def _spans(proved: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Return ranges of a set's volumes that were proved at the same time: first, last, time."""
    spans: list[list[int]] = []
    for number, when in sorted(proved):
        if spans and spans[-1][1] == number - 1 and spans[-1][2] == when:
            spans[-1][1] = number
        else:
            spans.append([number, number, when])
    return spans


def read(value: Mapping[str, Any]) -> History:
    """Read a history from plain values. Raises `ValueError` if they aren't a history."""
    try:
        if int(value["version"]) > _VERSION:
            raise NewerVersion
        good = value["good"]
        volumes, proved = _sets(value["sets"])
        damage = tuple(map(_read_damage, value["damage"]))[-_MOST_DAMAGE:]
        return History(
            _time(value["since"]) if value["since"] else None,
            Past(_time(good[0]), None, "", *map(_count, good[1:4])) if good else None,
            tuple(map(_read_past, value["drills"]))[-_KEPT:],
            volumes,
            proved,
            damage,
        )
    except (KeyError, IndexError, TypeError, OverflowError, OSError, AttributeError) as error:
        raise ValueError(f"no history: {type(error).__name__}") from None


def _read_past(value: Sequence[Any]) -> Past:
    time, kind, text, *counts = value
    if not isinstance(text, str):
        raise TypeError
    volumes, files, size, seconds = map(_count, counts)
    return Past(_time(time), _kind(kind), text, volumes, files, size, seconds)


def _kind(name: str) -> Kind | None:
    """Return the kind of that name; unknown names, of a newer version, become NOT_RESTORED."""
    return Kind.__members__.get(name, Kind.NOT_RESTORED) if name else None


def _read_damage(value: Sequence[Any]) -> Damage:
    time, kind, text, sets, path, backup = value
    if not isinstance(text, str) or not isinstance(path, str):
        raise TypeError
    spans = [
        (read_stamp(stamp), _count(first), _count(last))
        for stamp, pairs in sets.items()
        for first, last in pairs
    ]
    if sum(max(0, last - first + 1) for _, first, last in spans) > _MOST_VOLUMES:
        raise ValueError("too many volumes")
    volumes = frozenset(
        Volume(of, number) for of, first, last in spans for number in range(first, last + 1)
    )
    made = read_stamp(backup) if backup else None
    known = _kind(kind) or Kind.NOT_RESTORED
    return Damage(_time(time), Found(known, State.CRITICAL, text, volumes, path, made))


def _sets(value: Mapping[str, Any]) -> tuple[dict[datetime, int], dict[Volume, int]]:
    volumes: dict[datetime, int] = {}
    proved: dict[Volume, int] = {}
    left = _MOST_VOLUMES
    for stamp, (count, spans) in value.items():
        time = read_stamp(stamp)
        volumes[time] = _count(count)
        for first, last, when in spans:
            left -= max(0, _count(last) - _count(first) + 1)
            if left < 0:
                raise ValueError("too many volumes")
            proved.update({Volume(time, n): _count(when) for n in range(first, last + 1)})
    return volumes, proved


def _seconds(time: datetime | None) -> int:
    return int(time.timestamp()) if time else 0


def _time(seconds: Any) -> datetime:
    return datetime.fromtimestamp(_count(seconds), timezone.utc)


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 1 << 62:
        raise ValueError("no number")
    return value
