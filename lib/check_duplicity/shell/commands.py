"""The reader: lists of commands, simple commands, and the strings that eval and ``sh -c`` run.

What is read when is decided here: a function's body where it is defined, not where it is called.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from check_duplicity.shell.assignments import DECLARATIONS, Assignments, note_builtin
from check_duplicity.shell.blocks import Blocks
from check_duplicity.shell.expansions import ARITHMETIC, Expansions
from check_duplicity.shell.keywords import Keywords
from check_duplicity.shell.model import Command, ShellError
from check_duplicity.shell.starters import Start, string_of_shell
from check_duplicity.shell.text import BLANKS, REDIRECTION, Text
from check_duplicity.shell.variables import Variable, Variables
from check_duplicity.shell.words import Word, joined
from check_duplicity.values import NamedTuple

_DEEPEST_STRINGS = 5  # of eval and sh -c

_FUNCTION = re.compile(
    r"""function[ \t]+[^ \t\n;&|()<>]+(?:[ \t]*\([ \t]*\))?"""
    r"""|[^ \t\n;&|()<>'"\\$`=#]+[ \t]*\([ \t]*\)"""
)
_SEPARATOR = re.compile(r";;&|;;|;&|[;&|]")
_DELIMITER = re.compile(r"""(?:\\.|'[^'\n]*'|"[^"\n]*"|[^ \t\n;&|()<>'"\\])+""")


class Surroundings(NamedTuple):
    """What the shell that runs a text is in."""

    user: str = ""
    depth: int = 0  # in strings of eval and sh -c
    quiet: bool = False  # what stands in $( ) was read already


class Reader:
    """Reads one text, and adds the commands in it to those that are found."""

    def __init__(
        self,
        text: Text,
        variables: Variables,
        found: list[Command],
        surroundings: Surroundings,
    ) -> None:
        self._text = text
        self._variables = variables
        self._found = found
        self._surroundings = surroundings
        self._blocks = Blocks(variables)
        self._expansions = Expansions(text, self._blocks, self._read_inside, self._read_apart)
        self._assignments = Assignments(text, self._blocks, self._expansions)
        self._keywords = Keywords(text, self._blocks, self._expansions)

    def read(self) -> None:
        """Read all of it."""
        while self._text.next:
            self._read_on()

    # Lists of commands

    def _read_inside(self) -> None:
        """Read the commands of ``$( )`` up to behind the parenthesis that ends it."""
        start = self._text.position
        with self._blocks.subshell():
            while not self._read_on():
                if not self._text.next:
                    raise self._text.error("parenthesis without its end", start - 1)

    def _read_apart(self, text: str, line: int) -> None:
        """Read the commands of a subshell whose text isn't as it is in this one's."""
        mark = self._variables.mark()
        inner = self._text.inner(text, line)
        Reader(inner, self._variables, self._found, self._surroundings).read()
        self._variables.undo(mark)

    def _read_on(self) -> bool:
        """Read what comes next; tell whether it is a parenthesis that was opened outside."""
        self._text.skip_blanks()
        if self._text.next == ")":
            self._text.position += 1
            return not self._blocks.close("(")
        if self._text.next == "\n":
            self._text.newline()
        else:
            self._read_statement()
        return False

    def _read_statement(self) -> None:
        if self._text.take(_FUNCTION):
            self._blocks.function_follows = True
        elif self._text.next == "(":
            self._read_parenthesis()
        elif self._text.match(REDIRECTION):
            self._read_simple_command()
        else:
            separator = self._text.take(_SEPARATOR)
            if separator is None:
                self._read_command()
            elif len(separator[0]) > 1:
                self._keywords.next_clause()

    def _read_parenthesis(self) -> None:
        if not self._text.take(ARITHMETIC):
            self._text.position += 1
            self._blocks.open("(")

    def _read_command(self) -> None:
        if not self._keywords.take():
            self._read_simple_command()

    # Simple commands

    def _read_simple_command(self) -> None:
        words: list[Word] = []
        assigned: dict[str, Variable] = {}
        mark = self._variables.mark()
        line = self._text.line()
        while True:
            self._text.skip_blanks()
            if self._skip_redirection():
                continue
            if self._text.at_end_of_command():
                break
            if words and words[0].text in DECLARATIONS:
                self._assignments.read_declared(words)
            elif not words and self._assignments.follows():
                name, variable = self._assignments.take()
                self._variables.set(name, variable)
                assigned[name] = variable
            else:
                if not words:
                    self._variables.undo(mark)  # VAR=x echo $VAR prints what VAR was before.
                words += self._expansions.take_words()
        if words:
            self._run(words, assigned, line)
        else:
            for name, variable in assigned.items():
                self._blocks.assign(name, variable)

    def _skip_redirection(self) -> bool:
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
            self._expansions.take_parts()
        return True

    # What runs

    def _run(self, words: list[Word], assigned: Mapping[str, Variable], line: int) -> None:
        if words[0].text in DECLARATIONS:
            return
        note_builtin([word.text for word in words], self._blocks)
        start = Start(words, assigned, self._surroundings.user)
        start.take_wrappers()
        if not start.words or start.words[0].text in ("set", "unset"):
            return
        command = Command(
            tuple(word.text for word in start.words),
            start.environment(self._variables),
            line,
            start.user,
            tuple(piece for word in start.words for piece in word.pieces),
        )
        if not self._read_script(command, list(start.words)) and not self._surroundings.quiet:
            self._found.append(command)

    def _read_script(self, command: Command, words: list[Word]) -> bool:
        """Read the string of eval or ``sh -c``; tell whether there was one that can be read."""
        in_this_shell = words[0].text == "eval"
        script = joined(words[1:]) if in_this_shell else string_of_shell(words)
        if script is None or self._surroundings.depth >= _DEEPEST_STRINGS:
            return False
        count = len(self._found)
        variables = self._variables
        self._text.spend(len(script.text))
        if not in_this_shell:
            self._text.spend(10 * variables.count())
            variables = Variables(command.environment)
        try:
            with self._text.nested():
                self._reader_of_script(script, variables, command.user).read()
        except ShellError:
            del self._found[count:]
            return False
        return True

    def _reader_of_script(self, script: Word, variables: Variables, user: str) -> Reader:
        read_already = any(piece.startswith(("$(", "`")) for piece in script.pieces)
        _, depth, quiet = self._surroundings
        return Reader(
            self._text.inner(script.text, script.line),
            variables,
            self._found,
            Surroundings(user, depth + 1, quiet or read_already),
        )
