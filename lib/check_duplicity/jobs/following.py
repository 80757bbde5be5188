"""Follow what the clock starts, through the scripts that it calls, to the jobs in them.

Scripts are read, as whoever runs them could, and never executed. On the way it is kept as whom the
next one is run, and who decides what stands there.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator

from check_duplicity.jobs import deciding, entries, model
from check_duplicity.jobs.crontabs import Entry
from check_duplicity.jobs.model import Fact, Known
from check_duplicity.jobs.scripts import Script, commands_of, jobs_of
from check_duplicity.jobs.search import Search
from check_duplicity.lines import is_plain
from check_duplicity.shell.model import Command
from check_duplicity.shell.programs import name_of, program_of
from check_duplicity.system import rights
from check_duplicity.system.user import name_of as name_of_user
from check_duplicity.values import NamedTuple

_DEEPEST = 3  # scripts that call scripts


def jobs_of_entry(search: Search, entry: Entry) -> Iterator[Known]:
    """The jobs that something started by the clock makes, if it is about duplicity at all."""
    with search.time_for(entry.user) as has_time:
        yield from _jobs_of_entry(search, entry, has_time)


def _jobs_of_entry(search: Search, entry: Entry, has_time: Callable[[], bool]) -> Iterator[Known]:
    line = _line_of(entry)
    read = _Reading(search, entry.user, entry.by, entry.by, has_time)
    for known, started_by in _of_script(read, line, name_of(entry.command), "", _DEEPEST):
        script, starter = _to_run(search, line, known, Fact(entry.user, entry.origin, started_by))
        facts = {
            "user": Fact(entry.user, entry.origin, entry.by),
            "schedule": Fact(entry.schedule, entry.origin, entry.by),
            "time_zone": Fact(entry.time_zone, entry.origin, entry.by),
            "script": script,
        }
        given = {key: fact for key, fact in facts.items() if fact.value}
        of_script = known.without(["user"] if known.get("user") == entry.user else [])
        doubts = known.doubts
        if not entry.active:
            doubts = (*doubts, f"{entry.origin}: {model.COMMENTED_OUT}")
        facts = {**given, **of_script.facts}
        yield known._replace(facts=facts, doubts=doubts, starter=starter)


def _to_run(search: Search, line: Script, known: Known, started: Fact) -> tuple[Fact, str]:
    """What can be run again, and as whom: the command, if it is a simple one, else its script.

    ``started`` is who starts the whole, and who decides that. If root starts it as another user
    (``sudo -u USER SCRIPT``), only what is run as that user. What a user wants to be run as
    another one is not offered at all.
    """
    user, owner = started.value, known.get("user")
    placed = list(deciding.placed(commands_of(line)))
    others = [one for one in placed if one[0].user and name_of_user(one[0].user) != user]
    as_others = [one for one in others if name_of_user(one[0].user) == owner]
    if others and user != "root":
        return started._replace(value=""), user
    if len(as_others) == 1:
        command, place = as_others[0]
        by = known.by | deciding.deciders_of(search, command, place)
        return Fact(_program(shlex.join(command.words)), line.origin, by), owner
    return started._replace(value=_program(line.text)), user


def _program(command: str) -> str:
    if is_plain(command) and not command.startswith("-"):
        return command
    program = program_of(command)
    return program if os.path.isabs(program) and is_plain(program) else ""


class _Reading(NamedTuple):
    """How far the reading of scripts has come: as whom the next one is run.

    ``by`` is who decides what stands there besides root, ``started_by`` who decides anything that
    is run as the user who starts the whole, ``has_time`` whether there is time for more.
    """

    search: Search
    user: str
    by: frozenset[str]
    started_by: frozenset[str]
    has_time: Callable[[], bool]


def _of_script(
    read: _Reading, script: Script, name: str, path: str, depth: int
) -> Iterator[tuple[Known, frozenset[str]]]:
    """The jobs of a script, and of the scripts that it calls, each with who decides its start."""
    commands = _commands(read, script)
    for command, place in deciding.placed(commands):
        if not read.has_time():
            return
        by = deciding.deciders_of(read.search, command, place)
        if not command.user or command.user == read.user:
            read = read._replace(started_by=read.started_by | by)
        if command.words[0] in deciding.SOURCING:
            read = read._replace(by=read.by | by)
    here = [_as_run(known, read) for known in jobs_of(commands, script.origin, proper(name))]
    yield from ((known, read.started_by) for known in here)
    for command in commands if depth else ():
        # A script with a backup in it calls others for something else, but for other users.
        mine = command.user in ("", read.user)
        if not (here and mine) and command.program != path and read.has_time():
            yield from _of_called(read, command, depth)


def _commands(read: _Reading, script: Script) -> list[Command]:
    """The commands of a script; none of one that can't be read, or that there is no time for."""
    try:
        return commands_of(script) if read.has_time() else []
    except ValueError as error:
        if "duplicity" in script.text:
            read.search.problems.append(str(error))
        return []


def _of_called(
    read: _Reading, command: Command, depth: int
) -> Iterator[tuple[Known, frozenset[str]]]:
    """The jobs of what a command of a script calls: another script, or duply."""
    called = command.program
    if os.path.basename(called) == "duply" and len(command.words) > 1:
        # Its profile tells the rest.
        duply = Known(os.path.basename(command.words[1]), {})
        yield duply.decided_by(read.by), read.started_by
    if not os.path.isabs(called):
        return
    # Only root can become another user without being asked.
    runner = name_of_user(command.user) if command.user and read.user == "root" else read.user
    text, by = read.search.decided(called, runner)
    if text is not None and "\0" not in text:
        # What another user is started with is no more in the starter's name.
        started_by = read.started_by if runner == read.user else read.by
        inner = read._replace(user=runner, by=read.by | by, started_by=started_by)
        deeper = Script(text, called, dict(command.environment))
        yield from _of_script(inner, deeper, name_of(called), called, depth - 1)


def _as_run(known: Known, read: _Reading) -> Known:
    """A job as of a script that a user runs: as whom it is run, and who decides it."""
    wanted = known.facts.get("user")
    if wanted is not None:
        wanted = wanted._replace(value=name_of_user(wanted.value))
        known = known._replace(facts={**known.facts, "user": wanted})
    known = known.decided_by(read.by)
    if wanted is not None and read.user not in ("root", wanted.value):
        # Whom a user's script wants to be is not known to be allowed.
        doubt = f"{wanted.origin}: runs as {wanted.value} there, and is looked at as {read.user}"
        known = known._replace(doubts=(*known.doubts, doubt))
    if wanted is None or read.user != "root":
        user = Fact(read.user, known.facts["encryption"].origin, read.by)
        known = known._replace(facts={**known.facts, "user": user})
    return known


def proper(name: str) -> str:
    """A name that a job's file can have."""
    kept = "".join(c if (c.isascii() and c.isalnum()) or c in "_.@+-" else "-" for c in name).strip(
        ".-"
    )
    return kept[:80] or "duplicity"


class Started:
    """What crontabs and timers' units start, as far as is seen; read once, when it is needed."""

    def __init__(self) -> None:
        """Read nothing yet."""
        self._search = Search("")
        self._entries: dict[tuple[str, ...], list[Entry]] | None = None

    def has(self, command: str, user: str) -> bool:
        """Whether a command of a user is among it.

        And nobody else, but root, decides that, or can change what it runs.
        """
        if self._entries is None:
            self._entries = {}
            for entry in entries.started(self._search):
                if entry.active:
                    words = (entry.user, *entry.command.split())
                    self._entries.setdefault(words, []).append(entry)
        same = self._entries.get((user, *command.split()), ())
        return any(rights.may(user, _deciders_of_entry(self._search, entry)) for entry in same)


def _deciders_of_entry(search: Search, entry: Entry) -> frozenset[str]:
    commands = deciding.placed(commands_of(_line_of(entry)))
    return entry.by.union(
        *(deciding.deciders_of(search, *c) for c in commands if c[0].user in ("", entry.user))
    )


def _line_of(entry: Entry) -> Script:
    variables = {**deciding.account(entry.user), **entry.environment}
    return Script(entry.command, entry.origin, variables)
