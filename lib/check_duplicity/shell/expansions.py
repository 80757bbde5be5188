"""Words as they are written: quotes, and what stands behind $ and `."""

from __future__ import annotations

import re
from collections.abc import Callable

from check_duplicity.shell.blocks import Blocks
from check_duplicity.shell.parameters import Parameters
from check_duplicity.shell.text import Text
from check_duplicity.shell.words import (
    KEPT,
    OPEN,
    SPLIT,
    Part,
    Word,
    decoded,
    known_text,
    words_of,
)

ARITHMETIC = re.compile(r"\(\((?:[^()\n]|\((?:[^()\n]|\([^()\n]*\))*\))*\)\)")
_TILDE = re.compile(r"~([A-Za-z_][\w.-]*)?(?=[/: \t\n;&|()<>]|\Z)", re.A)
_PARAMETER = re.compile(r"\$([A-Za-z_]\w*|[0-9@*?$#!-])", re.A)
_BRACED = re.compile(
    r"\$\{([#!](?=[\w@*]))?([A-Za-z_]\w*|[0-9]+|[@*?$#!-])?(?:\[([^\]\n}]{0,100})\])?", re.A
)
_OPERATOR = re.compile(r":?[-=?+]|##?|%%?")
_SINGLE_QUOTED = re.compile(r"'([^']*)'")
_ANSI_QUOTED = re.compile(r"\$'([^'\\]*(?:\\.[^'\\]*)*)'", re.S)
_BACKTICKS = re.compile(r"`([^`\\]*(?:\\.[^`\\]*)*)`", re.S)

# What a word, a double-quoted string and the inside of ${ } are made of, before anything special.
_PLAIN = re.compile(r"""[^ \t\n;&|()<>'"\\$`]+""")
_PLAIN_IN_QUOTES = re.compile(r'[^"\\$`]+')
_PLAIN_IN_BRACES = re.compile(r"""[^}'"\\$`]+""")
_PLAIN_IN_QUOTED_BRACES = re.compile(r'[^}"\\$`]+')


class Expansions:
    """Reads words, and replaces in them what a shell does, as far as that can be known.

    There may be commands in a word. ``read_inside`` reads those of ``$( )`` up to behind its end,
    ``read_apart`` those of a text that begins in a line: neither changes anything out here.
    """

    def __init__(
        self,
        text: Text,
        blocks: Blocks,
        read_inside: Callable[[], None],
        read_apart: Callable[[str, int], None],
    ) -> None:
        self._text = text
        self._variables = blocks.variables
        self._parameters = Parameters(text, blocks)
        self._read_inside = read_inside
        self._read_apart = read_apart

    def take_words(self) -> list[Word]:
        """Read a word, and return the words that a command gets of it."""
        line = self._text.line()
        return words_of(self.take_parts(), line)

    def take_parts(self) -> list[Part]:
        """Read a word, and return its pieces."""
        parts: list[Part] = []
        tilde = self._text.take(_TILDE)
        if tilde:
            parts.append(self._home(tilde))
        return parts + self._parts(_PLAIN, KEPT)

    def _home(self, tilde: re.Match[str]) -> Part:
        home = None if tilde[1] else self._variables.get("HOME")
        text = known_text(home.values[0]) if home and home.values else None
        if text is None:
            return Part(OPEN, tilde[0])
        self._text.spend(len(text))
        return Part(KEPT, text)

    def _parts(self, plain: re.Pattern[str], kind: str) -> list[Part]:
        """Read pieces up to a character that is neither plain nor begins one."""
        quoted = plain in (_PLAIN_IN_QUOTES, _PLAIN_IN_QUOTED_BRACES)
        parts: list[Part] = []
        while True:
            run = self._text.take(plain)
            if run:
                parts.append(Part(kind, run[0]))
                continue
            special = self._text.next
            if special == "$":
                parts += self._dollar(quoted)
            elif special == "\\":
                parts += self._backslash(quoted)
            elif special == "`":
                parts.append(self._backticks(quoted))
            elif special == "'" and not quoted:
                parts.append(self._single_quoted())
            elif special == '"' and plain is not _PLAIN_IN_QUOTES:
                parts += self._double_quoted()
            elif plain is _PLAIN and self._text.starts_with("<(", ">("):
                parts.append(self._substitution())
            else:
                return parts

    # Quotes

    def _backslash(self, quoted: bool) -> list[Part]:
        following = self._text.after_next
        self._text.position += 1 + len(following)
        if following == "\n":
            return []
        special = not quoted or following in ("$", "`", '"', "\\", "}")
        return [Part(KEPT, following if special and following else f"\\{following}")]

    def _single_quoted(self) -> Part:
        text = self._text.take(_SINGLE_QUOTED)
        if text is None:
            raise self._text.error("quote without its end")
        return Part(KEPT, text[1])

    def _double_quoted(self) -> list[Part]:
        start = self._text.position
        self._text.position += 1
        with self._text.nested():
            parts = self._parts(_PLAIN_IN_QUOTES, KEPT)
        if self._text.next != '"':
            raise self._text.error("quote without its end", start)
        self._text.position += 1
        # "$EMPTY" is a word, "${EMPTY[@]}" is none.
        no_word = not parts and "[@]" in self._text.since(start)
        return parts if parts or no_word else [Part(KEPT)]

    def _ansi_quoted(self) -> Part:
        text = self._text.take(_ANSI_QUOTED)
        if text is None:
            raise self._text.error("quote without its end")
        return Part(KEPT, decoded(text[1]))

    # What stands behind $ and `

    def _backticks(self, quoted: bool) -> Part:
        line = self._text.line()
        match = self._text.take(_BACKTICKS)
        if match is None:
            raise self._text.error("` without its end")
        escaped = r"\\([$`\\\"])" if quoted else r"\\([$`\\])"
        with self._text.nested():
            self._read_apart(re.sub(escaped, r"\1", match[1]), line)
        return Part(OPEN, match[0])

    def _dollar(self, quoted: bool) -> list[Part]:
        parameter = self._text.take(_PARAMETER)
        if parameter:
            return self._parameters.value(parameter[1], None, parameter[0], quoted)
        following = self._text.after_next
        if following == "{":
            with self._text.nested():
                return self._braces(quoted)
        if following == "(":
            return [self._arithmetic() or self._substitution()]
        if following == "'" and not quoted:
            return [self._ansi_quoted()]
        self._text.position += 1
        # $"text" is to be translated.
        return [] if following == '"' and not quoted else [Part(KEPT, "$")]

    def _arithmetic(self) -> Part | None:
        start = self._text.position
        self._text.position += 1
        if self._text.take(ARITHMETIC):
            return Part(OPEN, self._text.since(start))
        self._text.position = start
        return None

    def _substitution(self) -> Part:
        """Read $( ), <( ) or >( ) and the commands in it."""
        start = self._text.position
        self._text.position += 2
        with self._text.nested():
            self._read_inside()
        return Part(OPEN, self._text.since(start))

    def _braces(self, quoted: bool) -> list[Part]:
        start = self._text.position
        head = self._text.take(_BRACED)
        assert head is not None
        operator = self._text.take(_OPERATOR) if self._text.next != "}" else None
        rest = self._text.position
        inside = _PLAIN_IN_QUOTED_BRACES if quoted else _PLAIN_IN_BRACES
        operand = self._parts(inside, KEPT if quoted else SPLIT)
        if self._text.next != "}":
            raise self._text.error("${ without its end", start)
        strange = head[1] or not head[2] or (operator is None and self._text.position > rest)
        self._text.position += 1
        raw = self._text.since(start)
        if strange:
            return [Part(OPEN, raw)]
        value = self._parameters.value(head[2], head[3], raw, quoted)
        if operator is None:
            return value
        return self._parameters.operated(head[2], value, operator[0], operand, raw)
