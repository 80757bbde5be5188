"""Find the part of a scheduled command line that can be run again, and its user."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence

from check_duplicity.duplicity.invocation import read_arguments
from check_duplicity.jobs import deciding
from check_duplicity.jobs.duply import profile_of
from check_duplicity.jobs.model import Fact, Known
from check_duplicity.jobs.scripts import Script, backup_of, commands_of
from check_duplicity.jobs.search import Search
from check_duplicity.lines import is_plain
from check_duplicity.shell.model import Command
from check_duplicity.shell.programs import without_redirections
from check_duplicity.system.user import name_of

# Words of commands that make no backup: they delete, show or read.
_NO_BACKUP = re.compile(
    r"-{0,2}(?:purge|prune|delete|remove|clean|forget|expire|rotate|wipe|restore|fetch|verify|check"
    r"|status|list|help|usage|version|dry-?run)[\w-]*",
    re.I,
)
_DELETING = re.compile(r"remove-|cleanup|ro$|ra$|ri$|cl$")
_PURGING = re.compile(r"purge|cleanup", re.I)


def to_run(search: Search, line: Script, known: Known, started: Fact) -> tuple[Fact, str]:
    """Return the command that runs a job again, and its user.

    It is the line without its redirections, if the line is plain, and else the line's script.
    ``started`` is who starts the line, and who decides that. If root starts a part as another user
    (``sudo -u USER SCRIPT``), only that part is returned. If anybody else starts a part as another
    user, nothing is offered.
    """
    user, owner = started.value, known.get("user")
    placed = list(deciding.placed(commands_of(line)))
    others = [one for one in placed if one[0].user and name_of(one[0].user) != user]
    as_others = [one for one in others if name_of(one[0].user) == owner]
    if others and user != "root":
        return started._replace(value=""), user
    if len(as_others) == 1:
        command, place = as_others[0]
        by = known.by | deciding.deciders_of(search, command, place)
        words = "" if command.unresolved else _program(shlex.join(command.words))
        return Fact(words, line.origin, by), owner
    return started._replace(value=_program(line.text) or _of_one(placed)), user


def may_delete(line: str) -> bool:
    """Return whether the arguments in a line are about something else than a backup."""
    return any(_NO_BACKUP.fullmatch(word) for word in line.split()[1:])


def without_deleting(line: str, commands: Sequence[Command]) -> str:
    """Return the part of a line to run again by hand, without commands that delete.

    ``commands`` are those of the line. The result is empty if more or less than one makes a backup.
    """
    if not any(map(_deletes, commands)):
        return line
    backups = [command for command in commands if backup_of(command) or profile_of(command)]
    if len(backups) != 1:
        return ""
    words = list(backups[0].words)
    if _deletes(backups[0]):
        words = [*words[:2], "backup"]  # of duply
    again = shlex.join(words)
    return again if is_plain(again) and not backups[0].unresolved else ""


def _deletes(command: Command) -> bool:
    program = os.path.basename(command.program)
    if program == "duply":
        return _PURGING.search(" ".join(command.words[2:3])) is not None
    arguments = read_arguments(command.words)
    return arguments is not None and any(map(_DELETING.match, command.words[1:]))


def _program(command: str) -> str:
    """Return a line without its redirections, if it has only plain commands; else empty."""
    command = without_redirections(command)
    parts = [part.strip() for part in re.split(r"&&|;", command)]
    assigns = any(re.match(r"\w+=", part) for part in parts)
    plain = all(is_plain(part) for part in parts)
    return command if plain and not assigns and not command.startswith("-") else ""


def _of_one(placed: Sequence[tuple[Command, str]]) -> str:
    """Return the only command of a line with a full path; empty if there are none or more."""
    own = [command for command, _ in placed if os.path.isabs(command.program)]
    if len(own) != 1 or own[0].unresolved:
        return ""
    words = shlex.join(own[0].words)
    return words if is_plain(words) else ""
