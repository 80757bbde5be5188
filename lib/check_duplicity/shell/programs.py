"""Find the program that a command line is about, and the name of its job.

The whole reader would be too slow: cron's command lines come from mails, and anybody can send ten
thousand. No variable is replaced here, so the work for a line grows only with its length.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import lru_cache

from check_duplicity.shell.model import Command, ShellError
from check_duplicity.shell.pieces import PieceReader
from check_duplicity.shell.starters import Start, string_of_shell
from check_duplicity.shell.text import BLANKS, REDIRECTION, Allowance, Text
from check_duplicity.shell.words import Word

_NO_JOBS = (
    "cd", "test", "[", "sleep", "export", "umask", "ulimit", "true", ":", "set", ".", "command",
)  # fmt: skip
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")


def program_of(command: str) -> str:
    """Return the program that a cron job is about: its script, without wrappers that start it."""
    for words in _commands(command):
        start = Start([Word(word, 1) for word in words], {}, "")
        start.take_wrappers()
        rest = list(start.words)
        string = string_of_shell(rest) if rest else None
        if string is not None:
            return program_of(string.text)
        program = Command(tuple(word.text for word in rest), {}, 1).program
        if program and program not in _NO_JOBS:
            return program
    return ""


@lru_cache(maxsize=200)
def name_of(command: str) -> str:
    """Return the name of a job: its script's base name, without the suffix."""
    program = program_of(command) or command
    if "duplicity" in command and re.search(r"(?:^|/)python[\d.]*$", program):
        program = "duplicity"
    base = program.rstrip("/").rpartition("/")[2]
    return re.sub(r"\.(?:sh|bash|py|pl)$", "", base) or command[:40]


def without_redirections(command: str) -> str:
    """Return a command line without its redirections; unchanged if it can't be read."""
    text = Text(command, Allowance())
    pieces = PieceReader(text, lambda: (), lambda *_: ())
    kept: list[str] = []
    start = 0
    try:
        while text.next:
            place = text.position
            if text.take(REDIRECTION):
                kept.append(command[start:place])
                text.take(BLANKS)
                if not text.at_end_of_command():
                    pieces.take_pieces()
                start = text.position
            elif text.at_end_of_command() or not pieces.take_pieces():
                text.position = place + 1
    except ShellError:
        return command
    return re.sub(r"[ \t]+", " ", "".join([*kept, command[start:]])).strip() if kept else command


def _commands(command: str) -> Iterator[list[str]]:
    """Yield the words of each simple command of a line, without assignments in front."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars="();<>|&")
    lexer.commenters = ""
    lexer.whitespace_split = True
    words: list[str] = []
    try:
        for word in lexer:
            if word and not word.strip("();|&"):
                yield words
                words = []
            elif words or not _ASSIGNMENT.match(word):
                words.append(word)
    except ValueError:
        words = words or command.split()  # A quote without its end.
    yield words
