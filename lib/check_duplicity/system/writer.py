"""Write the answer into a file as the user who started the check, also after it changed the user.

Root may write where node_exporter reads; the job's user may not. So a child that stays root waits
for the text while the check becomes that user. It writes only this file, in one step.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import stat
import time

from check_duplicity.system import memory, runtime
from check_duplicity.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import NoReturn

_LARGEST = 64 << 20  # bytes
_WITHIN = 4  # seconds; runtime ends the check one later
_LENGTH = 8  # bytes of the text's length, before the text
_MODE = 0o644


class NotWritten(Exception):
    """The file was not written; the text says why."""


class Writer:
    """A child that writes one file when it is told to, and ends with this process."""

    def __init__(self, path: str) -> None:
        """Start the child. Raises `OSError` if that fails."""
        self.path = os.path.abspath(path)
        theirs, self._texts = os.pipe()
        self._answers, ours = os.pipe()
        with runtime.undisturbed():
            self._pid = os.fork()
            if self._pid == 0:
                os.close(self._texts)
                os.close(self._answers)
                _serve(self.path, theirs, ours)
            runtime.lasting.add(self._pid)
        os.close(theirs)
        os.close(ours)

    def write(self, text: str) -> None:
        """Put the text into the file, and let the child end.

        Raises `NotWritten`, and the file is unchanged then.
        """
        try:
            said = self._told(text.encode(errors="replace"))
        except OSError:
            said = b""
        finally:
            os.close(self._texts)
            os.close(self._answers)
        if said is not None:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self._pid, 0)
        if said != b"written":
            reason = f"no answer within {_WITHIN} s" if said is None else said.decode()
            reason = reason or "the process that writes it has ended"
            raise NotWritten(f"{self.path} can't be written: {reason}")

    def _told(self, data: bytes) -> bytes | None:
        """Return the child's reply to the text; ``None`` if there is none in time."""
        until = time.monotonic() + _WITHIN
        os.set_blocking(self._texts, False)
        message = len(data).to_bytes(_LENGTH, "big") + data
        while message:
            if not select.select([], [self._texts], [], max(0, until - time.monotonic()))[1]:
                return None
            message = message[os.write(self._texts, message) :]
        if not select.select([self._answers], [], [], max(0, until - time.monotonic()))[0]:
            return None
        return os.read(self._answers, 4096)


def _serve(path: str, texts: int, answers: int) -> NoReturn:
    """Run as the child: write the text when it is complete, and nothing without it."""
    with contextlib.suppress(BaseException):  # The check reports that there was no reply.
        _close_streams()  # The reader of the check's output waits until they close.
        with open(texts, "rb") as source:
            length = int.from_bytes(source.read(_LENGTH), "big")
            text = source.read(min(length, _LARGEST))
        if text and len(text) == length:
            os.write(answers, _written(path, text))
    os._exit(0)


def _close_streams() -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)


def _written(path: str, text: bytes) -> bytes:
    """Write a file in one step; return ``written``, or the reason of the failure."""
    try:
        directory = memory.open_others_directory(os.path.dirname(path))
        try:
            _replace(os.path.basename(path), text, directory)
        finally:
            os.close(directory)
    except OSError as error:
        return (error.strerror or "error").encode()
    return b"written"


def _replace(name: str, text: bytes, directory: int) -> None:
    """Create or replace a regular file, and nothing else. Raises `OSError`."""
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISREG(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode):
            raise OSError(errno.EINVAL, "is not a file")
    memory.replace(name, text, directory, _MODE, sync=True)
