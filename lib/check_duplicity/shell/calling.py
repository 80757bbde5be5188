"""Follow simple commands: functions, builtins, programs, and what eval, ``.`` and ``sh -c`` run."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from check_duplicity.shell import builtins
from check_duplicity.shell.expanding import Expander, values_of
from check_duplicity.shell.grammar import Parser
from check_duplicity.shell.model import Command, Host, ShellError
from check_duplicity.shell.outputs import Outputs
from check_duplicity.shell.printing import printed
from check_duplicity.shell.starters import Start, string_of_shell
from check_duplicity.shell.state import Asked, State
from check_duplicity.shell.syntax import Block, Simple, Statement, Substitution, WrittenWord
from check_duplicity.shell.text import Text
from check_duplicity.shell.variables import Variable, Variables, unknown
from check_duplicity.shell.words import Word, joined, known_text, value_of_text

_DEEPEST_STRINGS = 5  # of eval and sh -c, and of files that source others
_DEEPEST_CALLS = 25  # nesting at which functions are no longer followed
_MOST_WAYS = 300  # functions or a program that one command may run
_COST = 40  # of a command, in characters


class Follower:
    """The interface of `running.Runner`, which follows statements in a state."""

    def block(self, block: Block) -> object:
        """Follow a list; return its status."""
        raise NotImplementedError

    def statement(self, statement: Statement) -> object:
        """Follow a statement; return its status."""
        raise NotImplementedError

    def another(self, state: State) -> Callable[[Text], None]:
        """Return the function that follows a whole text in another state."""
        raise NotImplementedError


class Caller:
    """Follows simple commands, in a state."""

    def __init__(
        self, state: State, expander: Expander, outputs: Outputs, follower: Follower
    ) -> None:
        self._state = state
        self._expander = expander
        self._outputs = outputs
        self._follower = follower

    def follow(self, simple: Simple) -> object:
        """Follow a simple command; return its status."""
        state = self._state
        state.allowance.line = simple.line
        state.allowance.spend(_COST)
        words: list[Word] = []
        options: list[Word] = []  # of export and the like
        for written in simple.words:
            if isinstance(written, WrittenWord):
                found = self._expander.words(written)
                words += found
                if words and words[0].text in builtins.DECLARATIONS:
                    options = builtins.declare(state, options, found)
            else:
                variable = self._expander.assigned(written)
                builtins.declare(state, options, [(written.name, variable)])
        mark = state.variables.mark()
        assigned: dict[str, Variable] = {}
        for assignment in simple.assignments:
            assigned[assignment.name] = self._expander.assigned(assignment)
            state.variables.set(assignment.name, assigned[assignment.name])
        if not words:
            with self._outputs.redirected(simple.redirections):
                return None if _has_substitution(simple) else True
        state.variables.undo(mark)
        lasting = words[0].text == "exec" and len(words) == 1
        with self._outputs.redirected(simple.redirections, lasting):
            return self._run(words, assigned, simple.line)

    def _run(
        self,
        words: list[Word],
        assigned: Mapping[str, Variable],
        line: int,
    ) -> object:
        state = self._state
        name = known_text(words[0].value)
        if name in builtins.DECLARATIONS:
            self._keep(assigned)
            return None
        if name in (".", "source"):
            return self._with(assigned, lambda: self._source(words, line))
        if name == "eval":
            return self._with(assigned, lambda: self._eval(words, line))
        number = state.text(f"{name}()")
        if number is not None:
            return self._with(assigned, lambda: self.call(int(number), words[1:]))
        if state.variables.get(f"{name}()") is not None:
            # Defined in a branch, or several times.
            same = [n for n, one in enumerate(state.functions) if one[0] == name]
            return self._dispatch(same, words, assigned, line)
        if name is None and self._may_be_function(words):
            return self._dispatch(self._defined(), words, assigned, line)
        if name == "builtin" and len(words) > 1:
            words = words[1:]
            name = words[0].text
        if name in builtins.BUILTINS:
            return self._builtin(words, assigned, line)
        return self._program(words, assigned, line)

    def _with(self, assigned: Mapping[str, Variable], run: Callable[[], object]) -> object:
        """Run something in this shell with the assignments in front of it."""
        before = {name: self._state.variables.get(name) for name in assigned}
        for name, variable in assigned.items():
            self._state.variables.set(name, variable._replace(exported=True))
        status = run()
        for name, old in before.items():
            self._state.variables.set(name, old)
            if assigned[name] != old and not self._state.is_bash:
                self._state.forget(name)  # Some shells keep the new value.
        return status

    def _keep(self, assigned: Mapping[str, Variable]) -> None:
        """Forget what is assigned before a special builtin: some shells keep the new values."""
        for name, variable in assigned.items():
            if variable != self._state.variables.get(name):
                self._state.forget(name)

    def _builtin(self, words: list[Word], assigned: Mapping[str, Variable], line: int) -> object:
        state = self._state
        name = words[0].text
        if name in (":", "set", "shift", "unset", "return", "exit", "break", "continue", "trap"):
            self._keep(assigned)
        if name not in ("set", "unset", "shift", "return", "break", "continue"):
            self._found(words, assigned, line)
        if name in ("printf", "pwd"):
            state.prints(printed(state, words))
        return builtins.BUILTINS[name](state, words)

    def _may_be_function(self, words: Sequence[Word]) -> bool:
        known = any(name.endswith("()") for name in self._state.variables.all_names())
        program = known_text(words[1].value) if len(words) > 1 else None
        return known and not (program and ("/" in program or program == "duplicity"))

    def _defined(self) -> list[int]:
        """Return the numbers of the functions that may be defined."""
        names = {name for name in self._state.variables.all_names() if name.endswith("()")}
        return [n for n, one in enumerate(self._state.functions) if f"{one[0]}()" in names]

    def _dispatch(
        self, numbers: Sequence[int], words: list[Word], assigned: Mapping[str, Variable], line: int
    ) -> object:
        """Follow a command like ``"$1"``, which may be any of these functions, or a program."""
        state = self._state
        ways: list[Callable[[], object]] = [lambda: self._program(words, assigned, line)]
        ways += [
            lambda number=number: self.call(number, words[1:])  # type: ignore[misc]
            for number in numbers
            if not state.active.get(number)
        ]
        if len(ways) > _MOST_WAYS or state.allowance.is_scarce:
            state.forget_all()
            return self._program(words, assigned, line)
        self._with(assigned, lambda: state.branch(ways))
        return None

    def call(self, number: int, arguments: Sequence[Word]) -> object:
        """Follow a function's body."""
        state = self._state
        allowance = state.allowance
        again = number in state.called and allowance.is_scarce
        state.called.add(number)
        if again or state.active.get(number, 0) > 2 or allowance.nesting > _DEEPEST_CALLS:
            state.forget_all()
            state.prints(None)
            return None
        _, body, file = state.functions[number]
        old, outer = state.variables.get("@"), state.file
        state.active[number] = state.active.get(number, 0) + 1
        state.file = file
        try:
            with state.frame("function") as frame:
                state.variables.set("@", Variable(values_of(arguments), array=True))
                frame.locals["@"] = old
                status = self._follower.statement(body)
        finally:
            state.active[number] -= 1
            state.file = outer
        return (
            frame.left[0][1]
            if len(frame.left) == 1 and state.certain
            else (None if frame.left else status)
        )

    def _program(self, words: list[Word], assigned: Mapping[str, Variable], line: int) -> object:
        state = self._state
        texts = [*(known_text(word.value) for word in words[:2]), ""]
        if texts[0] == "command" and len(words) > 1 and texts[1] in builtins.BUILTINS:
            return self._builtin(words[1:], assigned, line)
        command = self._found(words, assigned, line)
        if state.captured and (command is not None or texts[0] != "exec"):
            is_plain = command is not None and command.words == tuple(word.text for word in words)
            state.prints(printed(state, words) if is_plain else None)
        if texts[0] == "exec":
            state.dead = command is not None
        if (texts[0] == "command" and texts[1] == "-v") or texts[0] == "which":
            return self._is_program(words[-1], len(words) - (texts[0] == "command"))
        return True if texts[0] == "echo" else None

    def _is_program(self, word: Word, count: int) -> object:
        name = known_text(word.value)
        if name is None or "/" in name or count != 2:
            return None
        path = self._state.text("PATH")
        host = self._state.host
        return Asked(lambda: None if (p := host.program(name, path)) is None else bool(p))

    def _found(
        self, words: list[Word], assigned: Mapping[str, Variable], line: int
    ) -> Command | None:
        """Add a command to those found; of ``sh -c`` the commands in its string."""
        state = self._state
        start = Start(words, assigned, state.user)
        start.take_wrappers()
        left = list(start.words)
        if not left or left[0].text in ("set", "unset"):
            return None
        unresolved = tuple(piece for word in left for piece in word.pieces)
        command = Command(
            tuple(word.text for word in left),
            start.environment(state.variables),
            line,
            start.user,
            unresolved,
            state.certain,
            start.output or state.stream("1"),
            state.place,
            tuple(not word.pieces for word in left) if unresolved else (),
            any(word.loose for word in left),
            state.file,
            start.hidden(state.variables),
            start.output or state.stream("2"),
        )
        string = string_of_shell(left)
        if string is None or not self._in_shell(string, command, left):
            state.found.append(command)
        return command

    # Strings and files

    def _source(self, words: list[Word], line: int) -> object:
        """Follow a sourced file; its commands count as this script's."""
        state = self._state
        self._found(words, {}, line)
        name = known_text(words[1].value) if len(words) > 1 else None
        place = state.place
        if name is None or not (os.path.isabs(name) or place) or "\0" in name:
            state.forget_all()
            return None
        path = os.path.join(place, name)
        text = state.host.text(path)
        if text is None or state.depth >= _DEEPEST_STRINGS or state.allowance.is_scarce:
            state.forget_all()
            return None
        if not text:
            return None
        state.allowance.spend(len(text))
        own = state.variables.get("BASH_SOURCE"), state.file
        arguments = state.variables.get("@")
        state.variables.set("BASH_SOURCE", Variable((value_of_text(name),), array=True))
        if len(words) > 2:
            state.forget("@")
        state.depth += 1
        state.file = path
        try:
            with state.frame("source"):
                self._follower.block(Parser(Text(text, state.allowance)).parse())
        finally:
            state.depth -= 1
            state.file = own[1]
        state.variables.set("BASH_SOURCE", own[0])
        if len(words) > 2:
            state.variables.set("@", arguments)
        return None

    def _eval(self, words: list[Word], line: int) -> object:
        state = self._state
        script = joined(words[1:])
        if script is None:
            return True
        if builtins.knows_agent(script):
            builtins.use_agent(state)
            return None
        unknown = not script.value or not script.value[0].known
        if unknown or not self.string(script):
            state.forget_all()
            state.prints(None)
            self._found(words, {}, line)
        return None

    def string(self, script: Word) -> bool:
        """Follow a string in this shell; tell whether it could be read."""
        state = self._state
        if state.depth >= _DEEPEST_STRINGS:
            return False
        state.allowance.spend(len(script.text))
        text = state.allowance.marks.marked(script)
        try:
            with state.allowance.nested():
                block = Parser(Text(text, state.allowance, script.line)).parse()
        except ShellError:
            return False
        state.depth += 1
        try:
            self._follower.block(block)
        finally:
            state.depth -= 1
        return True

    def _in_shell(self, script: Word, command: Command, words: list[Word]) -> bool:
        """Follow the string of ``sh -c``, in a shell of its own; tell whether it could be read."""
        state = self._state
        if state.depth >= _DEEPEST_STRINGS:
            return False
        state.allowance.spend(len(script.text) + 10 * state.variables.count())
        inner = State(Variables(command.environment), state.allowance, state.host, state.found)
        inner.user, inner.depth = command.user, state.depth + 1
        inner.lead("1", command.output)
        inner.lead("2", command.errors)
        inner.certain, inner.file = state.certain, state.file
        inner.is_bash = shell_kind(words[0].text, state.host)
        for name in command.hidden:
            inner.variables.set(name, unknown(name, None))
        if state.place and not inner.user:
            inner.variables.set("PWD", Variable((value_of_text(state.place),), exported=True))
        else:
            inner.variables.set("PWD", None)
        given = words[len(words) - len(_behind(words, script)) :]
        inner.variables.set("@", Variable(values_of(given[1:]), array=True))
        inner.variables.set("0", Variable((given[0].value if given else words[0].value,)))
        text = state.allowance.marks.marked(script)
        count = len(state.found)
        try:
            with state.allowance.nested():
                self._follower.another(inner)(Text(text, state.allowance, script.line))
        except ShellError:
            del state.found[count:]
            return False
        return True


def shell_kind(program: str, host: Host) -> bool | None:
    """Return whether a shell is bash; ``None`` if that isn't known."""
    name = os.path.basename(program)
    if name == "sh":
        name = os.path.basename(host.real_path("/bin/sh") or "")
    return None if name in ("sh", "") else name == "bash"


def _behind(words: Sequence[Word], script: Word) -> Sequence[Word]:
    """Return the words after the string of ``sh -c``: its name and arguments."""
    places = [place for place, word in enumerate(words) if word is script]
    return words[places[0] + 1 :] if places else ()


def _has_substitution(simple: Simple) -> bool:
    return any(isinstance(piece, Substitution) for one in simple.assignments for piece in one.value)
