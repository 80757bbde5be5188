"""Read a shell script, or a crontab's command, without running it: the commands that it runs.

A script is followed as a shell would run it, and nothing is executed: functions take effect where
they are called, an unknown condition is followed both ways, and afterwards only the values in which
both agree are known. Unknown pieces stay in the words as written, and are reported. The
syntax is that of POSIX.1-2017 ("Shell Command Language") with bash's arrays, ``[[``, ``$'...'`` and
redirections; ``tests/shell/test_shells.py`` compares the commands with those that bash 5.2.15 and
dash 0.5.12 run. The options of programs that only start another one are those of coreutils 9.1,
util-linux 2.38, sudo 1.9.13 and systemd 252, from their --help; those of others aren't verified.

The parser is our own: the alternatives were measured. tree-sitter-bash would replace only a part of
it, splits the unquoted ``s://$U@$HOST/x`` into two words without an error, and isn't packaged in
Debian; bashlex refuses a third of real scripts.

The modules: `text` holds the characters and the position of the parser; `grammar` parses
statements, `pieces` words, and `syntax` models both. `running` follows the statements: `state`
keeps what is known after branches, loops and functions, in `variables` and `words`. `calling`
follows simple commands, eval and sourced files; `expanding` expands words (with `parameters` and
`patterns`), `builtins` does what export, cd and the like do, `conditions` evaluates ``[ ]``,
`printing` finds what ``$( )`` prints, `outputs` where output goes, and `starters` takes off
programs that only start another one. A `model.Host` answers questions about the host.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from check_duplicity.shell.calling import shell_kind
from check_duplicity.shell.model import Command, Host, ShellError
from check_duplicity.shell.running import Runner
from check_duplicity.shell.state import State
from check_duplicity.shell.text import LONGEST_TEXT, Allowance, Text
from check_duplicity.shell.variables import ALL_UNKNOWN, Variable, Variables, unknown
from check_duplicity.shell.words import Segment, Value, value_of_text, without_marks
from check_duplicity.values import NamedTuple

_FIRST_LINE = re.compile(r"#!\s*(?:\S*/env\s+(?:-S\s+)?)?(\S+)")


class Given(NamedTuple):
    """The variables and arguments with which a script is started.

    ``variables`` are exported from the beginning; ``hidden`` may be, with values that aren't known.
    ``arguments`` begin with the script's own name. ``None`` is an unknown argument; if they are
    ``loose``, it may be several.
    """

    variables: Mapping[str, str] = {}
    arguments: Sequence[str | None] = ()
    loose: bool = False
    hidden: Collection[str] = ()


_NOTHING = Given()


def read_commands(
    text: str, given: Given = _NOTHING, host: Host | None = None, shell: str = ""
) -> list[Command]:
    """Return the simple commands of a script in the order in which it may run them.

    ``shell`` is the program that runs it, if its first line names none. Commands in ``$( )`` come
    before the command that contains them. Statements that only set variables (assignments, export,
    unset, set) are left out. Raises `ShellError`.
    """
    if len(text) > LONGEST_TEXT:
        raise ShellError("line 1: too long")
    found: list[Command] = []
    state = State(Variables(given.variables), Allowance(), host or Host(), found)
    first = _FIRST_LINE.match(text)
    state.is_bash = shell_kind(shell or (first[1] if first else ""), state.host)
    _give(state.variables, given)
    Runner(state).run_text(Text(without_marks(text), state.allowance))
    return found


def _give(variables: Variables, given: Given) -> None:
    """Set the variables and arguments that a script is started with."""
    for name in given.hidden:
        variables.set(name, unknown(name, None))
    if not given.arguments:
        return
    values: list[Value] = []
    for number, argument in enumerate(given.arguments):
        if argument is None and given.loose:
            values.append(ALL_UNKNOWN)
            break
        known = argument is not None
        values.append(value_of_text(argument or "") if known else (Segment(f"${number}", known),))
    variables.set("@", Variable(tuple(values[1:]), array=True))
    if given.arguments[0] is not None:
        variables.set("0", Variable((values[0],)))
        variables.set("BASH_SOURCE", Variable((values[0],), array=True))


def read_variables(
    text: str, variables: Mapping[str, str] | None = None, host: Host | None = None
) -> dict[str, str]:
    """Return the variables that ``NAME=value`` lines set, exported or not. Raises `ShellError`."""
    commands = read_commands(f"set -a; {text}\n:", Given(variables or {}), host)
    if not commands or commands[-1].words != (":",):
        raise ShellError("line 1: not to be understood as variables")
    return dict(commands[-1].environment)
