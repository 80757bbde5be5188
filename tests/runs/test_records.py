"""JSON records of loggers become the lines that their own programs would print."""

from __future__ import annotations

import json

import pytest
from check_duplicity.runs.records import lines_of, text_in


@pytest.mark.parametrize(
    ("record", "lines"),
    [
        ({"MESSAGE": "a"}, ["a"]),
        ({"MESSAGE": "a\nb\n\n"}, ["a", "b"]),
        ({"log": "a\n", "time": "T1"}, ["T1 a"]),
        ({"message": "a", "@timestamp": "T2"}, ["T2 a"]),
        ({"msg": "a", "timestamp": "T3"}, ["T3 a"]),
        ({"msg": "a", "ts": "T4"}, ["T4 a"]),
        ({"msg": "a", "ts": "T4", "time": "", "timestamp": "T3"}, ["T3 a"]),
        ({"msg": "d", "message": "c", "log": "b", "MESSAGE": "a"}, ["a"]),
        ({"msg": "d", "message": "c", "log": "b", "MESSAGE": 3}, ["b"]),
        ({"msg": "d", "message": "c"}, ["c"]),
        ({"MESSAGE": "a", "__REALTIME_TIMESTAMP": "1764324001123456", "time": "T"},
         ["1764324001.123456 a"]),
        ({"MESSAGE": "a\nb", "SYSLOG_IDENTIFIER": "x y", "_COMM": "z", "_HOSTNAME": "h"},
         ["h x-y[1]: a", "h x-y[1]: b"]),
        ({"MESSAGE": "a", "_COMM": "z"}, ["host z[1]: a"]),
        ({"MESSAGE": "a", "_COMM": "z", "time": "T"}, ["T host z[1]: a"]),
        ({"MESSAGE": "a", "_HOSTNAME": "h"}, ["a"]),
        ({"MESSAGE": "a", "_COMM": "z" * 65}, [f"host {'z' * 64}[1]: a"]),
        ({"MESSAGE": "a", "_COMM": "a[b]c(d)e:f|g<h>i{j}k\"l'm"},
         ["host a-b-c-d-e-f-g-h-i-j-k-l-m[1]: a"]),
    ],
)  # fmt: skip
def test_a_record_becomes_lines(record: dict[str, object], lines: list[str]) -> None:
    assert lines_of(json.dumps(record)) == lines
    assert lines_of(json.dumps(record) + " \n") == lines


@pytest.mark.parametrize(
    "line",
    ["", "a", "{", "}", '{"MESSAGE": "a"', '"MESSAGE": "a"}', '{"MESSAGE": a}', "{}",
     '{"other": "a"}', '{"MESSAGE": 3}', "{" * 5000 + "}", '{"a":' * 20_000 + "}"],
)  # fmt: skip
def test_another_line_is_unchanged(line: str) -> None:
    assert list(lines_of(line)) == [line]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (3, ""),
        (None, ""),
        ([], ""),
        (["a", "b"], "a"),
        ([[97, 98], "c"], "ab"),
        ([97, "x", 98], "ab"),
        ([195, 164, 353, 255], "äa\ufffd"),
        ([None], ""),
    ],
)
def test_a_field_is_text_or_numbers_or_a_list(value: object, text: str) -> None:
    assert text_in({"F": value}, "F") == text
    assert text_in({"G": value}, "F") == ""
