"""Remember values from one check to the next, in a small file that only its user can access.

Failures to read or write it are reported with the reason. No other user can plant or read the file,
or redirect its path: the directory must belong to the user alone, the file is private (0600), no
link is followed, and it is replaced in one step, so that simultaneous checks don't harm each other.
Nor can others block the directory: if its name in /var/tmp is taken, another one is made, with a
name that can't be guessed, and recognised by its owner.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
import zlib
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice

from check_duplicity.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

_LARGEST = 16 << 20  # bytes
_SHARED = "/var/tmp"  # noqa: S108  # nosec B108  # only a directory that is this user's alone
_MOST_NAMES = 100_000  # looked at there
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_MOST_LINKS = 40  # on a path, the kernel's own limit


class Forgotten(Exception):
    """Memory could not be read or kept; the text says why."""


class Damaged(Forgotten):
    """The file's content is malformed: the memory can start anew."""


def default_path(plugin: str, identity: Sequence[str], home: str | None = None) -> str:
    """Return the path of a plugin's memory of one job, which ``identity`` tells from others.

    It is below ``home``, by default ``$XDG_STATE_HOME`` (XDG Base Directory Specification), or else
    in ``/var/tmp``.
    """
    home = os.environ.get("XDG_STATE_HOME", "") if home is None else home
    directory = os.path.join(home, "check-duplicity") if os.path.isabs(home) else _own_directory()
    import hashlib

    words = "\0".join(identity).encode(errors="surrogateescape")
    return os.path.join(directory, f"{plugin}-{hashlib.sha256(words).hexdigest()[:16]}.json")


def _own_directory() -> str:
    """Return the directory of this user in /var/tmp, where anybody can take any name.

    The owner identifies it, which nobody can forge. The directory may not exist yet.
    """
    first = os.path.join(_SHARED, f"check-duplicity-{os.geteuid()}")
    if _is_own(first):
        return first
    begin = os.path.basename(first) + "-"
    with contextlib.suppress(OSError), os.scandir(_SHARED) as entries:
        for entry in islice(entries, _MOST_NAMES):
            if entry.name.startswith(begin) and _is_own(entry.path):
                return entry.path
        if next(entries, None):
            return first  # Ours may be among the rest: a new one would be empty.
    return f"{first}-{os.urandom(8).hex()}" if os.path.lexists(first) else first


def _is_own(path: str) -> bool:
    with contextlib.suppress(OSError):
        status = os.lstat(path)
        return (
            stat.S_ISDIR(status.st_mode)
            and status.st_uid == os.geteuid()
            and not status.st_mode & 0o022
        )
    return False


def recall(path: str) -> dict[str, Any]:
    """Return what was remembered; empty if nothing was. Raises `Forgotten`."""
    try:
        directory = open_directory(path)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise Forgotten(_reason(path, error)) from None
    try:
        with open(os.path.basename(path), "rb", opener=partial(_open, directory)) as opened:
            file = opened.fileno()
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
        raise Damaged(f"{path}: is damaged, begun anew") from None
    finally:
        os.close(directory)
    return value if isinstance(value, dict) else {}


def _open(directory: int, name: str, flags: int) -> int:
    """Open a file of a directory for `open`, which closes it even if it is none."""
    return os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=directory)


def remember(path: str, value: dict[str, Any], *, make_directory: bool = False) -> None:
    """Keep a value for the next check; make the directory if necessary.

    Raises `Forgotten`.
    """
    try:
        directory = open_directory(path, make=make_directory)
    except OSError as error:
        raise Forgotten(_reason(path, error)) from None
    text = json.dumps(value)
    text = f"{zlib.crc32(text.encode()):08x} {text}"
    if len(text) > _LARGEST:
        os.close(directory)
        raise Forgotten(f"{path}: too much to remember")
    name = os.path.basename(path)
    try:
        _demand_replaceable(name, directory)
        replace(name, text.encode(), directory, 0o600)
    except OSError as error:
        raise Forgotten(_reason(path, error)) from None
    finally:
        os.close(directory)


def replace(name: str, data: bytes, directory: int, mode: int, *, sync: bool = False) -> None:
    """Create or replace a file in one step, with that mode less the umask.

    ``sync`` waits until it is on the disk. Raises `OSError`, and the old file is unchanged then.
    """
    new = f".{name}.{os.getpid()}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with contextlib.suppress(FileNotFoundError):
        os.unlink(new, dir_fd=directory)
    try:
        with open(os.open(new, flags, mode, dir_fd=directory), "wb") as opened:
            opened.write(data)
            if sync:
                opened.flush()
                os.fsync(opened.fileno())
        os.rename(new, name, src_dir_fd=directory, dst_dir_fd=directory)
    finally:
        with contextlib.suppress(OSError):
            os.unlink(new, dir_fd=directory)


def open_directory(path: str, *, make: bool = False) -> int:
    """Open a file's directory, if no other user can write to it or replace it.

    ``make`` creates it if necessary. Raises `OSError`.
    """
    parent = os.path.dirname(os.path.abspath(path))
    if make and not os.path.isdir(parent):
        with contextlib.suppress(FileNotFoundError):
            _demand_own_way(parent)  # Nothing is created on a path that others control.
        os.makedirs(parent, 0o700, exist_ok=True)
    _demand_own_way(parent)
    directory = os.open(parent, _DIRECTORY)
    status = os.fstat(directory)
    if status.st_uid not in (os.geteuid(), 0) or status.st_mode & 0o022:
        os.close(directory)
        raise PermissionError(errno.EPERM, "others can write to its directory")
    return directory


def open_others_directory(path: str) -> int:
    """Open a directory; the end of its path may belong to one other user. Raises `OSError`.

    Debian gives /var/lib/prometheus to node_exporter's user, and the directory in it to root. From
    the first directory of another user on, each directory belongs to that user, root or this user,
    and there are no links. So that user can choose among directories of his own, but can't redirect
    what root writes there to any other place.
    """
    real = os.path.realpath(path)
    parts = [part for _, part in _way(real)]
    others = [part for part in parts if os.lstat(part).st_uid not in (os.geteuid(), 0)]
    first = others[0] if others else real
    # A link on the way to it is one of this user's or of root's.
    _demand_own_way(path, but=tuple(parts[parts.index(first) :]) if first in parts else ())
    directory = os.open(first, _DIRECTORY)
    try:
        owners = (os.geteuid(), 0, os.fstat(directory).st_uid)
        for name in os.path.relpath(real, first).split("/"):
            inner = os.open(name, _DIRECTORY, dir_fd=directory)
            os.close(directory)
            directory = inner
            if os.fstat(directory).st_uid not in owners:
                raise PermissionError(errno.EPERM, f"{name} is yet another user's")
    except OSError:
        os.close(directory)
        raise
    return directory


def _demand_own_way(directory: str, but: Sequence[str] = ()) -> None:
    """Refuse a path if another user can replace one of its parts.

    Each part must belong to this user or root; a directory that anybody may write to must have the
    sticky bit. The parts ``but`` may have any owner.
    """
    for place, part in _way(directory):
        mode = os.lstat(place).st_mode
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            raise PermissionError(errno.EPERM, f"others can write to {place}")
        if part not in but and os.lstat(part).st_uid not in (os.geteuid(), 0):
            raise PermissionError(errno.EPERM, f"{part} is another user's")


def _way(path: str) -> Iterator[tuple[str, str]]:
    """Yield each part of an absolute path after its directory, in the kernel's lookup order."""
    place, parts, links = "/", path.split("/"), 0
    while parts and links < _MOST_LINKS:
        name = parts.pop(0)
        if name in ("", ".", ".."):
            place = os.path.dirname(place) if name == ".." else place
            continue
        part = os.path.join(place, name)
        yield place, part
        if os.path.islink(part):
            links += 1
            target = os.readlink(part)
            parts = [*target.split("/"), *parts]
            place = "/" if target.startswith("/") else place
        else:
            place = part


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
