from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import pytest
from check_duplicity.destination import archive
from check_duplicity.duplicity.archive_path import archive_path

# Written by duplicity 3.2.1; 0.8 to 3.2 write the volumes before or behind the list of files.
HEAD = b"Hostname backup-1\nLocaldir /srv\n"
VOLUME = b"Volume %d:\n    StartingPath   .  \n    EndingPath     a  \n    Hash SHA1 25e9356c\n"
FILES = b"Filelist 2\n    new      Volume\\x201:\n    changed  a\n"


@pytest.mark.parametrize(
    ("content", "volumes"),
    [
        (HEAD + VOLUME % 1 + FILES, 1),
        (HEAD + FILES + VOLUME % 1 + VOLUME % 2 + VOLUME % 3, 3),
        (HEAD + b"".join(VOLUME % n for n in (1, 2, 3, 2)), 2),
        (HEAD, 0),
        (b"", 0),
        (b"\0\xff" * 1000, 0),
    ],
)
def test_the_last_volume_of_a_manifest_counts(content: bytes, volumes: int) -> None:
    assert archive.count_volumes(io.BytesIO(content)) == volumes


def test_a_volume_is_found_across_the_blocks_in_which_a_manifest_is_read() -> None:
    for position in range(1, 14):
        padding = b"x" * ((1 << 20) - position)
        assert archive.count_volumes(io.BytesIO(padding + b"\nVolume 12345:\n")) == 12345


def test_what_looks_like_a_volume_within_a_line_is_none_wherever_blocks_end() -> None:
    for position in range(30):
        content = (
            b"\nVolume 3:\n".ljust((1 << 20) - position, b"x") + b"Volume 12345: in a file's name"
        )
        assert archive.count_volumes(io.BytesIO(content)) == 3


def test_names_and_volumes_are_seen(tmp_path: Path) -> None:
    (tmp_path / "duplicity-full.T.manifest").write_bytes(HEAD + VOLUME % 4)
    (tmp_path / "duplicity-full.U.manifest.part").write_bytes(HEAD)
    (tmp_path / "lockfile").touch()
    seen = archive.look(str(tmp_path))
    assert seen.listed == {"duplicity-full.T.manifest": 4, "duplicity-full.U.manifest.part": 0}
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


def test_a_directory_that_is_not_there_is_a_problem_and_stays_away(tmp_path: Path) -> None:
    seen = archive.look(str(tmp_path / "none"))
    assert "No such file" in seen.problem
    assert not (tmp_path / "none").exists()


def test_what_cannot_be_opened_is_a_problem_and_the_rest_is_seen(tmp_path: Path) -> None:
    (tmp_path / "a.manifest").mkdir()
    (tmp_path / "b.manifest").write_bytes(VOLUME % 2)
    seen = archive.look(str(tmp_path))
    assert seen.listed == {"b.manifest": 2}
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
