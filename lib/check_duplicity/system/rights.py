"""Find the users who decide what is at a path, because they can change it.

A plugin runs a job's program only as the job's user, and only if nobody but root and that user can
change any part of it. Printed commands obey the same rule. Rights are those of
path_resolution(7), chmod(1) (the sticky bit) and acl(5).
"""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import re
import stat
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence

from check_duplicity.nagios.findings import CannotSee, Kind
from check_duplicity.system.user import current, name_of_uid

ANYBODY = "any user"
_MOST_LINKS = 40  # the most that the kernel follows
_ACL = "system.posix_acl_access"
_ACL_HEADER, _ACL_ENTRY = 4, struct.Struct("<HHI")  # tag, permissions, id
_ACL_USER, _ACL_GROUP_OF_FILE, _ACL_GROUP = 0x02, 0x04, 0x08
_WRITE = 0o2
_WORD = re.compile(r"""[^\s'"`:;|&<>()=]+""")
_INTERPRETERS = 4  # one for another, the most that the kernel follows

NOBODY: frozenset[str] = frozenset()  # besides root, who can change everything

# The variables of a job that duplicity gets: those that it and its backends read (0.8.23 to 3.2.1),
# and those that tell gpg and ssh where their keys are. None chooses which code is loaded.
_GOES_ALONG = re.compile(
    r"PASSPHRASE|SIGN_PASSPHRASE|\w+_PASSPHRASE|\w+_PASSWORD|BOTO_CONFIG|BOX_CONFIG_PATH|GNUPGHOME"
    r"|(?:AWS|AZURE|B2|CLOUDFILES|DPBX|DUPLICITY|FTP|GCS|GOOGLE|GS|IMAP|MEDIAFIRE|OAUTH2|OS|PCA"
    r"|RCLONE|S3|SFTP|SLATE|SWIFT|WEBDAV|XORRISO)_\w+|IDBUCKET|IDEVSPATH|IDKEYFILE|IDPWDFILE"
    r"|IDRIVEID|KRB5CCNAME|RSYNC_RSH|SSH_AUTH_SOCK|SSL_CERT_(?:DIR|FILE)|(?:REQUESTS|CURL)_CA_BUNDLE"
    r"|XDG_(?:CACHE|CONFIG|DATA)_HOME|XDG_RUNTIME_DIR|(?i:(?:https?|ftp|all|no)_proxy)"
)

# Those that name programs, or files of ssh, aws, rclone and gpg that can name programs.
_STARTING = re.compile(
    r"RSYNC_RSH|RCLONE_\w+|GNUPGHOME|AWS_\w+_FILE|XDG_(?:CONFIG|DATA)_HOME|\w*CONFIG\w*"
)
# Files that ssh only reads keys and hosts from, and sockets that it connects to.
_ONLY_READ = re.compile(
    r"""(?i)(?:(?:Identity|Certificate|KnownHosts)File|ControlPath)["' =]+[^\s'"]+|(?<!\S)-i +\S+"""
)


def goes_along(variable: str) -> bool:
    """Return whether duplicity gets a variable that a job sets."""
    return _GOES_ALONG.fullmatch(variable) is not None


def deciders(path: str, root: str = "") -> frozenset[str]:
    """Return the users besides root who decide what is at a path, or could put something there.

    They own it, or may write to it, or to a directory on its path, or own a link on it: every link
    is followed. `ANYBODY` stands for all users. The path is below the directory ``root``, whose
    owner counts as root. An impossible path has no deciders.
    """
    own = {"root", name_of_uid(os.stat(root).st_uid)} if root else {"root"}
    return NOBODY.union(*(users for _, users in _way(path, root))) - own


def changeable(path: str, user: str) -> str:
    """Return the first part of a path that users other than root and one user can change."""
    return next((place for place, users in _way(path, "") if not may(user, users)), "")


def _way(path: str, root: str) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield each part of a path, with links followed, and the users who can change it."""
    links = 0
    place, pending = root, _parts(path)
    above: os.stat_result | None = None
    while pending:
        part = pending.pop()
        if part == "..":
            place = place.rpartition("/")[0] if place != root else place
            continue
        there = f"{place}/{part}"
        try:
            status = os.lstat(there)
            target = os.readlink(there) if stat.S_ISLNK(status.st_mode) else ""
        except (OSError, ValueError):
            # Users who can create it decide what it will be.
            yield there, frozenset(_writers(place, above) if above else ())
            return
        owner = name_of_uid(status.st_uid)
        if target:
            yield there, frozenset({owner})
            links += 1
            if links > _MOST_LINKS:
                return
            place = root if target.startswith("/") else place
            pending += _parts(target)
            continue
        # In a sticky directory nobody else can replace what is there (chmod(1)).
        sticky = stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX
        yield there, frozenset({owner, *(() if sticky else _writers(there, status))})
        place, above = there, status


def _parts(path: str) -> list[str]:
    """Return the names in a path, the last one first."""
    return [part for part in path.split("/")[::-1] if part not in ("", ".")]


def _writers(place: str, status: os.stat_result) -> Iterator[str]:
    """Return the users who may write there besides its owner."""
    if status.st_mode & _WRITE:
        yield ANYBODY
    if not status.st_mode & _WRITE << 3:
        return
    # With an access control list, that bit is the list's mask.
    try:
        acl = os.getxattr(place, _ACL)[_ACL_HEADER:]
    except OSError:
        yield from _members(status.st_gid)
        return
    for tag, permissions, number in _ACL_ENTRY.iter_unpack(acl[: len(acl) // 8 * 8]):
        if not permissions & _WRITE:
            continue
        if tag == _ACL_USER:
            yield name_of_uid(number)
        elif tag in (_ACL_GROUP, _ACL_GROUP_OF_FILE):
            yield from _members(number if tag == _ACL_GROUP else status.st_gid)


def _members(gid: int) -> Iterator[str]:
    """Return a group's users: those that it lists, and those whose primary group it is."""
    with contextlib.suppress(KeyError):
        yield from grp.getgrgid(gid).gr_mem
    yield from (account.pw_name for account in pwd.getpwall() if account.pw_gid == gid)


def may(user: str, by: Iterable[str]) -> bool:
    """Return whether a user may run what these users decide: only that user is among them."""
    return set(by) <= {user, "root"}


def only(by: Iterable[str]) -> str:
    """Return the one user who decides besides root, or root; empty if there are several."""
    others = sorted(by)
    return "" if len(others) > 1 or ANYBODY in others else (others or ["root"])[0]


def named(by: Iterable[str]) -> str:
    """Return users as text for a sentence."""
    return " and ".join(sorted(by))


def reader(by: frozenset[str], user: str) -> str:
    """Return the user to read a file as: not root if users in ``by`` decide what it is.

    Otherwise their link could make root read a file that only root may read.
    """
    if user != "root" or not by:
        return user
    return only(by) or "nobody"


def command(words: Sequence[str], path: str) -> list[str]:
    """Return a command that this process may run for its user, the program by its full path.

    ``path`` is where to search a name without a slash, like ``$PATH``. Every file that the words
    name may be a program, too: for an interpreter, nice or a shell. Raises `CannotSee`.
    """
    found = _found(words[0], path)
    if not os.path.isabs(found):
        # Whoever chooses the current directory would choose the program.
        raise CannotSee(Kind.NO_DUPLICITY, f"cannot run {words[0]}: it is named by no full path")
    user = current()
    paths = _paths(words[1:])
    scripts = (part for path in (found, *paths) for part in _interpreters(path))
    for part in (found, *paths, *scripts):
        others = deciders(part) - {user}
        if others:
            place = changeable(part, user)
            by = "" if place == part else f" (by {place})"
            reason = f"{named(others)} can change {part}{by}, so it is not run as {user}"
            raise CannotSee(Kind.OTHERS_DECIDE, reason)
    return [found, *words[1:]]


def _paths(words: Iterable[str]) -> list[str]:
    """Return possible paths in words: a whole word, after ``=`` or an option, in a shell's line.

    Relative paths start at ``/``, where all programs run.
    """
    found = {part for word in words for part in (word, *_WORD.findall(word))}
    found |= {f"/{part.partition('/')[2]}" for part in found if "/" in part}
    return [os.path.join("/", _with_home(part)) for part in sorted(found)]


def _with_home(path: str) -> str:
    try:
        return os.path.expanduser(path)
    except ValueError:
        return path


def started(options: Iterable[str], environment: Mapping[str, str], url: str) -> list[str]:
    """Return the paths of programs that duplicity starts for its options, variables and URL.

    These are ssh, rsync, gpg and similar ones, or their configurations, if not the usual ones.
    """
    words = [_ONLY_READ.sub("", option) for option in options]
    words += [value for name, value in environment.items() if _STARTING.fullmatch(name)]
    if url.startswith("multi:"):  # a file with URLs and variables
        words.append(url.partition(":")[2].partition("?")[0])
    return _paths(words)


def deciders_of_program(path: str, root: str = "") -> frozenset[str]:
    """Return the users besides root who decide what a program, or its interpreter, does."""
    return deciders(path, root).union(*(deciders(p, root) for p in _interpreters(path, root)))


def offered(words: tuple[str, ...], user: str) -> tuple[str, ...]:
    """Return the words that start duplicity in a printed command for a user.

    That is only its name if others decide what the program is.
    """
    if not words or words[0].startswith("-"):
        return ("duplicity",)
    if "/" in words[0] and not os.path.isabs(words[0]):
        return ("duplicity",)
    by = NOBODY.union(*map(deciders_of_program, _paths(words)))
    return words if may(user, by) else ("duplicity",)


def _found(command: str, path: str) -> str:
    if "/" in command:
        return command
    for directory in path.split(":"):
        candidate = f"{directory}/{command}"
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return candidate
    raise CannotSee(Kind.NO_DUPLICITY, f"cannot run {command}: {os.strerror(2)}")


def _interpreters(path: str, root: str = "") -> Iterator[str]:
    """Return the interpreter and argument that a script's first line names (execve(2))."""
    for _ in range(_INTERPRETERS):
        words = _first_line(root + path)[2:].decode(errors="replace").split()
        if not words:
            return
        yield from _paths(words)
        path = words[0]


def _first_line(path: str) -> bytes:
    """Return the first line of a script; nothing for anything else.

    A device isn't even opened: that would rewind a tape, or start a watchdog.
    """
    try:
        found = os.open(path, os.O_PATH)
        try:
            if not stat.S_ISREG(os.fstat(found).st_mode):
                return b""
            with open(f"/proc/self/fd/{found}", "rb") as opened:
                line = opened.readline(256)
        finally:
            os.close(found)
    except (OSError, ValueError):
        return b""
    return line if line.startswith(b"#!") else b""


def own_path() -> str:
    """Return the directories of ``$PATH`` in which only root and this user decide."""
    user = current()
    directories = os.environ.get("PATH", "").split(":")
    trusted = [d for d in directories if os.path.isabs(d) and may(user, deciders(d))]
    return ":".join(trusted) or os.defpath
