"""Read duply's profiles and command lines as duply 2.4.1 does."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Sequence

from check_duplicity.duplicity.invocation import read_arguments
from check_duplicity.jobs.model import Fact, Known
from check_duplicity.jobs.scripts import SHARED
from check_duplicity.shell.model import Command, Host, ShellError
from check_duplicity.shell.reading import Given, read_commands, read_variables
from check_duplicity.values import NamedTuple

_BACKUPS = frozenset(["backup", "bkp", "incr", "full"])
_TARGET = re.compile(r"([^/:]+://)(?:([^@]*)@)?(.*)", re.S)


class Target(NamedTuple):
    """The URL that duplicity gets, without a password, and the variable that has it instead."""

    url: str
    variable: str = ""
    password: str = ""


def makes_backup(words: Sequence[str]) -> bool | None:
    """Return whether ``duply PROFILE COMMAND`` makes a backup; ``None`` if there is no command.

    Commands are joined by ``_``, ``+`` and ``-``, and may stand in brackets.
    """
    if len(words) < 3:
        return None
    return not _BACKUPS.isdisjoint(re.split(r"[_+\-\[\]]", words[2].lower()))


def profile_of(command: Command) -> str:
    """Return the profile that a command backs up, or may; empty if it makes no backup."""
    if os.path.basename(command.program) != "duply" or len(command.words) < 3:
        return ""
    known = command.known or (True,) * len(command.words)
    if known[2] and not makes_backup(command.words):
        return ""
    return os.path.basename(command.words[1].rstrip("/")) if known[1] else ""


def job_of_duply(
    text: str,
    profile: str,
    origin: str,
    host: Host | None = None,
    is_directory: Callable[[str], bool] = os.path.isdir,
) -> Known:
    """Read a profile (``conf``, as ``duply PROFILE create`` documents it).

    Raises `ValueError` if it can't be read or has no TARGET.
    """
    try:
        variables = read_variables(text, {"DUPL_PARAMS": ""}, host)
        exported = read_commands(f"{text}\n:", Given(), host)[-1].environment
    except ShellError as error:
        raise ValueError(f"{origin}: {error}") from None
    if not variables.get("TARGET"):
        raise ValueError(f"{origin}: no TARGET")
    target = _target(variables)
    archive = variables.get("ARCH_DIR", "")
    prefixed = not archive or is_directory(f"{archive}/duply_{profile}")
    keys = any(variables.get(key) for key in ("GPG_KEY", "GPG_KEYS_ENC", "GPG_KEY_SIGN"))
    encrypted = variables.get("GPG_KEY", "").lower() != "disabled" and (
        keys or "GPG_PW" in variables
    )
    options = _shared(variables.get("DUPL_PARAMS", ""))
    if encrypted and variables.get("GPG_OPTS"):
        options.append(f"--gpg-options={variables['GPG_OPTS']}")
    if variables.get("GPG"):
        options.append(f"--gpg-binary={variables['GPG']}")
    values = {
        "destination": target.url,
        "archive_dir": archive,
        "name": f"duply_{profile}" if prefixed else profile,
        "options": shlex.join(options),
        "encryption": "yes" if encrypted else "no",
    }
    environment = dict(exported)
    if encrypted:
        secrets = (("PASSPHRASE", "GPG_PW"), ("SIGN_PASSPHRASE", "GPG_PW_SIGN"))
        environment.update({k: variables[key] for k, key in secrets if key in variables})
    if target.variable:
        environment[target.variable] = target.password
    facts = {key: Fact(value, origin) for key, value in values.items() if value}
    return Known(profile, facts, environment)


def _target(variables: dict[str, str]) -> Target:
    """Take the password out of the URL, and put the user into it."""
    from urllib.parse import quote, unquote  # slow to load

    url = variables["TARGET"]
    match = _TARGET.fullmatch(url)
    if match is None:
        return Target(url)
    scheme, credentials, place = match.groups()
    user, colon, password = (credentials or "").partition(":")
    user = unquote(user) or variables.get("TARGET_USER", "")  # Two that differ are an error.
    given = colon != ""
    password = unquote(password)
    for key in ("TARGET_PASS", "TARGET_PW"):
        if key in variables:
            password, given = variables[key], True
    kind = scheme.lower()
    variable = "IMAP_PASSWORD" if kind in ("imap://", "imaps://") else "FTP_PASSWORD"
    if kind != "file://" and user:
        url = f"{scheme}{quote(user, safe='')}@{place}"
    return Target(url, variable if given else "", password)


def _shared(parameters: str) -> list[str]:
    """Return the options in DUPL_PARAMS that other commands need, too."""
    try:
        words = shlex.split(parameters)
    except ValueError:
        return []
    arguments = read_arguments(["duplicity", *words])
    return arguments.options(SHARED) if arguments else []
