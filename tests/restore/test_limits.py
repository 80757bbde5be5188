"""Limits of what is kept and read, each with the value beside it."""

from __future__ import annotations

import gzip
import io
import os
import zlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from chains import manifest
from check_duplicity.duplicity import volumes
from check_duplicity.duplicity.collection import BackupSet
from check_duplicity.duplicity.names import Prefixes
from check_duplicity.nagios.commands import Job
from check_duplicity.nagios.findings import Kind, State
from check_duplicity.restore import archive
from check_duplicity.restore.choose import can_be_named, metadata, oldest
from check_duplicity.restore.history import Damage, History, Past, after, path_of, read, written
from check_duplicity.restore.judge import counted, damage, judge, measure, pasting
from check_duplicity.restore.model import Drilled, Found, Restored, Set, Volume
from samples import NOW, ago, stamp

FULL, INCREMENT = ago(days=7), ago(days=1)
SECOND = timedelta(seconds=1)
MOST = 1_000_000
CONTENT = manifest("/srv", [(".", "b"), ("b", "d")], {"a": "new", "c": "new"})


def chain(directory: Path) -> tuple[Set, ...]:
    """Return two sets of two volumes each, with manifests in a directory."""
    made = []
    for time in (FULL, INCREMENT):
        path = directory / f"duplicity-full.{stamp(time)}.manifest"
        path.write_bytes(CONTENT)
        made.append(Set(time, str(path), volumes.read(io.BytesIO(CONTENT))))
    return tuple(made)


def test_volumes_are_written_in_spans_of_the_same_time() -> None:
    proved = {
        Volume(FULL, number): when
        for number, when in ((1, 5), (2, 5), (3, 6), (4, 6), (6, 6), (8, 8), (9, 9))
    }
    found = Found(Kind.ROTTEN, State.CRITICAL, "x", frozenset(
        Volume(time, n) for time in (FULL, INCREMENT) for n in (0, 1, 3)
    ), "p", INCREMENT)  # fmt: skip
    past = Past(NOW, Kind.ROTTEN, "t", 1, 2, 3, 4)
    good = Past(NOW - SECOND, None, "", 5, 6, 7, 0)
    history = History(
        FULL, good, (good, past), {FULL: 9, INCREMENT: 1}, proved, (Damage(NOW, found),)
    )
    values = written(history)
    now, spans = int(NOW.timestamp()), [[0, 1], [3, 3]]
    assert values == {
        "version": 1, "since": int(FULL.timestamp()), "good": [now - 1, 5, 6, 7],
        "drills": [[now - 1, "", "", 5, 6, 7, 0], [now, "ROTTEN", "t", 1, 2, 3, 4]],
        "damage": [[now, "ROTTEN", "x", {stamp(FULL): spans, stamp(INCREMENT): spans}, "p",
                    stamp(INCREMENT)]],
        "sets": {stamp(FULL): [9, [[1, 2, 5], [3, 4, 6], [6, 6, 6], [8, 8, 8], [9, 9, 9]]],
                 stamp(INCREMENT): [1, []]},
    }  # fmt: skip
    assert read(values) == history


EMPTY: dict[str, Any] = written(History())


@pytest.mark.parametrize(
    "sets",
    [
        {stamp(FULL): [1, [[1, MOST + 1, 1]]]},
        {stamp(FULL): [1, [[1, 9, 1]]], stamp(NOW): [1, [[10, MOST + 1, 1]]]},
        {stamp(FULL): [-1, []]},
        {stamp(FULL): [1 << 62, []]},
        {stamp(FULL): [True, []]},
        {stamp(FULL): [1, [[-1, 1, 1]]]},
        {stamp(FULL): [1, [[1, 1, -1]]]},
        {stamp(FULL): [1.0, []]},
    ],
)
def test_too_much_is_not_read(sets: object) -> None:
    with pytest.raises(ValueError, match=r"too many volumes|no number"):
        read({**EMPTY, "sets": sets})


def test_the_largest_numbers_are_read() -> None:
    most = (1 << 62) - 1
    assert read({**EMPTY, "sets": {stamp(FULL): [most, []]}}).volumes == {FULL: most}
    backwards = {stamp(FULL): [1, [[MOST * 9, 1, 1], [1, 1, 0]]]}
    assert read({**EMPTY, "sets": backwards}).proved == {Volume(FULL, 1): 0}


@pytest.mark.parametrize(
    "damage",
    [
        [1, "ROTTEN", 1, {}, "", ""], [1, "ROTTEN", "x", {}, 1, ""],
        [1, "ROTTEN", "x", {stamp(FULL): [[1, MOST + 1]]}, "", ""],
        [1, "ROTTEN", "x", {stamp(FULL): [[1, 9]], stamp(NOW): [[10, MOST + 1]]}, "", ""],
        [1, "ROTTEN", "x", {}, ""], [-1, "ROTTEN", "x", {}, "", ""],
    ],
)  # fmt: skip
def test_what_is_no_damage_is_not_read(damage: list[object]) -> None:
    with pytest.raises(ValueError, match=r"no|too many"):
        read({**EMPTY, "damage": [damage]})
    with pytest.raises(ValueError, match="no history: TypeError"):
        read({**EMPTY, "drills": [[1, "", 7, 0, 0, 0, 0]]})


def test_the_newest_hundred_of_damage_and_twenty_drills_are_kept() -> None:
    found = tuple(Found(Kind.ROTTEN, State.CRITICAL, str(n), path=str(n)) for n in range(101))
    known = after(History(), Drilled(NOW, found=found))
    assert [one.found.text for one in known.damage] == [str(n) for n in range(1, 101)]
    values = written(known)
    values["damage"] = [[1, "ROTTEN", "0", {}, "", ""], *values["damage"]]
    values["drills"] = [[n, "", "", 0, 0, 0, 0] for n in range(21)]
    again = read(values)
    assert [one.found.text for one in again.damage] == [str(n) for n in range(1, 101)]
    assert [int(past.time.timestamp()) for past in again.drills] == list(range(1, 21))


@pytest.mark.parametrize(
    ("volume", "sizes", "left"),
    [
        (Volume(FULL, 2), {FULL: 2}, True), (Volume(FULL, 2), {FULL: 1}, False),
        (Volume(FULL, 0), {FULL: 0}, True), (Volume(FULL, 0), {NOW: 5}, False),
        (Volume(FULL, 2), {}, True),
    ],
)  # fmt: skip
def test_damage_to_a_volume_is_left_while_the_chain_has_it(
    volume: Volume, sizes: dict[Any, int], left: bool
) -> None:
    found = Found(Kind.ROTTEN, State.CRITICAL, "x", frozenset([volume]))
    old = Damage(FULL, found)
    assert old.left_after(Drilled(NOW, sizes, finished=True)) == (old if left else None)


def test_proved_volumes_count_from_the_first_to_the_last() -> None:
    numbers = [Volume(FULL, n) for n in (0, 1, 4, 5)]
    history = History(proved=dict.fromkeys([*numbers, Volume(NOW, 1)], 1))
    assert history.percent({FULL: 4}) == 50
    assert history.percent({FULL: 4, INCREMENT: 2}) == 33
    assert history.percent({}) == 0


def test_each_s3_server_has_its_own_history(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/state")

    def path(*options: str) -> str:
        return path_of("s3://b", None, None, options)

    own = path("--s3-endpoint-url", "https://a")
    assert path("--s3-endpoint-url=https://a") == own
    assert path("-v", "--s3-endpoint-url=https://a", "--x") == own
    assert path("--x", "--s3-endpoint-url", "https://a", "--s3-endpoint-url=b") == own
    assert len({own, path(), path("--s3-endpoint-url", "https://b"), path("--x=https://a")}) == 3
    assert path("--x=https://a") == path()


def test_the_order_of_volumes_and_metadata(tmp_path: Path) -> None:
    sets = chain(tmp_path)
    proved = {Volume(FULL, 1): 9, Volume(FULL, 2): 3, Volume(INCREMENT, 1): 3,
              Volume(FULL, 0): 4, Volume(INCREMENT, 0): 4}  # fmt: skip
    assert list(oldest(sets, proved)) == [(1, 2), (1, 1), (0, 2), (0, 1)]
    assert next(iter(oldest(sets, proved, [Volume(FULL, 1)]))) == (0, 1)
    assert metadata(sets, proved, []) is sets[0]
    assert metadata(sets, {**proved, Volume(FULL, 0): 5}, []) is sets[1]
    assert metadata(sets, {Volume(FULL, 0): 5}, []) is sets[1]
    assert metadata(sets, {}, [Volume(INCREMENT, 0)]) is sets[1]


@pytest.mark.parametrize(
    ("path", "can"),
    [("a", True), ("a-~", True), ("-a", False), ("~a", False), ("a$b", False), ("$", False)],
)
def test_names_that_duplicity_would_change(path: str, can: bool) -> None:
    assert can_be_named(path) is can


def test_the_last_volumes_that_the_destination_lacks(tmp_path: Path) -> None:
    sets = chain(tmp_path)
    there = [BackupSet(None, FULL, 1), BackupSet(FULL, INCREMENT, 2)]
    assert list(archive.missing_volumes(sets, there)) == [
        ("backup of 2026-11-17 12:00 UTC lacks 1 of 2 volumes, the last ones", [Volume(FULL, 2)])
    ]
    none = [BackupSet(None, FULL, 2), BackupSet(FULL, INCREMENT, 0)]
    assert list(archive.missing_volumes(sets, none)) == [
        (
            "backup of 2026-11-23 12:00 UTC lacks 2 of 2 volumes, the last ones",
            [Volume(INCREMENT, 1), Volume(INCREMENT, 2)],
        )
    ]


def test_a_later_set_alone_is_widened(tmp_path: Path) -> None:
    """The set before it, of which no volume is wanted, doesn't end that."""
    private = tmp_path / "archive" / "job"
    private.mkdir(parents=True)
    sets = chain(private)
    with archive.widened(sets, [Volume(INCREMENT, 1)]):
        assert Path(sets[0].path).read_bytes() == CONTENT
        assert Path(sets[1].path).read_bytes() != CONTENT
    assert Path(sets[1].path).read_bytes() == CONTENT


def test_a_signature_file_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "sigtar"
    path.write_bytes(gzip.compress(bytes(3 << 20)) + b"\x1f\x8b\x08 rest")
    assert not archive.is_whole(str(path))
    path.write_bytes(b"plain")
    assert archive.is_whole(str(path))
    assert not archive.is_whole(str(tmp_path / "none"))
    whole = gzip.compress(b"x" * 99)
    path.write_bytes(whole[:12] + bytes([whole[12] ^ 255]) + whole[13:])
    with pytest.raises((zlib.error, OSError, EOFError)):
        gzip.decompress(path.read_bytes())
    assert not archive.is_whole(str(path))


def test_signatures_and_digests(tmp_path: Path) -> None:
    name = f"duplicity-full-signatures.{stamp(FULL)}.sigtar.gz"
    for other in (f"duplicity-full.{stamp(FULL)}.manifest", "README"):
        (tmp_path / other).write_bytes(b"12")
    assert archive.signatures_of(str(tmp_path), FULL, Prefixes()) == ("", 0)
    (tmp_path / name).write_bytes(b"12345")
    assert archive.signatures_of(str(tmp_path), FULL, Prefixes()) == (f"{tmp_path}/{name}", 5)
    assert archive.signatures_of(str(tmp_path), INCREMENT, Prefixes()) == ("", 0)
    assert archive.signatures_of(f"{tmp_path}/none", FULL, Prefixes()) == ("", 0)
    assert archive.digest(f"{tmp_path}/none") == ""
    (tmp_path / "x").write_bytes(bytes(1 << 20) + b"1")
    (tmp_path / "y").write_bytes(bytes(1 << 20) + b"2")
    digests = {archive.digest(f"{tmp_path}/{one}") for one in "xy"}
    assert {len(digest) for digest in digests} == {64}
    assert len(digests) == 2


def test_files_are_out_of_the_way_for_a_while(tmp_path: Path) -> None:
    private = tmp_path / "archive" / "job"
    private.mkdir(parents=True)
    paths = [str(private / name) for name in "ab"]
    for path in paths:
        Path(path).write_text(path)
    with archive.without(paths):
        assert os.listdir(private) == []
        Path(paths[0]).write_text("fetched")
    assert [Path(path).read_text() for path in paths] == paths
    assert sorted(os.listdir(private.parent)) == ["job"]


# What is said of drills


def found(kind: Kind, path: str = "", **more: Any) -> Damage:
    return Damage(NOW, Found(kind, State.CRITICAL, f"{kind.name} {path}", path=path, **more))


def test_the_first_drill_and_the_future_are_said() -> None:
    first = History(since=ago(days=1))
    assert [m.text for m in measure(first, {}, NOW)] == [
        "no good drill since the first one 1d ago", "0 % of 0 volumes proved"
    ]  # fmt: skip
    assert [m.value for m in measure(History(), {}, NOW)] == [0, 0]
    ahead = Past(NOW + timedelta(minutes=2), None, "", 7, 8, 9)
    known = History(good=ahead, drills=(ahead,))
    assert [(m.name, m.value) for m in measure(known, {}, NOW)] == [
        ("age", 0), ("proved", 0), ("volumes", 7), ("files", 8), ("bytes", 9)
    ]  # fmt: skip
    assert [one.text for one in judge(known, NOW)] == [
        "the last good drill was in 2m: a clock was wrong"
    ]


def test_of_the_newest_drill_damage_or_reason_is_said_once() -> None:
    old, last = found(Kind.ROTTEN)._replace(time=ago(days=1)), found(Kind.NO_ROOM)
    past = Past(NOW, Kind.NO_ROOM, "full")
    known = History(drills=(past,), damage=(old, last))
    texts = ["drill 1d ago: ROTTEN ", "drill 0s ago: NO_ROOM "]
    assert [one.text for one in judge(known, NOW)] == texts
    assert [one.text for one in damage(known, NOW)] == texts
    assert [one.text for one in damage(known, NOW, newest=False)] == texts[:1]
    assert [one.text for one in judge(known._replace(damage=(old,)), NOW)] == [
        texts[0], "drill 0s ago: full"
    ]  # fmt: skip


def test_the_newest_damage_with_a_path_and_a_time_is_pasted() -> None:
    known = History(damage=(
        found(Kind.OTHER_CONTENTS, "a", time=FULL), found(Kind.OTHER_CONTENTS, "b", time=FULL),
        found(Kind.ROTTEN, time=FULL), found(Kind.NOT_IN_BACKUP, "c"),
        found(Kind.NOT_IN_BACKUP, "d"),
    ))  # fmt: skip
    job = pasting(Job("bk", drilling=("--path", "d")), known)
    assert job.drilling == ("--path", "d", "--path", "c")
    assert job.restored == ("--time", str(int(FULL.timestamp())), "-r", "b")


@pytest.mark.parametrize(("files", "text"), [
    (0, "0 files restored"), (1, "1 file restored (9 B)"), (2, "2 files restored (9 B)"),
])  # fmt: skip
def test_the_first_line_of_a_drill(files: int, text: str) -> None:
    drilled = Drilled(NOW, {FULL: 2}, frozenset([Volume(FULL, 0), Volume(FULL, 1)]),
                      restored=Restored(files, 9))  # fmt: skip
    said = list(counted(drilled, after(History(), drilled)))
    assert [(m.name, m.value, m.text) for m in said] == [
        ("files", files, text), ("bytes", 9, ""), ("volumes", 1, "1 volume read"),
        ("proved", 50, "50 % of 2 volumes proved"),
    ]  # fmt: skip
