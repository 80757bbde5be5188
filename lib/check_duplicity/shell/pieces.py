"""Read words as they are written: quotes, and what follows $ and `."""

from __future__ import annotations

import re
from collections.abc import Callable

from check_duplicity.shell.syntax import (
    Arithmetic,
    Block,
    Home,
    Literal,
    Parameter,
    Piece,
    Pieces,
    Strange,
    Substitution,
    WrittenWord,
)
from check_duplicity.shell.text import Text
from check_duplicity.shell.words import decoded

ARITHMETIC = re.compile(r"\(\(((?:[^()\n]|\((?:[^()\n]|\([^()\n]*\))*\))*)\)\)")
_TILDE = re.compile(r"~([A-Za-z_][\w.-]*)?(?=[/: \t\n;&|()<>]|\Z)", re.A)
_PARAMETER = re.compile(r"\$([A-Za-z_]\w*|[0-9@*?$#!-])", re.A)
_BRACED = re.compile(
    r"\$\{([#!](?=[\w@*]))?([A-Za-z_]\w*|[0-9]+|[@*?$#!-])?(?:\[([^\]\n}]{0,100})\])?", re.A
)
_OPERATOR = re.compile(r":?[-=?+]|##?|%%?|//?|\^\^?|,,?|:")
_TWO_OPERANDS = {"/": "/", "//": "/", ":": ":"}
_SINGLE_QUOTED = re.compile(r"'([^']*)'")
_ANSI_QUOTED = re.compile(r"\$'([^'\\]*(?:\\.[^'\\]*)*)'", re.S)
_BACKTICKS = re.compile(r"`([^`\\]*(?:\\.[^`\\]*)*)`", re.S)

# The plain characters of a word, of a double-quoted string and of the inside of ${ }.
_PLAIN = re.compile(r"""[^ \t\n;&|()<>'"\\$`]+""")
_PLAIN_IN_QUOTES = re.compile(r'[^"\\$`]+')
_PLAIN_IN_BRACES = re.compile(r"""[^}'"\\$`]+""")
_PLAIN_IN_QUOTED_BRACES = re.compile(r'[^}"\\$`]+')
_PLAIN_OPERAND = {
    "/": re.compile(r"""[^}/'"\\$`]+"""),
    ":": re.compile(r"""[^}:'"\\$`]+"""),
}
_QUOTED = (_PLAIN_IN_QUOTES, _PLAIN_IN_QUOTED_BRACES)


class PieceReader:
    """Reads words into their pieces.

    A word may have commands in it. ``read_inside`` reads those of ``$( )`` and moves past it,
    ``read_apart`` reads those of another text, which begins in the given line.
    """

    def __init__(
        self,
        text: Text,
        read_inside: Callable[[], Block],
        read_apart: Callable[[str, int], Block],
    ) -> None:
        self._text = text
        self._read_inside = read_inside
        self._read_apart = read_apart

    def take_word(self) -> WrittenWord:
        """Read a word, with its line."""
        line = self._text.line()
        return WrittenWord(self.take_pieces(), line)

    def take_pieces(self) -> Pieces:
        """Read a word."""
        tilde = self._text.take(_TILDE)
        home: list[Piece] = [Home(tilde[1] or "", tilde[0])] if tilde else []
        return (*home, *self._pieces(_PLAIN))

    def _pieces(self, plain: re.Pattern[str]) -> list[Piece]:
        """Read pieces up to a character that is neither plain nor begins one."""
        quoted = plain in _QUOTED
        pieces: list[Piece] = []
        while True:
            run = self._text.take(plain)
            if run:
                pieces.append(Literal(run[0], quoted))
                continue
            special = self._text.next
            if special == "$":
                pieces += self._dollar(quoted)
            elif special == "\\":
                pieces += self._backslash(quoted)
            elif special == "`":
                pieces.append(self._backticks(quoted))
            elif special == "'" and not quoted:
                pieces.append(self._single_quoted())
            elif special == '"' and plain is not _PLAIN_IN_QUOTES:
                pieces += self._double_quoted()
            elif plain is _PLAIN and self._text.starts_with("<(", ">("):
                pieces.append(self._substitution(quoted, path=True))
            else:
                return pieces

    # Quotes

    def _backslash(self, quoted: bool) -> list[Piece]:
        following = self._text.after_next
        self._text.position += 1 + len(following)
        if following == "\n":
            return []
        special = not quoted or following in ("$", "`", '"', "\\", "}")
        return [Literal(following if special and following else f"\\{following}", True)]

    def _single_quoted(self) -> Piece:
        text = self._text.take(_SINGLE_QUOTED)
        if text is None:
            raise self._text.error("quote without its end")
        return Literal(text[1], True)

    def _double_quoted(self) -> list[Piece]:
        start = self._text.position
        self._text.position += 1
        with self._text.nested():
            pieces = self._pieces(_PLAIN_IN_QUOTES)
        if self._text.next != '"':
            raise self._text.error("quote without its end", start)
        self._text.position += 1
        # "$EMPTY" is a word, "${EMPTY[@]}" and "$@" are none.
        no_word = len(pieces) == 1 and isinstance(pieces[0], Parameter) and _is_list(pieces[0])
        return pieces if no_word else [Literal("", True), *pieces]

    def _ansi_quoted(self) -> Piece:
        text = self._text.take(_ANSI_QUOTED)
        if text is None:
            raise self._text.error("quote without its end")
        return Literal(decoded(text[1]), True)

    # Expansions

    def _backticks(self, quoted: bool) -> Piece:
        line = self._text.line()
        match = self._text.take(_BACKTICKS)
        if match is None:
            raise self._text.error("` without its end")
        escaped = r"\\([$`\\\"])" if quoted else r"\\([$`\\])"
        with self._text.nested():
            body = self._read_apart(re.sub(escaped, r"\1", match[1]), line)
        return Substitution(body, match[0], quoted)

    def _dollar(self, quoted: bool) -> list[Piece]:
        parameter = self._text.take(_PARAMETER)
        if parameter:
            return [Parameter(parameter[1], parameter[0], quoted)]
        following = self._text.after_next
        if following == "{":
            with self._text.nested():
                return [self._braces(quoted)]
        if following == "(":
            return [self._arithmetic() or self._substitution(quoted)]
        if following == "'" and not quoted:
            return [self._ansi_quoted()]
        self._text.position += 1
        # $"text" is to be translated.
        return [] if following == '"' and not quoted else [Literal("$", quoted)]

    def _arithmetic(self) -> Piece | None:
        start = self._text.position
        self._text.position += 1
        match = self._text.take(ARITHMETIC)
        if match:
            return Arithmetic(match[1], self._text.since(start))
        self._text.position = start
        return None

    def _substitution(self, quoted: bool, path: bool = False) -> Piece:
        """Read $( ), <( ) or >( ) and the commands in it."""
        start = self._text.position
        self._text.position += 2
        with self._text.nested():
            body = self._read_inside()
        return Substitution(body, self._text.since(start), quoted, path)

    def _braces(self, quoted: bool) -> Piece:
        start = self._text.position
        head = self._text.take(_BRACED)
        assert head is not None
        operator = self._text.take(_OPERATOR) if self._text.next != "}" else None
        rest = self._text.position
        operands = self._operands(operator[0] if operator else "", quoted)
        if self._text.next != "}":
            raise self._text.error("${ without its end", start)
        strange = not head[2] or (operator is None and self._text.position > rest)
        self._text.position += 1
        raw = self._text.since(start)
        if strange or (head[1] and operator):
            return Strange(raw)
        return Parameter(
            head[2], raw, quoted, head[3], head[1] or "", operator[0] if operator else "", operands
        )

    def _operands(self, operator: str, quoted: bool) -> tuple[Pieces, ...]:
        """Read the operands of an operator; quotes in a pattern count even inside quotes."""
        between = _TWO_OPERANDS.get(operator)
        if between is None:
            quoted = quoted and operator[:1] in (":", "-", "=", "?", "+", "")
            return (tuple(self._pieces(_PLAIN_IN_QUOTED_BRACES if quoted else _PLAIN_IN_BRACES)),)
        first = tuple(self._pieces(_PLAIN_OPERAND[between]))
        if self._text.next != between:
            return (first,)
        self._text.position += 1
        return first, tuple(self._pieces(_PLAIN_IN_BRACES))


def _is_list(piece: Parameter) -> bool:
    return piece.subscript == "@" or piece.name == "@"
