"""How long the search for jobs takes at most, and what is a mask."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from check_duplicity.jobs import enabling, search
from check_duplicity.jobs.search import Search


def test_a_user_has_one_share_of_time_and_each_entry_of_roots_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [100.0]
    monkeypatch.setattr(time, "process_time", lambda: clock[0])
    most = search._MOST_TIME
    looked = Search("")

    def entry(user: str, seconds: float) -> list[bool]:
        with looked.time_for(user) as is_left:
            before = is_left()
            clock[0] += seconds
            return [before, is_left()]

    assert entry("bob", most / 4) == [True, True]
    assert entry("root", most / 2) == [True, True]
    assert entry("eve", most / 2) == [True, True]
    assert entry("bob", most / 2) == [True, True]
    assert looked.problems == []
    assert entry("bob", most / 2) == [True, False]
    assert entry("bob", 0) == [False, False]
    assert entry("root", most / 2) == [True, True]
    assert entry("root", most) == [True, False]
    assert looked.problems == [
        *["what bob starts: not all of it, it would take too long"] * 2,
        "what root starts: not all of it, it would take too long",
    ]


def test_what_is_a_mask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "unit").write_text("[Timer]\n")
    (tmp_path / "directory").mkdir()
    for name, target in (
        ("null", "/dev/null"), ("to-empty", "empty"), ("to-unit", "unit"), ("broken", "none"),
        ("inside", f"{tmp_path}/dev/null"),
    ):  # fmt: skip
        (tmp_path / name).symlink_to(target)
    looked = Search(str(tmp_path))
    names = [path.name for path in tmp_path.iterdir() if enabling.is_mask(looked, f"/{path.name}")]
    assert sorted(names) == ["empty", "inside", "null", "to-empty"]

    def gone(path: str) -> int:
        raise FileNotFoundError(path)

    monkeypatch.setattr(os.path, "getsize", gone)
    assert not enabling.is_mask(looked, "/empty")  # It was removed meanwhile.


@pytest.mark.parametrize(
    ("begin", "problems"),
    [
        (b"duplicity ", ["/large: too large to be a script"]),
        (b"duplicity\0", []),  # a program
        (b"# nothing ", []),
    ],
)
def test_what_is_too_large_is_told_if_it_may_be_a_job(
    begin: bytes, problems: list[str], tmp_path: Path
) -> None:
    (tmp_path / "large").write_bytes(begin + b" " * (1 << 20))
    looked = Search(str(tmp_path))
    assert looked.text("/large", "root") is None
    assert looked.problems == problems


def test_nobody_waits_for_a_target_that_is_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "units").mkdir()
    os.mkfifo(tmp_path / "units" / "backup.target")
    looked = Search(str(tmp_path))
    assert enabling.off(looked, ["/units"], "web.timer", "web.service") == "is not enabled"
    (tmp_path / "units" / "other.target").write_text("[Unit]\nWants=web.timer\n")
    assert enabling.off(looked, ["/units"], "web.timer", "web.service") == ""
