"""Check a restore's options, and explain its result by exit status and log. Pure.

Seen on 0.8.23 to 3.2.1. The exit statuses are duplicity's own (``log.ErrorCode``): 0 good, 19 not
in the backup, 21 a volume's hash differs, 31 GPG; for a missing volume it is 30 or 1.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from check_duplicity.duplicity.failure import failure
from check_duplicity.duplicity.invocation import is_one_of
from check_duplicity.nagios.findings import Kind
from check_duplicity.values import NamedTuple

_NOT_THERE, _OTHER_HASH, _GPG = 19, 21, 31
# Errors of duplicity's backends: the destination can't be reached.
_BACKENDS = (38, *range(50, 57))
# With these a restore ends well though it has restored something else, or nothing at all.
_REFUSED = (
    "--ignore-errors", "--dry-run", "--rename", "--time", "--restore-time", "--path-to-restore",
    "--file-to-restore",
)  # fmt: skip
# duplicity only warns of files that it can't restore, and exits with 0
# (``IterTreeReducer.on_error``). Only root may change a file's owner: that warning is no failure.
_NOT_PROCESSED = re.compile(
    r"^(?:\. )?(Error '(?!\[Errno (?:1|13)\]).{0,300}' processing .{0,300})$", re.M
)
_IGNORED = re.compile(r"^(?:\. )?IGNORED_ERROR|^ERROR 21\b", re.M)
_HASH = re.compile(r"hash mismatch for file:\n(?:\. )? *(\S+)")
_NO_SPACE = re.compile(r"\[Errno 28\]|No space left on device|\[Errno 122\]|Disk quota exceeded")
# The order matters: gpg prints more than one message about a missing key.
_SIGNS = (
    (Kind.NO_ROOM, "no space is left to restore to", _NO_SPACE),
    (
        Kind.NO_DRILL,
        "this machine has no memory left",
        re.compile(r"^\.? *MemoryError|\[Errno 12\]|Cannot allocate memory", re.M),
    ),
    (Kind.NO_DRILL, "too many files are open", re.compile(r"\[Errno 24\]|Too many open files")),
    (
        Kind.NO_DRILL,
        "gpg's agent did not give the key",
        re.compile(
            r"problem with the agent|can't connect to the (?:gpg-)?agent|No pinentry"
            r"|no gpg-agent running|failed: (?:Operation cancelled|Timeout|Inappropriate ioctl"
            r"|Card|No such device|No SmartCard)"
        ),
    ),
    (
        Kind.NOT_RESTORED,
        "input/output error: a disk can't be read",
        re.compile(r"\[Errno (?:5|117)\]|Input/output error"),
    ),
    (
        Kind.MISSING_VOLUMES,
        "a volume is not there",
        re.compile(r"difftar volume \d+ not found in backup|^\.? *KeyError: \d+$", re.M),
    ),
    (
        Kind.WRONG_PASSPHRASE,
        "wrong passphrase of the secret key",
        re.compile(r"public key decryption failed: Bad passphrase"),
    ),
    (
        Kind.NO_SECRET_KEY,
        "the secret key is not on this host",
        # Not if a passphrase would do: gpg prints this for an empty one, too.
        re.compile(r"(?s)\A(?!.*encrypted with \d+ passphrase).*(?:No secret key|NO_SECKEY)"),
    ),
    (
        Kind.WRONG_PASSPHRASE,
        "wrong passphrase or key",
        re.compile(r"No secret key|[Bb]ad (?:session key|passphrase)|decryption failed|BADMDC"),
    ),
    (
        Kind.NO_PASSPHRASE,
        "no passphrase was given",
        re.compile(r"EOFError|passphrase for decryption|No passphrase given"),
    ),
)
_RECORD = re.compile(r"[A-Z]+ \d+( |$)")
_PROGRESS = re.compile(r"INFO 2 (\d{1,9}) \d{1,9}\s*")


class Ended(NamedTuple):
    """The result of a restore: ``kind`` of failure and reason; without a kind it was good.

    ``volume`` is the file whose hash differs. What ``is_there`` isn't in the backup, though
    all that was to be read for it was read.
    """

    kind: Kind | None = None
    reason: str = ""
    volume: str = ""
    is_there: bool = True


def refused(options: Sequence[str]) -> str:
    """Return a message about the first option that a restore drill must not have; empty if none."""
    for option in options:
        if is_one_of(option, _REFUSED) or option.startswith(("-r", "-t")):
            return f"with {option} a restore proves nothing"
    return ""


def progress(line: str) -> int:
    """Return how many volumes have been read, by a line of the machine log; 0 for other lines."""
    match = _PROGRESS.fullmatch(line)
    return int(match[1]) if match else 0


def no_space(line: str) -> bool:
    """Whether a line says that the disk is full: duplicity never ends then (0.8.23 to 3.2.1)."""
    return _NO_SPACE.search(line) is not None


def ended(status: int, by_itself: bool, log: str) -> Ended:
    """Return the result of a restore.

    ``status`` is its exit status, or the number of the signal that killed it; ``log`` is its
    machine log, without secrets.
    """
    whole, log = log, problems(log)
    ignored = _IGNORED.search(whole) is not None
    not_processed = _NOT_PROCESSED.search(log)
    if by_itself and not status and not_processed:
        return Ended(Kind.NOT_RESTORED, not_processed[1])
    if by_itself and not status and not ignored:
        return Ended()
    if by_itself and status == _NOT_THERE:
        return Ended(is_there=False)
    reason = failure(status, by_itself, whole)
    if by_itself and (status == _OTHER_HASH or ignored):
        names = _HASH.findall(log)
        return Ended(Kind.ROTTEN, reason, names[-1] if names else "")
    for kind, sentence, pattern in _SIGNS:
        if pattern.search(log):
            return Ended(kind, sentence)
    return Ended(_other(status, by_itself, log), reason)


def problems(log: str) -> str:
    """Return a machine log without its informational records, such as those on missing modules.

    Lines between the records, such as a traceback, stay.
    """
    kept, informing = [], False
    for line in log.splitlines():
        informing = informs(line, before=informing)
        if not informing:
            kept.append(line)
    return "\n".join(kept)


def informs(line: str, *, before: bool) -> bool:
    """Whether a line of the machine log only informs; ``before`` is the previous line's answer."""
    if _RECORD.match(line):
        return line.startswith(("INFO", "NOTICE", "DEBUG"))
    return before and line.startswith(".")


def _other(status: int, by_itself: bool, log: str) -> Kind:
    if not by_itself:
        return Kind.KILLED
    from check_duplicity.duplicity.catalogue import CAUSES

    cause = next((sign.kind for sign in CAUSES if _is_in(sign.pattern, log)), None)
    if cause is not None:
        return cause
    if status == _GPG:
        return Kind.GPG
    return Kind.CONNECTION if status in _BACKENDS else Kind.NOT_RESTORED


def _is_in(pattern: str, log: str) -> bool:
    return any(re.search(pattern, line[:600]) for line in log.splitlines())
