"""Follow what cron and timers start, through the scripts that they call, to the backup jobs.

Scripts are read with the rights of the user who runs them, and never executed. Each step keeps
which user runs the next script, and who decides its content.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from check_duplicity.jobs import calling, deciding, entries, model, outputs, running
from check_duplicity.jobs.calling import Called
from check_duplicity.jobs.crontabs import Entry
from check_duplicity.jobs.duply import profile_of
from check_duplicity.jobs.host import ThisHost
from check_duplicity.jobs.model import Fact, Known, Start
from check_duplicity.jobs.outputs import Streams
from check_duplicity.jobs.scripts import Script, commands_of, jobs_of, place_of
from check_duplicity.jobs.search import Search
from check_duplicity.shell.model import Command
from check_duplicity.shell.programs import name_of
from check_duplicity.system import rights
from check_duplicity.system.user import name_of as name_of_user
from check_duplicity.values import NamedTuple

_DEEPEST = 3  # scripts that call scripts


def jobs_of_entry(search: Search, entry: Entry) -> Iterator[Known]:
    """Yield the jobs of an entry of cron or a timer; none if it isn't about duplicity."""
    with search.time_for(entry.user) as has_time:
        yield from _jobs_of_entry(search, entry, has_time)


def _jobs_of_entry(search: Search, entry: Entry, has_time: Callable[[], bool]) -> Iterator[Known]:
    line = _line_of(entry)
    told = outputs.of_entry(search, entry)
    read = _Reading(search, entry.user, entry.by, entry.by, has_time, told)
    for known, started_by in _jobs_of_script(read, line, name_of(entry.command), "", _DEEPEST):
        started = Fact(entry.user, entry.origin, started_by)
        script, starter = running.to_run(search, line, known, started)
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
        if not known.certain and running.may_delete(entry.command):
            # It may make no backup: it gives no schedule, and isn't to be run again.
            given = {key: fact for key, fact in given.items() if key == "user"}
            doubts = (*doubts, f"{entry.origin}: whether it makes a backup isn't known")
        facts = {k: fact for k, fact in {**given, **of_script.facts}.items() if fact.value}
        starts = (start_of(entry),)
        whole = known._replace(facts=facts, doubts=doubts, starter=starter, starts=starts)
        yield outputs.as_read_by(search, whole, told, entry.user)


def start_of(entry: Entry) -> Start:
    """Return a crontab's line or a unit as the start of the job that it starts."""
    off = entry.off if entry.active else model.COMMENTED_OUT
    return Start(entry.timer or entry.origin, entry.command, off)


class _Reading(NamedTuple):
    """How the next script is read: with the rights of ``user``, who runs it.

    ``by`` is who besides root decides its content, ``started_by`` who decides anything that runs as
    the user of the entry, ``has_time`` tells whether there is time for more, ``prints`` is where
    the script's output goes.
    """

    search: Search
    user: str
    by: frozenset[str]
    started_by: frozenset[str]
    has_time: Callable[[], bool]
    prints: Streams


def _jobs_of_script(
    read: _Reading, script: Script, name: str, path: str, depth: int
) -> Iterator[tuple[Known, frozenset[str]]]:
    """Yield the jobs of a script and of the scripts it calls, each with who decides its start."""
    host = ThisHost(read.search, read.user)
    commands = _commands(read, script, host)
    read = read._replace(by=read.by | host.by)
    for command, place in deciding.placed(commands):
        if not read.has_time():
            return
        by = deciding.deciders_of(read.search, command, place)
        if not command.user or command.user == read.user:
            read = read._replace(started_by=read.started_by | by)
        if command.words[0] in deciding.SOURCING:
            read = read._replace(by=read.by | by)
    home = deciding.account(read.user).get("HOME", "")
    found = jobs_of(commands, script.origin, proper(name), host, home, read.prints)
    here = [_as_run(known, read, script.origin) for known in found]
    yield from ((known, read.started_by) for known in here)
    for command, place in deciding.placed(commands) if depth else ():
        # A script that makes a backup calls other scripts for other things, except as other users.
        mine = command.user in ("", read.user)
        if not (here and mine) and read.has_time():
            for called in calling.called(read.search, command, place):
                if called.path != path:
                    prints = outputs.of_command(
                        command, read.prints, place_of(command, script.origin)
                    )
                    yield from _jobs_of_called(read._replace(prints=prints), command, called, depth)


def _commands(read: _Reading, script: Script, host: ThisHost) -> list[Command]:
    """Return the commands of a script; none if it can't be read, or if time is up."""
    try:
        return commands_of(script, host) if read.has_time() else []
    except ValueError as error:
        if "duplicity" in script.text:
            read.search.problems.append(str(error))
        return []


def _jobs_of_called(
    read: _Reading, command: Command, called: Called, depth: int
) -> Iterator[tuple[Known, frozenset[str]]]:
    """Yield the jobs of another script, or of duply, that a command of a script calls."""
    profile = profile_of(command)
    if profile:
        # Its profile tells the rest.
        duply = outputs.with_mail(Known(profile, {}, certain=command.certain), read.prints)
        yield duply.decided_by(read.by), read.started_by
    if not os.path.isabs(called.path):
        return
    # Only root can become another user without being asked.
    runner = name_of_user(command.user) if command.user and read.user == "root" else read.user
    text, by = read.search.decided(called.path, runner)
    if text is None or "\0" in text or os.path.basename(called.path) == "duply":
        return
    if calling.is_foreign(called, text):
        if calling.is_about_duplicity(called.path, text):
            problem = f"{called.path}: is not a shell script, but has duplicity in it"
            read.search.problems.append(problem)
        return
    # A script that runs as another user no longer acts in the starter's name.
    started_by = read.started_by if runner == read.user else read.by
    inner = read._replace(user=runner, by=read.by | by, started_by=started_by)
    deeper = Script(
        text, called.path, {**command.environment, "PWD": command.place},
        (called.path, *called.arguments), command.loose, command.hidden, called.interpreter,
    )  # fmt: skip
    found = _jobs_of_script(inner, deeper, name_of(called.path), called.path, depth - 1)
    for known, by in found:
        yield known._replace(certain=known.certain and command.certain), by


def _as_run(known: Known, read: _Reading, origin: str) -> Known:
    """Return a job of a script that a user runs, with the job's user and who decides it."""
    wanted = known.facts.get("user")
    if wanted is not None:
        wanted = wanted._replace(value=wanted.value and name_of_user(wanted.value))
        known = known._replace(facts={**known.facts, "user": wanted})
    known = known.decided_by(read.by)
    if wanted is not None and read.user not in ("root", wanted.value):
        # It isn't known whether this user may run anything as the other one.
        doubt = f"{wanted.origin}: runs as {wanted.value} there, and is looked at as {read.user}"
        known = known._replace(doubts=(*known.doubts, doubt))
    if wanted is None or read.user != "root":
        user = Fact(read.user, known.place or origin, read.by)
        known = known._replace(facts={**known.facts, "user": user})
    return known


def proper(name: str) -> str:
    """Return a name as a job's file can have it."""
    kept = "".join(c if (c.isascii() and c.isalnum()) or c in "_.@+-" else "-" for c in name).strip(
        ".-"
    )
    return kept[:80] or "duplicity"


class Started:
    """The commands that crontabs and timers start, as far as they can be seen; read once."""

    def __init__(self) -> None:
        """Read nothing yet."""
        self._search = Search("")
        self._entries: dict[tuple[str, ...], list[Entry]] | None = None

    def has(self, command: str, user: str) -> bool:
        """Return whether a user's command is among them.

        It doesn't count if anybody but root and the user decides that, or can change what it runs.
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
    if entry.place:
        variables["PWD"] = entry.place
    shell = entry.environment.get("SHELL", "sh")
    return Script(
        entry.command, entry.origin, variables, (os.path.basename(shell),), interpreter=shell
    )
