"""See the destination: ask duplicity for the file names there, and harm nothing.

duplicity gets a private, empty, temporary archive directory. With the job's own it would take the
lock there: a backup that starts meanwhile fails with 23, and in 3.2.1 the loser also deletes the
winner's lock file. A private one needs no passphrase and no key, and shows interrupted sets for
what they are (tried on 0.8.23 to 3.2.1).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from check_duplicity.duplicity.failure import failure, last_words, no_destination
from check_duplicity.nagios.findings import CannotSee, Kind
from check_duplicity.secrets import Secrets
from check_duplicity.system import rights, runtime

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_READ_AT_ONCE = 1 << 20  # bytes
_LONGEST_LINE = 96 << 20  # bytes; a million file names are 70 MB in one line
_TEMPORARY = ("/tmp", "/var/tmp")  # noqa: S108  # nosec B108  # what is made there is private
_KEPT = 4 << 20  # bytes of a machine log without names
_KILLED_WITHIN = 1  # seconds


def ask(
    url: str,
    options: Sequence[str],
    command: Sequence[str],
    environment: Mapping[str, str],
    secrets: Secrets,
) -> Asked:
    """Start ``collection-status``, which ends with the check at the latest.

    ``command`` starts duplicity, ``options`` and ``environment`` are the job's own. Raises
    `CannotSee` if it can't be started.
    """
    command = rights.command(command, rights.own_path())
    private = _make_directory()
    # Standard error has what goes wrong before there is a log, so the log goes there too.
    own = ["-v9", "--no-encryption", "--log-fd", "2", "--archive-dir", private]
    line = [*command, "collection-status", "--num-retries", "1", *options, *own, url]
    began = time.time()
    duplicity = _start(line, _environment(private, environment))
    import shutil  # noqa: F401 - for the end, now while duplicity starts

    return Asked(duplicity, secrets, began)


class Asked:
    """duplicity, asked and not yet heard.

    ``began`` is when it was asked, in seconds since the epoch: it has looked at nothing earlier.
    """

    def __init__(self, process: subprocess.Popen[bytes], secrets: Secrets, began: float) -> None:
        self.began = began
        self._process = process
        self._secrets = secrets

    def log_until(self, enough: Callable[[str], bool]) -> str:
        """Return the first line of the machine log that is enough: duplicity need not go on then.

        Without such a line the log's last part is returned when duplicity has ended well, or
        because there is no destination. Raises `CannotSee` with duplicity's own reason when it has
        failed otherwise, and with its last words when the check is cut short.
        """
        log = bytearray()
        assert self._process.stderr is not None
        try:
            while read := self._process.stderr.readline(_LONGEST_LINE):
                line = read.decode(errors="replace")
                if enough(line):
                    _kill_group(self._process)
                    return line
                log += read
                del log[:-_KEPT]
            # Not reaped before its group is killed: until then no other can have its number.
            end = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        except CannotSee as cut_short:
            said = last_words(self._text(log))
            detail = f"; duplicity's last words: {said}" if said else ""
            raise CannotSee(cut_short.kind, cut_short.reason + detail) from None
        assert end is not None
        if not end.si_status:
            return log.decode(errors="replace")
        text, by_itself = self._text(log), end.si_code == os.CLD_EXITED
        if by_itself and no_destination(text):
            return text
        raise CannotSee(Kind.DUPLICITY_FAILED, failure(end.si_status, by_itself, text))

    def _text(self, log: bytearray) -> str:
        return self._secrets.hide(log.decode(errors="replace"))


def _make_directory() -> str:
    """Make a directory that is this user's alone, and is removed in the end.

    Not by ``tempfile``: before duplicity is started each module that is loaded costs its time.
    """
    for parent in filter(None, (os.environ.get("TMPDIR"), *_TEMPORARY)):
        path = os.path.join(os.path.abspath(parent), f"check-duplicity-{os.urandom(8).hex()}")
        try:
            with runtime.undisturbed():
                os.mkdir(path, 0o700)
                runtime.in_the_end(partial(_remove, path))
        except OSError as error:
            reason = error.strerror
        else:
            return path
    raise CannotSee(Kind.NO_DUPLICITY, f"no temporary directory: {reason}")


def _remove(path: str) -> None:
    import shutil

    shutil.rmtree(path, ignore_errors=True)


def _start(command: Sequence[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Run a command without input or terminal, in a group of its own that is killed in the end.

    Nothing is lost: what duplicity would tidy up is in its private directory.
    """
    libc = ctypes.CDLL(None)

    def prepare() -> None:
        # Should this process be killed outright, duplicity goes with it.
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())

    runtime.hide_memory()
    # Who detaches from duplicity becomes a child of this process, and can be found in the end.
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)
    try:
        with runtime.undisturbed():
            process = subprocess.Popen(
                command,
                bufsize=_READ_AT_ONCE,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=environment,
                cwd="/",  # What is there only root decides.
                start_new_session=True,
                preexec_fn=prepare,  # noqa: PLW1509 - there are no threads here
            )
            runtime.in_the_end(partial(_kill, process))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a command"
        raise CannotSee(Kind.NO_DUPLICITY, f"cannot run {command[0]}: {reason}") from None
    return process


def _kill(process: subprocess.Popen[bytes]) -> None:
    began = _start_time(process.pid)
    _kill_group(process)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=2)  # Not even SIGKILL ends a process that waits for a dead disk.
    if process.stderr is not None:
        process.stderr.close()
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
        _kill_children(began)  # Some are left: they have left duplicity's group.


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _kill_children(began: int) -> None:
    """Kill the descendants that were started since a time, and reap them.

    Only these: a shell that becomes this process by ``exec`` may have had children before. Again
    until there are none: one may start another between being seen and being killed.
    """
    import psutil

    until = time.monotonic() + _KILLED_WITHIN
    while time.monotonic() < until:
        children = [
            child
            for child in psutil.Process().children(recursive=True)
            if _start_time(child.pid) >= began
        ]
        if not children:
            return
        for child in children:
            with contextlib.suppress(psutil.Error):
                child.kill()
        psutil.wait_procs(children, timeout=max(0, until - time.monotonic()))


def _start_time(pid: int) -> int:
    """When a process was started, in clock ticks since the machine was (proc(5), field 22)."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as status:
            return int(status.read().rpartition(b")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return 0


def _environment(private: str, given: Mapping[str, str]) -> dict[str, str]:
    """The caller's and the job's environment (credentials), with nothing translated or local."""
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
