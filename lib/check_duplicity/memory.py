"""Remember from one check to the next, in a small file that only its user can touch.

Memory is a convenience, never a truth: what can't be read is forgotten, and what can't be written
is said, with the reason. Nobody else can plant or read it: the directory must be its user's alone,
the file is private (0600), no link is followed, and it is replaced in one step, so that checks at
the same time don't harm each other.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
import zlib
from collections.abc import Sequence

from check_duplicity.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

_LARGEST = 16 << 20  # bytes


class Forgotten(Exception):
    """Memory could not be read or kept; the text says why."""


def default_path(plugin: str, identity: Sequence[str]) -> str:
    """Return where a plugin keeps what it knows of one job: ``identity`` is what tells them apart.

    Below ``$XDG_STATE_HOME`` (XDG Base Directory Specification), else in ``/var/tmp``.
    """
    home = os.environ.get("XDG_STATE_HOME", "")
    if os.path.isabs(home):
        directory = os.path.join(home, "check-duplicity")
    else:
        # Only if it is this user's alone: see _open_directory.
        directory = f"/var/tmp/check-duplicity-{os.geteuid()}"  # noqa: S108  # nosec B108
    import hashlib

    words = "\0".join(identity).encode(errors="surrogateescape")
    return os.path.join(directory, f"{plugin}-{hashlib.sha256(words).hexdigest()[:16]}.json")


def recall(path: str) -> dict[str, Any]:
    """Return what was remembered; empty if nothing was. Raises `Forgotten`."""
    try:
        directory = _open_directory(path)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise Forgotten(_reason(path, error)) from None
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        file = os.open(os.path.basename(path), flags, dir_fd=directory)
        with open(file, "rb") as opened:
            _demand_own_file(file)
            checksum, _, text = opened.read(min(_LARGEST, os.fstat(file).st_size)).partition(b" ")
            if int(checksum, 16) != zlib.crc32(text):
                raise ValueError("damaged")
            value = json.loads(text)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise Forgotten(_reason(path, error)) from None
    except (ValueError, RecursionError):
        raise Forgotten(f"{path}: is damaged, begun anew") from None
    finally:
        os.close(directory)
    return value if isinstance(value, dict) else {}


def remember(path: str, value: dict[str, Any], *, make_directory: bool = False) -> None:
    """Keep a value for the next check, in a directory that is made if need be.

    Raises `Forgotten`.
    """
    try:
        if make_directory:
            os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        directory = _open_directory(path)
    except OSError as error:
        raise Forgotten(_reason(path, error)) from None
    text = json.dumps(value)
    text = f"{zlib.crc32(text.encode()):08x} {text}"
    if len(text) > _LARGEST:
        os.close(directory)
        raise Forgotten(f"{path}: too much to remember")
    name = os.path.basename(path)
    new = f".{name}.{os.getpid()}"
    try:
        _demand_replaceable(name, directory)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with contextlib.suppress(FileNotFoundError):
            os.unlink(new, dir_fd=directory)
        with open(os.open(new, flags, 0o600, dir_fd=directory), "w") as opened:
            opened.write(text)
        os.rename(new, name, src_dir_fd=directory, dst_dir_fd=directory)
    except OSError as error:
        raise Forgotten(_reason(path, error)) from None
    finally:
        with contextlib.suppress(OSError):
            os.unlink(new, dir_fd=directory)
        os.close(directory)


def _open_directory(path: str) -> int:
    """Open the directory of a file, if nobody else can write to it."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
    directory = os.open(os.path.dirname(path) or ".", flags)
    status = os.fstat(directory)
    if status.st_uid not in (os.geteuid(), 0) or status.st_mode & 0o022:
        os.close(directory)
        raise PermissionError(errno.EPERM, "others can write to its directory")
    return directory


def _demand_own_file(file: int) -> None:
    status = os.fstat(file)
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "is not a file")
    if status.st_uid != os.geteuid():
        raise PermissionError(errno.EPERM, "belongs to another user")


def _demand_replaceable(name: str, directory: int) -> None:
    with contextlib.suppress(FileNotFoundError):
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "is not a file")
        if status.st_uid != os.geteuid():
            raise PermissionError(errno.EPERM, "belongs to another user")


def _reason(path: str, error: OSError) -> str:
    return f"{path}: {error.strerror or error}"
