"""Keywords: if, for, case, [[ and their likes, up to where commands begin behind them."""

from __future__ import annotations

import re

from check_duplicity.shell.blocks import Blocks
from check_duplicity.shell.expansions import ARITHMETIC, Expansions
from check_duplicity.shell.text import REDIRECTION, Text
from check_duplicity.shell.words import NAME

_KEYWORD = re.compile(
    r"(?:if|then|elif|else|fi|while|until|do|done|for|select|case|esac|coproc|\[\[|[{}!]"
    r"|time(?=[ \t]+[^- \t]))(?=[ \t\n;&|()<>]|\\\n|\Z)"
)
_BEGINNINGS = {"fi": "if", "}": "{", "esac": "case"}


class Keywords:
    """Reads keywords, and opens and closes their blocks."""

    def __init__(self, text: Text, blocks: Blocks, expansions: Expansions) -> None:
        self._text = text
        self._blocks = blocks
        self._expansions = expansions

    def take(self) -> bool:
        """Read a keyword and what belongs to it, if one comes next; tell whether it does."""
        keyword = self._text.take(_KEYWORD)
        if keyword is None:
            return False
        if keyword[0] in ("if", "{"):
            self._blocks.open(keyword[0])
        elif keyword[0] in _BEGINNINGS:
            self._blocks.close(_BEGINNINGS[keyword[0]])
        elif keyword[0] in ("else", "elif"):
            self._blocks.next_branch("if")
        elif keyword[0] in ("for", "select"):
            self._read_for()
        elif keyword[0] == "case":
            self._read_case()
        elif keyword[0] == "[[":
            self._read_condition()
        return True

    def next_clause(self) -> None:
        """Go on behind ``;;`` and the pattern that follows it."""
        if self._blocks.next_branch("case"):
            self._skip_pattern()

    def _read_for(self) -> None:
        self._text.skip_blanks()
        name = self._text.take(NAME)
        if name is None:
            self._text.take(ARITHMETIC)
            return
        self._blocks.forget(name[0])
        self._text.skip_lines()
        if self._text.starts_with("in"):
            while not self._text.at_end_of_command():
                self._expansions.take_parts()
                self._text.skip_blanks()

    def _read_case(self) -> None:
        self._text.skip_blanks()
        if not self._text.at_end_of_command():
            self._expansions.take_parts()
        self._text.skip_lines()
        if self._text.starts_with("in"):
            self._text.position += 2
            self._blocks.open("case")
            self._skip_pattern()

    def _skip_pattern(self) -> None:
        """Go behind ``pattern | pattern)``; stop at ``esac``."""
        self._text.skip_lines()
        keyword = self._text.match(_KEYWORD)
        if keyword and keyword[0] == "esac":
            return
        if self._text.next == "(":
            self._text.position += 1
        while self._text.next not in ("", "\n", ")"):
            if self._text.next in ("|", ";", "&", "(") or self._text.match(REDIRECTION):
                self._text.position += 1
            else:
                self._expansions.take_parts()
            self._text.skip_blanks()
        self._text.position += self._text.next == ")"

    def _read_condition(self) -> None:
        """Go behind ``[[ ... ]]``, in which <, > and parentheses are something else."""
        start = self._text.position
        self._text.skip_lines()
        while not self._text.starts_with("]]"):
            if not self._text.next:
                raise self._text.error("[[ without its end", start)
            if self._text.next in ("<", ">", "(", ")", "&", "|", ";"):
                self._text.position += 1
            else:
                self._expansions.take_parts()
            self._text.skip_lines()
        self._text.position += 2
