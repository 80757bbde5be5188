"""Parse a script: lists, pipelines, simple commands and keywords.

After most syntax errors the parser goes on: a block without its end ends with the text, and an end
without its block is skipped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from check_duplicity.shell.pieces import ARITHMETIC, PieceReader
from check_duplicity.shell.syntax import (
    AND_ERRORS,
    AndOr,
    Assignment,
    Block,
    Calculation,
    Case,
    Clause,
    Condition,
    For,
    Function,
    Group,
    If,
    Literal,
    Loop,
    Pieces,
    Pipeline,
    Redirected,
    Redirection,
    Simple,
    Statement,
    WrittenWord,
)
from check_duplicity.shell.text import BLANKS, REDIRECTION, Text
from check_duplicity.shell.words import NAME

DECLARATIONS = ("export", "declare", "typeset", "local", "readonly")

_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(?:\[([^\]\n]{0,100})\])?(\+?)=", re.A)
_FUNCTION = re.compile(
    r"""function[ \t]+([^ \t\n;&|()<>]+)(?:[ \t]*\([ \t]*\))?"""
    r"""|([^ \t\n;&|()<>'"\\$`=#]+)[ \t]*\([ \t]*\)"""
)
_DELIMITER = re.compile(r"""(?:\\.|'[^'\n]*'|"[^"\n]*"|[^ \t\n;&|()<>'"\\])+""")
_KEYWORD = re.compile(
    r"(?:if|then|elif|else|fi|while|until|do|done|for|select|case|esac|coproc|\[\[|[{}!]"
    r"|time(?=[ \t]+[^- \t]))(?=[ \t\n;&|()<>]|\\\n|\Z)"
)
_END_OF_CLAUSE = re.compile(r";;&|;;|;&")
_CONNECTION = re.compile(r"&&|\|\|")
_PIPE = re.compile(r"\|&?(?!\|)")
_ENDS = ("then", "elif", "else", "fi", "do", "done", "esac", "}")
_LOOPS = ("done",)


class Parser:
    """Parses one text."""

    def __init__(self, text: Text) -> None:
        self._text = text
        self._pieces = PieceReader(text, self._inside, self._apart)
        self._open: list[tuple[str, ...]] = []  # the ends of each open block

    def parse(self) -> Block:
        """Parse the whole text."""
        found: list[AndOr] = []
        while self._text.next:
            found += self._block(())
            if self._text.next:  # an end without its block
                self._skip_end()
        return found

    def _skip_end(self) -> None:
        """Skip the end of a block that never began."""
        if not self._text.take(_KEYWORD) and not self._text.take(_END_OF_CLAUSE):
            self._skip()

    def _skip(self) -> None:
        self._text.position += 1

    def _inside(self) -> Block:
        """Parse the commands of ``$( )``, and move past its closing parenthesis."""
        start = self._text.position
        outer, self._open = self._open, []
        body = self._parenthesized(start - 1)
        self._open = outer
        return body

    def _parenthesized(self, start: int) -> Block:
        found: list[AndOr] = []
        while True:
            found += self._block((")",))
            if self._text.next == ")":
                self._text.position += 1
                return found
            if not self._text.next:
                raise self._text.error("parenthesis without its end", start)
            self._skip_end()

    def _apart(self, text: str, line: int) -> Block:
        return Parser(self._text.inner(text, line)).parse()

    # Lists

    def _block(self, ends: tuple[str, ...]) -> Block:
        """Parse a list up to its end, or the end of a block around it, and stay there."""
        with self._text.nested():
            self._open.append(ends)
            found: list[AndOr] = []
            while True:
                self._text.skip_lines()
                if not self._text.next or self._is_end():
                    break
                if self._text.next in (";", "&", "|"):
                    self._skip()
                else:
                    found += self._and_or()
            self._open.pop()
            return found

    def _is_end(self) -> bool:
        """Return whether the end of an open block comes next; any end counts if none is open."""
        if self._text.next == ")":
            return True
        if self._text.match(_END_OF_CLAUSE):
            if any(";;" in ends for ends in self._open) or len(self._open) == 1:
                return True
            self._text.take(_END_OF_CLAUSE)
            return False
        keyword = self._text.match(_KEYWORD)
        if keyword is None or keyword[0] not in _ENDS:
            return False
        if any(keyword[0] in ends for ends in self._open) or len(self._open) == 1:
            return True
        self._text.take(_KEYWORD)
        return False

    def _and_or(self) -> list[AndOr]:
        pipelines = [("", self._pipeline())]
        while True:
            self._text.skip_blanks()
            connection = self._text.take(_CONNECTION)
            if connection is None:
                break
            self._text.skip_lines()
            if not self._text.next or self._is_end():
                break
            pipelines.append((connection[0], self._pipeline()))
        background = self._text.next == "&"
        if background or (self._text.next == ";" and not self._text.match(_END_OF_CLAUSE)):
            self._text.position += 1
        kept = tuple(one for one in pipelines if one[1].statements)
        return [AndOr(kept, background)] if kept else []

    def _pipeline(self) -> Pipeline:
        statements: list[Statement] = []
        negated = False
        while True:
            self._text.skip_blanks()
            keyword = self._text.match(_KEYWORD)
            if keyword and keyword[0] in ("!", "time"):
                self._text.take(_KEYWORD)
                negated ^= keyword[0] == "!"
                continue
            before = self._text.position
            statements += self._statement()
            self._text.skip_blanks()
            pipe = self._text.take(_PIPE)
            if pipe:
                if pipe[0] == "|&" and statements:
                    statements[-1] = Redirected(statements[-1], (AND_ERRORS,))
                self._text.skip_lines()
            else:
                break
            if not self._text.next or self._text.position == before:
                break
        return Pipeline(tuple(statements), negated)

    # Statements

    def _statement(self) -> list[Statement]:
        self._text.count_statement()
        keyword = self._text.match(_KEYWORD)
        function = None if keyword else self._text.take(_FUNCTION)
        if function:
            self._text.skip_lines()
            with self._text.nested():
                body = self._statement() if self._text.next and not self._is_end() else []
            return [Function(function[1] or function[2], body[0])] if body else []
        if self._text.next == "(":
            return self._redirected(self._parenthesis())
        if self._text.next in (")", ";", "&", "|"):
            return []
        if keyword and keyword[0] not in _ENDS:
            self._text.take(_KEYWORD)
            if keyword[0] == "coproc":
                self._text.skip_blanks()
                with self._text.nested():
                    return self._statement()
            return self._redirected(self._compound(keyword[0]))
        if keyword:
            return []
        return [self._simple()]

    def _redirected(self, statement: Statement) -> list[Statement]:
        redirections: list[Redirection] = []
        self._text.skip_blanks()
        while self._take_redirection(redirections):
            self._text.skip_blanks()
        return [Redirected(statement, tuple(redirections)) if redirections else statement]

    def _parenthesis(self) -> Statement:
        calculation = self._text.take(ARITHMETIC)
        if calculation:
            return Calculation(calculation[1])
        start = self._text.position
        self._text.position += 1
        return Group(self._parenthesized(start), subshell=True)

    def _compound(self, keyword: str) -> Statement:
        if keyword == "{":
            body = self._block(("}",))
            self._take_end("}")
            return Group(body, subshell=False)
        if keyword == "if":
            return self._if()
        if keyword in ("while", "until"):
            condition = self._block(("do", "done"))
            return Loop(condition, self._loop_body(), keyword == "until")
        if keyword in ("for", "select"):
            return self._for(keyword == "select")
        if keyword == "case":
            return self._case()
        return self._condition()

    def _take_end(self, *ends: str) -> str:
        """Move past one of these ends, and return it; empty if none comes next."""
        keyword = self._text.match(_KEYWORD)
        if keyword and keyword[0] in ends:
            self._text.take(_KEYWORD)
            return keyword[0]
        return ""

    def _if(self) -> If:
        ends = ("then", "elif", "else", "fi")
        branches: list[tuple[Block, Block]] = []
        otherwise: Block = ()
        keyword = "elif"
        while keyword == "elif":
            condition = self._block(ends)
            body: Block = self._block(ends[1:]) if self._take_end("then") else ()
            branches.append((condition, body))
            keyword = self._take_end("elif", "else", "fi")
        if keyword == "else":
            otherwise = self._block(("fi",))
            self._take_end("fi")
        return If(tuple(branches), otherwise)

    def _loop_body(self) -> Block:
        self._text.skip_lines()
        if self._text.next == ";":
            self._skip()
            self._text.skip_lines()
        if self._take_end("do"):
            body = self._block(("done",))
        elif self._take_group():  # for ...; { }
            body = self._block(("}",))
            self._take_end("}")
            return body
        else:
            body = ()
        self._take_end("done")
        return body

    def _take_group(self) -> bool:
        return self._take_end("{") != ""

    def _for(self, asks: bool) -> For:
        self._text.skip_blanks()
        name = self._text.take(NAME)
        if name is None:
            self._text.take(ARITHMETIC)
            return For("", (), self._loop_body(), asks)
        self._text.skip_lines()
        words: list[WrittenWord] | None = None
        if self._text.starts_with("in"):
            words = []
            self._text.position += 2
            self._text.skip_blanks()
            while not self._text.at_end_of_command():
                words.append(self._pieces.take_word())
                self._text.skip_blanks()
        return For(name[0], None if words is None else tuple(words), self._loop_body(), asks)

    def _case(self) -> Case:
        self._text.skip_blanks()
        subject = () if self._text.at_end_of_command() else self._pieces.take_pieces()
        self._text.skip_lines()
        clauses: list[Clause] = []
        if self._text.starts_with("in"):
            self._text.position += 2
            while True:
                self._text.skip_lines()
                if not self._text.next or self._take_end("esac"):
                    break
                before = self._text.position
                clauses.append(self._clause())
                if self._text.position == before:
                    break
        return Case(subject, tuple(clauses))

    def _clause(self) -> Clause:
        patterns: list[Pieces] = []
        if self._text.next == "(":
            self._skip()
        self._text.skip_blanks()
        while self._text.next not in ("", "\n", ")"):
            if self._text.next in ("|", ";", "&", "(") or self._text.match(REDIRECTION):
                self._skip()
            else:
                patterns.append(self._pieces.take_pieces())
            self._text.skip_blanks()
        self._text.position += self._text.next == ")"
        body = self._block((";;", "esac"))
        ending = self._text.take(_END_OF_CLAUSE)
        return Clause(tuple(patterns), body, ending[0] if ending else ";;")

    def _condition(self) -> Condition:
        """Read ``[[ ... ]]``, in which <, > and parentheses are operators."""
        start = self._text.position
        words: list[WrittenWord | str] = []
        self._text.skip_lines()
        while not self._text.starts_with("]]"):
            if not self._text.next:
                raise self._text.error("[[ without its end", start)
            if self._text.next in ("<", ">", "(", ")", "&", "|", ";"):
                words.append(self._text.next)
                self._skip()
            else:
                words.append(self._pieces.take_word())
            self._text.skip_lines()
        self._text.position += 2
        return Condition(tuple(words))

    # Simple commands

    def _simple(self) -> Simple:
        assignments: list[Assignment] = []
        words: list[WrittenWord | Assignment] = []
        redirections: list[Redirection] = []
        line = self._text.line()
        while True:
            self._text.skip_blanks()
            if self._take_redirection(redirections):
                continue
            if self._text.at_end_of_command():
                break
            declares = bool(words) and _plain(words[0]) in DECLARATIONS
            if (declares or not words) and self._text.match(_ASSIGNMENT):
                assignment = self._assignment()
                words += [assignment] * declares
                assignments += [assignment] * (not declares)
            else:
                words.append(self._pieces.take_word())
        return Simple(tuple(assignments), tuple(words), tuple(redirections), line)

    def _take_redirection(self, redirections: list[Redirection]) -> bool:
        operator = self._text.take(REDIRECTION)
        if operator is None:
            return False
        self._text.take(BLANKS)
        if operator["document"]:
            delimiter = self._text.take(_DELIMITER)
            if delimiter:
                unquoted = re.sub(r"\\(.)|['\"]", r"\1", delimiter[0], flags=re.S)
                self._text.expect_document(unquoted, tabs=operator["document"] == "<<-")
        elif not self._text.at_end_of_command():
            descriptor = operator["descriptor"] or ""
            target = self._pieces.take_pieces()
            redirections.append(Redirection(descriptor, operator[0][len(descriptor) :], target))
        return True

    def _assignment(self) -> Assignment:
        match = self._text.take(_ASSIGNMENT)
        assert match is not None
        name, subscript, plus = match.groups()
        if self._text.next == "(" and subscript is None:
            elements, keyed = self._elements()
            return Assignment(name, None, bool(plus), (), elements, keyed)
        return Assignment(name, subscript, bool(plus), self._pieces.take_pieces())

    def _elements(self) -> tuple[tuple[WrittenWord, ...], bool]:
        start = self._text.position
        self._skip()
        elements: list[WrittenWord] = []
        keyed = False
        self._text.skip_lines()
        while self._text.next != ")":
            if not self._text.next:
                raise self._text.error("array without its end", start)
            if self._text.at_end_of_command():
                self._skip()
            else:
                keyed = keyed or self._text.next == "["
                elements.append(self._pieces.take_word())
            self._text.skip_lines()
        self._skip()
        return tuple(elements), keyed


def _plain(word: WrittenWord | Assignment) -> str:
    """Return the text of a word that is one unquoted literal; empty for others."""
    pieces: Sequence[object] = word.pieces if isinstance(word, WrittenWord) else ()
    first = pieces[0] if len(pieces) == 1 else None
    return first.text if isinstance(first, Literal) and not first.quoted else ""
