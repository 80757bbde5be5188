"""The files that ``--jsonstat`` leaves, as duplicity wrote them (captures/jsonstat)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from check_duplicity.duplicity.jsonstat import Statistics, read
from samples import CAPTURES

EXPECTED = {
    "2.1.5-full": Statistics(21, 104096, 0),
    "2.1.5-inc": Statistics(20, 99096, 1),
    "3.0.7-full": Statistics(20, 99096, 0),
    "3.0.7-inc": Statistics(20, 99096, 0),
    "3.2.1-full": Statistics(20, 99096, 0),
    "3.2.1-inc": Statistics(20, 99096, 0),
}
FILES = sorted((CAPTURES / "jsonstat").glob("*.json"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_version_says_the_same(path: Path) -> None:
    text = path.read_bytes()
    # The incremental of 2.1.5 followed on the removal of a file, those of 3.0.7 and 3.2.1 on none.
    assert read(text) == EXPECTED[path.stem]


@pytest.mark.parametrize(
    "change",
    [
        {"SourceFiles": None}, {"SourceFiles": "21"}, {"SourceFileSize": -1}, {"SourceFiles": True},
        {"DeletedFiles": 1e300}, {"SourceFileSize": [1]},
    ],
)  # fmt: skip
def test_what_is_no_number_is_not_known(change: dict[str, object]) -> None:
    values = json.loads(FILES[0].read_text())
    assert read(json.dumps({**values, **change}).encode()) is None


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b"{}", b"\xff", b"[" * 100_000])
def test_what_is_no_json_of_duplicitys_is_not_known(text: bytes) -> None:
    assert read(text) is None
