"""Read backupninja's files for duplicity as backupninja 1.2.2 does (handlers ``dup``)."""

from __future__ import annotations

import configparser
import re
import shlex

from check_duplicity.duplicity.invocation import read_arguments
from check_duplicity.jobs.model import Fact, Known
from check_duplicity.jobs.scripts import SHARED

_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_WHEN = re.compile(
    r"(?:(everyday|daily)|((?:mon|tues|wednes|thurs|fri|satur|sun)day)s?|([0-9]{1,2})[a-z]{0,2})"
    r"[ \t]+at[ \t]+([0-9]{2})(?::[0-9]{2})?",
    re.I,
)
_DEFAULT = "everyday at 01:00"
_IDENTITY = re.compile(r"-o\s*(IdentityFile=[^ ]+)")


def is_read(name: str) -> bool:
    """Return whether backupninja reads a file of this name: not if it begins with 0."""
    return name.endswith(".dup") and not name.startswith("0")


def schedule_of(when: str) -> str:
    """Return the schedule of the lines of ``when = ...``; empty if one isn't understood.

    backupninja is started every hour, and compares only the hour.
    """
    found = []
    for line in filter(None, map(str.strip, when.split("\n"))):
        if line.lower() == "hourly":
            found.append("@hourly")
            continue
        match = _WHEN.fullmatch(line)
        if match is None:
            return ""
        _, day, date, hour = match.groups()
        if int(hour) > 23 or (date and not 0 < int(date) < 32):
            return ""
        weekday = str(_DAYS.index(day.lower())) if day else "*"
        found.append(f"0 {int(hour)} {int(date) if date else '*'} * {weekday}")
    return "; ".join(dict.fromkeys(found))


def default_when(text: str) -> str:
    """Return ``when`` of backupninja.conf, the default for files without one."""
    try:
        return _read(text, "")[0].get("when") or _DEFAULT
    except ValueError:
        return _DEFAULT


def job_of_backupninja(text: str, job: str, origin: str, when: str = _DEFAULT) -> Known:
    """Read a ``.dup`` file; ``when`` is when it runs by default. Raises `ValueError`."""
    general, dest, gpg = _read(text, origin)
    url = dest.get("desturl", "")
    if not url and dest.get("desthost"):
        directory = dest.get("destdir", "").removesuffix("/")
        url = f"scp://{dest.get('destuser', '')}@{dest['desthost']}/{directory}"
    if not url:
        raise ValueError(f"{origin}: no destination")
    when = general.get("when") or when
    arguments = read_arguments(["duplicity", *_words(general.get("options", ""))])
    options = arguments.values if arguments else {}
    shared = arguments.options(SHARED) if arguments else []
    if dest.get("sshoptions"):
        shared.append(f"--ssh-options={_ssh_options(dest['sshoptions'])}")
    values = {
        "user": "root",
        "destination": url,
        "schedule": schedule_of(when),
        "archive_dir": options.get("--archive-dir", "/var/cache/backupninja/duplicity"),
        "name": options.get("--name", ""),
        "options": shlex.join([*shared, *_full(dest)]),
        "encryption": "no" if "--no-encryption" in options else "yes",
    }
    doubts: tuple[str, ...] = ()
    if not values["schedule"] and when.lower() != "manual":
        doubts = (f"{origin}: when it runs is not understood",)
    facts = {key: Fact(value, origin) for key, value in values.items() if value}
    return Known(job, facts, _environment(dest, gpg, url), doubts)


def _full(dest: dict[str, str]) -> list[str]:
    """Return the option for the age at which a full backup is made: 30 days by default."""
    increments = dest.get("increments") or "30"
    if dest.get("incremental", "yes") == "no" or increments == "keep":
        return []
    days = "D" if increments.isdigit() else ""
    return [f"--full-if-older-than={increments}{days}"]


def _ssh_options(options: str) -> str:
    """Remove the blank after -o, as backupninja does for a single IdentityFile."""
    match = _IDENTITY.fullmatch(options)
    return f"-o{match[1]}" if match else options


def _environment(dest: dict[str, str], gpg: dict[str, str], url: str) -> dict[str, str]:
    scheme = url.partition(":")[0]
    given = [
        ("PASSPHRASE", gpg, "password", True),
        ("SIGN_PASSPHRASE", gpg, "signpassword", True),
        ("FTP_PASSWORD", dest, "ftp_password", True),
        ("AWS_ACCESS_KEY_ID", dest, "awsaccesskeyid", scheme == "s3+http"),
        ("AWS_SECRET_ACCESS_KEY", dest, "awssecretaccesskey", scheme == "s3+http"),
        ("CLOUDFILES_USERNAME", dest, "cfusername", scheme == "cf+http"),
        ("CLOUDFILES_APIKEY", dest, "cfapikey", scheme == "cf+http"),
        ("CLOUDFILES_AUTHURL", dest, "cfauthurl", scheme == "cf+http"),
        ("DPBX_APP_KEY", dest, "dropboxappkey", scheme == "dpbx"),
        ("DPBX_APP_SECRET", dest, "dropboxappsecret", scheme == "dpbx"),
        ("DPBX_ACCESS_TOKEN", dest, "dropboxaccesstoken", scheme == "dpbx"),
    ]
    return {name: source[key] for name, source, key, is_on in given if is_on and source.get(key)}


def _read(text: str, origin: str) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    parser = configparser.ConfigParser(
        interpolation=None, strict=False, delimiters=("=",), allow_no_value=True,
        dict_type=_Lines,
    )  # fmt: skip
    try:
        # Keys before the first section are general ones.
        parser.read_string(f"[general]\n{text}", origin)
    except (configparser.Error, AttributeError) as error:
        raise ValueError(f"{origin}: {type(error).__name__}") from None
    general, dest, gpg = (_section(parser, name) for name in ("general", "dest", "gpg"))
    return general, dest, gpg


class _Lines(dict):  # type: ignore[type-arg]
    """Keeps all values of a key that occurs several times."""

    def __setitem__(self, key: str, value: object) -> None:
        if isinstance(value, list) and isinstance(self.get(key), list) and value is not self[key]:
            value = [*self[key], *value]
        super().__setitem__(key, value)


def _section(parser: configparser.ConfigParser, name: str) -> dict[str, str]:
    if not parser.has_section(name):
        return {}
    return {key: _unquoted(value or "") for key, value in parser[name].items()}


def _unquoted(value: str) -> str:
    value = value.strip()
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] in ("'", '"') else value


def _words(options: str) -> list[str]:
    try:
        return shlex.split(options)
    except ValueError:
        return []
