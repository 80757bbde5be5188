"""Patterns of file names and of ``case``: what fits, and that no pattern takes long."""

from __future__ import annotations

import time

import pytest
from check_duplicity.shell.patterns import Item, cut, has_special, matches, replaced


def pattern(text: str) -> tuple[Item, ...]:
    return tuple(Item(character, character in "*?") for character in text)


@pytest.mark.parametrize(
    ("text", "form", "fits"),
    [
        ("", "", True), ("", "*", True), ("", "?", False), ("a", "", False),
        ("web.log", "*.log", True), ("web.log", "*.log?", False), ("web.log", "???.log", True),
        ("a.b.c", "*.c", True), ("a.b.c", "a*b", False), ("aab", "*ab", True), ("ab", "a**b", True),
    ],
)  # fmt: skip
def test_a_pattern_fits_all_of_a_text(text: str, form: str, fits: bool) -> None:
    assert matches(text, pattern(form)) is fits


def test_what_would_take_too_long_is_not_known() -> None:
    began = time.monotonic()
    assert matches("a" * 100_000, pattern("*a" * 1000 + "b")) is None
    assert time.monotonic() - began < 1


def test_how_much_is_compared_has_a_limit() -> None:
    assert matches("a" * 50_000, pattern("a")) is False  # 50 000 times (1 + 1)
    assert matches("a" * 50_001, pattern("a")) is None
    assert cut("a" * 707, "#", pattern("b")) == "a" * 707  # 707² times (1 + 1)
    assert cut("a" * 708, "#", pattern("b")) is None
    assert replaced("a" * 79, "//", pattern("?"), "") == ""  # 79³ times (1 + 1)
    assert replaced("a" * 80, "//", pattern("?"), "") is None
    assert replaced("a" * 80, "//", pattern("a"), "") == ""


@pytest.mark.parametrize(
    ("text", "operator", "form", "left"),
    [
        ("abab", "#", "a*", "bab"), ("abab", "##", "a*", ""), ("abab", "#", "b", "abab"),
        ("abab", "%", "b*", "aba"), ("abab", "%%", "b*", "a"), ("abab", "%", "", "abab"),
        ("", "%%", "*", ""), ("a", "#", "a", ""), ("a", "%", "a", ""), ("ab", "##", "?", "b"),
    ],
)  # fmt: skip
def test_matches_are_cut_off(text: str, operator: str, form: str, left: str) -> None:
    assert cut(text, operator, pattern(form)) == left


@pytest.mark.parametrize(
    ("operator", "form", "by", "result"),
    [
        ("/", "a", "x", "xbab"), ("//", "a", "x", "xbxb"), ("/", "?b", "x", "xab"),
        ("//", "?b", "x", "xx"), ("//", "b?", "x", "axb"), ("/", "b?", "x", "axb"),
        ("//", "", "x", "abab"), ("//", "c*", "x", "abab"), ("/", "b*", "", "a"),
        ("/", "#a", "x", None), ("/", "%b", "x", None), ("/", "a", "&", None),
        ("/", "a", "\\", None), ("/", "a#", "x", "abab"),
    ],
)  # fmt: skip
def test_matches_are_replaced(operator: str, form: str, by: str, result: str | None) -> None:
    assert replaced("abab", operator, pattern(form), by) == result


def test_what_may_be_a_pattern() -> None:
    assert [has_special(text) for text in ("*", "a?", "[", "\\", "a]b", "")] == [True] * 4 + [
        False
    ] * 2
