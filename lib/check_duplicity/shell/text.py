"""Read the text of a script from a position on, within an allowance."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from check_duplicity.shell.model import ShellError
from check_duplicity.shell.words import Marks

LONGEST_TEXT = 1_000_000  # characters, including the values that replace variables
_MOST_STATEMENTS = 50_000  # of a script and what it evaluates: parsed in half a second
_DEEPEST_NESTING = 40  # of $( ), ${ }, ` `, blocks, functions that call others, eval

BLANKS = re.compile(r"(?:[ \t]|\\\n)+")
REDIRECTION = re.compile(
    r"(?P<descriptor>[0-9]+|\{[A-Za-z_]\w*\})?(?:<<<|(?P<document><<-?)|<>|<&|<(?!\()|>>|>&|>\||>(?!\())|&>>?",
    re.A,
)


class Allowance:
    """The work that all readers of one script may do together."""

    def __init__(self) -> None:
        self.left = LONGEST_TEXT * 4
        self.statements = _MOST_STATEMENTS
        self.nesting = 0
        self.marks = Marks()
        self.line = 1  # the one that the work is for

    @property
    def is_scarce(self) -> bool:
        """Whether a tenth is spent: the rest should be kept for text that isn't read yet."""
        return self.left < LONGEST_TEXT * 3.6

    def spend(self, characters: int) -> None:
        """Spend some of it. Raises `ShellError` if nothing is left.

        A short text can ask for much: variables double each other, functions call two others.
        """
        self.left -= characters
        if self.left < 0:
            raise ShellError(f"line {self.line}: too long")

    @contextlib.contextmanager
    def nested(self) -> Iterator[None]:
        """Go a level deeper. Raises `ShellError` if that is too deep."""
        if self.nesting >= _DEEPEST_NESTING:
            raise ShellError(f"line {self.line}: nested too deeply")
        self.nesting += 1
        try:
            yield
        finally:
            self.nesting -= 1


class Text:
    """A text, and the position up to which it is read.

    The text is a script, or a string in it that is read as one; ``line`` is where it begins.
    """

    def __init__(self, text: str, allowance: Allowance, line: int = 1) -> None:
        self.position = 0
        self._text = text.replace("\r\n", "\n").removesuffix("\r")
        self._allowance = allowance
        self._line = line  # of the position _counted
        self._first_line = line
        self._counted = 0
        self._documents: list[tuple[str, bool]] = []

    def inner(self, text: str, line: int) -> Text:
        """Return a text that is read within this one, with the same allowance."""
        return Text(text, self._allowance, line)

    # Looking ahead

    @property
    def next(self) -> str:
        """The next character; empty at the end."""
        return self._text[self.position : self.position + 1]

    @property
    def after_next(self) -> str:
        """The character after the next one; empty at the end."""
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
        """Match a pattern at the position, without moving."""
        return form.match(self._text, self.position)

    def at_end_of_command(self) -> bool:
        """Tell whether a simple command ends here."""
        following = self.next
        if following in ("<", ">"):
            return self.match(REDIRECTION) is not None
        return following in ("", "\n", ";", "&", "|", "(", ")")

    # Moving

    def take(self, form: re.Pattern[str]) -> re.Match[str] | None:
        """Match a pattern at the position, and move past it."""
        match = form.match(self._text, self.position)
        if match:
            self.position = match.end()
        return match

    def skip_blanks(self) -> None:
        """Skip blanks and a comment."""
        self.take(BLANKS)
        if self.next == "#":
            end = self._text.find("\n", self.position)
            self.position = len(self._text) if end < 0 else end

    def skip_lines(self) -> None:
        """Skip blanks, comments and line ends."""
        self.skip_blanks()
        while self.next == "\n":
            self.newline()
            self.skip_blanks()

    def expect_document(self, delimiter: str, tabs: bool) -> None:
        """Remember a here-document that begins on the next line.

        ``tabs`` tells whether its delimiter may have tabs in front (``<<-``).
        """
        self._documents.append((delimiter, tabs))

    def newline(self) -> None:
        """Move past a line end, and past the here-documents that begin there."""
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

    # Limits and errors

    def error(self, reason: str, position: int | None = None) -> ShellError:
        """Return the error to raise, with the line of a position (the present one by default)."""
        position = self.position if position is None else position
        line = self._first_line + self._text.count("\n", 0, position)
        return ShellError(f"line {line}: {reason}")

    def count_statement(self) -> None:
        """Count a statement, which takes longer than its length suggests. Raises `ShellError`."""
        if not self._allowance.statements:
            raise self.error("too long")
        self._allowance.statements -= 1

    @contextlib.contextmanager
    def nested(self) -> Iterator[None]:
        """Go a level deeper. Raises `ShellError` if that is too deep."""
        if self._allowance.nesting >= _DEEPEST_NESTING:
            raise self.error("nested too deeply")
        with self._allowance.nested():
            yield
