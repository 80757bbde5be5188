"""Patterns of file names and of ``case``: what fits, and that no pattern takes long."""

from __future__ import annotations

import time

import pytest
from check_duplicity.shell.patterns import Item, matches


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
