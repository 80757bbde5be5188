"""Find the script that a command calls, and its arguments."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from check_duplicity.jobs.search import Search
from check_duplicity.shell.model import Command, is_shell, operands_of_shell
from check_duplicity.values import NamedTuple

# `entries` finds the scripts in these, with their schedules.
_PERIODIC = re.compile(r"/etc/cron\.(?:hourly|daily|weekly|monthly)/?")
_RUN_PARTS = re.compile(r"[A-Za-z0-9_-]+")  # the names that run-parts accepts
_INTERPRETER = re.compile(r"(?:python|pypy|perl|ruby|php|node|lua|tclsh)[\d.]*$")
_FIRST_LINE = re.compile(r"#!\s*(?:\S*/env\s+(?:-\S+\s+)*)?(?:\S*/)?([^\s/]+)")
_SHELL = re.compile(r"(?:ba|da|a|k|mk|z)?sh$|busybox$")
_ABOUT = re.compile(r"""["'\s/(]duplicity["'\s,)]""")
_OURS = re.compile(r"(?:check_)?duplicity(?:_\w+)?$")


class Called(NamedTuple):
    """A script and its arguments; ``None`` is an unknown one."""

    path: str
    arguments: tuple[str | None, ...] = ()
    interpreter: str = ""


def called(search: Search, command: Command, place: str) -> Iterator[Called]:
    """Yield the scripts that a command calls in a directory, by full paths where known."""
    words, known = command.words, command.known or (True,) * len(command.words)
    shell, first = "", 0
    if is_shell(words):
        given, operands = operands_of_shell(words)
        if given or not operands:
            return
        shell, first = words[0], len(words) - len(operands)
    elif _INTERPRETER.match(os.path.basename(words[0])):
        first = next((n for n, w in enumerate(words) if n and not w.startswith("-")), 0)
    if not known[first]:
        return
    arguments = tuple(
        word if sure else None for word, sure in zip(words[first + 1 :], known[first + 1 :])
    )
    name = words[first]
    if os.path.basename(name) == "run-parts" and not shell:
        yield from _parts(search, command)
    elif "/" in name or first:
        path = os.path.normpath(os.path.join(place, name))
        yield Called(path if os.path.isabs(path) else name, arguments, shell)
    else:
        yield Called(_by_path(search, command, name), arguments, shell)


def _by_path(search: Search, command: Command, name: str) -> str:
    """Return the full path of a script called by its name; the name, if none is found."""
    for directory in command.environment.get("PATH", "").split(":"):
        path = os.path.join(directory, name)
        if os.path.isabs(path) and search.is_script(path):
            return path
    return name


def _parts(search: Search, command: Command) -> Iterator[Called]:
    directories = [word for word in command.words[1:] if os.path.isabs(word)]
    for directory in directories[-1:]:
        if not _PERIODIC.fullmatch(directory):
            for path in search.glob(f"{directory.rstrip('/')}/*"):
                if _RUN_PARTS.fullmatch(os.path.basename(path)):
                    yield Called(path)


def is_foreign(script: Called, text: str) -> bool:
    """Return whether a script is no shell script, by its first line."""
    first = _FIRST_LINE.match(text)
    if script.interpreter or first is None:
        return not script.interpreter and script.path.endswith((".py", ".pl", ".rb", ".php"))
    return _SHELL.match(first[1]) is None


def is_about_duplicity(path: str, text: str) -> bool:
    """Return whether a program that is neither duplicity's nor ours may run duplicity."""
    return _OURS.match(os.path.basename(path)) is None and _ABOUT.search(text) is not None
