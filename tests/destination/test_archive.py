from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from check_duplicity.destination import archive
from check_duplicity.duplicity.archive_path import archive_path

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
