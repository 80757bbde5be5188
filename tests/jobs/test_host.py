"""What a script sees of a host, and what of it is not known."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from check_duplicity.jobs.host import ThisHost
from check_duplicity.jobs.search import Search


@pytest.fixture
def host(tmp_path: Path) -> ThisHost:
    """A host with a file, an empty one, a program, links and directories."""
    (tmp_path / "d/e").mkdir(parents=True)
    for place in ("d", "d/e"):  # whatever the umask is
        (tmp_path / place).chmod(0o755)
    (tmp_path / "d/file").write_text("A=1\n")
    (tmp_path / "d/empty").touch()
    (tmp_path / "d/nul").write_text("a\0b")
    (tmp_path / "d/prog").write_text("#!/bin/sh\n")
    (tmp_path / "d/prog").chmod(0o755)
    for name in ("file", "empty", "nul"):
        (tmp_path / "d" / name).chmod(0o644)
    for name, target in [
        ("link", "file"), ("gone", "none"), ("up", "../d/e"), ("full", "/d/file"), ("loop", "loop"),
        ("deep", "none/none"),
    ]:  # fmt: skip
        (tmp_path / "d" / name).symlink_to(target)
    return ThisHost(Search(str(tmp_path)), "root")


@pytest.mark.parametrize(
    ("path", "tests"),
    [
        ("/d", "dexr"), ("/d/file", "fesr"), ("/d/empty", "fer"), ("/d/prog", "fesrx"),
        ("/d/none", ""), ("/d/gone", "Lh"), ("/d/file/x", ""), ("/d/full/x", ""),
    ],
)  # fmt: skip
def test_each_test_of_a_path(host: ThisHost, path: str, tests: str) -> None:
    assert {test for test in "fdexrLh" if host.has(test, path)} == set(tests) - {"s"}
    if path != "/d":
        assert host.has("s", path) is ("s" in tests)
    assert host.has("e", "/d\0") is None
    assert host.has("e", "/d/loop") is None


@pytest.mark.parametrize(
    ("path", "real"),
    [
        ("/", "/"), ("/d/./file", "/d/file"), ("/d//link", "/d/file"), ("/d/none", "/d/none"),
        ("/d/none/x", ""), ("/d/gone", "/d/none"), ("/d/deep", ""), ("/d/up/../file", "/d/file"),
        ("/d/full", "/d/file"), ("/..", "/"), ("/d/e/..", "/d"), ("/d/loop", ""), ("/d\0", None),
    ],
)  # fmt: skip
def test_where_links_lead(host: ThisHost, path: str, real: str | None) -> None:
    assert host.real_path(path) == real


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("/d/f*", ["/d/file", "/d/full"]), ("/d/[e]*", ["/d/e", "/d/empty"]), ("/d/z*", []),
        ("/d?/f*", None), ("/*/f*", None), ("/[d]/f*", None), ("/d/\0*", None), ("/d*", ["/d"]),
    ],
)  # fmt: skip
def test_what_a_pattern_stands_for(host: ThisHost, pattern: str, found: list[str] | None) -> None:
    assert host.paths(pattern) == found


def test_no_more_links_are_followed_than_the_kernel_does(host: ThisHost, tmp_path: Path) -> None:
    (tmp_path / "d/chain0").symlink_to("file")
    for number in range(1, 41):
        (tmp_path / f"d/chain{number}").symlink_to(f"chain{number - 1}")
    assert host.real_path("/d/chain39") == "/d/file"
    assert host.real_path("/d/chain40") == ""


def test_of_a_pattern_a_hundred_paths_are_known(host: ThisHost, tmp_path: Path) -> None:
    for number in range(100):
        (tmp_path / f"d/e/{number}").touch()
    assert len(host.paths("/d/e/*") or ()) == 100
    (tmp_path / "d/e/100").touch()
    assert host.paths("/d/e/*") is None


def test_what_anybody_can_make_is_no_pattern(host: ThisHost, tmp_path: Path) -> None:
    (tmp_path / "d/e").chmod(0o757)
    assert host.paths("/d/e/*") is None
    assert host.paths("/d/e*") == ["/d/e", "/d/empty"]


def test_what_a_sourced_file_says(host: ThisHost, tmp_path: Path) -> None:
    assert [host.text(path) for path in ("/d/file", "/d/none", "/d/nul")] == ["A=1\n", "", None]
    assert host.by == frozenset()
    (tmp_path / "d/file").chmod(0o646)
    assert host.text("/d/file") == "A=1\n"
    assert host.by == {"any user"}


def test_what_cannot_be_read_of_a_sourced_file_is_not_known(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"duplicity" + b" " * (1 << 20))
    search = Search(str(tmp_path))
    search.problems.append("/x: earlier")
    host = ThisHost(search, "root")
    assert [host.text("/none"), host.text("/large")] == ["", None]
    assert search.problems == ["/x: earlier", "/large: too large to be a script"]


@pytest.mark.parametrize(
    ("name", "path", "program"),
    [
        ("prog", "/d", "/d/prog"), ("prog", "/d/e:/d/", "/d/prog"), ("file", "/d", ""),
        ("e", "/d", ""), ("prog", "d:/d", None), ("prog", "", None), ("prog", None, None),
        ("prog", "/d\0", None), ("prog\0", "/d", None), ("prog", "/d:d", "/d/prog"),
    ],
)  # fmt: skip
def test_where_a_program_is(
    host: ThisHost, name: str, path: str | None, program: str | None
) -> None:
    assert host.program(name, path) == program


def test_who_runs_the_script(tmp_path: Path) -> None:
    search = Search(str(tmp_path))
    root, nobody = ThisHost(search, "root"), ThisHost(search, "no-such-user")
    assert (root.user(), root.uid()) == ("root", "0")
    assert (nobody.user(), nobody.uid()) == ("no-such-user", None)
    assert (ThisHost(search, "a\0b").uid(), nobody.has("e", "/")) == (None, True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root looks as another user")
def test_a_user_who_is_not_there_sees_nothing() -> None:
    host = ThisHost(Search("/"), "no-such-user")
    assert (host.has("e", "/"), host.paths("/e*")) == (None, None)
