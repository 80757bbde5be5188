"""Read the runs in mailboxes and logs; read only what is new since an earlier check.

The cache has for each file the position up to which it was read, its identity (device and inode,
checksums of the first bytes and of the last ones before that position), and its runs; those in the
last message or line count only while nothing follows. A file that has been replaced is read again,
and a deleted one is forgotten, so that the cache never changes the result. Rotated files beside a
log are read, too, even compressed ones, if they belong to the log's owner or root: other users'
files are ignored.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from check_duplicity.duplicity.run import last_of
from check_duplicity.nagios.findings import CannotSee, Kind
from check_duplicity.runs import beside, mailboxes, messages
from check_duplicity.runs.model import Logged, logged_of, newest, values_of_logged
from check_duplicity.runs.read import of_log, told_apart
from check_duplicity.system.user import name_of_uid
from check_duplicity.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any, BinaryIO

    from check_duplicity.runs.paths import Log
    from check_duplicity.runs.reader import LogReader

_BLOCK = 1 << 20  # bytes read at once
_FINGERPRINT = 1024  # bytes
_LONGEST_LINE = 1 << 16  # bytes; longer lines are cut
_SETTLED = 60  # seconds after which a line or a message counts as complete
_LARGEST_COPY = 2 << 30  # bytes, of a compressed mbox
_COMPRESSED = (".gz", ".bz2", ".xz")
_SUFFIX = re.compile(r"\.(?:log|txt|out)$")


class Look(NamedTuple):
    """The settings of a look.

    ``now`` and ``horizon``, the time of the oldest run that matters, are in seconds since the
    epoch; ``hide`` removes secrets.
    """

    now: float
    horizon: float
    hide: Callable[[str], str]

    @property
    def latest(self) -> float:
        """Return the latest time that a run can have, if no clock was wrong."""
        return self.now + 86400


class Found(NamedTuple):
    """The relevant runs, oldest first, the values to keep, and what couldn't be read."""

    runs: list[Logged]
    kept: dict[str, Any]
    problems: tuple[str, ...] = ()


class _File(NamedTuple):
    """An open file, with its status when it was opened."""

    name: str
    opened: BinaryIO
    identity: list[int]
    size: int
    changed: float
    owner: str = ""
    uid: int = -1


def look(log: Log, kept: dict[str, Any], how: Look) -> Found:
    """Return the runs in a mailbox, a Maildir or a log, and what to keep for the next time.

    Its path may be ``-``, standard input. ``kept`` may be anything that was once returned. Raises
    `CannotSee`.
    """
    path = log.path
    try:
        if path == "-":
            return _look_at_stdin(how)
        if log.files is not None:
            return _look_at_log(log, log.files, kept, how)
        if os.path.isdir(path):
            return _look_at_maildir(path, kept, how)
        return _look_at_files(path, kept, how)
    except OSError as error:
        raise CannotSee(Kind.NOT_READABLE, f"{path}: {error.strerror or error}") from None


def _look_at_stdin(how: Look) -> Found:
    import tempfile

    with tempfile.TemporaryFile() as copy:  # An mbox is read twice.
        _copy(sys.stdin.buffer, copy)
        file = _File("-", copy, [], copy.tell(), 0)
        runs, _ = _read(file, "-", {}, how)
    dated = told_apart(_dated(runs, how.now), "-", "standard input")
    return Found(newest(dated, how.latest), {})


def _look_at_maildir(path: str, kept: dict[str, Any], how: Look) -> Found:
    before = kept.get("messages")
    before = before if isinstance(before, dict) else {}
    try:
        found, others = mailboxes.maildir(path, how.horizon)
    except FileNotFoundError:
        raise CannotSee(Kind.NOT_READABLE, f"{path}: is neither a file nor a Maildir") from None
    runs: list[Logged] = []
    after: dict[str, Any] = {}
    problems = beside.passed_over(others)
    for unique, name, delivered, size in found:
        try:
            *same, values = before[unique]
            run = None if values is None else logged_of(values)
            if same != [delivered, size]:
                raise ValueError("another message")
        except (KeyError, ValueError, TypeError):
            try:
                run = messages.of_message(mailboxes.maildir_message(name), delivered, how.hide)
            except FileNotFoundError:
                continue  # The user's mail program has moved it.
            except OSError as error:
                problems.append(f"{name}: {error.strerror}")
                continue
        after[unique] = [delivered, size, None if run is None else values_of_logged(run)]
        runs += [] if run is None else [run]
    return Found(newest(runs, how.latest), {"messages": after}, tuple(problems))


def _look_at_files(path: str, kept: dict[str, Any], how: Look) -> Found:
    with contextlib.ExitStack() as stack:
        files, owners = [], beside.owners_without(path)
        # The log itself first: its owner decides whose rotated files count.
        with contextlib.suppress(FileNotFoundError):
            files.append(stack.enter_context(_opened(path, follow=True)))
            owners = beside.owners_with(files[0].uid)
        names, problems = beside.that_count(path, owners)
        for name in names:
            try:
                file = stack.enter_context(_opened(name, follow=False))
                files += [file] if file.uid in owners else []
            except FileNotFoundError:
                pass
            except OSError as error:
                problems.append(f"{name}: {error.strerror}")
        if not files:
            raise CannotSee(Kind.NOT_READABLE, "; ".join([f"{path}: {os.strerror(2)}", *problems]))
        found, _ = _look_at(files, path, kept, how)
        return found._replace(problems=(*problems, *found.problems))


def _look_at_log(log: Log, names: Iterable[str], kept: dict[str, Any], how: Look) -> Found:
    """Return the runs in the files of one log; without the newest file, nothing is known."""
    unread: dict[str, str] = {}
    with contextlib.ExitStack() as stack:
        files = []
        for name in names:
            try:
                file = stack.enter_context(_opened(name, follow=False))
                files += [file] if file.uid in log.owners else []
            except FileNotFoundError:
                pass
            except OSError as error:
                unread[name] = error.strerror or str(error)
        found, errors = _look_at(files, log.path, kept, how)
    unread.update(errors)
    newest_file = log.newest
    if newest_file in unread:
        raise CannotSee(Kind.NOT_READABLE, f"{newest_file}: {unread[newest_file]}")
    return found._replace(problems=tuple(f"{name}: {why}" for name, why in unread.items()))


def _look_at(
    files: Iterable[_File], path: str, kept: dict[str, Any], how: Look
) -> tuple[Found, dict[str, str]]:
    """Return the runs in open files of one log, and which of them could not be read, and why."""
    before = kept.get("files")
    before = before if isinstance(before, list) else []
    runs: list[Logged] = []
    after = []
    unread = {}
    for file in sorted(files, key=lambda file: (file.changed, file.name == path)):
        if file.changed >= how.horizon:
            known: Any = next((entry for entry in before if _is_of(entry, file, how)), {})
            try:
                found, entry = _read(file, path, known, how)
            except OSError as error:
                unread[file.name] = error.strerror or str(error)
                continue
            runs += _dated(found, file.changed)
            after.append(entry)
    runs = told_apart(runs, path, job_of(path))
    problems = tuple(f"{name}: {why}" for name, why in unread.items())
    return Found(newest(runs, how.latest), {"files": after}, problems), unread


@contextlib.contextmanager
def _opened(name: str, *, follow: bool) -> Iterator[_File]:
    flags = os.O_RDONLY | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW)
    with open(os.open(name, flags), "rb", buffering=0) as opened:
        status = os.fstat(opened.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "is neither a file nor a Maildir")
        if follow:
            beside.demand_no_strangers(name, status)
        identity = [status.st_dev, status.st_ino]
        owner = name_of_uid(status.st_uid)
        size, changed = status.st_size, status.st_mtime
        yield _File(name, opened, identity, size, changed, owner, status.st_uid)


def _is_of(entry: Any, file: _File, how: Look) -> bool:
    """Whether the kept entry belongs to this file, which has only grown since."""
    if not isinstance(entry, dict) or entry.get("identity") != file.identity:
        return False
    offset = entry.get("offset")
    if not isinstance(offset, int) or not 0 < offset <= file.size:
        return False
    if _compression(file) and offset != file.size:
        return False
    if entry.get("size") == file.size and entry.get("changed") != file.changed:
        return False  # It was written to, but isn't longer.
    horizon = entry.get("horizon")
    if not isinstance(horizon, (int, float)) or horizon > how.horizon:
        return False  # Older runs were left out, and are needed now.
    return bool(entry.get("fingerprints") == _fingerprints(file.opened, offset))


def _fingerprints(opened: BinaryIO, offset: int) -> list[int]:
    """Return checksums of the first bytes and of the last ones before ``offset``."""
    file = opened.fileno()
    size = min(_FINGERPRINT, offset)
    return [zlib.crc32(os.pread(file, size, at)) for at in (0, offset - size)]


def _compression(file: _File) -> str:
    suffix = os.path.splitext(file.name)[1]
    return suffix if suffix in _COMPRESSED else ""


def _read(file: _File, job: str, known: dict[str, Any], how: Look) -> tuple[list[Logged], Any]:
    """Return the runs in a file, and the values to keep. ``known`` may be nonsense."""
    if _compression(file):
        return _read_compressed(file, job, known, how)
    file.opened.seek(0)
    read = _read_mbox if file.opened.read(5) == b"From " else _read_text
    try:
        return read(file, job, known, how)
    except (KeyError, ValueError, TypeError, AttributeError, OverflowError):
        if not known:
            raise
        return read(file, job, {}, how)


def _read_compressed(
    file: _File, job: str, known: dict[str, Any], how: Look
) -> tuple[list[Logged], Any]:
    try:
        runs = [logged_of(values) for values in known["runs"]]
    except (KeyError, ValueError, TypeError):
        runs = []
        with _as_far_as_it_goes(), _decompressed(file) as plain:
            if plain.peek(5).startswith(b"From "):
                runs = _read_compressed_mbox(plain, file, job, how)
            else:
                from check_duplicity.runs.reader import LogReader

                reader = LogReader(how.hide, how.latest)
                rest, _ = _read_lines(_up_to_damage(plain), reader)
                reader.read(rest)
                runs = of_log(job, job_of(job), file.owner, last_of(reader.runs(), 2))
    values = {"runs": list(map(values_of_logged, runs))}
    return runs, _entry(file, file.size, values, known, how)


def _decompressed(file: _File) -> Any:
    import bz2
    import gzip
    import lzma

    openers: dict[str, Callable[[Any], Any]] = {
        ".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open,
    }  # fmt: skip
    return openers[_compression(file)](file.opened)


@contextlib.contextmanager
def _as_far_as_it_goes() -> Iterator[None]:
    """Read a damaged or mislabelled compressed file as far as possible.

    A forged header may ask for gigabytes of memory.
    """
    from lzma import LZMAError

    with contextlib.suppress(EOFError, zlib.error, LZMAError, OSError, MemoryError):
        yield


def _up_to_damage(plain: BinaryIO) -> Iterator[bytes]:
    """Yield blocks of a compressed file. ``read`` would lose the last ones before a damage."""
    with _as_far_as_it_goes():
        while block := plain.read1(_BLOCK):  # type: ignore[attr-defined]
            yield block


def _read_compressed_mbox(plain: BinaryIO, file: _File, job: str, how: Look) -> list[Logged]:
    import tempfile

    with tempfile.TemporaryFile() as copy:  # It is read twice.
        _copy(plain, copy)
        whole = _File("", copy, [], copy.tell(), file.changed, file.owner)
        return _read(whole, job, {}, how)[0]


def _copy(source: BinaryIO, copy: BinaryIO) -> None:
    for block in _up_to_damage(source):
        if copy.tell() >= _LARGEST_COPY:
            break
        copy.write(block)


def _entry(
    file: _File, offset: int, values: dict[str, Any], known: dict[str, Any], how: Look
) -> dict[str, Any]:
    if not file.identity:
        return {}
    return {
        "identity": file.identity,
        "size": file.size,
        "changed": file.changed,
        "offset": offset,
        "fingerprints": _fingerprints(file.opened, offset) if offset else [],
        "horizon": known.get("horizon", how.horizon),
        **values,
    }


def _read_mbox(file: _File, job: str, known: dict[str, Any], how: Look) -> tuple[list[Logged], Any]:
    runs = [logged_of(values) for values in known["runs"]] if known else []
    if _is_unchanged(file, known):
        return newest([*runs, *map(logged_of, known["end"])], how.latest), known
    index = mailboxes.index(file.opened, known.get("offset", 0), how.horizon)
    read: list[tuple[int, Logged]] = []
    for of_one in index.subjects.values():
        read += messages.of_subject(file.opened, of_one, how.hide, how.latest)
    runs = newest([*runs, *_by_place(read)], how.latest)
    kept = {"runs": list(map(values_of_logged, runs))}
    entry = _entry(file, index.last, kept, known, how)
    # The last message may be incomplete, so its run is never kept.
    if _is_settled(file, how.now, b"\n\n"):
        last = index.end and messages.of_place(file.opened, index.end, how.hide)
        end = [last] if last else []
        entry = _with_end(entry, end)
        runs = newest([*runs, *end], how.latest)
    return runs, entry


def _by_place(found: Iterable[tuple[int, Logged]]) -> list[Logged]:
    return [run for _, run in sorted(found, key=lambda pair: pair[0])]


def _read_text(file: _File, job: str, known: dict[str, Any], how: Look) -> tuple[list[Logged], Any]:
    if _is_unchanged(file, known):
        return [logged_of(values) for values in known["end"]], known
    from check_duplicity.runs.reader import LogReader

    offset = known.get("offset", 0)
    reader = LogReader(how.hide, how.latest, known["reader"] if known else None)
    file.opened.seek(offset)
    rest, read = _read_lines(iter(partial(file.opened.read, _BLOCK), b""), reader)
    entry = _entry(file, offset + read, {"reader": reader.keep()}, known, how)
    settled = _is_settled(file, how.now, b"\n")
    if rest and settled:
        reader.read(rest)
    name = "standard input" if job == "-" else job_of(job)
    runs = of_log(job, name, file.owner, last_of(reader.runs(), 2))
    return runs, _with_end(entry, runs) if settled else entry


def _with_end(entry: dict[str, Any], runs: Iterable[Logged]) -> dict[str, Any]:
    """Return an entry with the runs at the end of the file, valid until something follows."""
    return {**entry, "end": list(map(values_of_logged, runs))} if entry else entry


def _is_unchanged(file: _File, known: dict[str, Any]) -> bool:
    """Whether the file has not changed since its end was read."""
    same = known.get("size") == file.size and known.get("changed") == file.changed
    return same and "end" in known


def _read_lines(blocks: Iterable[bytes], reader: LogReader) -> tuple[str, int]:
    """Read all whole lines; return the incomplete rest, and the lines' size in bytes."""
    rest, rest_size, read = b"", 0, 0
    for block in blocks:
        first, *others = block.split(b"\n")
        rest, rest_size = (rest + first)[:_LONGEST_LINE], rest_size + len(first)
        for following in others:
            reader.read(rest.decode("utf-8", "replace"))
            read += rest_size + 1
            rest, rest_size = following[:_LONGEST_LINE], len(following)
    return rest.decode("utf-8", "replace"), read


def _is_settled(file: _File, now: float, ending: bytes) -> bool:
    """Whether the end of a file is complete: nobody is writing there now."""
    if now - file.changed > _SETTLED:
        return True
    at = max(0, file.size - len(ending))
    return os.pread(file.opened.fileno(), len(ending), at) == ending


def _dated(runs: Sequence[Logged], changed: float) -> list[Logged]:
    """Return runs with times: one without gets that of the next run or of the file's last change.

    The runs of a log are in order: each ended before the text behind it was written.
    """
    dated: list[Logged] = []
    for run in reversed(runs):
        of_mail = bool(run.host) and run.time is not None
        time = run.time if of_mail else min(run.time or changed, changed)
        dated.append(run._replace(time=time))
        changed = changed if of_mail else time or changed
    return dated[::-1]


def job_of(path: str) -> str:
    """Return the name of the job whose log a file is: its base name, without ``.log``.

    The part that differs between several files of one log (``*``) is left out.
    """
    base = _SUFFIX.sub("", os.path.basename(path))
    return re.sub(r"[-_.]*\*[-_.]*", " ", base).strip() or base
