"""Become the user whom the backup belongs to."""

from __future__ import annotations

import contextlib
import os
import pwd
from collections.abc import Iterator

from check_duplicity.nagios.findings import CannotSee, Kind
from check_duplicity.system import keyring

_KEPT = {"PATH", "TERM", "TZ"}  # of root's environment; the user gets nothing else of it


def become(name: str) -> None:
    """Become the user ``name``, with that user's HOME (duplicity's GPG must use that keyring).

    Only root can do that; for that user itself it does nothing. Raises `CannotSee` otherwise.
    """
    try:
        account = pwd.getpwnam(name)
    except (KeyError, ValueError):
        raise CannotSee(Kind.USAGE, f"there is no user {name!r} on this machine") from None
    if os.geteuid() == account.pw_uid:
        return
    if os.geteuid() != 0:
        raise CannotSee(Kind.WRONG_USER, f"must be run as {name}, not as {current()}")
    try:
        keyring.leave_session()
        os.initgroups(name, account.pw_gid)
        os.setresgid(account.pw_gid, account.pw_gid, account.pw_gid)
        os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)
    except OSError as error:
        raise CannotSee(Kind.WRONG_USER, f"cannot become {name}: {error.strerror}") from None
    for variable in set(os.environ) - _KEPT:
        del os.environ[variable]
    os.environ.update(
        HOME=account.pw_dir, USER=name, LOGNAME=name, SHELL=account.pw_shell or "/bin/sh"
    )
    if not os.access(".", os.X_OK):
        os.chdir("/")
    for part in (os.__file__, __file__):
        if not os.access(part, os.R_OK):
            reason = f"{name} may not read what this is installed on: {part}"
            raise CannotSee(Kind.USAGE, reason)


@contextlib.contextmanager
def acting_as(name: str) -> Iterator[None]:
    """Give root only the rights of a user, for the length of the block.

    Nothing changes for a process of another user. Raises `KeyError` if there is no such user.
    """
    if os.geteuid() != 0 or not name or name == "root":
        yield
        return
    account = pwd.getpwnam(name)
    groups = os.getgroups()
    try:
        os.setgroups(os.getgrouplist(name, account.pw_gid))
        os.setegid(account.pw_gid)
        os.seteuid(account.pw_uid)
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


def current() -> str:
    """Return the name of the user that this process runs as, or the number if it has none."""
    return name_of_uid(os.geteuid())


def name_of_uid(uid: int) -> str:
    """Return the name of a user, or the number of one that has none.

    The number 0 is root, even if another name for it comes first.
    """
    if uid == 0:
        return "root"
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def nonblocking(path: str, flags: int) -> int:
    """Open a file for `open`, without waiting for the other end of a pipe."""
    return os.open(path, flags | os.O_NONBLOCK)


def exists(name: str) -> bool:
    """Return whether there is such a user on this machine."""
    try:
        return bool(pwd.getpwnam(name))
    except (KeyError, ValueError):
        return False


def name_of(text: str) -> str:
    """Return the name of a user who is given by name or, as sudo and systemd allow, by number."""
    number = text.removeprefix("#")
    return name_of_uid(int(number)) if number.isdecimal() and not exists(text) else text


def has_shell(name: str) -> bool:
    """Return whether ``sudo -i`` works for a user: not for accounts such as Debian's ``backup``."""
    try:
        return not pwd.getpwnam(name).pw_shell.endswith(("/nologin", "/false"))
    except (KeyError, ValueError):
        return True
