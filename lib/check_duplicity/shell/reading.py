"""Read a shell script, or a crontab's command, without running it: the commands that it runs.

A script is read from top to bottom, once: variables have the value assigned last above, functions
are read where they are defined, loops once, and every branch. What can't be known without running
stays in the words as it is written, and is told. The syntax is that of POSIX.1-2017 ("Shell Command
Language") with bash's arrays, ``[[``, ``$'...'`` and redirections; words were compared with those
of bash 5.2.15. The options of programs that only start another are those of coreutils 9.1,
util-linux 2.38, sudo 1.9.13 and systemd 252, from their --help; the others' aren't verified.

The parser stays our own. What could replace it was measured: tree-sitter-bash would save some 130
of 1,150 lines, splits the unquoted ``s://$U@$HOST/x`` into two words without an error, and is in no
Debian; bashlex refuses a third of real scripts.

Where is what: `text` knows the characters and where the reader stands, `words` and `variables` are
what it works with. `commands` reads lists of simple commands, and leaves the rest to others:
`keywords` (if, for, case, [[), `assignments` (export and unset, too) and `expansions` (quotes, $
and `), for which `parameters` says what a variable is replaced by. `blocks` knows what is open, and
so what an assignment means; `starters` what only starts another program.
"""

from __future__ import annotations

from collections.abc import Mapping

from check_duplicity.shell.commands import Reader, Surroundings
from check_duplicity.shell.model import Command, ShellError
from check_duplicity.shell.text import LONGEST_TEXT, Allowance, Text
from check_duplicity.shell.variables import Variables


def read_commands(text: str, variables: Mapping[str, str] | None = None) -> list[Command]:
    """Return the simple commands of a script in the order in which they are written.

    ``variables`` are exported from the beginning. Those of ``$( )`` stand before the command that
    they are in. What only sets variables (assignments, export, unset, set) is no command. Raises
    `ShellError`.
    """
    if len(text) > LONGEST_TEXT:
        raise ShellError("line 1: too long")
    found: list[Command] = []
    shell = Variables(variables or {})
    Reader(Text(text, Allowance()), shell, found, Surroundings()).read()
    return found


def read_variables(text: str, variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return what lines of ``NAME=value`` set, exported or not. Raises `ShellError`."""
    commands = read_commands(f"set -a; {text}\n:", variables)
    if not commands or commands[-1].words != (":",):
        raise ShellError("line 1: not to be understood as variables")
    return dict(commands[-1].environment)
