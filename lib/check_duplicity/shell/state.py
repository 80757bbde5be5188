"""Keep the state of a script that is followed through branches, loops and functions.

Everything that a branch can change is kept as a variable: besides the script's own variables these
are the arguments (``@``), the functions (``NAME()``), the directory (``PWD``), ``set -a``, the text
printed in ``$( )``, and the targets of standard output and error (``1>``, ``2>``).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence

from check_duplicity.shell.model import STDERR, STDOUT, UNKNOWN, Command, Host, Output
from check_duplicity.shell.text import Allowance
from check_duplicity.shell.variables import Variable, Variables, forgotten
from check_duplicity.shell.words import Value, known_text, value_of_text
from check_duplicity.values import NamedTuple

_MOST_PASSES = 4  # through a loop's body, until no more changes


SET = Variable(())  # an option that is on


class Asked(NamedTuple):
    """A status that depends on the host as it is now; ``ask`` looks at it, only if it matters."""

    ask: Callable[[], bool | None]


def negated(status: object) -> object:
    """Return the opposite of a status."""
    if isinstance(status, Asked):
        return Asked(lambda: None if (answer := status.ask()) is None else not answer)
    return None if status is None else not status


class Redirected(NamedTuple):
    """A redirection in effect: the number of frames around it, and the targets before it."""

    frames: int
    before: Mapping[str, Variable | None]


class Frame:
    """A function, sourced file or loop that is followed, and its exits before its end."""

    def __init__(self, kind: str, mark: int) -> None:
        self.kind = kind
        self.mark = mark
        self.left: list[tuple[Mapping[str, Variable | None], object]] = []
        self.locals: dict[str, Variable | None] = {}


class State:
    """A shell that follows a script. ``dead`` tells that the next statement is never reached."""

    def __init__(
        self,
        variables: Variables,
        allowance: Allowance,
        host: Host,
        found: list[Command],
    ) -> None:
        self.variables = variables
        self.allowance = allowance
        self.host = host
        self.found = found
        self.user = ""
        self.is_bash: bool | None = None  # or another shell; None: not known
        self.file = ""  # the sourced file that is read
        self.depth = 0  # of strings and sourced files
        self.dead = False
        self.certain = True
        self.captured = ""  # the variable that collects what ``$( )`` prints
        self.redirected: list[Redirected] = []  # in effect now, the innermost last
        self._outputs: list[Output] = []
        self._places: dict[Output, int] = {}  # indexes in _outputs
        self.frames: list[Frame] = []
        self.functions: list[tuple[str, object, str]] = []  # names, bodies and files
        self.active: dict[int, int] = {}  # how often each function is being followed
        self.called: set[int] = set()

    # Variables

    def text(self, name: str) -> str | None:
        """Return a variable's text, if it is known."""
        variable = self.variables.get(name)
        return known_text(variable.values[0]) if variable and variable.values else None

    def assign(self, name: str, variable: Variable) -> None:
        """Set a variable of the script."""
        self.variables.set(name, variable)

    def forget(self, name: str) -> None:
        """Make the value of a variable unknown."""
        old = self.variables.get(name) or Variable(None)
        self.variables.set(name, forgotten(name, old._replace(exported=self.exports(old))))

    def forget_all(self) -> None:
        """Make the value of every variable unknown: code that can't be read may set any."""
        names = self.variables.names()
        self.allowance.spend(10 * len(names))
        for name in (*names, "@"):
            if self.variables.get(name) is not None:
                self.forget(name)

    def exports(self, old: Variable | None) -> bool | None:
        """Return whether a variable is exported if it is assigned now; ``None``: it may be."""
        for_all = self.variables.get("set -a")
        if for_all is not None:
            return True if for_all == SET or (old and old.exported) else None
        return old.exported if old else False

    @property
    def place(self) -> str:
        """The current directory, empty if it isn't known."""
        return self.text("PWD") or ""

    # Output

    def stream(self, number: str) -> Output:
        """Return where the output to a file descriptor goes."""
        if self.variables.get(f"{number}>") is None:
            return {"1": STDOUT, "2": STDERR}.get(number, UNKNOWN)
        index = self.text(f"{number}>")
        return UNKNOWN if index is None else self._outputs[int(index)]

    def lead(self, number: str, output: Output) -> None:
        """Redirect a file descriptor."""
        if output not in self._places:
            self._places[output] = len(self._outputs)
            self._outputs.append(output)
        index = value_of_text(str(self._places[output]))
        self.variables.set(f"{number}>", Variable((index,)))

    def prints(self, printed: Value | None) -> None:
        """Add to the output of ``$( )``; ``None`` is output that can't be known."""
        if self.captured:
            before = self.variables.get(self.captured)
            if printed is None or before is None or before.values is None:
                self.forget(self.captured)
            else:
                self.allowance.spend(sum(len(text) for text, _ in before.values[0]) // 10)
                self.variables.set(self.captured, Variable(((*before.values[0], *printed),)))

    # Branches

    @contextlib.contextmanager
    def subshell(self) -> Iterator[None]:
        """Follow a subshell: undo its changes at its end, and go on even if it exits."""
        mark, before = self.variables.mark(), (self.dead, self.frames, self.redirected)
        self.frames, self.redirected = [], []
        try:
            yield
        finally:
            kept = self.variables.get(self.captured) if self.captured else None
            self.variables.undo(mark)
            if kept is not None:
                self.variables.set(self.captured, kept)
            self.dead, self.frames, self.redirected = before

    def branch(
        self,
        ways: Sequence[Callable[[], object]],
        chosen: Callable[[], int | None] = lambda: None,
    ) -> list[object]:
        """Follow each of several branches; return their statuses.

        Afterwards only what all branches that come back agree in is known. If they differ,
        ``chosen`` may tell which one this host takes as it is now; then that one counts.
        """
        mark, certain = self.variables.mark(), self.certain
        self.certain = False
        ends: list[Mapping[str, Variable | None] | None] = []
        statuses = []
        for way in ways:
            statuses.append(way())
            ends.append(None if self.dead else self.variables.changes(mark))
            self.allowance.spend(10 * (self.variables.mark() - mark))
            self.variables.undo(mark)
            self.dead = False
        self.certain = certain
        back = [end for end in ends if end is not None]
        if back and any(end != back[0] for end in back):
            now = chosen()
            one = ends[now] if now is not None else None
            back = [one] if one is not None else back
        self.variables.join(back)
        self.dead = not back
        return statuses

    @contextlib.contextmanager
    def frame(self, kind: str) -> Iterator[Frame]:
        """Follow something that can be left; afterwards only what all exits agree in is known."""
        frame = Frame(kind, self.variables.mark())
        self.frames.append(frame)
        try:
            yield frame
        finally:
            self.frames.pop()
        if frame.left:
            ways = [changes for changes, _ in frame.left]
            if not self.dead:
                ways.append(self.variables.changes(frame.mark))
            self.variables.undo(frame.mark)
            self.variables.join(ways)
            self.dead = False
        for name, variable in frame.locals.items():
            self.variables.set(name, variable)

    def leave(self, kinds: Sequence[str], status: object = None, count: int = 1) -> None:
        """Leave the innermost frame of these kinds, or the ``count``-th; go on if there is none.

        break and continue in a function leave only the loops in that function.
        """
        inner = self.frames
        if "function" not in kinds:
            functions = [place for place, frame in enumerate(inner) if frame.kind == "function"]
            inner = inner[functions[-1] + 1 :] if functions else inner
        fitting = [frame for frame in reversed(inner) if frame.kind in kinds]
        if fitting:
            frame = fitting[min(count, len(fitting)) - 1]
            changes = self.variables.changes(frame.mark)
            for inside in reversed(self.redirected):
                if inside.frames > self.frames.index(frame):
                    changes.update(inside.before)
            self.allowance.spend(10 * len(changes))
            frame.left.append((changes, status))
            self.dead = True

    def repeat(self, names: Sequence[str], once: Callable[[], object]) -> None:
        """Follow what runs any number of times; the variables that change in it become unknown.

        ``names`` are variables that are known to change.
        """
        changing = set(names)
        if self.allowance.is_scarce:
            changing |= set(self.variables.names())
        mark, count, certain = self.variables.mark(), len(self.found), self.certain
        self.certain = False
        for passes in range(_MOST_PASSES):
            for name in sorted(changing):
                self.forget(name)
            inner = self.variables.mark()
            before = {name: self.variables.get(name) for name in changing}
            del self.found[count:]
            with self.frame("round"):
                once()
            self.dead = False
            changes = self.variables.changes(inner)
            self.allowance.spend(10 * len(changes))
            self.variables.undo(mark)
            # A forgotten variable may be known at the end of a pass, but isn't at its beginning.
            more = {
                name
                for name, variable in changes.items()
                if name not in before and variable != self.variables.get(name)
            }
            changing |= more
            if not more or (passes == 0 and self.allowance.is_scarce):
                break
            if passes == _MOST_PASSES - 2 or self.allowance.is_scarce:
                changing |= set(self.variables.names())
        self.certain = certain
        for name in sorted(changing):
            self.forget(name)

    def value_of_printed(self) -> Value | None:
        """Return the captured output without the line ends at its end."""
        variable = self.variables.get(self.captured)
        value = variable.values[0] if variable and variable.values else ()
        if any(not known and text.startswith("$>") for text, known in value):
            return None
        if value and value[-1].known:
            whole = "".join(text for text, _ in value[-1:]).rstrip("\n")
            return (*value[:-1], *value_of_text(whole))
        return value
