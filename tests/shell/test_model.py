"""Which of a shell's words are options, and which script it runs."""

from __future__ import annotations

import pytest
from check_duplicity.shell.model import Command, Host, is_shell, operands_of_shell


@pytest.mark.parametrize(
    ("words", "string", "operands"),
    [
        ("sh", False, ""), ("sh a b", False, "a b"), ("sh -c a", True, "a"),
        ("sh -ec a", True, "a"), ("sh +c a", False, "a"), ("sh -e -c -x a", True, "a"),
        ("bash -o pipefail -c a", True, "a"), ("bash -eo pipefail a", False, "a"),
        ("bash -O x +o y +O z a", False, "a"), ("bash --rcfile f a", False, "a"),
        ("bash --init-file f a", False, "a"), ("bash --norc a", False, "a"),
        ("bash --rcfilec a -c b", False, "a -c b"), ("bash -- -c a", False, "-c a"),
        ("bash -c -- a b", True, "a b"), ("sh - a", False, "- a"), ("sh -x", False, ""),
        ("sh --color a", False, "a"), ("sh -o", False, ""),
    ],
)  # fmt: skip
def test_operands_follow_the_options(words: str, string: bool, operands: str) -> None:
    given, found = operands_of_shell(words.split())
    assert (given, list(found)) == (string, operands.split())


def test_the_program_is_the_script_that_a_shell_runs() -> None:
    lines = ["a b", "sh a b", "/bin/bash -x a", "sh", "zsh -e a", "shell a", ""]
    found = [Command(tuple(line.split()), {}, 1).program for line in lines]
    assert found == ["a", "a", "a", "", "a", "shell", ""]
    shells = ["sh", "bash", "dash", "ash", "ksh", "mksh", "zsh"]
    assert [is_shell((shell,)) for shell in shells] == [True] * 7
    assert [is_shell((f"/bin/{word}",)) for word in ("sh", "csh", "")] == [True, False, False]
    assert not is_shell(())


def test_a_host_that_nobody_asked_knows_nothing() -> None:
    host = Host()
    asked = [
        host.text("/"), host.has("f", "/"), host.real_path("/"), host.paths("/*"),
        host.program("sh", "/bin"), host.hostname(), host.uid(), host.user(),
    ]  # fmt: skip
    assert asked == [None] * 8
    assert host.deciders_of_program("/") == frozenset()
