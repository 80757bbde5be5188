"""Make a drill: restore the named paths and a chosen sample, and report the results.

The steps: get the chain's metadata, call duplicity once for each sample, and once for a set's
metadata at the destination. Volumes count as read if duplicity reports them, and only if it reports
all volumes that a sample needs.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timezone

from check_duplicity.duplicity import volumes
from check_duplicity.duplicity.collection import BackupSet
from check_duplicity.duplicity.names import Prefixes, read_name, read_stamp
from check_duplicity.duplicity.restoring import Ended
from check_duplicity.nagios.findings import Finding, Kind, State
from check_duplicity.nagios.limits import format_size, format_time
from check_duplicity.restore import archive, choose
from check_duplicity.restore.compare import compare
from check_duplicity.restore.history import AGAIN
from check_duplicity.restore.model import (
    Compared,
    Drilled,
    Found,
    Restored,
    Sample,
    Set,
    Volume,
    bad_of,
)
from check_duplicity.restore.see import Place
from check_duplicity.values import NamedTuple

# Failures of the drill itself: they say nothing about the backup.
_NOT_HERE = (
    Kind.NO_SECRET_KEY, Kind.NO_PASSPHRASE, Kind.NO_ROOM, Kind.NO_LOCAL_SPACE, Kind.CONNECTION,
    Kind.LOGIN, Kind.HOST_KEY, Kind.MODULE, Kind.PERMISSION, Kind.OPTIONS, Kind.KILLED, Kind.LOCKED,
    Kind.NO_DUPLICITY, Kind.PASSPHRASE, Kind.NO_DRILL,
)  # fmt: skip
# Damage that a drill can find, besides failed restores.
_DAMAGE = (
    Kind.ROTTEN, Kind.MISSING_VOLUMES, Kind.NOT_IN_BACKUP, Kind.OTHER_CONTENTS,
    Kind.WRONG_PASSPHRASE,
)  # fmt: skip
_MOST_FAILURES = 3  # after which no other volume is tried


class Wanted(NamedTuple):
    """What a drill shall do.

    Each drill restores ``paths``. It also chooses ``volumes`` volumes, or as many of
    ``volume_size`` bytes as fit in ``budget`` bytes. ``proved`` has the time at which each volume
    was last proved. ``found`` is the damage that earlier drills found: the drill tries that first.
    """

    paths: Sequence[str] = ()
    volumes: int = 1
    budget: int = 0
    volume_size: int = 0
    proved: Mapping[Volume, int] = {}
    found: Sequence[Found] = ()

    @property
    def size(self) -> int:
        """The approximate maximum number of bytes in the volumes that a drill chooses."""
        return self.budget or self.volumes * self.volume_size

    def is_enough(self, chosen: int, read: int) -> bool:
        """Return whether this many chosen volumes, and volumes read, are enough."""
        if not self.budget:
            return chosen >= self.volumes
        return bool(chosen) and (read + 1) * self.volume_size > self.budget


Told = Callable[[str, int, int], None]
"""Called with a drill's progress: what is restored, volumes read for it, volumes to read."""


class Drill:
    """A drill in progress: what it has read and found so far."""

    def __init__(self, wanted: Wanted, told: Told) -> None:
        self._wanted, self._told = wanted, told
        self._began = time.time()
        self.begin_anew([])

    def begin_anew(self, known: Iterable[Finding]) -> None:
        """Forget the results so far, and start with the ``known`` findings on the backup."""
        self._found: list[Found] = []
        self.add(known)
        self._finished = False
        self._chain: tuple[Set, ...] = ()
        self._read: set[Volume] = set()
        self._restored = Restored()
        self._well: set[str] = set()
        self._lines: list[str] = []

    @property
    def has_damage(self) -> bool:
        """Return whether damage to the backup was found."""
        return any(found.state is State.CRITICAL for found in self._found)

    @property
    def is_interrupted(self) -> bool:
        """Return whether duplicity has removed a manifest: its set is gone at the destination."""
        return not all(os.path.exists(one.path) for one in self._chain)

    def add(self, known: Iterable[Finding]) -> None:
        """Add findings on the backup that somebody else made."""
        self._found[:0] = [Found(finding.kind, finding.state, finding.text) for finding in known]

    def so_far(self) -> Drilled:
        """Return the results so far."""
        return Drilled(
            datetime.fromtimestamp(int(self._began), timezone.utc),
            {one.time: len(one.manifest.volumes) for one in self._chain},
            frozenset(self._read),
            tuple(self._found),
            self._restored,
            tuple(self._lines),
            round(time.time() - self._began),
            self._finished,
            frozenset(self._well),
        )

    def make(self, place: Place, own: str, sets: Sequence[BackupSet], prefixes: Prefixes) -> None:
        """Restore everything that is wanted from a chain. Raises `CannotSee` when time is up.

        ``own`` is the job's archive directory.
        """
        self._place, self._own, self._prefixes = place, own, prefixes
        times = [backup_set.time for backup_set in sets]
        place.renew()
        copied = archive.copy(own, place.archive, times, prefixes)
        ended = Ended() if copied else place.fetch_metadata(times[-1])
        if ended.kind is not None:
            self._note(ended)
            return
        try:
            self._chain = archive.sets(place.archive, times, prefixes)
        except OSError as error:
            self._note(Ended(Kind.NOT_RESTORED, str(error.strerror or error)))
            return
        for text, missing in archive.missing_volumes(self._chain, sets):
            self._note(Ended(Kind.MISSING_VOLUMES, text), missing, time=missing[0].time)
        self._restore_paths()
        if not self._has_failed():
            self._walk()
        if not self._read and not self._found:
            self._note(Ended(Kind.NO_DRILL, "no volume was read"))
        if not copied:
            self._look_at_metadata()
        elif not self._has_failed():
            self._prove_metadata()
        self._finished = not self._has_failed()
        if not self._finished and not self._found:
            self._note(Ended(Kind.NO_DRILL, "the destination changed during the drill"))

    def _restore_paths(self) -> None:
        """Restore the named paths, and again the paths that earlier drills could not prove."""
        last = len(self._chain) - 1
        again = [found.path for found in self._wanted.found if found.path and found.kind in AGAIN]
        again = [path for path in again if choose.can_be_named(path)]
        for path in dict.fromkeys((*self._wanted.paths, *again)):
            below = volumes.below(path, self._chain[last].manifest.source)
            named = os.fsdecode(b"/".join(below))
            if not below:
                self._note(Ended(Kind.OPTIONS, f"{path} is the whole source: name a file in it"))
            elif not choose.can_be_named(named):
                reason = "duplicity's command line changes a name with $, or with ~ or - in front"
                text = f"{path} can't be restored by itself: {reason}"
                self._found.append(Found(Kind.NOT_IN_BACKUP, State.WARNING, text))
            else:
                ended = self._try(choose.of_path(self._chain, last, below))
                if not ended.is_there and path in self._wanted.paths:
                    text = f"{path} is not in the backup of {format_time(self._chain[last].time)}"
                    self._note(Ended(Kind.NOT_IN_BACKUP, text), path=path)
                    self._lines.append(f"{path}: not in the backup")
            if self._has_failed():
                return

    def _walk(self) -> None:
        """Read the volumes that were bad, and then as many of the others as are wanted."""
        chosen, bad = 0, bad_of(self._wanted.found)
        for at, number in choose.oldest(self._chain, self._wanted.proved, bad):
            volume = Volume(self._chain[at].time, number)
            enough = volume not in bad and self._wanted.is_enough(chosen, len(self._read))
            if enough or self._has_failed():
                return
            if volume in self._read or volume in bad_of(self._found):
                continue
            chosen += volume not in bad
            most = max(_MOST_FAILURES, self._wanted.volumes)
            sample, size = choose.of_volume(self._chain, at, number, most)
            if sample.path and not self._place.has_room_for(size):
                sample = choose.volumes_only(self._chain, at, [number])
            if not self._try(sample).is_there and sample.path:
                text = (
                    f"{sample.path} is listed in {self._named(sample)}, and is not in its volumes:"
                    " did that run say that it could not be read?"
                )
                self._found.append(Found(Kind.NOT_IN_BACKUP, State.WARNING, text))

    def _prove_metadata(self) -> None:
        """Fetch a set's manifest and signatures from the destination, and compare them.

        The samples use the job's own copies. After the loss of this host, the copies at the
        destination are the only ones.
        """
        one = choose.metadata(self._chain, self._wanted.proved, bad_of(self._wanted.found))
        what, ended = self._fetch(one)
        if ended.kind in _NOT_HERE:
            self._note(ended)
            return
        what = f"{what} of the backup of {format_time(one.time)}"
        if ended.kind is None:
            # Bad metadata is good again only after its signatures were compared, too.
            if "signatures" in what or Volume(one.time, 0) not in bad_of(self._wanted.found):
                self._read.add(Volume(one.time, 0))
            self._lines.append(f"{what}: fetched, the same as here")
            return
        text = f"{what}, as the destination has them: {ended.reason}"
        self._note(Ended(Kind.NOT_RESTORED, text), [Volume(one.time, 0)], time=one.time)
        self._lines.append(text)

    def _look_at_metadata(self) -> None:
        """Check that the fetched signatures are whole; there are no others to compare them with.

        So signatures that an earlier drill found bad stay bad.
        """
        bad = bad_of(self._wanted.found)
        for one in self._chain:
            path, _ = archive.signatures_of(self._place.archive, one.time, self._prefixes)
            metadata = Volume(one.time, 0)
            if path and not archive.is_whole(path):
                of = f"the backup of {format_time(one.time)}"
                text = f"signatures of {of}, as the destination has them: damaged"
                self._note(Ended(Kind.NOT_RESTORED, text), [metadata], time=one.time)
            elif metadata not in bad:
                self._read.add(metadata)

    def _fetch(self, one: Set) -> tuple[str, Ended]:
        """Let duplicity fetch a set's metadata; return what was fetched, and the result.

        Leave out signatures that are larger than all volumes that a drill reads.
        """
        what, paths = "manifest", [one.path]
        own, size = archive.signatures_of(self._own, one.time, self._prefixes)
        signatures, _ = archive.signatures_of(self._place.archive, one.time, self._prefixes)
        if not signatures:  # duplicity has removed the empty file that replaced them.
            return "manifest and signatures", Ended(
                Kind.NOT_RESTORED, "the signatures are not there"
            )
        if size <= self._wanted.size and self._place.has_room_for(size):
            what, paths = "manifest and signatures", [one.path, signatures]
        wanted = archive.digest(one.path)
        nothing = choose.volumes_only(self._chain, len(self._chain) - 1, [])
        self._told(what, 0, 1)
        with archive.without(paths):
            ended = self._place.restore(nothing, self._chain, lambda count: None)
            fetched = archive.digest(one.path)
            same = signatures not in paths or archive.same_contents(signatures, own)
        if ended.kind is None and not fetched:
            return what, Ended(Kind.NOT_RESTORED, "not there")
        if ended.kind is None and not (same and fetched == wanted):
            return what, Ended(Kind.NOT_RESTORED, "not the same as here")
        return what, ended

    def _has_failed(self) -> bool:
        if self.is_interrupted:
            return True
        damage = [found for found in self._found if found.state is State.CRITICAL]
        ending = (*_NOT_HERE, Kind.WRONG_PASSPHRASE)
        return len(damage) > _MOST_FAILURES or any(f.kind in ending for f in self._found)

    def _try(self, sample: Sample) -> Ended:
        """Restore a sample, and keep the result."""
        what = sample.path or f"volume {sample.wide[0].number}"
        empty = {Volume(one.time, number) for one in self._chain for number in one.manifest.empty}
        wanted = sum(1 for volume in sample.volumes if volume not in empty)
        read = 0

        def told(count: int) -> None:
            nonlocal read
            read = max(read, count)
            self._told(what, read, wanted)

        self._told(what, 0, wanted)
        ended = self._place.restore(sample, self._chain, told)
        if ended == Ended() and sample.path and not os.path.lexists(self._place.target):
            ended = Ended(Kind.NOT_RESTORED, "duplicity ended well, but restored nothing")
        if not ended.is_there and read < wanted:
            reason = f"duplicity has read only {read} of {wanted} volumes"
            ended = Ended(Kind.NOT_RESTORED, reason)
        if ended.kind is not None:
            self._fail(sample, ended)
            return ended
        good = not ended.is_there or self._compare(sample)
        self._well.update([sample.path] if good else [])
        if good and read >= wanted:
            self._read.update(sample.volumes)
        if not sample.path:
            self._lines.append(f"volume {sample.wide[0].number} of {self._named(sample)}: read")
        return ended

    def _compare(self, sample: Sample) -> bool:
        """Compare the restored sample with the source; return whether no damage was found."""
        one = self._chain[sample.at]
        source = _source(one)
        original = os.path.join(source, sample.path) if source else ""
        restored = compare(self._place.target, original, one.time)
        before = [found.path for found in self._wanted.found if found.kind is Kind.OTHER_CONTENTS]
        touched = [
            path
            for path in restored.compared.touched
            if os.path.relpath(path, one.manifest.source) in before  # A new ctime mends nothing.
        ]
        for path in (*restored.compared.other, *touched):
            when = format_time(one.time)
            text = f"{path} differs from its backup of {when}, though nobody changed it"
            below = os.path.relpath(path, one.manifest.source)
            self._note(Ended(Kind.OTHER_CONTENTS, text), path=below, time=one.time)
        self._restored = _sum(self._restored, restored)
        count = len(sample.volumes)
        volumes = f"{count} {'volume' if count == 1 else 'volumes'} of {self._named(sample)}"
        said = _said(restored, source, one.manifest.host)
        size = format_size(restored.size)
        self._lines.append(f"{sample.path}: {size} restored from {volumes}, {said}")
        return not restored.compared.other and not touched

    def _note(
        self,
        ended: Ended,
        volumes: Iterable[Volume] = (),
        path: str = "",
        time: datetime | None = None,
    ) -> None:
        """Add a failure to the findings, once. An unknown failure becomes `Kind.NOT_RESTORED`."""
        assert ended.kind is not None
        state = State.WARNING if ended.kind in _NOT_HERE else State.CRITICAL
        kind = ended.kind if ended.kind in (*_NOT_HERE, *_DAMAGE) else Kind.NOT_RESTORED
        found = Found(kind, state, ended.reason, frozenset(volumes), path, time)
        for number, before in enumerate(self._found):
            if (before.kind, before.text) == (found.kind, found.text):
                self._found[number] = before._replace(volumes=before.volumes | found.volumes)
                return
        self._found.append(found)

    def _fail(self, sample: Sample, ended: Ended) -> None:
        """Add a sample's failure to the findings, with the volumes that it is in."""
        bad: Iterable[Volume] = sample.volumes
        if ended.kind is Kind.ROTTEN and (volume := self._volume_of(ended.volume)):
            ended, bad = ended._replace(reason=self._rotten(volume)), [volume]
        elif ended.kind in (Kind.WRONG_PASSPHRASE, Kind.GPG):
            first, reason = self._unreadable(sample, ended)
            ended, bad = ended._replace(reason=reason), [first]
        self._note(ended, bad, sample.path, self._chain[sample.at].time)
        what = sample.path or f"volume {sample.wide[0].number}"
        self._lines.append(f"{what} of {self._named(sample)}: not restored")

    def _rotten(self, volume: Volume) -> str:
        one = next(one for one in self._chain if one.time == volume.time)
        first, last = next(
            (v.first, v.last) for v in one.manifest.volumes if v.number == volume.number
        )
        paths = " to ".join(dict.fromkeys(map(_shown, (first, last))))
        of = f"volume {volume.number} of the backup of {format_time(volume.time)}"
        return f"{of} was changed after it was written (wrong hash); it holds: {paths}"

    def _unreadable(self, sample: Sample, ended: Ended) -> tuple[Volume, str]:
        """Find the first set that can't be decrypted: earlier sets may have had another key.

        Return its first volume, and the finding's text.
        """
        good, bad = -1, sample.at
        while bad - good > 1:
            middle = (good + bad) // 2
            number = self._chain[middle].manifest.volumes[0].number
            tried = choose.volumes_only(self._chain, middle, [number])
            kind = self._place.restore(tried, self._chain, lambda count: None).kind
            if kind is None:
                good = middle
            elif kind is ended.kind:
                bad = middle
            else:
                break  # It failed for another reason, so the sets in between stay unknown.
        one = self._chain[bad]
        first = Volume(one.time, one.manifest.volumes[0].number)
        text = f"{ended.reason}: the backup of {format_time(one.time)} can't be decrypted"
        if good < 0:
            return first, text
        return first, f"{text}; those until {format_time(self._chain[good].time)} can"

    def _volume_of(self, name: str) -> Volume | None:
        """Return the volume of the chain that a file holds, by the file's name."""
        read = read_name(os.path.basename(name), self._prefixes)
        known = {
            Volume(one.time, volume.number)
            for one in self._chain
            for volume in one.manifest.volumes
        }
        with contextlib.suppress(ValueError, OverflowError, OSError):
            if read is not None and read.volume is not None:
                volume = Volume(read_stamp(read.key[1]), read.volume)
                return volume if volume in known else None
        return None

    def _named(self, sample: Sample) -> str:
        return f"the backup of {format_time(self._chain[sample.at].time)}"


def _source(one: Set) -> str:
    """Return the directory that a set backs up, or ``""`` if it is on another machine."""
    here = {socket.gethostname(), socket.getfqdn()}
    return one.manifest.source if one.manifest.host in here else ""


def _sum(one: Restored, other: Restored) -> Restored:
    mine, others = one.compared, other.compared
    compared = Compared(
        mine.same + others.same, mine.other + others.other, mine.touched + others.touched
    )
    return Restored(one.files + other.files, one.size + other.size, compared)


def _said(restored: Restored, source: str, host: str) -> str:
    same, other, _ = restored.compared
    if other:
        return "and differs from the source"
    if not source:
        return f"not compared: the source is on {host or 'another host'}"
    return "the same as the source" if same else "not compared: the source has changed since"


def _shown(path: volumes.Path) -> str:
    return os.fsdecode(b"/".join(path)) or "."


def cut_short(drilled: Drilled, reason: str) -> Drilled:
    """Return a drill's results with the reason why it had to end early."""
    found = Found(Kind.NO_DRILL, State.WARNING, f"cut short: {reason}")
    return drilled._replace(found=(*drilled.found, found))
