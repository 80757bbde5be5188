"""Read jobs out of what runs duplicity: scripts, duply's profiles, backupninja's files.

Nothing is executed or sourced; what can't be known without that is said.
"""

from __future__ import annotations

import configparser
import re
import shlex
from collections.abc import Mapping, Sequence

from check_duplicity.duplicity.invocation import read_arguments
from check_duplicity.jobs.model import Fact, Known
from check_duplicity.shell.model import Command, ShellError
from check_duplicity.shell.reading import read_commands, read_variables
from check_duplicity.values import NamedTuple

# Options of a backup that every other command needs as well: to reach the destination, and to know
# its files there.
_SHARED = re.compile(
    r"--(?:file-prefix|ssh-|sftp-|scp-|rsync-|s3-|azure-|b2-|cf-|swift-|webdav-|ftp-|ssl-|par2-|"
    r"backend-|imap-|pydrive-|rclone|idr-|mf-|dropbox|old-filenames|time-separator|short-filenames|"
    r"num-retries|timeout|use-scp|full-if-|skip-if-no-change)"
)
# What cron and sudo set for every command: nothing of the job's own.
# And what decides which program is run never comes from a job.
_ACCOUNT = re.compile(
    r"HOME|LOGNAME|USER|MAIL\w*|SHELL|CRON_TZ|LANG|LC_\w+|PATH|LD_\w+|PYTHON\w*|BASH_ENV|ENV|IFS|TMPDIR"
)
_MOST = 50  # jobs of one script
_SECRET = re.compile(r"PASS|SECRET|TOKEN|KEY|CREDENTIAL|AUTH|ACCOUNT", re.I)


class Script(NamedTuple):
    """A text with shell commands: a script, or what stands in a crontab."""

    text: str
    origin: str
    variables: Mapping[str, str] = {}


def commands_of(script: Script) -> list[Command]:
    """Return a script's commands. Raises `ValueError` if it can't be read."""
    try:
        return read_commands(script.text, script.variables)
    except ShellError as error:
        raise ValueError(f"{script.origin}: {error}") from None


def jobs_of(commands: Sequence[Command], origin: str, job: str) -> list[Known]:
    """Return the jobs that a script's commands make backups of: one for each destination.

    The first has the name that is given, others that and a number.
    """
    found: dict[tuple[str, ...], Known] = {}
    for command in commands:
        arguments = read_arguments(command.words)
        if arguments is None or not arguments.backup:
            continue
        # The same backup may stand there twice, as a full and as an incremental one.
        prefixes = arguments.options(re.compile("--file-prefix"))
        identity = (arguments.url, arguments.values.get("--name", ""), *prefixes)
        if identity not in found and len(found) < _MOST:
            name = job if not found else f"{job}-{len(found) + 1}"
            found[identity] = _known(name, command, origin)
    return list(found.values())


def _known(job: str, command: Command, origin: str) -> Known:
    arguments = read_arguments(command.words)
    assert arguments is not None
    where = origin if re.search(r":\d+$", origin) else f"{origin}:{command.line}"
    known_url = not any(piece in arguments.url for piece in command.unresolved)
    values = {
        "destination": arguments.url if known_url else "",
        "archive_dir": arguments.values.get("--archive-dir", ""),
        "name": arguments.values.get("--name", ""),
        "options": shlex.join(arguments.options(_SHARED)),
        "user": command.user,
        "encryption": "no" if "--no-encryption" in arguments.values else "yes",
    }
    if arguments.command != ("duplicity",):
        values["duplicity"] = shlex.join(arguments.command)
    # Not what it is: there may be a secret in it.
    doubts = [f"{where}: part of it can't be known without running it"] * bool(command.unresolved)
    facts = {key: Fact(value, where) for key, value in values.items() if value}
    environment = {k: v for k, v in command.environment.items() if not _ACCOUNT.fullmatch(k)}
    return Known(job, facts, environment, tuple(doubts))


def job_of_duply(text: str, profile: str, origin: str) -> Known:
    """Read a profile of duply (``conf``, as ``duply PROFILE create`` documents it).

    Raises `ValueError` if it can't be read or has no TARGET.
    """
    try:
        variables = read_variables(text, {"DUPL_PARAMS": ""})
    except ShellError as error:
        raise ValueError(f"{origin}: {error}") from None
    url = variables.get("TARGET", "")
    if not url:
        raise ValueError(f"{origin}: no TARGET")
    credentials = [variables.get(key, "") for key in ("TARGET_USER", "TARGET_PASS")]
    if credentials[0] and "@" not in url:
        scheme, _, rest = url.partition("://")
        from urllib.parse import quote  # slow to load

        url = f"{scheme}://{':'.join(quote(c, safe='') for c in credentials if c)}@{rest}"
    values = {
        "destination": url,
        "archive_dir": variables.get("ARCH_DIR", ""),
        "name": f"duply_{profile}",
        "options": shlex.join(_shared(variables.get("DUPL_PARAMS", ""))),
        "encryption": "no" if variables.get("GPG_KEY") == "disabled" else "yes",
    }
    environment = {"PASSPHRASE": variables["GPG_PW"]} if variables.get("GPG_PW") else {}
    exported = {key: value for key, value in variables.items() if _SECRET.search(key)}
    facts = {key: Fact(value, origin) for key, value in values.items() if value}
    return Known(profile, facts, {**exported, **environment})


def job_of_backupninja(text: str, job: str, origin: str) -> Known:
    """Read a ``.dup`` file of backupninja (its ``handlers/dup``). Raises `ValueError`."""
    parser = configparser.ConfigParser(
        interpolation=None, strict=False, delimiters=("=",), allow_no_value=True
    )
    try:
        # What stands before the first section is of the whole.
        parser.read_string(f"[general]\n{text}", origin)
    except (configparser.Error, AttributeError) as error:
        raise ValueError(f"{origin}: {type(error).__name__}") from None
    general, dest, gpg = (_section(parser, name) for name in ("general", "dest", "gpg"))
    url = dest.get("desturl", "")
    if not url and dest.get("desthost"):
        directory = dest.get("destdir", "").rstrip("/")
        url = f"scp://{dest.get('destuser', '')}@{dest['desthost']}/{directory}"
    if not url:
        raise ValueError(f"{origin}: no destination")
    options = general.get("options", "")
    given = re.search(r"--archive-dir[ =](\S+)", options)
    shared = _shared(options)
    if dest.get("sshoptions"):
        shared.append(f"--ssh-options={dest['sshoptions']}")
    values = {
        "user": "root",
        "destination": url,
        "archive_dir": given[1] if given else "/var/cache/backupninja/duplicity",
        "options": shlex.join(shared),
        "encryption": "yes",
    }
    environment = {
        variable: source[key]
        for variable, source, key in (
            ("PASSPHRASE", gpg, "password"),
            ("SIGN_PASSPHRASE", gpg, "signpassword"),
            ("FTP_PASSWORD", dest, "ftp_password"),
            ("AWS_ACCESS_KEY_ID", dest, "awsaccesskeyid"),
            ("AWS_SECRET_ACCESS_KEY", dest, "awssecretaccesskey"),
            ("CLOUDFILES_USERNAME", dest, "cfusername"),
            ("CLOUDFILES_APIKEY", dest, "cfapikey"),
        )
        if source.get(key)
    }
    facts = {key: Fact(value, origin) for key, value in values.items() if value}
    return Known(job, facts, environment)


def _section(parser: configparser.ConfigParser, name: str) -> dict[str, str]:
    if not parser.has_section(name):
        return {}
    return {key: _unquoted(value or "") for key, value in parser[name].items()}


def _unquoted(value: str) -> str:
    value = value.strip()
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] in ("'", '"') else value


def _shared(parameters: str) -> list[str]:
    """The options in a line of them that other commands need as well."""
    try:
        words = shlex.split(parameters)
    except ValueError:
        return []
    arguments = read_arguments(["duplicity", *words])
    return arguments.options(_SHARED) if arguments else []
