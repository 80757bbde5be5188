"""Model a parsed script: pieces of words, and statements."""

from __future__ import annotations

from collections.abc import Sequence

from check_duplicity.values import NamedTuple

# Pieces of words. ``raw`` is the piece as written, ``quoted`` whether it is in double quotes.


class Literal(NamedTuple):
    """Text; it is ``quoted`` in single quotes and after a backslash, too."""

    text: str
    quoted: bool


class Parameter(NamedTuple):
    """``$NAME`` and ``${NAME[subscript]operator...}``.

    ``prefix`` is ``#`` or ``!`` in front of the name. There are two operands for ``/`` and ``:``.
    """

    name: str
    raw: str
    quoted: bool
    subscript: str | None = None
    prefix: str = ""
    operator: str = ""
    operands: tuple[Pieces, ...] = ()


class Substitution(NamedTuple):
    """``$( )`` and backticks; ``<( )`` and ``>( )`` are replaced by a ``path``."""

    body: Block
    raw: str
    quoted: bool
    path: bool = False


class Arithmetic(NamedTuple):
    """``$(( ))``."""

    inside: str
    raw: str


class Home(NamedTuple):
    """``~``, or ``~user``."""

    user: str
    raw: str


class Strange(NamedTuple):
    """An expansion whose value can't be known."""

    raw: str


Piece = object  # one of these
Pieces = tuple[Piece, ...]


class WrittenWord(NamedTuple):
    """A word, and the line where it begins."""

    pieces: Pieces
    line: int


class Assignment(NamedTuple):
    """``NAME=value``, ``NAME[subscript]+=value`` or ``NAME=(elements)``."""

    name: str
    subscript: str | None
    plus: bool
    value: Pieces
    elements: tuple[WrittenWord, ...] | None = None
    keyed: bool = False  # ([key]=value)


class Redirection(NamedTuple):
    """A redirection (``>``, ``>>``, ``2>&1`` ...) and its target."""

    descriptor: str
    operator: str
    target: Pieces


AND_ERRORS = Redirection("2", ">&", (Literal("1", quoted=False),))  # as in ``|&``


# Statements.


class Simple(NamedTuple):
    """A simple command, or only assignments."""

    assignments: tuple[Assignment, ...]
    words: tuple[WrittenWord | Assignment, ...]
    redirections: tuple[Redirection, ...]
    line: int


class Function(NamedTuple):
    """The definition of a function."""

    name: str
    body: Statement


class Group(NamedTuple):
    """``{ }``, or ``( )``, which is a subshell."""

    body: Block
    subshell: bool


class If(NamedTuple):
    """Conditions, each with its body; ``otherwise`` is the body of ``else``."""

    branches: tuple[tuple[Block, Block], ...]
    otherwise: Block


class Loop(NamedTuple):
    """``while``, or ``until``, which negates the condition."""

    condition: Block
    body: Block
    until: bool


class For(NamedTuple):
    """``for NAME in WORDS``; ``words`` are ``None`` for the arguments.

    ``name`` is empty for ``for ((...))``; ``asks`` marks ``select``.
    """

    name: str
    words: tuple[WrittenWord, ...] | None
    body: Block
    asks: bool = False


class Clause(NamedTuple):
    """A clause of ``case``, and what ends it: ``;;``, ``;&`` or ``;;&``."""

    patterns: tuple[Pieces, ...]
    body: Block
    ending: str


class Case(NamedTuple):
    """``case``."""

    subject: Pieces
    clauses: tuple[Clause, ...]


class Condition(NamedTuple):
    """``[[ ]]``: words, and the unquoted operators between them."""

    words: tuple[WrittenWord | str, ...]


class Calculation(NamedTuple):
    """``(( ))``."""

    inside: str


class Redirected(NamedTuple):
    """A statement that isn't a simple command, with redirections."""

    statement: Statement
    redirections: tuple[Redirection, ...]


Statement = object  # one of these


class Pipeline(NamedTuple):
    """Statements, each of which reads the output of the one before."""

    statements: tuple[Statement, ...]
    negated: bool


class AndOr(NamedTuple):
    """Pipelines, each with the ``&&`` or ``||`` in front of it; the first has none."""

    pipelines: tuple[tuple[str, Pipeline], ...]
    background: bool


Block = Sequence[AndOr]
