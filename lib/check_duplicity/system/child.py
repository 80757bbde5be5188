"""Start a program that ends with this process, in a private directory that is removed with it.

It gets no input and no terminal, has a process group of its own, and is killed at the end: all that
it would clean up is in the private directory.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from check_duplicity.nagios.findings import CannotSee, Kind
from check_duplicity.system import rights, runtime

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_READ_AT_ONCE = 1 << 20  # bytes
_TEMPORARY = ("/tmp", "/var/tmp")  # noqa: S108  # nosec B108  # what is made there is private
_KILLED_WITHIN = 1  # seconds


def make_directory() -> str:
    """Make a directory for this user only, which is removed at the end.

    This avoids ``tempfile``: loading a module delays the start of duplicity.
    """
    for parent in filter(None, (os.environ.get("TMPDIR"), *_TEMPORARY)):
        path = os.path.join(os.path.abspath(parent), f"check-duplicity-{os.urandom(8).hex()}")
        try:
            with runtime.undisturbed():
                os.mkdir(path, 0o700)
                runtime.in_the_end(partial(remove, path))
        except OSError as error:
            reason = error.strerror
        else:
            return path
    raise CannotSee(Kind.NO_DUPLICITY, f"no temporary directory: {reason}")


def remove(path: str) -> None:
    """Remove a file, or a directory and all in it, as far as that is possible."""
    import shutil

    if os.path.islink(path) or os.path.isfile(path):
        with contextlib.suppress(OSError):
            os.unlink(path)
        return
    shutil.rmtree(path, ignore_errors=True)
    if os.path.isdir(path):
        for directory in _directories(path):
            with contextlib.suppress(OSError):
                os.chmod(directory, 0o700)
        shutil.rmtree(path, ignore_errors=True)


def _directories(path: str) -> Iterator[str]:
    """Yield a directory and those below it.

    A restored directory may deny even its owner to read it or to delete in it.
    """
    yield path
    for top, names, _ in os.walk(path):
        yield from (p for name in names if not os.path.islink(p := os.path.join(top, name)))


def start(
    command: Sequence[str], variables: dict[str, str], *, output: bool = False
) -> subprocess.Popen[bytes]:
    """Run a command, and read its standard error; in the end its group is killed.

    With ``output`` its standard output is read, and standard error in between. Raises `CannotSee`
    if it can't be started.
    """
    libc = ctypes.CDLL(None)

    def prepare() -> None:
        # If this process is killed, duplicity ends with it.
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())

    runtime.hide_memory()
    # A process that detaches from duplicity becomes a child of this one, which can find it.
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)
    try:
        with runtime.undisturbed():
            process = subprocess.Popen(
                command,
                bufsize=_READ_AT_ONCE,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if output else subprocess.DEVNULL,
                stderr=subprocess.STDOUT if output else subprocess.PIPE,
                env=variables,
                cwd="/",  # Only root decides what is there.
                start_new_session=True,
                preexec_fn=prepare,  # noqa: PLW1509 - there are no threads here
            )
            runtime.in_the_end(partial(kill, process))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a command"
        raise CannotSee(Kind.NO_DUPLICITY, f"cannot run {command[0]}: {reason}") from None
    return process


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a program and all that it has started, if that hasn't been done."""
    if process.returncode is not None:
        return  # Another process may have its pid by now.
    began = _start_time(process.pid)
    _kill_group(process)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=2)  # Not even SIGKILL ends a process that waits for a dead disk.
    for stream in filter(None, (process.stdout, process.stderr)):
        stream.close()
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
        _kill_children(began)  # Kill those that have left duplicity's group.


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _kill_children(began: int) -> None:
    """Kill the descendants that were started since a time, and reap them.

    Older ones stay: a shell that became this process by ``exec`` may have had children before.
    Repeat until there are none: a process may start another one before it is killed.
    """
    import psutil

    until = time.monotonic() + _KILLED_WITHIN
    while time.monotonic() < until:
        children = [
            child
            for child in psutil.Process().children(recursive=True)
            if _start_time(child.pid) >= began and child.pid not in runtime.lasting
        ]
        if not children:
            return
        for child in children:
            with contextlib.suppress(psutil.Error):
                child.kill()
        psutil.wait_procs(children, timeout=max(0, until - time.monotonic()))


def _start_time(pid: int) -> int:
    """Return when a process started, in clock ticks since the boot (proc(5), field 22)."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as status:
            return int(status.read().rpartition(b")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return 0


def environment(private: str, given: Mapping[str, str]) -> dict[str, str]:
    """Return this process' environment with the job's (credentials), in C's locale and in UTC."""
    kept = {
        name: value
        for name, value in {**os.environ, **given}.items()
        if name not in ("LANG", "LANGUAGE") and not name.startswith("LC_")
    }
    return {
        **kept,
        "PATH": rights.own_path(),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "TMPDIR": private,
        "HOME": os.path.expanduser("~"),
        "SSH_ASKPASS_REQUIRE": "never",
    }
