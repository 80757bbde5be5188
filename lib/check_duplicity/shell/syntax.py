"""What a script is made of, once it is parsed: pieces of words, and statements."""

from __future__ import annotations

from collections.abc import Sequence

from check_duplicity.values import NamedTuple

# Pieces of words. ``raw`` is how one is written, ``quoted`` whether that is in double quotes.


class Literal(NamedTuple):
    """Text; ``quoted`` is also what stands in single quotes or behind a backslash."""

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
    """What is replaced by something that can't be known."""

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
    """Where something goes: ``>``, ``>>``, ``2>&1`` ... and a word."""

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
    """Conditions, each with what follows it; ``otherwise`` is behind ``else``."""

    branches: tuple[tuple[Block, Block], ...]
    otherwise: Block


class Loop(NamedTuple):
    """``while``, and ``until``, for which the condition is turned round."""

    condition: Block
    body: Block
    until: bool


class For(NamedTuple):
    """``for NAME in WORDS``; ``words`` are ``None`` for the arguments.

    ``name`` is empty for ``for ((...))``; ``asks`` is for ``select``.
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
    """``[[ ]]``: words, and operators between them that aren't quoted."""

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
    """Statements of which each reads what the one before prints."""

    statements: tuple[Statement, ...]
    negated: bool


class AndOr(NamedTuple):
    """Pipelines, each behind ``&&`` or ``||``; the first behind nothing."""

    pipelines: tuple[tuple[str, Pipeline], ...]
    background: bool


Block = Sequence[AndOr]
