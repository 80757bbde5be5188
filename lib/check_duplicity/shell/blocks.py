"""Groups, branches and functions: what is open in a script, and what assignments in it mean."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from check_duplicity.shell.variables import Variable, Variables, unknown


class _Block:
    """A group or a keyword's, up to its end; ``branch`` counts those of if and case."""

    def __init__(self, kind: str, mark: tuple[int, bool], function: bool) -> None:
        self.kind = kind
        self.mark = mark
        self.function = function  # the body of one
        self.branch = 0
        self.assigned: dict[str, dict[int, Variable]] = {}
        self.locals: dict[str, Variable | None] = {}


class Blocks:
    """What is open: ``(``, ``{``, ``if`` and ``case``, the bodies of functions among them."""

    def __init__(self, variables: Variables) -> None:
        self.variables = variables
        self.function_follows = False  # The next that is opened is its body.
        self._open: list[_Block] = []
        self._parentheses = 0  # among them
        self._functions: list[_Block] = []

    # What is open

    def open(self, kind: str) -> None:
        """Begin a block."""
        block = _Block(kind, self.variables.mark(), self.function_follows)
        if block.function:
            self._functions.append(block)
        self.function_follows = False
        self._parentheses += kind == "("
        self._open.append(block)

    def close(self, kind: str) -> bool:
        """End the innermost block of a kind, if there is one, and what is open in it."""
        if kind == "(" and self._parentheses:
            while self._close_last() != "(":
                pass  # What isn't ended in the parentheses ends with them.
            return True
        if kind != "(" and self._innermost_is(kind):
            self._close_last()
            return True
        return False

    def next_branch(self, kind: str) -> bool:
        """Go on to the next branch, if the innermost block is of a kind; tell whether it is."""
        if not self._innermost_is(kind):
            return False
        self._open[-1].branch += 1
        return True

    @contextlib.contextmanager
    def subshell(self) -> Iterator[None]:
        """Know nothing in ``$( )`` of what is open around it, and forget behind it what it set."""
        outer = self._open, self._parentheses, self._functions
        self._open, self._parentheses, self._functions = [], 0, []
        mark = self.variables.mark()
        yield
        self.variables.undo(mark)
        self._open, self._parentheses, self._functions = outer

    def _innermost_is(self, *kinds: str) -> bool:
        return bool(self._open) and self._open[-1].kind in kinds

    def _close_last(self) -> str:
        block = self._open.pop()
        if block.kind == "(":
            self._parentheses -= 1
            self.variables.undo(block.mark)
        if block.function:
            self._functions.pop()
        for name, variable in block.locals.items():
            self.variables.set(name, variable)
        for name, branches in block.assigned.items():
            self._join(name, list(branches.values()))
        return block.kind

    def _join(self, name: str, variables: list[Variable]) -> None:
        """Set a variable to what it is behind all branches that assigned it."""
        if any(variable.values != variables[0].values for variable in variables):
            # Which branch runs isn't known, so neither is the value.
            exported = variables[-1].exported
            self.variables.set(name, unknown(name)._replace(exported=exported))
        self._note_assignment(name)

    # What is assigned in it

    def assign(self, name: str, variable: Variable) -> None:
        """Set a variable, for good or in the branch that is read."""
        self.variables.set(name, variable)
        self._note_assignment(name)

    def forget(self, name: str) -> None:
        """A variable gets a value that can't be known."""
        old = self.variables.get(name)
        exported = self.variables.all_exported or (old is not None and old.exported)
        self.assign(name, unknown(name)._replace(exported=exported))

    @property
    def in_function(self) -> bool:
        """Whether the body of a function is read."""
        return bool(self._functions)

    def make_local(self, name: str) -> None:
        """Let a variable be behind the function what it is now."""
        self._functions[-1].locals.setdefault(name, self.variables.get(name))

    def _note_assignment(self, name: str) -> None:
        """Remember what a branch assigns, to compare it with what others do."""
        variable = self.variables.get(name)
        if variable and self._innermost_is("if", "case"):
            block = self._open[-1]
            block.assigned.setdefault(name, {})[block.branch] = variable
