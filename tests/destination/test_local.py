"""The check looks at the directory of a ``file://`` destination."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from check_duplicity.destination import local
from samples import ago, full

NAMES = full(ago(hours=1), 2)
OLDER = full(ago(days=1), 1)
HEAD = NAMES[0].partition(".vol")[0]
SIZES = {
    HEAD: {"1.difftar.gz": 0, "2.difftar.gz": 1},
    "": {NAMES[2]: 2, NAMES[3]: 3},
}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    directory = tmp_path / "back up"
    directory.mkdir()
    for size, name in enumerate(NAMES):
        (directory / name).write_bytes(bytes(size))
    return directory


@pytest.mark.parametrize("form", ["file://{}", "FILE://{}", "par2+file://{}", "file:{}"])
def test_sizes_of_volumes_and_others(directory: Path, form: str) -> None:
    url = form.format(str(directory).replace(" ", "%20"))
    assert local.nowhere(url) == ""
    assert local.sizes(url) == (SIZES, 0)


@pytest.mark.parametrize("url", ["sftp://host//srv/backup", "multi:///etc/backup.json", ""])
def test_elsewhere_there_are_no_sizes(url: str) -> None:
    assert local.sizes(url) == (None, 0)
    assert local.nowhere(url) == ""


def test_what_lies_there_besides_is_left_alone(directory: Path) -> None:
    (directory / "lost+found").mkdir()
    (directory / f"{NAMES[0]}.par2").touch()
    (directory / "notes.vol1.txt").touch()
    (directory / "duplicity-full.fifo").mkdir()
    os.mkfifo(directory / "df.thhs0g.1.dt.z")
    (directory / "df.thhs0g.2.dt.z").symlink_to("nowhere")
    sizes, _ = local.sizes(f"file://{directory}")
    assert sizes is not None
    found = {name: size for files in sizes.values() for name, size in files.items()}
    # What duplicity can't read, and no set has, counts as empty.
    nothing = {"duplicity-full.fifo": 0, "df.thhs0g.1.dt.z": 0, "df.thhs0g.2.dt.z": 0}
    expected = {name: size for files in SIZES.values() for name, size in files.items()}
    assert found == {**expected, **nothing}


@pytest.mark.parametrize(
    "name",
    ["duplicity-inc.x", "df.thhs0g.1.dt.z", "di.x.y.dt.g", "dfs.thhs0g.st.z", "dns.x.y.st.z",
     "web-df.thhs0g.m.g", "web-duplicity-full.x.manifest"],
)  # fmt: skip
def test_every_form_of_duplicitys_names_has_a_size(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"123")
    (tmp_path / "notes").write_bytes(b"1234")
    assert local.sizes(f"file://{tmp_path}") == ({"": {name: 3}}, 0)


def test_links_to_volumes_are_followed_as_duplicity_follows_them(directory: Path) -> None:
    (directory.parent / "elsewhere").write_bytes(bytes(77))
    (directory / NAMES[0]).unlink()
    (directory / NAMES[0]).symlink_to("../elsewhere")
    sizes, _ = local.sizes(f"file://{directory}")
    assert sizes is not None
    assert sizes[HEAD]["1.difftar.gz"] == 77


def test_a_directory_that_has_gone_has_no_sizes(tmp_path: Path) -> None:
    assert local.sizes(f"file://{tmp_path}/gone") == ({}, 0)
    assert local.nowhere(f"file://{tmp_path}/gone") == f"{tmp_path}/gone"


def test_without_time_the_newest_come_first(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in OLDER:
        (directory / name).touch()
    ticks = iter(range(9))
    monkeypatch.setattr(
        "check_duplicity.destination.local.time.monotonic", lambda: next(ticks) * 1.25
    )
    sizes, left = local.sizes(f"file://{directory}")
    assert sizes is not None
    assert list(sizes) == ["", HEAD]
    assert left == 1


def test_a_link_that_leads_nowhere_is_worth_nothing(directory: Path) -> None:
    """As on a disk with links to another one that is not mounted."""
    for name in NAMES:
        (directory / name).unlink()
        (directory / name).symlink_to(f"/nowhere/{name}")
    sizes, _ = local.sizes(f"file://{directory}")
    assert sizes == {HEAD: {"1.difftar.gz": 0, "2.difftar.gz": 0}, "": {NAMES[2]: 0, NAMES[3]: 0}}
