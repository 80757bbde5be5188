"""Fuzz the readers of what duplicity writes, and of the drills' history: see ``targets``."""

from __future__ import annotations

import io
import json
from datetime import timezone

from check_duplicity.duplicity import jsonstat as statistics_of_sets
from check_duplicity.duplicity import manifest as manifests
from check_duplicity.duplicity import names, restoring, sizes, status
from check_duplicity.duplicity import volumes as of_manifests
from check_duplicity.nagios.findings import CannotSee, Kind
from check_duplicity.restore import history as histories


def text(data: bytes) -> str:
    """Return any bytes as text."""
    return data.decode("utf-8", "replace")


def file_names(data: bytes) -> None:
    """Read file names, after a prefix in the first line; order and repetition change nothing."""
    prefix, *found = text(data).split("\n")
    prefixes = names.Prefixes.of_options([f"--file-prefix={prefix}"])
    collection = names.read_names(found, prefixes)
    assert collection == names.read_names(found[::-1] + found, prefixes)
    seen = names.Archive(
        tuple(found),
        dict.fromkeys(found, manifests.Manifest(2)),
        dict.fromkeys(found, statistics_of_sets.Statistics(1, 2, 3)),
        frozenset(found),
    )
    names.read_names(found, prefixes, seen)
    names.read_names((), prefixes, seen._replace(settled=frozenset(), fresh=frozenset(found)))
    names.without_unfinished(collection, seen, prefixes)
    assert names.read_archive(seen, prefixes).incomplete <= len(found)
    many = sizes.group((name, sum(map(ord, name)) ** 2 % (3 << 20)) for name in found)
    spoiled = sizes.find_spoiled(many, prefixes)
    assert sizes.find_spoiled(many, prefixes, in_bytes=False).keys() <= spoiled.keys()
    names.read_names(found, prefixes, spoiled=spoiled)
    sizes.find_spoiled(sizes.group((name, 0) for name in found), prefixes)
    log = f". Extracting backup chains from list of files: {found!r}\n"
    assert list(status.read_names_line(log) or ()) == found


def saved_status(data: bytes) -> None:
    """Read saved output: a collection, or the reason why there is none; CRLF changes nothing."""
    said = text(data)
    told = _status(said)
    if "\r" not in said:
        assert told == _status(said.replace("\n", "\r\n"))


def _status(said: str) -> object:
    try:
        return status.read_saved(said, zone=timezone.utc)
    except CannotSee as reason:
        assert reason.kind is Kind.NOT_RECOGNISED
        return reason.reason


def manifest(data: bytes) -> None:
    """Read a manifest: in many blocks as in one."""
    whole = manifests.read([data] if data else [], len(data))
    blocks = (data[start : start + 7] for start in range(0, len(data), 7))
    assert manifests.read(blocks, len(data)) == whole


def jsonstat(data: bytes) -> None:
    """Read the statistics of a set: counts, or nothing."""
    found = statistics_of_sets.read(data)
    assert found is None or min(found) >= 0


def volumes(data: bytes) -> None:
    """Read which paths each volume holds; a widened volume has all paths, the others their own."""
    found = of_manifests.read(io.BytesIO(data)).volumes
    assert b"".join(of_manifests.widened(io.BytesIO(data), ())) == data
    for volume in found[:8]:
        for name in of_manifests.files_in(io.BytesIO(data), volume):
            assert name
            assert volume.may_have(tuple(name.split(b"/")))
        new = list(of_manifests.widened(io.BytesIO(data), [volume.number]))
        for before, after in zip(found, of_manifests.read(new).volumes):
            if before.number != volume.number:
                assert after == before
            else:
                assert after.first == ()
                assert after.last in (before.wide.last, ())


def restored(data: bytes) -> None:
    """Read how a restore ended, from its status and log: well, or with a kind and a reason."""
    number, by_itself, log = data[0] if data else 0, data[1:2] != b"\0", text(data[2:])
    ended = restoring.ended(number, by_itself, log)
    assert (ended.kind is None) is (by_itself and number in (0, 19))
    assert bool(ended.reason) is (ended.kind is not None)
    assert "\n" not in ended.reason
    assert not ended.volume or ended.kind is Kind.ROTTEN
    kept = restoring.problems(log)
    assert restoring.problems(kept).split() == kept.split()
    for line in log.splitlines():
        assert restoring.progress(line) >= 0
        restoring.no_space(line)


def history(data: bytes) -> None:
    """Read the drills' history: it can be written again, or is refused."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return
    try:
        known = histories.read(value)
    except ValueError:
        return
    assert known.percent(known.volumes) >= 0
    if len(known.proved) < 10_000:
        assert histories.read(json.loads(json.dumps(histories.written(known)))) == known
