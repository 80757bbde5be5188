"""Find the backup jobs in the commands of scripts.

Nothing is executed; doubts say what can't be known without that.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping, Sequence

from check_duplicity.duplicity.invocation import Arguments, read_arguments
from check_duplicity.jobs import outputs
from check_duplicity.jobs.model import Fact, Known
from check_duplicity.jobs.outputs import Streams
from check_duplicity.shell.model import Command, Host, ShellError
from check_duplicity.shell.reading import Given, read_commands
from check_duplicity.values import NamedTuple

# Options of a backup that every other command needs, too: to reach the destination, and to
# recognize its files.
SHARED = re.compile(
    r"--(?:file-prefix|gpg-options|gpg-binary|use-agent|ssh-|sftp-|scp-|rsync-|s3-|azure-|b2-|cf-|swift-|webdav-|ftp-|ssl-|par2-|"
    r"backend-|imap-|pydrive-|rclone|idr-|mf-|dropbox|old-filenames|time-separator|short-filenames|"
    r"num-retries|timeout|use-scp|full-if-|skip-if-no-change)"
)
# Variables that cron and sudo set for every command, so they aren't the job's own. And variables
# that decide which program runs: they are never taken from a job.
_ACCOUNT = re.compile(
    r"HOME|LOGNAME|USER|PWD|OLDPWD|SHLVL|MAIL\w*|SHELL|CRON_TZ|LANG|LC_\w+|PATH|LD_\w+|PYTHON\w*|BASH_ENV|ENV|IFS|TMPDIR"
)
_USER = re.compile(r"[A-Za-z0-9_][\w.@-]*\$?", re.A)
_EVERYWHERE = ("/usr/bin", "/bin")  # in everybody's PATH
_MOST = 50  # jobs of one script
_OWN = Streams()


class Script(NamedTuple):
    """A text with shell commands: a script, or the command of a crontab.

    ``arguments`` are its name and its arguments; ``None`` is an unknown one, or several if they are
    ``loose``. ``hidden`` are variables that it may get with values that aren't known;
    ``interpreter`` is the program that runs it, if its first line names none.
    """

    text: str
    origin: str
    variables: Mapping[str, str] = {}
    arguments: tuple[str | None, ...] = ()
    loose: bool = False
    hidden: frozenset[str] = frozenset()
    interpreter: str = ""


def commands_of(script: Script, host: Host | None = None) -> list[Command]:
    """Return a script's commands. Raises `ValueError` if it can't be read."""
    given = Given(script.variables, script.arguments, script.loose, script.hidden)
    try:
        return read_commands(script.text, given, host, script.interpreter)
    except ShellError as error:
        raise ValueError(f"{script.origin}: {error}") from None


def jobs_of(
    commands: Sequence[Command],
    origin: str,
    job: str,
    host: Host | None = None,
    home: str = "",
    starter: Streams = _OWN,
) -> list[Known]:
    """Return the backup jobs in a script's commands: one for each destination.

    The first one gets the name ``job``, the others that name and a number. ``home`` is the user's
    HOME, for scripts that set another one; ``starter`` is where the script's output goes.
    """
    found: dict[tuple[str, ...], Known] = {}
    for command in commands:
        arguments = backup_of(command)
        if arguments is None:
            continue
        # Two commands may make the same backup: a full and an incremental one.
        prefixes = arguments.options(re.compile("--file-prefix"))
        identity = (arguments.url, arguments.values.get("--name", ""), *prefixes)
        told = _streams_of(command, arguments, starter, origin)
        if identity not in found and len(found) < _MOST:
            name = job if not found else f"{job}-{len(found) + 1}"
            known = outputs.with_mail(_known(name, command, arguments, origin), told)
            found[identity] = _with_program(_at_home(known, command, home), command, host)
        elif identity in found:
            found[identity] = outputs.also_told(found[identity], told)
    return list(found.values())


def backup_of(command: Command) -> Arguments | None:
    """Return the arguments of a command that makes a backup, or may; ``None`` for others."""
    words = list(command.words)
    known = list(command.known) or [True] * len(words)
    while words and not known[0] and words[0] in command.unresolved:
        words, known = words[1:], known[1:]  # an unknown word that may be sudo, nice or nothing
    arguments = read_arguments(words)
    if arguments is None or arguments.values.keys() & {"--version", "--help"}:
        return None
    if arguments.backup or (not arguments.action and not all(known)):
        return arguments
    return None


def place_of(command: Command, origin: str) -> str:
    """Return the file and the line of a command."""
    file = command.file or origin
    return file if re.search(r":\d+$", file) else f"{file}:{command.line}"


def _streams_of(command: Command, arguments: Arguments, starter: Streams, origin: str) -> Streams:
    """Return where a backup's output goes: to duplicity's own log, if that can be read."""
    where = place_of(command, origin)
    log = arguments.values.get("--log-file", "")
    own = outputs.of_log_file(log, command, where) if log else _OWN
    return own if own.output.mail else outputs.of_command(command, starter, where)


def _known(job: str, command: Command, arguments: Arguments, origin: str) -> Known:
    where = place_of(command, origin)
    values = {
        "destination": arguments.url,
        "archive_dir": arguments.values.get("--archive-dir", ""),
        "name": arguments.values.get("--name", ""),
        "options": shlex.join(_certain(arguments.options(SHARED), command)),
        "user": command.user if _USER.fullmatch(command.user) else "",
        "encryption": "no" if "--no-encryption" in arguments.values else "yes",
    }
    if _may_have_options(command):
        values["encryption"] = "no" if values["encryption"] == "no" else ""
    # No printed command may have a program that others would take for an option.
    if arguments.command != ("duplicity",) and not arguments.command[0].startswith("-"):
        values["duplicity"] = shlex.join(arguments.command)
    # Don't say which part: it may hold a secret.
    doubts = [f"{where}: part of it can't be known without running it"] * bool(command.unresolved)
    facts = {
        key: Fact(value, where)
        for key, value in values.items()
        if value and _certain([value], command)
    }
    if command.user and not _USER.fullmatch(command.user):
        facts["user"] = Fact("", where)
        doubts.append(f"{where}: as whom it runs can't be known without running it")
    environment = {k: v for k, v in command.environment.items() if not _ACCOUNT.fullmatch(k)}
    certain = command.certain and arguments.backup
    return Known(job, facts, environment, tuple(doubts), certain=certain)


def _at_home(known: Known, command: Command, home: str) -> Known:
    """Add HOME to the environment of a job whose HOME isn't its user's."""
    own = command.environment.get("HOME", home)
    if not home or command.user or own == home:
        return known
    return known._replace(environment={**known.environment, "HOME": own})


def _with_program(known: Known, command: Command, host: Host | None) -> Known:
    """Add the path of duplicity, if the job finds it where other users' PATH may not lead."""
    path = command.environment.get("PATH")
    if host is None or command.user or "duplicity" in known.facts or "PATH" in command.hidden:
        return known
    program = host.program("duplicity", path) or ""
    if not program or os.path.dirname(program) in _EVERYWHERE:
        return known
    fact = Fact(program, known.place or command.file, host.deciders_of_program(program))
    return known._replace(facts={**known.facts, "duplicity": fact})


def _certain(values: Sequence[str], command: Command) -> list[str]:
    """Leave out the values that contain an unknown piece."""
    return [v for v in values if not any(piece in v for piece in command.unresolved)]


def _may_have_options(command: Command) -> bool:
    """Return whether an unknown word may be an option."""
    words, known = command.words, command.known or (True,) * len(command.words)
    for place, word in enumerate(words[:-1]):
        before = words[place - 1] if place else ""
        is_value = before.startswith("--") and "=" not in before
        open_at_start = any(word.startswith(piece) for piece in command.unresolved)
        if not known[place] and open_at_start and not is_value:
            return True
    return False
