"""The text of a script: where its reader stands, and how much it may read."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from check_duplicity.shell.model import ShellError
from check_duplicity.shell.words import Marks

LONGEST_TEXT = 1_000_000  # characters, also of all that variables are replaced by
_MOST_STATEMENTS = 50_000  # of a script and what it evaluates: parsed in half a second
_DEEPEST_NESTING = 40  # of $( ), ${ }, ` `, blocks, functions that call others, eval

BLANKS = re.compile(r"(?:[ \t]|\\\n)+")
REDIRECTION = re.compile(
    r"(?P<descriptor>[0-9]+|\{[A-Za-z_]\w*\})?(?:<<<|(?P<document><<-?)|<>|<&|<(?!\()|>>|>&|>\||>(?!\())|&>>?",
    re.A,
)


class Allowance:
    """How much all readers of a script may do, together."""

    def __init__(self) -> None:
        self.left = LONGEST_TEXT * 4
        self.statements = _MOST_STATEMENTS
        self.nesting = 0
        self.marks = Marks()
        self.line = 1  # where it is spent

    @property
    def is_scarce(self) -> bool:
        """Whether it should be kept for what is not read yet; a tenth is for anything else."""
        return self.left < LONGEST_TEXT * 3.6

    def spend(self, characters: int) -> None:
        """Bound what a short text can ask for: variables double each other, functions call two."""
        self.left -= characters
        if self.left < 0:
            raise ShellError(f"line {self.line}: too long")

    @contextlib.contextmanager
    def nested(self) -> Iterator[None]:
        """Go a level deeper, if that isn't too deep."""
        if self.nesting >= _DEEPEST_NESTING:
            raise ShellError(f"line {self.line}: nested too deeply")
        self.nesting += 1
        try:
            yield
        finally:
            self.nesting -= 1


class Text:
    """A text, and the position up to which it is read.

    It is the script, or a string in it that is read as one: ``line`` is where that begins.
    """

    def __init__(self, text: str, allowance: Allowance, line: int = 1) -> None:
        self.position = 0
        self._text = text.replace("\r\n", "\n").removesuffix("\r")
        self._allowance = allowance
        self._line = line  # at _counted
        self._first_line = line
        self._counted = 0
        self._documents: list[tuple[str, bool]] = []

    def inner(self, text: str, line: int) -> Text:
        """Return a text that is read within this one, out of the same allowance."""
        return Text(text, self._allowance, line)

    # What stands where

    @property
    def next(self) -> str:
        """The next character; empty at the end."""
        return self._text[self.position : self.position + 1]

    @property
    def after_next(self) -> str:
        """The character behind the next one; empty at the end."""
        return self._text[self.position + 1 : self.position + 2]

    def since(self, start: int) -> str:
        """Return what was read since a position."""
        return self._text[start : self.position]

    def line(self) -> int:
        """Return the line of the position."""
        self._line += self._text.count("\n", self._counted, self.position)
        self._counted = max(self._counted, self.position)
        return self._line

    def starts_with(self, *beginnings: str) -> bool:
        """Tell whether one of these comes next."""
        return self._text.startswith(beginnings, self.position)

    def match(self, form: re.Pattern[str]) -> re.Match[str] | None:
        """Return what comes next if it has a form, and stay."""
        return form.match(self._text, self.position)

    def at_end_of_command(self) -> bool:
        """Tell whether the words of a simple command are at their end."""
        following = self.next
        if following in ("<", ">"):
            return self.match(REDIRECTION) is not None
        return following in ("", "\n", ";", "&", "|", "(", ")")

    # Going on

    def take(self, form: re.Pattern[str]) -> re.Match[str] | None:
        """Return what comes next if it has a form, and go behind it."""
        match = form.match(self._text, self.position)
        if match:
            self.position = match.end()
        return match

    def skip_blanks(self) -> None:
        """Go behind blanks and a comment."""
        self.take(BLANKS)
        if self.next == "#":
            end = self._text.find("\n", self.position)
            self.position = len(self._text) if end < 0 else end

    def skip_lines(self) -> None:
        """Go behind blanks, comments and lines' ends."""
        self.skip_blanks()
        while self.next == "\n":
            self.newline()
            self.skip_blanks()

    def expect_document(self, delimiter: str, tabs: bool) -> None:
        """Remember a here-document that begins on the next line; ``tabs`` in front count not."""
        self._documents.append((delimiter, tabs))

    def newline(self) -> None:
        """Go on behind a line's end, and behind the here-documents that begin there."""
        self.position += 1
        documents, self._documents = self._documents, []
        for delimiter, tabs in documents:
            line = ""
            while self.position < len(self._text):
                end = self._text.find("\n", self.position)
                end = len(self._text) if end < 0 else end
                line = self._text[self.position : end]
                self.position = min(end + 1, len(self._text))
                if (line.lstrip("\t") if tabs else line) == delimiter:
                    break

    # What is too much, or wrong

    def error(self, reason: str, position: int | None = None) -> ShellError:
        """Return the error to raise; it is about the place of the reader, or another one."""
        position = self.position if position is None else position
        line = self._first_line + self._text.count("\n", 0, position)
        return ShellError(f"line {line}: {reason}")

    def count_statement(self) -> None:
        """Bound how many are parsed: a short one takes much longer than its characters tell."""
        if not self._allowance.statements:
            raise self.error("too long")
        self._allowance.statements -= 1

    @contextlib.contextmanager
    def nested(self) -> Iterator[None]:
        """Go a level deeper, if that isn't too deep."""
        if self._allowance.nesting >= _DEEPEST_NESTING:
            raise self.error("nested too deeply")
        with self._allowance.nested():
            yield
