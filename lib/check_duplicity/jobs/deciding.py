"""Find out who besides root decides what a command runs: whoever can change its programs.

Any executable file among a command's words may be what it runs, whatever comes before it.
"""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Iterable, Iterator

from check_duplicity.jobs.search import Search
from check_duplicity.shell.model import Command
from check_duplicity.shell.reading import Given, read_commands
from check_duplicity.system import rights
from check_duplicity.system.user import name_of

_CRONS_PATH = "/usr/bin:/bin"  # crontab(5)
SOURCING = (".", "source")
_INTERPRETER = re.compile(r"(?:python|pypy|perl|ruby|php|node|lua|tclsh)[\d.]*$")


def account(user: str) -> dict[str, str]:
    """Return the variables that cron gives to what it starts as a user."""
    try:
        home = pwd.getpwnam(user).pw_dir
    except (KeyError, ValueError):
        return {}
    return {"HOME": home, "LOGNAME": user, "USER": user, "PATH": _CRONS_PATH, "PWD": home}


def others_of(line: str, user: str) -> frozenset[str]:
    """Return who besides root and a user decides what that user's command line runs.

    If a command in it runs as another user, that user may decide it, too. Raises `ValueError` if
    the line can't be read.
    """
    search = Search("")
    others = rights.NOBODY
    for command, place in placed(read_commands(line, Given(account(user)))):
        runs_as = name_of(command.user) if command.user else user
        others |= deciders_of(search, command, place) - {runs_as}
    return others


def placed(commands: Iterable[Command]) -> Iterator[tuple[Command, str]]:
    """Yield each command with the directory that it runs in: HOME, or that of the last cd."""
    place = ""
    for command in commands:
        place = command.place or place or command.environment.get("HOME", "")
        yield command, place
        if command.words[0] == "cd":
            place = os.path.join(place, *command.words[1:][-1:])


def deciders_of(search: Search, command: Command, place: str) -> frozenset[str]:
    """Return who decides what a command runs in a directory: its programs, or what it sources."""
    by = rights.NOBODY
    for word in _programs(search, command):
        path = os.path.join(place, word) if "/" in word else word
        if os.path.isabs(path):
            by |= rights.deciders_of_program(path, search.root)
        elif "/" not in word:
            for directory in filter(os.path.isabs, command.environment.get("PATH", "").split(":")):
                by |= search.deciders(directory)
    return by


def _programs(search: Search, command: Command) -> Iterator[str]:
    """Yield what a command may run: its first word, an interpreter's script, any program in it."""
    words = command.words
    if words[0] in SOURCING:
        yield from words[1:2]
        return
    yield words[0]
    yield command.program
    if _INTERPRETER.match(os.path.basename(words[0])):
        yield from [word for word in words[1:] if not word.startswith("-")][:1]
    for word in words[1:]:
        if os.path.isabs(word) and "\0" not in word and os.path.isfile(search.root + word):
            yield from [word] * os.access(search.root + word, os.X_OK)
