"""Read a shell script, or a crontab's command, without running it: the commands that it runs.

A script is read from top to bottom, once: variables have the value assigned last above, functions
are read where they are defined, loops once, and every branch. What can't be known without running
stays in the words as it is written, and is told. The syntax is that of POSIX.1-2017 ("Shell Command
Language") with bash's arrays, ``[[``, ``$'...'`` and redirections; words were compared with those
of bash 5.2.15. The options of programs that only start another are those of coreutils 9.1,
util-linux 2.38, sudo 1.9.13 and systemd 252, from their --help; the others' aren't verified.
"""

from __future__ import annotations

import contextlib
import re
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Mapping

from check_duplicity.values import NamedTuple

_LONGEST_TEXT = 1_000_000  # characters, also of all that variables are replaced by
_DEEPEST_NESTING = 30  # of $( ), ${ } and ` `
_DEEPEST_STRINGS = 5  # of eval and sh -c

_NAME = re.compile(r"[A-Za-z_]\w*", re.A)
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(?:\[([^\]\n]{0,100})\])?(\+?)=", re.A)
_BLANKS = re.compile(r"(?:[ \t]|\\\n)+")
_SPACES = re.compile(r"[ \t\n]+")
_TILDE = re.compile(r"~([A-Za-z_][\w.-]*)?(?=[/: \t\n;&|()<>]|\Z)", re.A)
_PARAMETER = re.compile(r"\$([A-Za-z_]\w*|[0-9@*?$#!-])", re.A)
_BRACED = re.compile(
    r"\$\{([#!](?=[\w@*]))?([A-Za-z_]\w*|[0-9]+|[@*?$#!-])?(?:\[([^\]\n}]{0,100})\])?", re.A
)
_OPERATOR = re.compile(r":?[-=?+]|##?|%%?")
_ANSI_QUOTED = re.compile(r"\$'([^'\\]*(?:\\.[^'\\]*)*)'", re.S)
_ANSI_ESCAPE = re.compile(
    r"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|c(.)|(.))", re.S
)
_ANSI_LETTERS = dict(zip("abefnrtvE", "\a\b\x1b\f\n\r\t\v\x1b"))
_BACKTICKS = re.compile(r"`([^`\\]*(?:\\.[^`\\]*)*)`", re.S)
_ARITHMETIC = re.compile(r"\(\((?:[^()\n]|\((?:[^()\n]|\([^()\n]*\))*\))*\)\)")
_REDIRECTION = re.compile(
    r"(?:[0-9]+|\{[A-Za-z_]\w*\})?(?:<<<|(?P<document><<-?)|<>|<&|<(?!\()|>>|>&|>\||>(?!\())|&>>?",
    re.A,
)
_DELIMITER = re.compile(r"""(?:\\.|'[^'\n]*'|"[^"\n]*"|[^ \t\n;&|()<>'"\\])+""")
_KEYWORD = re.compile(
    r"(?:if|then|elif|else|fi|while|until|do|done|for|select|case|esac|coproc|\[\[|[{}!]"
    r"|time(?=[ \t]+[^- \t]))(?=[ \t\n;&|()<>]|\\\n|\Z)"
)
_FUNCTION = re.compile(
    r"""function[ \t]+[^ \t\n;&|()<>]+(?:[ \t]*\([ \t]*\))?"""
    r"""|[^ \t\n;&|()<>'"\\$`=#]+[ \t]*\([ \t]*\)"""
)
_SEPARATOR = re.compile(r";;&|;;|;&|[;&|]")

# What a word, a double-quoted string and the inside of ${ } are made of, before anything special.
_PLAIN = re.compile(r"""[^ \t\n;&|()<>'"\\$`]+""")
_PLAIN_IN_QUOTES = re.compile(r'[^"\\$`]+')
_PLAIN_IN_BRACES = re.compile(r"""[^}'"\\$`]+""")
_PLAIN_IN_QUOTED_BRACES = re.compile(r'[^}"\\$`]+')

_DECLARATIONS = ("export", "declare", "typeset", "local", "readonly")
_SHELLS = ("sh", "bash", "dash", "ash", "ksh", "mksh", "zsh")
# Every shell, or cron, sets these: a default for them is never used.
_ALWAYS_SET = frozenset(
    [
        "HOME",
        "HOSTNAME",
        "HOSTTYPE",
        "UID",
        "EUID",
        "GROUPS",
        "RANDOM",
        "SECONDS",
        "EPOCHSECONDS",
        "LINENO",
        "PATH",
        "PWD",
        "OLDPWD",
        "PPID",
        "BASH",
        "BASHPID",
        "BASH_SOURCE",
        "BASH_VERSION",
        "FUNCNAME",
        "IFS",
        "OPTIND",
        "SHELL",
        "SHLVL",
        "USER",
        "LOGNAME",
    ]
)
_OF_THE_USER = ("HOME", "USER", "LOGNAME")


_SHELL_NAMES = ("sh", "bash", "dash", "ksh", "zsh")


class Command(NamedTuple):
    """A simple command.

    A variable whose value can't be known without running is left out of the environment. So are
    HOME, USER and LOGNAME of the one who started it, if it runs as somebody else.
    """

    words: tuple[str, ...]  # program and arguments; what only starts it (wrappers) taken off
    environment: Mapping[str, str]  # variables exported so far, and those assigned in front of it
    line: int  # 1-based line where it begins
    user: str = ""  # whom sudo -u / su - / runuser -u / setpriv in front makes it run as
    unresolved: tuple[str, ...] = ()  # pieces of the words that can't be known: "$(date)", "$1"

    @property
    def program(self) -> str:
        """The program, or the script that a shell runs; empty if there is none."""
        words = [word for word in self.words if not word.startswith("-")]
        shell = bool(words) and words[0].rpartition("/")[2] in _SHELL_NAMES
        return "".join(words[1:2] if shell else words[:1])


class ShellError(ValueError):
    """The script can't be read; says the line and why."""


def read_commands(text: str, variables: Mapping[str, str] | None = None) -> list[Command]:
    """Return the simple commands of a script in the order in which they are written.

    ``variables`` are exported from the beginning. Those of ``$( )`` stand before the command that
    they are in. What only sets variables (assignments, export, unset, set) is no command. Raises
    `ShellError`.
    """
    if len(text) > _LONGEST_TEXT:
        raise ShellError("line 1: too long")
    work = _Work()
    _Reader(text, work, _Variables(variables or {})).read()
    return work.commands


# Variables


class _Segment(NamedTuple):
    """A piece of a value; ``known`` tells whether it is that, or how it is written."""

    text: str
    known: bool


_Value = tuple[_Segment, ...]


class _Variable(NamedTuple):
    """What a variable is: several values if it is an array, none if it is unset.

    ``values`` is ``None`` if it is declared somewhere but never assigned: it may be inherited.
    """

    values: tuple[_Value, ...] | None
    exported: bool = False
    array: bool = False


class _History(NamedTuple):
    """What a variable was exported as, from which version of all variables on."""

    versions: list[int]
    texts: list[str | None]


class _Environment(Mapping[str, str]):
    """The exported variables as they were at a time, without a copy of all for each command."""

    def __init__(
        self, exports: Mapping[str, _History], version: int, changes: Mapping[str, str | None]
    ) -> None:
        self._exports = exports
        self._version = version
        self._changes = changes

    def __getitem__(self, name: str) -> str:
        text = self._changes[name] if name in self._changes else self._exported(name)
        if text is None:
            raise KeyError(name)
        return text

    def _exported(self, name: str) -> str | None:
        if name not in self._exports:
            return None
        versions, texts = self._exports[name]
        position = bisect_right(versions, self._version)
        return texts[position - 1] if position else None

    def __iter__(self) -> Iterator[str]:
        return (name for name in {**self._exports, **self._changes} if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class _Variables:
    """The variables of a shell, all that were exported at any time, and how to go back."""

    def __init__(self, exported: Mapping[str, str]) -> None:
        self.all_exported = False  # set -a
        self._variables: dict[str, _Variable] = {}
        self._exports: dict[str, _History] = {}
        self._version = 0
        self._journal: list[tuple[str, _Variable | None]] = []
        for name, text in exported.items():
            self.set(name, _Variable((_value_of_text(text),), exported=True))

    def get(self, name: str) -> _Variable | None:
        return self._variables.get(name)

    def set(self, name: str, variable: _Variable | None) -> None:
        self._journal.append((name, self._variables.get(name)))
        self._put(name, variable)

    def environment(self, changes: Mapping[str, str | None]) -> Mapping[str, str]:
        return _Environment(self._exports, self._version, changes)

    def count(self) -> int:
        return len(self._exports)

    def mark(self) -> tuple[int, bool]:
        return len(self._journal), self.all_exported

    def undo(self, mark: tuple[int, bool]) -> None:
        """Forget what was set since a mark, as at the end of a subshell."""
        length, self.all_exported = mark
        while len(self._journal) > length:
            self._put(*self._journal.pop())

    def _put(self, name: str, variable: _Variable | None) -> None:
        if variable is None:
            self._variables.pop(name, None)
        else:
            self._variables[name] = variable
        text = _exported_text(variable)
        history = self._exports.get(name)
        if text is not None or history is not None:
            history = history or self._exports.setdefault(name, _History([], []))
            self._version += 1
            history.versions.append(self._version)
            history.texts.append(text)


def _exported_text(variable: _Variable | None) -> str | None:
    if variable is None or not variable.exported or variable.array or not variable.values:
        return None
    return _known_text(variable.values[0])


def _known_text(value: _Value) -> str | None:
    if all(segment.known for segment in value):
        return "".join(segment.text for segment in value)
    return None


def _value_of_text(text: str) -> _Value:
    return (_Segment(text, known=True),) if text else ()


def _unknown(name: str) -> _Variable:
    return _Variable(((_Segment(f"${name}", known=False),),))


# Words


class _Part(NamedTuple):
    """A piece of a word, before the word is split.

    ``kind`` is `_KEPT` (never split), `_SPLIT` (at its spaces), `_OPEN` (can't be known) or
    `_BREAK` (one word ends here, as between the elements of an array).
    """

    kind: str
    text: str = ""


_KEPT, _SPLIT, _OPEN, _BREAK = "kept", "split", "open", "break"


class _Word(NamedTuple):
    """A word of a command, and its pieces that can't be known."""

    text: str
    line: int
    pieces: tuple[str, ...] = ()


def _words_of(parts: Iterable[_Part], line: int) -> list[_Word]:
    """Split the pieces of a word into the words that the command gets."""
    fields: list[list[_Part]] = [[]]
    for kind, text in parts:
        if kind == _BREAK:
            fields.append([])
        elif kind == _SPLIT:
            chunks = _SPACES.split(text)
            for chunk in chunks[:1]:
                fields[-1] += [_Part(_KEPT, chunk)] if chunk else []
            fields += [[_Part(_KEPT, chunk)] if chunk else [] for chunk in chunks[1:]]
        else:
            fields[-1].append(_Part(kind, text))
    return [
        _Word(
            "".join(part.text for part in field),
            line,
            tuple(part.text for part in field if part.kind == _OPEN),
        )
        for field in fields
        if field
    ]


def _value_of(parts: Iterable[_Part]) -> _Value:
    """Join the pieces of a word into what a variable is assigned."""
    segments: list[_Segment] = []
    texts: list[str] = []
    for kind, text in parts:
        if kind == _OPEN:
            segments += _value_of_text("".join(texts))
            segments.append(_Segment(text, known=False))
            texts = []
        else:
            texts.append(" " if kind == _BREAK else text)
    return (*segments, *_value_of_text("".join(texts)))


def _value_of_word(word: _Word, text: str) -> _Value:
    """Return what a word, or its end, is as a value."""
    segments: list[_Segment] = []
    for piece in word.pieces:
        before, found, after = text.partition(piece)
        if found:
            segments += (*_value_of_text(before), _Segment(piece, known=False))
            text = after
    return (*segments, *_value_of_text(text))


def _decoded(text: str) -> str:
    """Return what stands in $'...', with its escapes replaced."""
    decoded = _ANSI_ESCAPE.sub(_ansi_character, text)
    try:
        # Bytes of UTF-8 may be written one by one: $'\xc3\xa4'.
        return decoded.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return decoded


def _ansi_character(match: re.Match[str]) -> str:
    octal, byte, short, long, control, letter = match.groups()
    if octal or byte:
        code = int(octal, 8) % 256 if octal else int(byte, 16)
        return chr(code) if code < 128 else chr(0xDC00 + code)
    if short or long:
        code = int(short or long, 16)
        return chr(code) if code < 0x110000 else match[0]
    if control:
        return chr(ord(control) & 31)
    return _ANSI_LETTERS.get(letter) or (letter if letter in "\\'\"?" else match[0])


def _cut(
    value: list[_Part], operator: str, operand: list[_Part], otherwise: list[_Part]
) -> list[_Part]:
    """Return what ``${NAME%operand}`` and its likes leave of a value, if that can be known."""
    if len(value) > 1 or any(part.kind == _OPEN for part in (*value, *operand)):
        return otherwise
    pattern = "".join(part.text for part in operand)
    texts = [_trimmed(text, operator, pattern) for _, text in value]
    if None in texts:
        return otherwise
    return [part._replace(text=text) for part, text in zip(value, texts) if text]


def _trimmed(text: str, operator: str, pattern: str) -> str | None:
    """Return a value without its beginning (# and ##) or its end; ``None`` for a hard pattern."""
    at_start, longest = operator[0] == "#", len(operator) == 2
    if "*" not in pattern and not set("?[\\") & set(pattern):
        return text.removeprefix(pattern) if at_start else text.removesuffix(pattern)
    fixed = pattern[1:] if at_start else pattern[:-1]
    if not fixed or set("*?[\\") & set(fixed):
        return None
    if at_start:
        _, found, rest = text.rpartition(fixed) if longest else text.partition(fixed)
    else:
        rest, found, _ = text.partition(fixed) if longest else text.rpartition(fixed)
    return rest if found else text


# The reader


class _Work:
    """What all readers of a script share: what they found, and how much they may do."""

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.left = _LONGEST_TEXT * 4
        self.nesting = 0


class _Block:
    """A group or a keyword's, up to its end; ``branch`` counts those of if and case."""

    def __init__(self, kind: str, mark: tuple[int, bool], function: bool) -> None:
        self.kind = kind
        self.mark = mark
        self.function = function  # the body of one
        self.branch = 0
        self.assigned: dict[str, dict[int, _Variable]] = {}
        self.locals: dict[str, _Variable | None] = {}


class _Reader:
    """Reads one text: the script, or a string that is read as one."""

    def __init__(
        self,
        text: str,
        work: _Work,
        variables: _Variables,
        line: int = 1,
        user: str = "",
        depth: int = 0,
        quiet: bool = False,
    ) -> None:
        self._text = text.replace("\r\n", "\n").removesuffix("\r")
        self._position = 0
        self._work = work
        self._variables = variables
        self._line = line  # at _counted
        self._first_line = line
        self._counted = 0
        self._user = user
        self._depth = depth
        self._quiet = quiet  # what stands in $( ) was read already
        self._blocks: list[_Block] = []
        self._parentheses = 0  # open in _blocks
        self._functions: list[_Block] = []
        self._documents: list[tuple[str, bool]] = []
        self._function_follows = False

    def read(self) -> None:
        """Read all of it."""
        self._read_list(inside=False)

    # Where it stands

    @property
    def _next(self) -> str:
        return self._text[self._position : self._position + 1]

    def _take(self, form: re.Pattern[str]) -> re.Match[str] | None:
        match = form.match(self._text, self._position)
        if match:
            self._position = match.end()
        return match

    def _current_line(self) -> int:
        self._line += self._text.count("\n", self._counted, self._position)
        self._counted = max(self._counted, self._position)
        return self._line

    def _error(self, reason: str, position: int | None = None) -> ShellError:
        position = self._position if position is None else position
        line = self._first_line + self._text.count("\n", 0, position)
        return ShellError(f"line {line}: {reason}")

    def _spend(self, characters: int) -> None:
        """Bound what a short text can ask for: variables double each other."""
        self._work.left -= characters
        if self._work.left < 0:
            raise self._error("too long")

    @contextlib.contextmanager
    def _nested(self) -> Iterator[None]:
        self._work.nesting += 1
        if self._work.nesting > _DEEPEST_NESTING:
            raise self._error("nested too deeply")
        try:
            yield
        finally:
            self._work.nesting -= 1

    def _skip_blanks(self) -> None:
        self._take(_BLANKS)
        if self._next == "#":
            end = self._text.find("\n", self._position)
            self._position = len(self._text) if end < 0 else end

    def _skip_lines(self) -> None:
        self._skip_blanks()
        while self._next == "\n":
            self._newline()
            self._skip_blanks()

    def _newline(self) -> None:
        """Go on behind a line's end, and behind the here-documents that begin there."""
        self._position += 1
        documents, self._documents = self._documents, []
        for delimiter, tabs in documents:
            line = ""
            while self._position < len(self._text):
                end = self._text.find("\n", self._position)
                end = len(self._text) if end < 0 else end
                line = self._text[self._position : end]
                self._position = min(end + 1, len(self._text))
                if (line.lstrip("\t") if tabs else line) == delimiter:
                    break

    # Lists of commands, groups and keywords

    def _read_list(self, inside: bool) -> None:
        """Read up to the end of the text, or behind the parenthesis that ends it."""
        outer, self._blocks, self._parentheses = (self._blocks, self._parentheses), [], 0
        functions, self._functions = self._functions, []
        mark, start = self._variables.mark(), self._position
        while self._position < len(self._text) or inside:
            self._skip_blanks()
            if self._position >= len(self._text) and inside:
                raise self._error("parenthesis without its end", start - 1)
            if self._next == ")":
                self._position += 1
                if not self._close("(") and inside:
                    break
            elif self._next == "\n":
                self._newline()
            else:
                self._read_statement()
        if inside:
            self._variables.undo(mark)
        self._functions = functions
        self._blocks, self._parentheses = outer

    def _read_statement(self) -> None:
        function = self._take(_FUNCTION)
        if function:
            self._function_follows = True
        elif self._next == "(":
            self._read_parenthesis()
        elif not _REDIRECTION.match(self._text, self._position):
            separator = self._take(_SEPARATOR)
            if separator is None:
                self._read_command()
            elif len(separator[0]) > 1:
                self._next_clause()
        else:
            self._read_simple_command()

    def _read_parenthesis(self) -> None:
        if not self._take(_ARITHMETIC):
            self._position += 1
            self._open("(")

    def _read_command(self) -> None:
        keyword = self._take(_KEYWORD)
        if keyword is None:
            self._read_simple_command()
        elif keyword[0] in ("if", "{"):
            self._open(keyword[0])
        elif keyword[0] in ("fi", "}", "esac"):
            self._close({"fi": "if", "}": "{", "esac": "case"}[keyword[0]])
        elif keyword[0] in ("else", "elif"):
            self._next_branch()
        elif keyword[0] in ("for", "select"):
            self._read_for()
        elif keyword[0] == "case":
            self._read_case()
        elif keyword[0] == "[[":
            self._read_condition()

    def _open(self, kind: str) -> None:
        block = _Block(kind, self._variables.mark(), self._function_follows)
        if block.function:
            self._functions.append(block)
        self._function_follows = False
        self._parentheses += kind == "("
        self._blocks.append(block)

    def _close(self, kind: str) -> bool:
        """End the innermost block of a kind, if there is one, and what is open in it."""
        if kind == "(" and self._parentheses:
            while self._close_last() != "(":
                pass  # What isn't ended in the parentheses ends with them.
            return True
        if kind != "(" and self._blocks and self._blocks[-1].kind == kind:
            self._close_last()
            return True
        return False

    def _close_last(self) -> str:
        block = self._blocks.pop()
        if block.kind == "(":
            self._parentheses -= 1
            self._variables.undo(block.mark)
        if block.function:
            self._functions.pop()
        for name, variable in block.locals.items():
            self._variables.set(name, variable)
        for name, branches in block.assigned.items():
            values = list(branches.values())
            if any(variable.values != values[0].values for variable in values):
                # Which branch runs isn't known, so neither is the value.
                exported = values[-1].exported
                self._variables.set(name, _unknown(name)._replace(exported=exported))
            self._note_assignment(name)
        return block.kind

    def _next_branch(self) -> None:
        if self._blocks and self._blocks[-1].kind == "if":
            self._blocks[-1].branch += 1

    def _next_clause(self) -> None:
        if self._blocks and self._blocks[-1].kind == "case":
            self._blocks[-1].branch += 1
            self._skip_pattern()

    def _note_assignment(self, name: str) -> None:
        """Remember what a branch assigns, to compare it with what others do."""
        variable = self._variables.get(name)
        if variable and self._blocks and self._blocks[-1].kind in ("if", "case"):
            block = self._blocks[-1]
            block.assigned.setdefault(name, {})[block.branch] = variable

    def _read_for(self) -> None:
        self._skip_blanks()
        name = self._take(_NAME)
        if name is None:
            self._take(_ARITHMETIC)
            return
        self._forget(name[0])
        self._skip_lines()
        if self._text.startswith("in", self._position):
            while not self._at_end_of_command():
                self._parts_of_word()
                self._skip_blanks()

    def _at_end_of_command(self) -> bool:
        if self._next in ("<", ">"):
            return _REDIRECTION.match(self._text, self._position) is not None
        return self._next in ("", "\n", ";", "&", "|", "(", ")")

    def _read_case(self) -> None:
        self._skip_blanks()
        if not self._at_end_of_command():
            self._parts_of_word()
        self._skip_lines()
        if self._text.startswith("in", self._position):
            self._position += 2
            self._open("case")
            self._skip_pattern()

    def _skip_pattern(self) -> None:
        """Go behind ``pattern | pattern)``; stop at ``esac``."""
        self._skip_lines()
        keyword = _KEYWORD.match(self._text, self._position)
        if keyword and keyword[0] == "esac":
            return
        if self._next == "(":
            self._position += 1
        while self._next not in ("", "\n", ")"):
            if self._next in ("|", ";", "&", "(") or _REDIRECTION.match(self._text, self._position):
                self._position += 1
            else:
                self._parts_of_word()
            self._skip_blanks()
        self._position += self._next == ")"

    def _read_condition(self) -> None:
        """Go behind ``[[ ... ]]``, in which <, > and parentheses are something else."""
        start = self._position
        self._skip_lines()
        while not self._text.startswith("]]", self._position):
            if not self._next:
                raise self._error("[[ without its end", start)
            if self._next in ("<", ">", "(", ")", "&", "|", ";"):
                self._position += 1
            else:
                self._parts_of_word()
            self._skip_lines()
        self._position += 2

    # Simple commands

    def _read_simple_command(self) -> None:
        words: list[_Word] = []
        assigned: dict[str, _Variable] = {}
        mark = self._variables.mark()
        line = self._current_line()
        while True:
            self._skip_blanks()
            if self._skip_redirection():
                continue
            if self._at_end_of_command():
                break
            if words and words[0].text in _DECLARATIONS:
                self._read_declared(words)
            elif not words and _ASSIGNMENT.match(self._text, self._position):
                name, variable = self._take_assignment()
                self._variables.set(name, variable)
                assigned[name] = variable
            else:
                if not words:
                    self._variables.undo(mark)  # VAR=x echo $VAR prints what VAR was before.
                words += self._take_words()
        if words:
            self._run(words, assigned, line)
        else:
            for name, variable in assigned.items():
                self._assign(name, variable)

    def _take_words(self) -> list[_Word]:
        line = self._current_line()
        return _words_of(self._parts_of_word(), line)

    def _skip_redirection(self) -> bool:
        operator = self._take(_REDIRECTION)
        if operator is None:
            return False
        self._take(_BLANKS)
        if operator["document"]:
            delimiter = self._take(_DELIMITER)
            if delimiter:
                unquoted = re.sub(r"\\(.)|['\"]", r"\1", delimiter[0], flags=re.S)
                self._documents.append((unquoted, operator["document"] == "<<-"))
        elif not self._at_end_of_command():
            self._parts_of_word()
        return True

    # Variables

    def _assign(self, name: str, variable: _Variable) -> None:
        self._variables.set(name, variable)
        self._note_assignment(name)

    def _forget(self, name: str) -> None:
        """A variable gets a value that can't be known."""
        old = self._variables.get(name)
        exported = self._variables.all_exported or (old is not None and old.exported)
        self._assign(name, _unknown(name)._replace(exported=exported))

    def _take_assignment(self) -> tuple[str, _Variable]:
        """Read ``NAME=value``, ``NAME=(values)``, ``NAME[0]=value`` or one of these with +=."""
        match = self._take(_ASSIGNMENT)
        assert match is not None
        name, subscript, plus = match.groups()
        old = self._variables.get(name) or _Variable(None)
        exported = old.exported or self._variables.all_exported
        if self._next == "(" and subscript is None:
            values = self._take_array(name)
            if plus:
                values = (*self._values_before(name, old), *values)
            return name, _Variable(values, exported, array=True)
        value = _value_of(self._parts_of_word())
        if subscript is not None:
            return name, self._with_element(name, old, subscript, value)
        if plus:
            before = self._values_before(name, old)
            joined = (*(before[0] if before else ()), *value)
            return name, _Variable((joined, *before[1:]), exported, old.array)
        return name, _Variable((value,), exported, old.array)

    def _values_before(self, name: str, old: _Variable) -> tuple[_Value, ...]:
        values = old.values
        if values is None:
            # Nobody sets up an array outside, and what a script's own variables begin with is "".
            return ((_Segment(f"${name}", known=False),),) if name in _ALWAYS_SET else ()
        self._spend_values(values)
        return values

    def _spend_values(self, values: Iterable[_Value]) -> None:
        self._spend(sum(1 + sum(len(text) for text, _ in value) for value in values))

    def _with_element(self, name: str, old: _Variable, subscript: str, value: _Value) -> _Variable:
        values = self._values_before(name, old)
        index = int(subscript) if re.fullmatch("[0-9]{1,6}", subscript) else len(values) + 1
        if index > len(values):
            return _unknown(name)._replace(array=True)
        return _Variable((*values[:index], value, *values[index + 1 :]), old.exported, array=True)

    def _take_array(self, name: str) -> tuple[_Value, ...]:
        start = self._position
        self._position += 1
        values: list[_Value] = []
        keyed = False
        self._skip_lines()
        while self._next != ")":
            if not self._next:
                raise self._error("array without its end", start)
            if self._at_end_of_command():
                self._position += 1
            else:
                keyed = keyed or self._next == "["
                values += (_value_of_word(word, word.text) for word in self._take_words())
            self._skip_lines()
        self._position += 1
        return _unknown(name).values or () if keyed else tuple(values)

    def _read_declared(self, words: list[_Word]) -> None:
        """Read the next word of export, declare, local ..."""
        if _ASSIGNMENT.match(self._text, self._position):
            name, variable = self._take_assignment()
            self._declare(words, name, variable)
            return
        for word in self._take_words():
            assignment = _ASSIGNMENT.match(word.text)
            if assignment and not assignment[2] and not assignment[3]:
                value = _value_of_word(word, word.text[assignment.end() :])
                self._declare(words, assignment[1], _Variable((value,)))
            elif _NAME.fullmatch(word.text):
                self._declare(words, word.text, None)
            elif word.text[:1] in ("-", "+") and len(words) < 10:
                words.append(word)

    def _declare(self, words: list[_Word], name: str, variable: _Variable | None) -> None:
        command = words[0].text
        options = "".join(word.text for word in words[1:])
        if "f" in options or "F" in options:
            return
        old = self._variables.get(name)
        if self._functions and command in ("local", "declare", "typeset") and "g" not in options:
            self._functions[-1].locals.setdefault(name, old)
            old = _Variable((), exported=bool(old and old.exported))
        exported = bool(old and old.exported) or self._variables.all_exported
        if command == "export":
            exported = "n" not in options
        elif "x" in options:
            exported = "+x" not in options
        variable = variable or old or _Variable(None)
        if "A" in options or ("n" in options and command != "export"):
            variable = _unknown(name)
        self._assign(name, variable._replace(exported=exported))

    # The pieces of words

    def _parts_of_word(self) -> list[_Part]:
        parts: list[_Part] = []
        tilde = self._take(_TILDE)
        if tilde:
            parts.append(self._home(tilde))
        return parts + self._parts(_PLAIN, _KEPT)

    def _home(self, tilde: re.Match[str]) -> _Part:
        home = None if tilde[1] else self._variables.get("HOME")
        text = _known_text(home.values[0]) if home and home.values else None
        if text is None:
            return _Part(_OPEN, tilde[0])
        self._spend(len(text))
        return _Part(_KEPT, text)

    def _parts(self, plain: re.Pattern[str], kind: str) -> list[_Part]:
        """Read pieces up to a character that is neither plain nor begins one."""
        quoted = plain in (_PLAIN_IN_QUOTES, _PLAIN_IN_QUOTED_BRACES)
        parts: list[_Part] = []
        while True:
            run = self._take(plain)
            if run:
                parts.append(_Part(kind, run[0]))
            elif self._next == "$":
                parts += self._dollar(quoted)
            elif self._next == "\\":
                parts += self._backslash(quoted)
            elif self._next == "`":
                parts.append(self._backticks(quoted))
            elif self._next == "'" and not quoted:
                parts.append(self._single_quoted())
            elif self._next == '"' and plain is not _PLAIN_IN_QUOTES:
                parts += self._double_quoted()
            elif plain is _PLAIN and self._text.startswith(("<(", ">("), self._position):
                parts.append(self._substitution(2))
            else:
                return parts

    def _backslash(self, quoted: bool) -> list[_Part]:
        following = self._text[self._position + 1 : self._position + 2]
        self._position += 1 + len(following)
        if following == "\n":
            return []
        special = not quoted or following in ("$", "`", '"', "\\", "}")
        return [_Part(_KEPT, following if special and following else f"\\{following}")]

    def _single_quoted(self) -> _Part:
        start = self._position
        end = self._text.find("'", start + 1)
        if end < 0:
            raise self._error("quote without its end")
        self._position = end + 1
        return _Part(_KEPT, self._text[start + 1 : end])

    def _double_quoted(self) -> list[_Part]:
        start = self._position
        self._position += 1
        with self._nested():
            parts = self._parts(_PLAIN_IN_QUOTES, _KEPT)
        if self._next != '"':
            raise self._error("quote without its end", start)
        self._position += 1
        # "$EMPTY" is a word, "${EMPTY[@]}" is none.
        no_word = not parts and "[@]" in self._text[start : self._position]
        return parts if parts or no_word else [_Part(_KEPT)]

    def _backticks(self, quoted: bool) -> _Part:
        line = self._current_line()
        match = self._take(_BACKTICKS)
        if match is None:
            raise self._error("` without its end")
        escaped = r"\\([$`\\\"])" if quoted else r"\\([$`\\])"
        self._read_string(re.sub(escaped, r"\1", match[1]), line)
        return _Part(_OPEN, match[0])

    def _read_string(self, text: str, line: int) -> None:
        """Read the commands of a subshell whose text isn't as it is in this one's."""
        mark = self._variables.mark()
        with self._nested():
            _Reader(
                text, self._work, self._variables, line, self._user, self._depth, self._quiet
            ).read()
        self._variables.undo(mark)

    def _substitution(self, opening: int) -> _Part:
        """Read $( ), <( ) or >( ) and the commands in it."""
        start = self._position
        self._position += opening
        with self._nested():
            self._read_list(inside=True)
        return _Part(_OPEN, self._text[start : self._position])

    def _dollar(self, quoted: bool) -> list[_Part]:
        start = self._position
        parameter = self._take(_PARAMETER)
        if parameter:
            return self._value(parameter[1], None, parameter[0], quoted)
        following = self._text[start + 1 : start + 2]
        if following == "{":
            with self._nested():
                return self._braces(quoted)
        if following == "(":
            return [self._arithmetic() or self._substitution(2)]
        if following == "'" and not quoted:
            text = self._take(_ANSI_QUOTED)
            if text is None:
                raise self._error("quote without its end")
            return [_Part(_KEPT, _decoded(text[1]))]
        self._position += 1
        # $"text" is to be translated.
        return [] if following == '"' and not quoted else [_Part(_KEPT, "$")]

    def _arithmetic(self) -> _Part | None:
        start = self._position
        match = _ARITHMETIC.match(self._text, start + 1)
        if match is None:
            return None
        self._position = match.end()
        return _Part(_OPEN, self._text[start : self._position])

    def _braces(self, quoted: bool) -> list[_Part]:
        start = self._position
        head = self._take(_BRACED)
        assert head is not None
        operator = self._take(_OPERATOR) if self._next != "}" else None
        rest = self._position
        inside = _PLAIN_IN_QUOTED_BRACES if quoted else _PLAIN_IN_BRACES
        operand = self._parts(inside, _KEPT if quoted else _SPLIT)
        if self._next != "}":
            raise self._error("${ without its end", start)
        strange = head[1] or not head[2] or (operator is None and self._position > rest)
        self._position += 1
        raw = self._text[start : self._position]
        if strange:
            return [_Part(_OPEN, raw)]
        value = self._value(head[2], head[3], raw, quoted)
        if operator is None:
            return value
        return self._operated(head[2], value, operator[0], operand, raw)

    def _value(self, name: str, subscript: str | None, raw: str, quoted: bool) -> list[_Part]:
        """Return what a variable is replaced by."""
        variable = self._variables.get(name)
        if variable is None or variable.values is None:
            return [_Part(_OPEN, raw)]
        values = variable.values
        if subscript is None:
            values = values[:1]
        elif re.fullmatch("[0-9]{1,6}", subscript):
            values = values[int(subscript) : int(subscript) + 1]
        elif subscript not in ("@", "*"):
            return [_Part(_OPEN, raw)]
        self._spend_values(values)
        kind = _KEPT if quoted else _SPLIT
        between = _Part(_KEPT, " ") if quoted and subscript == "*" else _Part(_BREAK)
        parts: list[_Part] = []
        for count, value in enumerate(values):
            parts += [between] if count else []
            parts += [_Part(kind if known else _OPEN, text) for text, known in value]
            parts += [_Part(_KEPT)] if quoted and subscript and not value else []
        return parts

    def _operated(
        self, name: str, value: list[_Part], operator: str, operand: list[_Part], raw: str
    ) -> list[_Part]:
        """Return what ``${NAME:-operand}`` is replaced by, and other operators' likes."""
        variable = self._variables.get(name)
        unknown = variable is None or variable.values is None
        opened = [_Part(_OPEN, raw)]
        if unknown and (name in _ALWAYS_SET or not _NAME.fullmatch(name)):
            return opened
        if operator[0] in "#%":
            return _cut(value, operator, operand, opened)
        text = any(part.text for part in value if part.kind != _OPEN)
        if not unknown and not text and any(part.kind == _OPEN for part in value):
            return opened
        usable = not unknown and (
            text or (operator[0] != ":" and bool(variable and variable.values))
        )
        if operator[-1] == "+":
            return operand if usable else []
        if usable:
            return value
        if operator[-1] == "=":
            exported = bool(variable and variable.exported) or self._variables.all_exported
            self._assign(name, _Variable((_value_of(operand),), exported))
        return opened if operator[-1] == "?" else operand

    # What runs

    def _run(self, words: list[_Word], assigned: Mapping[str, _Variable], line: int) -> None:
        if words[0].text in _DECLARATIONS:
            return
        self._note_builtin([word.text for word in words])
        start = _Start(words, assigned, self._user)
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
        if not self._read_script(command, list(start.words)) and not self._quiet:
            self._work.commands.append(command)

    def _note_builtin(self, words: list[str]) -> None:
        """Do what a builtin does to variables."""
        if words[0] == "set":
            self._set(words[1:])
        elif words[0] == "unset":
            for name in filter(_NAME.fullmatch, words[1:]):
                self._assign(name, _Variable(()))
        else:
            for name in filter(_NAME.fullmatch, _filled(words)):
                self._forget(name)

    def _set(self, options: list[str]) -> None:
        for option, following in zip(options, [*options[1:], ""]):
            if option == "--":
                return
            if re.match("[-+][a-z]*a", option) or (option[1:] == "o" and following == "allexport"):
                self._variables.all_exported = option[0] == "-"

    def _read_script(self, command: Command, words: list[_Word]) -> bool:
        """Read the string of eval or ``sh -c``; tell whether there was one that can be read."""
        in_this_shell = words[0].text == "eval"
        script = _joined_words(words[1:]) if in_this_shell else _string_of_shell(words)
        if script is None or self._depth >= _DEEPEST_STRINGS:
            return False
        count = len(self._work.commands)
        variables = self._variables
        self._spend(len(script.text))
        if not in_this_shell:
            self._spend(10 * variables.count())
            variables = _Variables(command.environment)
        read_already = any(piece.startswith(("$(", "`")) for piece in script.pieces)
        reader = _Reader(
            script.text,
            self._work,
            variables,
            script.line,
            command.user,
            self._depth + 1,
            self._quiet or read_already,
        )
        try:
            with self._nested():
                reader.read()
        except ShellError:
            del self._work.commands[count:]
            return False
        return True


def _filled(words: list[str]) -> list[str]:
    """Return the variables that a builtin fills with what can't be known."""
    if words[0] == "read":
        return words[1:]  # Its options' values are hardly names that matter.
    if words[0] in ("mapfile", "readarray"):
        return words[-1:]
    if words[0] == "getopts":
        return [*words[2:3], "OPTARG", "OPTIND"]
    if words[:2] == ["printf", "-v"]:
        return words[2:3]
    return []


def _joined_words(words: list[_Word]) -> _Word | None:
    if not words:
        return None
    pieces = tuple(piece for word in words for piece in word.pieces)
    return _Word(" ".join(word.text for word in words), words[0].line, pieces)


def _string_of_shell(words: list[_Word]) -> _Word | None:
    """Return what ``sh -c`` reads, if this is that."""
    if _program(words[0]) not in _SHELLS:
        return None
    rest = deque(words[1:])
    given = False
    while rest and re.match("[-+].", rest[0].text):
        option = rest.popleft().text
        if option == "--":
            break
        letters = "" if option.startswith("--") else option[1:]
        given = given or ("c" in letters and option[0] == "-")
        has_value = option in ("--rcfile", "--init-file") or not {"o", "O"}.isdisjoint(letters)
        if has_value and rest:
            rest.popleft()
    return rest[0] if given and rest else None


# What only starts another program


class _Wrapper(NamedTuple):
    """The command line of a program that starts another, which follows its own arguments."""

    shorts: str = ""  # its short options with a value
    longs: str = ""  # its long ones; those with = need not be known
    operands: int = 0
    user: tuple[str, ...] = ()  # the options whose value is whom it runs as
    root: bool = False  # whom it runs as otherwise, and that it changes HOME
    fresh: tuple[str, ...] = ()  # the options with which nothing is inherited
    keeps: tuple[str, ...] | None = None  # those without which nothing is, or only what they name
    assignments: bool = False  # VAR=value may stand before the program


_WRAPPERS = {
    "nice": _Wrapper("n", "--adjustment"),
    "ionice": _Wrapper("cnpPu", "--class --classdata --pid --pgid --uid"),
    "chronic": _Wrapper(),
    "flock": _Wrapper("wE", "--wait --timeout --conflict-exit-code", 1),
    "timeout": _Wrapper("ks", "--kill-after --signal", 1),
    "sudo": _Wrapper(
        "ugUhpCrtTRD",
        "--user --group --other-user --host --prompt --close-from --role --type --command-timeout"
        " --chroot --chdir",
        user=("-u", "--user"), root=True, fresh=("-i", "--login"), assignments=True,
        keeps=("-E", "--preserve-env"),
    ),
    "doas": _Wrapper("uC", user=("-u",), root=True, keeps=()),
    "runuser": _Wrapper("ugG", "--user --group --supp-group", user=("-u", "--user"), root=True),
    "setpriv": _Wrapper(
        "",
        "--reuid --regid --ruid --rgid --euid --egid --groups --inh-caps --ambient-caps"
        " --bounding-set --securebits --pdeathsig --selinux-label --apparmor-profile",
        user=("--reuid",), fresh=("--reset-env",),
    ),
    "systemd-inhibit": _Wrapper("", "--what --who --why --mode"),
    "systemd-run": _Wrapper(
        "HMupE",
        "--host --machine --unit --property --description --slice --service-type --uid --gid"
        " --nice --working-directory --setenv --on-active --on-boot --on-startup --on-unit-active"
        " --on-unit-inactive --on-calendar --timer-property --path-property --socket-property",
        user=("--uid",), keeps=("--scope",),
    ),
    "caffeinate": _Wrapper("tw"),
    "stdbuf": _Wrapper("ioe", "--input --output --error"),
    "nohup": _Wrapper(),
    "setsid": _Wrapper(),
    "exec": _Wrapper("a"),
    "command": _Wrapper(),
    "builtin": _Wrapper(),
    "time": _Wrapper("fo", "--format --output"),
    "env": _Wrapper(
        "uC", "--unset --chdir", fresh=("-i", "--ignore-environment"), assignments=True
    ),
    "chrt": _Wrapper("TPD", "--sched-runtime --sched-period --sched-deadline", 1),
    "taskset": _Wrapper(operands=1),
    "cpulimit": _Wrapper("lpePm", "--limit --pid --exe --path --monitor-forks"),
    "trickle": _Wrapper("udwtlLnN"),
    "xvfb-run": _Wrapper(
        "nefspw",
        "--server-num --error-file --auth-file --server-args --xauth-protocol --wait",
    ),
    "cronlock": _Wrapper(),
    "lckdo": _Wrapper("WE", operands=1),
    "run-one": _Wrapper(),
    "with-lock-ex": _Wrapper(operands=1),
    "choom": _Wrapper("np", "--adjust --pid"),
    "proxychains": _Wrapper("f"),
    "proxychains4": _Wrapper("f"),
    "logsave": _Wrapper(operands=1),
    "eatmydata": _Wrapper(),
    "nocache": _Wrapper("n"),
}  # fmt: skip
_SU_SHORTS = "csgGw"  # as runuser -l has them
_SU_LONGS = ["--command", "--session-command", "--shell", "--group", "--supp-group"]


class _Start:
    """How a command is started: what is left of it is the program that matters."""

    def __init__(self, words: list[_Word], assigned: Mapping[str, _Variable], user: str) -> None:
        self.words = deque(words)
        self.user = user
        self._fresh = False
        self._kept: list[str] = []  # nevertheless
        self._changes: dict[str, str | None] = {
            name: _exported_text(variable._replace(exported=True))
            for name, variable in assigned.items()
        }

    def environment(self, variables: _Variables) -> Mapping[str, str]:
        """Return what the program gets."""
        if not self._fresh:
            return variables.environment(self._changes)
        given = variables.environment({})
        kept = {name: given[name] for name in self._kept if name in given}
        return _Environment({}, 0, {**kept, **self._changes})

    def take_wrappers(self) -> None:
        """Take off what only starts the program."""
        taken = True
        while taken and self.words:
            program = _program(self.words[0])
            following = self.words[1].text if len(self.words) > 1 else ""
            if program == "su" or (program == "runuser" and not _names_user(following)):
                taken = self._take_su()
            elif program == "command" and re.match("-[pvV]*[vV]", following):
                taken = False  # It only looks for the program.
            else:
                taken = self._take_wrapper(program)

    def _take_wrapper(self, program: str) -> bool:
        wrapper = _WRAPPERS.get(program)
        if wrapper is None:
            return False
        self.words.popleft()
        user = self._take_options(program, wrapper) or ("root" if wrapper.root else "")
        if user:
            self._become(user, changes_home=wrapper.root)
        if wrapper.assignments:
            self._take_assignments()
        for _ in range(wrapper.operands):
            if self.words:
                self.words.popleft()
        self._take_string_of_flock(program)
        return True

    def _take_options(self, program: str, wrapper: _Wrapper) -> str:
        """Take its options, and leave behind of the environment what it does; return its user."""
        user = ""
        keeps = wrapper.keeps is None
        given: dict[str, str | None] = {}
        for name, value in _options(self.words, wrapper.shorts, wrapper.longs.split()):
            if name in wrapper.user and value:
                user = value.text
            elif name in wrapper.fresh:
                self._start_afresh()
            elif name in (wrapper.keeps or ()):
                keeps = keeps or value is None
                self._kept += value.text.split(",") if value else []
            elif value:
                given.update(_set_by(program, name, value))
        if not keeps:
            self._start_afresh({n: t for n, t in self._changes.items() if n in self._kept})
        self._changes.update(given)
        return user

    def _start_afresh(self, changes: Mapping[str, str | None] = {}) -> None:
        self._fresh = True
        self._changes = dict(changes)

    def _become(self, user: str, changes_home: bool) -> None:
        self.user = user
        if changes_home:
            self._changes.update(dict.fromkeys(_OF_THE_USER))

    def _take_assignments(self) -> None:
        if self.words and self.words[0].text == "-":  # env -
            self._start_afresh()
            self.words.popleft()
        while self.words:
            match = re.match(r"([A-Za-z_]\w*)=(.*)", self.words[0].text, re.S | re.A)
            if match is None:
                return
            known = not self.words.popleft().pieces
            self._changes[match[1]] = match[2] if known else None

    def _take_string_of_flock(self, program: str) -> None:
        if program == "flock" and self.words and self.words[0].text in ("-c", "--command"):
            self.words.appendleft(_Word("sh", self.words[0].line))
            self.words[1] = self.words[1]._replace(text="-c")

    def _take_su(self) -> bool:
        rest = deque(list(self.words)[1:])
        script = None
        login = False
        operands: list[_Word] = []
        while rest:
            for name, value in _options(rest, _SU_SHORTS, _SU_LONGS):
                if name in ("-c", "--command", "--session-command"):
                    script = value
                login = login or name in ("-l", "--login")
            if rest:
                operands.append(rest.popleft())
        if script is None:
            return False
        login = login or any(word.text == "-" for word in operands)
        users = [word.text for word in operands if word.text != "-"]
        if login:
            self._start_afresh()
        self._become(users[0] if users else "root", changes_home=True)
        self.words = deque([_Word("sh", script.line), _Word("-c", script.line), script])
        return True


def _set_by(program: str, option: str, value: _Word) -> dict[str, str | None]:
    """The variables that an option of env or systemd-run sets, or unsets."""
    if program == "env" and option in ("-u", "--unset"):
        return {value.text: None}
    if program == "systemd-run" and option in ("-E", "--setenv"):
        variable, _, text = value.text.partition("=")
        return {variable: None if value.pieces else text}
    return {}


def _program(word: _Word) -> str:
    return word.text.rpartition("/")[2]


def _names_user(option: str) -> bool:
    return re.match("-u|--user", option) is not None


def _options(
    words: deque[_Word], shorts: str, longs: list[str]
) -> Iterator[tuple[str, _Word | None]]:
    """Take the options in front and yield them, those with a value with it."""
    while words and re.match("-.", words[0].text, re.S):
        word = words.popleft()
        if word.text == "--":
            return
        if word.text.startswith("--"):
            name, equals, value = word.text.partition("=")
            if equals:
                yield name, word._replace(text=value)
            else:
                yield name, words.popleft() if name in longs and words else None
        else:
            yield from _letters(word, words, shorts)


def _letters(word: _Word, words: deque[_Word], shorts: str) -> Iterator[tuple[str, _Word | None]]:
    """Yield the options of a word like -iu."""
    for position, letter in enumerate(word.text[1:], 2):
        if letter in shorts:
            rest = word.text[position:]
            value = word._replace(text=rest) if rest else words.popleft() if words else None
            yield f"-{letter}", value
            return
        yield f"-{letter}", None


def read_variables(text: str, variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return what lines of ``NAME=value`` set, exported or not. Raises `ShellError`."""
    commands = read_commands(f"set -a; {text}\n:", variables)
    if not commands or commands[-1].words != (":",):
        raise ShellError("line 1: not to be understood as variables")
    return dict(commands[-1].environment)
