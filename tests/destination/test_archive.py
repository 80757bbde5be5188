from __future__ import annotations

import gzip
import hashlib
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from check_duplicity.destination import archive
from check_duplicity.duplicity.archive_path import archive_path
from check_duplicity.duplicity.names import read_archive
from samples import CAPTURES, stamp

HEAD = b"Hostname backup-1\nLocaldir /srv\n"
VOLUME = b"Volume %d:\n    StartingPath   .  \n    EndingPath     a  \n    Hash SHA1 25e9356c\n"


def test_names_and_volumes_are_seen(tmp_path: Path) -> None:
    (tmp_path / "duplicity-full.T.manifest").write_bytes(HEAD + VOLUME % 4)
    (tmp_path / "duplicity-full.U.manifest.part").write_bytes(HEAD)
    (tmp_path / "lockfile").touch()
    seen = archive.look(str(tmp_path))
    volumes = {name: manifest.volumes for name, manifest in seen.manifests.items()}
    assert volumes == {"duplicity-full.T.manifest": 4, "duplicity-full.U.manifest.part": 0}
    assert seen.problem == ""


def test_what_was_there_before_is_settled(tmp_path: Path) -> None:
    manifest = tmp_path / "duplicity-full.T.manifest"
    manifest.write_bytes(HEAD + VOLUME % 1)
    changed = manifest.stat().st_ctime
    assert archive.look(str(tmp_path), changed + 1).settled == {manifest.name}
    later = archive.look(str(tmp_path), changed)
    assert later.settled == frozenset()
    assert later.fresh == {manifest.name}
    unknown = archive.look(str(tmp_path))
    assert (unknown.settled, unknown.fresh) == (frozenset(), frozenset())


def test_statistics_of_the_30_days_before_the_newest_are_read(tmp_path: Path) -> None:
    """Of all of that day: what is compared is chosen by the second, later."""
    text = (CAPTURES / "jsonstat/3.2.1-full.json").read_bytes()
    newest = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)
    times = [newest - timedelta(days=days) for days in (0, 1, 30)]
    read = [*times, newest.replace(hour=0) - timedelta(days=30)]
    left = [newest.replace(hour=0) - timedelta(days=30, seconds=1), newest - timedelta(days=31)]
    for count, time in enumerate([*read, *left]):
        name = f"duplicity-full.{stamp(time)}.jsonstat" + ".gz" * (count % 2)
        (tmp_path / name).write_bytes(gzip.compress(text) if count % 2 else text)
    seen = archive.look(str(tmp_path)).statistics
    assert sorted(name.split(".")[1] for name in seen) == sorted(map(stamp, read))


def test_a_directory_that_is_not_there_is_a_problem_and_stays_away(tmp_path: Path) -> None:
    seen = archive.look(str(tmp_path / "none"))
    assert "No such file" in seen.problem
    assert not (tmp_path / "none").exists()


def test_what_cannot_be_opened_is_a_problem_and_the_rest_is_seen(tmp_path: Path) -> None:
    (tmp_path / "a.manifest").mkdir()
    (tmp_path / "b.manifest").write_bytes(VOLUME % 2)
    seen = archive.look(str(tmp_path))
    assert {name: m.volumes for name, m in seen.manifests.items()} == {"b.manifest": 2}
    assert "a.manifest" in seen.problem
    os.symlink("nowhere", tmp_path / "c.manifest")
    assert archive.look(str(tmp_path)).problem.endswith("c.manifest: is a link")


def test_the_defaults_are_duplicitys(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "file:///srv/backup"
    digest = hashlib.md5(url.encode(), usedforsecurity=False).hexdigest()
    monkeypatch.setenv("HOME", "/home/b")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert archive_path(url, None, None) == f"/home/b/.cache/duplicity/{digest}"
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    assert archive_path(url, None, "job") == "/cache/duplicity/job"
    assert archive_path(url, "~/a", "job") == "/home/b/a/job"


# When the newest complete set was completed

BEGAN = datetime(2026, 11, 24, 2, tzinfo=timezone.utc)
NAME = "duplicity-full.20261124T020000Z.manifest"


def completed(path: Path, **after: float) -> datetime | None:
    """Return when a set that began at 02:00 was completed, by an archive directory of ``after``."""
    now = BEGAN + timedelta(**after)
    return archive.newest_complete("", str(path.parent), path.name, now)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    (tmp_path / NAME).write_bytes(HEAD + VOLUME % 1)
    (tmp_path / "duplicity-full-signatures.20261124T020000Z.sigtar.gz").touch()
    return tmp_path / NAME


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        (BEGAN + timedelta(hours=3), BEGAN + timedelta(hours=3)),
        (BEGAN - timedelta(hours=3), BEGAN),
        (BEGAN + timedelta(hours=25), BEGAN + timedelta(hours=24)),
        (None, BEGAN + timedelta(hours=24)),  # a time that no calendar has
    ],
)
def test_a_set_is_completed_when_its_manifest_is_written(
    written: datetime | None, seen: datetime, manifest: Path
) -> None:
    os.utime(manifest, (written.timestamp() if written else 1 << 33,) * 2)
    assert completed(manifest.parent, hours=48) == seen


def test_nothing_is_completed_later_than_now(manifest: Path) -> None:
    assert completed(manifest.parent, hours=2) == BEGAN + timedelta(hours=2)
    assert completed(manifest.parent, hours=-2) is None


def test_a_manifest_that_goes_meanwhile_is_passed_over(
    manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the listing and the look: cleanup, or a run that renames its own."""
    os.utime(manifest, (BEGAN.timestamp() + 60,) * 2)
    names = [f"{NAME}.gpg", *os.listdir(manifest.parent)]
    monkeypatch.setattr(os, "listdir", lambda path: names)
    assert completed(manifest.parent, hours=48) == BEGAN + timedelta(minutes=1)


def test_an_archive_directory_that_goes_meanwhile_tells_when_the_set_began(manifest: Path) -> None:
    collection = read_archive(archive.look(str(manifest.parent)))
    now = BEGAN + timedelta(hours=48)
    assert archive.completed(collection, str(manifest.parent / "gone"), now) == BEGAN


def test_the_files_of_the_newest_manifests_are_counted_as_far_as_there_is_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = VOLUME % 1 + b"Filelist 1\n    new      a\n"
    times = [datetime(2026, 11, day, tzinfo=timezone.utc) for day in range(1, 8)]
    names = [f"duplicity-inc.{stamp(a)}.to.{stamp(b)}.manifest" for a, b in zip(times, times[1:])]
    whole = f"duplicity-full.{stamp(times[0])}.manifest"
    for name in (*names, f"{names[-1]}.part", whole):
        (tmp_path / name).write_bytes(text)
    for room, count in ((3 * len(text), 3), (3 * len(text) - 1, 2), (len(text), 1), (0, 0)):
        monkeypatch.setattr(archive, "_MOST_COUNTED", room)
        found = archive.look(str(tmp_path)).manifests
        assert [name for name in names if found[name].files] == names[len(names) - count :]
        # A full one has the number at its beginning; one that is not finished is no use.
        assert found[whole].files is found[f"{names[-1]}.part"].files is None
        assert found[whole].entries == 1
