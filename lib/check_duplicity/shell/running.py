"""Follow a script's statements in their order, with what is known about the variables.

Nothing is executed. An unknown condition is followed both ways. A loop over unknown values is
followed until it is clear what changes in it. A function is followed where it is called.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

from check_duplicity.shell import builtins
from check_duplicity.shell.calling import Caller, Follower
from check_duplicity.shell.conditions import both, of_one, of_two
from check_duplicity.shell.expanding import Expander, values_of
from check_duplicity.shell.grammar import Parser
from check_duplicity.shell.model import UNKNOWN
from check_duplicity.shell.outputs import Outputs
from check_duplicity.shell.patterns import matches
from check_duplicity.shell.state import Asked, State, negated
from check_duplicity.shell.syntax import (
    AndOr,
    Block,
    Calculation,
    Case,
    Condition,
    For,
    Function,
    Group,
    If,
    Loop,
    Pieces,
    Pipeline,
    Redirected,
    Simple,
    Statement,
    WrittenWord,
)
from check_duplicity.shell.text import Text
from check_duplicity.shell.variables import ALL_UNKNOWN, Variable
from check_duplicity.shell.words import Value, Word, known_text, value_of_text

_MOST_ROUNDS = 300  # of one loop


class Runner(Follower):
    """Follows the statements of a shell, in one state."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._expander = Expander(state, self._captured)
        self._outputs = Outputs(state, self._expander)
        self._caller = Caller(state, self._expander, self._outputs, self)

    def another(self, state: State) -> Callable[[Text], None]:
        """Return the function that follows a whole text in another state."""
        return Runner(state).run_text

    def run_text(self, text: Text) -> None:
        """Follow a script to its end, and then its EXIT trap."""
        state = self._state
        self.block(Parser(text).parse())
        state.dead = False
        handler = state.text("trap")
        if handler and handler != "-":
            state.certain = False
            state.forget_all()  # The script may exit anywhere.
            state.variables.set("trap", None)
            self._caller.string(Word(handler, 1))
        self._run_named()

    def _run_named(self) -> None:
        """Follow functions that only other programs may call: their names are arguments."""
        state = self._state
        names = {word for command in state.found for word in command.words[1:]}
        index = {}
        for name in sorted(names):
            variable = state.variables.get(f"{name}()")
            number = known_text(variable.values[0]) if variable and variable.values else None
            if number is not None and int(number) not in state.called:
                index[name] = int(number)
        if index:
            state.certain = False
            state.forget_all()
        for function in index.values():
            state.branch([lambda function=function: self._caller.call(function, [])])  # type: ignore[misc]

    # Lists

    def block(self, block: Block) -> object:
        """Follow a list; return its status."""
        status: object = True
        for statement in block:
            if self._state.dead:
                return None
            if statement.background:
                with self._state.subshell():
                    self._and_or(statement)
                status = True
            else:
                status = self._and_or(statement)
        return status

    def _and_or(self, statement: AndOr) -> object:
        status: object = None
        for connection, pipeline in statement.pipelines:
            if self._state.dead:
                return None
            if not connection:
                status = self._pipeline(pipeline)
                continue
            wanted = status if connection == "&&" else negated(status)
            if wanted is False:
                continue
            if wanted is True:
                status = self._pipeline(pipeline)
                continue
            following = self._if_known(wanted, pipeline)
            status = both(wanted, following)
            status = status if connection == "&&" else negated(both(wanted, negated(following)))
        return status

    def _if_known(self, wanted: object, pipeline: Pipeline) -> object:
        """Follow a pipeline that runs only if an unknown status is good."""
        ways = (lambda: self._pipeline(pipeline), lambda: None)
        return self._state.branch(ways, _chosen([wanted]))[0]

    def _pipeline(self, pipeline: Pipeline) -> object:
        statements = pipeline.statements
        if len(statements) == 1:
            status = self.statement(statements[0])
        else:
            self._piped(statements)
            status = None
        return negated(status) if pipeline.negated else status

    def _piped(self, statements: Sequence[Statement]) -> None:
        for place, statement in enumerate(statements, 1):
            with contextlib.ExitStack() as around:
                around.enter_context(self._state.subshell())
                if statements[place:]:
                    around.enter_context(self._outputs.piped(statements[place:]))
                self.statement(statement)

    # Statements

    def statement(self, statement: Statement) -> object:
        """Follow a statement; return its status."""
        if isinstance(statement, Simple):
            return self._caller.follow(statement)
        with self._state.allowance.nested():
            if isinstance(statement, Redirected):
                with self._outputs.redirected(statement.redirections):
                    return self.statement(statement.statement)
            if isinstance(statement, Group):
                return self._group(statement)
            if isinstance(statement, If):
                return self._if(statement.branches, statement.otherwise)
            if isinstance(statement, Loop):
                return self._loop(statement)
            if isinstance(statement, For):
                return self._for(statement)
            if isinstance(statement, Case):
                return self._case(statement)
            if isinstance(statement, Function):
                return self._define(statement)
            if isinstance(statement, Condition):
                return self._condition(statement)
        assert isinstance(statement, Calculation)
        builtins.calculated(self._state, statement.inside)
        return None

    def _group(self, group: Group) -> object:
        if not group.subshell:
            return self.block(group.body)
        with self._state.subshell():
            status = self.block(group.body)
            return None if self._state.dead else status

    def _if(self, branches: Sequence[tuple[Block, Block]], otherwise: Block) -> object:
        if not branches:
            return self.block(otherwise)
        (condition, body), rest = branches[0], branches[1:]
        status = self.block(condition)
        if self._state.dead:
            return None
        if status is True:
            return self.block(body)
        if status is False:
            return self._if(rest, otherwise)
        with self._state.allowance.nested():
            ways = (lambda: self.block(body), lambda: self._if(rest, otherwise))
            statuses = self._state.branch(ways, _chosen([status, negated(status)]))
        return statuses[0] if statuses[0] == statuses[1] else None

    def _define(self, function: Function) -> bool:
        state = self._state
        state.functions.append((function.name, function.body, state.file))
        number = value_of_text(str(len(state.functions) - 1))
        state.variables.set(f"{function.name}()", Variable((number,)))
        return True

    def _case(self, case: Case) -> object:
        """Follow the clause that matches; if that isn't known, each that may match, or none."""
        subject = known_text(self._expander.value(case.subject))
        ways: list[Callable[[], object]] = []
        sure = False
        for position, clause in enumerate(case.clauses):
            fits = self._fits(subject, clause.patterns)
            if fits is not False:
                ways.append(lambda position=position: self._clauses(case, position, subject))  # type: ignore[misc]
            if fits is True:
                sure = True
                break
        if sure and len(ways) == 1:
            return ways[0]()
        if not sure:
            ways.append(lambda: True)
        if len(ways) > 1:
            self._state.branch(ways)
        return None

    def _clauses(self, case: Case, position: int, subject: str | None) -> object:
        """Follow a clause, and the next ones: any after ``;&``, what may match after ``;;&``."""
        status: object = None
        ending = ";&"
        for clause in case.clauses[position:]:
            if ending == ";;&" and self._fits(subject, clause.patterns) is False:
                continue
            ending = clause.ending
            status = self.block(clause.body)
            if clause.ending == ";;" or self._state.dead:
                break
        return status

    def _fits(self, subject: str | None, patterns: Sequence[Pieces]) -> bool | None:
        found: list[bool | None] = []
        for written in patterns:
            pattern = self._expander.pattern(written)
            if pattern is not None and all(item.special and item.text == "*" for item in pattern):
                found.append(True if pattern else subject == "" if subject is not None else None)
            elif pattern is None or subject is None:
                found.append(None)
            else:
                found.append(matches(subject, pattern))
        return True if True in found else None if None in found else False

    def _condition(self, condition: Condition) -> object:
        words = list(condition.words)
        if "(" in words or ")" in words or "|" in words:
            for word in words:
                if isinstance(word, WrittenWord):
                    self._expander.value(word.pieces)
            return None
        status: object = True
        parts: list[list[WrittenWord | str]] = [[]]
        for word in words:
            if word == "&":
                parts.append([])
            else:
                parts[-1].append(word)
        for part in filter(None, parts):
            status = both(status, self._one_condition(part))
        return status

    def _one_condition(self, words: Sequence[WrittenWord | str]) -> object:
        values = [
            self._expander.value(word.pieces) if isinstance(word, WrittenWord) else None
            for word in words
        ]
        if values and values[0] is not None and known_text(values[0]) == "!" and len(words) > 1:
            return negated(self._one_condition(words[1:]))
        first, second = (*values, None, None)[:2]
        if None in values or first is None:
            return None
        if len(values) == 1:
            return of_one(self._state, "-n", first)
        assert second is not None
        if len(values) == 2:
            return of_one(self._state, known_text(first), second)
        last = words[2]
        if len(values) == 3 and isinstance(last, WrittenWord) and values[2] is not None:
            pattern = self._expander.pattern(last.pieces)
            return of_two(first, known_text(second) or "", values[2], pattern)
        return None

    # Loops

    def _for(self, statement: For) -> object:
        state = self._state
        if statement.words is None:
            arguments = state.variables.get("@")
            values = arguments.values if arguments else None
        else:
            values = values_of(w for one in statement.words for w in self._expander.listed(one))
        known = values is not None and ALL_UNKNOWN not in values and len(values) <= _MOST_ROUNDS
        name = statement.name
        with state.frame("loop"):
            if known and name and not statement.asks and not state.allowance.is_scarce:
                for value in values or ():
                    old = state.variables.get(name)
                    state.assign(name, Variable((value,), state.exports(old)))
                    self._round(statement.body)
                    if state.dead:
                        break
            else:
                state.repeat([name] * bool(name), lambda: self.block(statement.body))
        return None

    def _round(self, body: Block) -> None:
        with self._state.frame("round"):
            self.block(body)

    def _loop(self, loop: Loop) -> object:
        state = self._state
        with state.frame("loop") as frame:
            for _ in range(_MOST_ROUNDS):
                mark, count = state.variables.mark(), len(state.found)
                status = self.block(loop.condition)
                if state.dead or (isinstance(status, bool) and status == loop.until):
                    return None
                known = isinstance(status, bool) and not state.allowance.is_scarce
                if known:
                    self._round(loop.body)
                    if state.dead:
                        return None
                if not known or frame.left:
                    # From this state on, the rounds below may run any number of times.
                    state.variables.undo(mark)
                    del state.found[count:]
                    frame.left.clear()
                    break
            state.repeat([], lambda: self._round_again(loop))
        return None

    def _round_again(self, loop: Loop) -> object:
        self.block(loop.condition)
        if self._state.dead:
            return None
        return self._state.branch([lambda: self.block(loop.body), lambda: None])

    # What is printed

    def _captured(self, block: Block) -> Value | None:
        """Follow the commands of ``$( )``; return what they print."""
        state = self._state
        outer, dead, frames = state.captured, state.dead, (state.frames, state.redirected)
        mark = state.variables.mark()
        state.captured = f">{state.allowance.nesting}"
        state.frames, state.redirected = [], []
        state.lead("1", UNKNOWN)
        state.variables.set(state.captured, Variable(((),)))
        try:
            with state.allowance.nested():
                self.block(block)
            return state.value_of_printed()
        finally:
            state.variables.undo(mark)
            state.captured, state.dead = outer, dead
            state.frames, state.redirected = frames


def _chosen(statuses: Sequence[object]) -> Callable[[], int | None]:
    """Return a function that tells which branch is taken: the first with a good status.

    If no status is good, it is the branch after the last status; ``None`` if that isn't known.
    """

    def chosen() -> int | None:
        for place, status in enumerate(statuses):
            answer = status.ask() if isinstance(status, Asked) else status
            if answer is None:
                return None
            if answer:
                return place
        return len(statuses)

    return chosen
