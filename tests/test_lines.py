"""Values are printed in one line, and bash reads pasted words as they were meant."""

from __future__ import annotations

import os
import shlex
import subprocess

import pytest
from check_duplicity.lines import is_plain, one_line, pasted
from check_duplicity.nagios.output import harmless
from hypothesis import example, given
from hypothesis import strategies as st

EVIL = "a\nCRITICAL: b\r\x1b[2J\x9b31m\u202e\u2028|<b>\t\udcff'\"\\`$(x)!!"
# No argument of a program can have a NUL, and what isn't UTF-8 has these (PEP 383).
WORDS = st.lists(
    st.text(
        st.characters(blacklist_characters="\0", blacklist_categories=["Cs"])
        | st.sampled_from([chr(0xDC00 + byte) for byte in range(128, 256)])
        | st.sampled_from("'\"\\$!`*~#|<>& \n\t\x1b0a")
    ),
    max_size=4,
)


def as_bash_reads(line: str, locale: str) -> list[bytes]:
    """Return the words that bash reads from a typed line, with history expansion ("!")."""
    script = f"set -o history -o histexpand\nprintf '%s\\0' begin {line}\n"
    done = subprocess.run(
        ["bash", "--norc"], input=os.fsencode(script), capture_output=True, check=True, cwd="/",
        env={"PATH": os.defpath, "LC_ALL": locale, "HISTFILE": ""},
    )  # fmt: skip
    assert done.stderr == b""
    return done.stdout.split(b"\0")[1:-1]


@given(WORDS)
@example([EVIL])
@example(["/srv/\udc80\udcff"])  # the first and the last byte that UTF-8 has nowhere alone
@example(["it's\n!x", "'\n!!'", "\\'\n!-1"])
def test_what_is_pasted_is_what_was_meant(words: list[str]) -> None:
    line = pasted(words)
    for locale in ("C.UTF-8", "C"):
        assert as_bash_reads(line, locale) == list(map(os.fsencode, words))


@given(st.lists(st.text(st.characters() | st.sampled_from("\0\n|<>\ud800\udcff"))))
def test_what_is_pasted_is_one_line_that_is_printed_as_it_is(words: list[str]) -> None:
    line = pasted(words)
    assert line.isprintable()
    assert harmless(line) == one_line(line) == line


def test_a_null_byte_does_not_end_the_word() -> None:
    assert as_bash_reads(pasted(["/srv/a\0b"]), "C") == [b"/srv/a?b"]


@given(st.lists(st.text(st.characters(min_codepoint=32, max_codepoint=126))))
def test_plain_words_are_quoted_as_any_shell_reads_them(words: list[str]) -> None:
    if not set("".join(words)) & set("|<>"):
        assert pasted(words) == shlex.join(words)


@given(st.text())
def test_any_text_is_one_line(text: str) -> None:
    line = one_line(text)
    assert line.isprintable()
    assert len(line) == len(text)
    assert one_line(line) == line


@pytest.mark.parametrize("text", ["", "/srv/a  b", "Zoë's ¦ backup, 2026-11-27"])
def test_what_is_one_line_stays(text: str) -> None:
    assert one_line(text) == text


@pytest.mark.parametrize("command", ["/s/web.sh", "nice -n 5 /s/web.sh a=b %x", "/s/ü.sh"])
def test_a_plain_command_is_only_its_words(command: str) -> None:
    assert is_plain(command)


@pytest.mark.parametrize("character", "\n\t'\"\\$`;&|<>()*?[]{}~#!^\0")
def test_what_a_shell_reads_is_not_plain(character: str) -> None:
    assert not is_plain(f"/s/web.sh {character}")
    assert not is_plain("")


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("a b", "'a b'"), ("", "''"), ("a|b", r"$'a\x7cb'"), ("<>", r"$'\x3c\x3e'"),
        ("a\n\t\\b", r"$'a\n\t\\b'"), ("\0", "$'?'"), ("\n'!", r"$'\n\x27\x21'"),
        ("\x1b", r"$'\x1b'"), ("\udc80\udcff", r"$'\x80\xff'"), ("\ud800", r"$'\xed\xa0\x80'"),
        ("\udc7f", r"$'\xed\xb1\xbf'"), ("\udd00", r"$'\xed\xb4\x80'"),
        ("\udfff", r"$'\xed\xbf\xbf'"), ("ü\n", r"$'ü\n'"),
    ],
)  # fmt: skip
def test_a_word_is_pasted_in_characters_that_are_printed(word: str, shown: str) -> None:
    assert pasted([word]) == shown
    assert pasted(["x", word]) == f"x {shown}"


def test_each_character_that_moves_the_cursor_is_one_mark() -> None:
    assert one_line("a\tb\nc\r\x1b\udcff\u202eü|") == "a b?c????ü|"
