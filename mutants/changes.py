"""The changes that a mutant can have: cosmic-ray's operators, and two of ours.

Left out is what only readers and type checkers see: annotations, ``frozen=True``, assertions; and
caches, which save time only.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Operator
from cosmic_ray.operators.provider import OperatorProvider
from parso.python.tree import Name, String
from parso.tree import NodeOrLeaf

# One change for each sign that turns its meaning round, or moves a limit by one.
CHOSEN = (
    *(f"ReplaceComparisonOperator_{pair}" for pair in ("Lt_LtE", "LtE_Lt", "Gt_GtE", "GtE_Gt")),
    *(f"ReplaceComparisonOperator_{pair}" for pair in ("Eq_NotEq", "NotEq_Eq")),
    *(f"ReplaceComparisonOperator_{pair}" for pair in ("Is_IsNot", "IsNot_Is")),
    *(f"ReplaceBinaryOperator_{pair}" for pair in ("Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul")),
    *(f"ReplaceBinaryOperator_{pair}" for pair in ("FloorDiv_Mul", "BitOr_BitAnd", "BitAnd_BitOr")),
    "ReplaceUnaryOperator_Delete_Not",
    "ReplaceUnaryOperator_USub_UAdd",
    "AddNot",
    "ReplaceTrueWithFalse",
    "ReplaceFalseWithTrue",
    "ReplaceAndWithOr",
    "ReplaceOrWithAnd",
    "ReplaceBreakWithContinue",
    "ReplaceContinueWithBreak",
    "ExceptionReplacer",
    "NumberReplacer",
    "RemoveDecorator",
    "ZeroIterationForLoop",
)
_REMOVED = ("expr_stmt", "return_stmt", "raise_stmt", "atom_expr")
Position = tuple[tuple[int, int], tuple[int, int]]


class Place(NamedTuple):
    """Where a file can be changed, and how; ``occurrence`` is the operator's count in the file."""

    file: str
    position: Position
    operator: str
    occurrence: int


class Mutant(NamedTuple):
    """A file with one change; ``before`` and ``after`` are the lines that it changes, joined."""

    file: str
    line: int
    before: str
    after: str
    code: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}\n    {self.before}\n -> {self.after or '(nothing)'}"


class RemoveStatement(Operator):
    """An operator that puts ``pass`` instead of a statement in a function."""

    def mutation_positions(self, node: NodeOrLeaf) -> Iterator[Position]:
        """Yield the position of a call, an assignment, a return with a value or a raise."""
        if node.type == "simple_stmt" and _within(node, "funcdef"):
            statement = node.children[0]
            if statement.type in _REMOVED and not _returns_at_the_end(statement):
                yield statement.start_pos, statement.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        """Return the statement's node with ``pass`` in it."""
        first = node.get_first_leaf()
        node.children[0] = Name("pass", first.start_pos, first.prefix)
        return node

    @classmethod
    def examples(cls) -> tuple[()]:
        """Return none: tests/mutants has them."""
        return ()


class RemoveAlternative(Operator):
    """An operator that takes one alternative out of a regular expression, in any raw string."""

    def mutation_positions(self, node: NodeOrLeaf) -> Iterator[Position]:
        """Yield the string's position once for each alternative that it has."""
        for _ in _without_alternatives(node):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        """Return the string without one of its alternatives."""
        node.value = list(_without_alternatives(node))[index]
        return node

    @classmethod
    def examples(cls) -> tuple[()]:
        """Return none: tests/mutants has them."""
        return ()


OPERATORS = {name: OperatorProvider()[name] for name in CHOSEN} | {
    "RemoveStatement": RemoveStatement,
    "RemoveAlternative": RemoveAlternative,
}


def places(file: str, source: str) -> list[Place]:
    """Return each change that a file can have."""
    ignored = list(_for_readers_only(source))
    found = []
    nodes = list(ast_nodes(get_ast(source)))
    for name, kind in OPERATORS.items():
        operator = kind()
        positions = [
            (position, node) for node in nodes for position in operator.mutation_positions(node)
        ]
        for occurrence, (position, node) in enumerate(positions):
            begin, end = position
            if node.parent is not None and node.parent.type == "parameters":
                continue  # the star before what is given by name only
            if not any(first <= begin and end <= last for first, last in ignored):
                found.append(Place(file, position, name, occurrence))
    return found


def mutant(place: Place, source: str) -> Mutant | None:
    """Make a change; return nothing if Python refuses it, or sees no difference."""
    try:
        code = mutate_code(source, OPERATORS[place.operator](), place.occurrence)
    except AttributeError:  # cosmic-ray 8.7 can't replace a name with a dot: (psutil.Error, ...).
        return None
    try:
        if ast.dump(ast.parse(code)) == ast.dump(ast.parse(source)):
            return None
    except SyntaxError:
        return None
    old, new = source.splitlines(), code.splitlines()
    changed = [
        row
        for row in difflib.SequenceMatcher(None, old, new, False).get_opcodes()
        if row[0] != "equal"
    ]
    (_, first, _, begin, _), (_, _, last, _, end) = changed[0], changed[-1]
    return Mutant(place.file, first + 1, _one(old[first:last]), _one(new[begin:end]), code)


def files(root: Path) -> list[str]:
    """Return the library's modules and the programs, each relative to the project."""
    modules = sorted((root / "lib").rglob("*.py"))
    programs = sorted(path for path in (root / "plugins").iterdir() if path.is_file())
    return [str(path.relative_to(root)) for path in (*modules, *programs)]


def package_of(file: str) -> str:
    """Return a file's package: ``runs``, ``plugins``, or ``check_duplicity`` if it is in none."""
    parts = Path(file).parts
    return parts[-2]


def _one(lines: list[str]) -> str:
    return " ".join(line.strip() for line in lines).strip()


def _within(node: NodeOrLeaf, kind: str) -> bool:
    while node is not None and node.type != kind:
        node = node.parent
    return node is not None


def _returns_at_the_end(statement: NodeOrLeaf) -> bool:
    """Whether this says ``return None`` where a function ends by itself and returns that."""
    function = statement
    while function.type != "funcdef" and function.parent is not None:
        function = function.parent
    last = statement.get_last_leaf() is function.get_last_leaf().get_previous_leaf()
    return last and statement.get_code(include_prefix=False) == "return None"


def _for_readers_only(source: str) -> Iterator[Position]:
    for node in ast.walk(ast.parse(source)):
        parts: list[ast.AST | None] = []
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from map(_of_decorator, filter(_is_cache, node.decorator_list))
            parts = [node.returns]
        elif isinstance(node, (ast.arg, ast.AnnAssign)):
            parts = [node.annotation]
        elif isinstance(node, ast.Assert):
            parts = [node]
        elif isinstance(node, ast.Call) and "cast" in ast.dump(node.func):
            parts = [node.args[0]]
        elif isinstance(node, ast.keyword) and node.arg == "frozen":
            parts = [node.value]
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            parts = [node]
        for part in parts:
            if part is not None:
                yield (
                    (part.lineno, part.col_offset),  # type: ignore[attr-defined]
                    (part.end_lineno, part.end_col_offset),  # type: ignore[attr-defined]
                )


def _is_cache(decorator: ast.expr) -> bool:
    return "cache" in ast.unparse(decorator)


def _of_decorator(decorator: ast.expr) -> Position:
    """Return the position of a decorator's line, with the ``@``."""
    last = decorator.end_lineno or decorator.lineno
    return (decorator.lineno, decorator.col_offset - 1), (last + 1, 0)


def _without_alternatives(node: NodeOrLeaf) -> Iterator[str]:
    """Yield a raw string's source without each of its alternatives, if these are patterns, too."""
    literal = re.fullmatch(r"(r)(\"|')(.*)\2", node.value) if isinstance(node, String) else None
    if literal is None:
        return
    prefix, quote, pattern = literal.groups()
    for begin, end in alternatives(pattern):
        without = pattern[:begin] + pattern[end:]
        try:
            re.compile(without)
        except re.error:
            continue
        yield f"{prefix}{quote}{without}{quote}"


def alternatives(pattern: str) -> Iterator[tuple[int, int]]:
    """Yield where each alternative of a pattern begins and ends, one ``|`` beside it included."""
    groups = [[0]]  # of each open group, where its alternatives begin
    for token in re.finditer(
        r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?P?[:=!<][=!]?(?:\w+>)?|[(|)]", pattern
    ):
        if token[0][0] == "(":
            groups.append([token.end()])
        elif token[0] == "|":
            groups[-1].append(token.end())
        elif token[0] == ")" and len(groups) > 1:
            yield from _arms(groups.pop(), token.start())
    yield from _arms(groups[0], len(pattern))


def _arms(begins: list[int], end: int) -> Iterator[tuple[int, int]]:
    if len(begins) > 1:
        ends = [*(begin - 1 for begin in begins[1:]), end]
        yield begins[0], begins[1]
        for begin, stop in list(zip(begins, ends))[1:]:
            yield begin - 1, stop
