"""Run a plugin where something is broken, and check that it answers and leaves nothing behind.

A `Call` is how a plugin is started, and a fault changes that. A `Site` has what the plugins look
at: a real backup, the log of a good run, and a process named duplicity.
"""

from __future__ import annotations

import ctypes
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

from check_duplicity.duplicity.names import Prefixes
from check_duplicity.restore import history
from check_duplicity.system import memory
from lab import Lab, fingerprint, wait_until
from plugin import BIN
from samples import good_run

STATES = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
PLUGINS = {
    "freshness": "check_duplicity_freshness",
    "process": "check_duplicity_process",
    "log": "check_duplicity_log",
    "restore": "check_duplicity_restore",
    "triage": "duplicity_triage",
}
_PR_SET_CHILD_SUBREAPER = 36
_MEASURE = re.compile(r"[a-z_]+=-?\d+(\.\d+)?[sB%]?(;[\d.:~@-]*){0,3}(;-?\d+(\.\d+)?)?")


class Call(NamedTuple):
    """How a plugin is started. The new process calls ``prepare`` before it runs the plugin."""

    words: tuple[str, ...]
    environment: dict[str, str]
    stdin: int = subprocess.DEVNULL
    stdout: int = subprocess.PIPE
    stderr: int = subprocess.PIPE
    prepare: Callable[[], object] | None = None
    cwd: str = "/"

    def having(self, *words: object, **environment: str) -> Call:
        """Return the call with more options and variables."""
        return self._replace(
            words=(*self.words, *map(str, words)), environment={**self.environment, **environment}
        )

    def behind(self, script: str) -> Call:
        """Return the call in its own mount namespace, after a few lines of shell."""
        shell = ("unshare", "--mount", "sh", "-ec", f'{script}\nexec "$@"', "sh")
        return self._replace(words=(*shell, *self.words))


class Ended(NamedTuple):
    """A plugin's result: its exit status, negative after a signal, and its output."""

    status: int
    out: str
    error: str

    @property
    def first_line(self) -> str:
        return self.out.split("\n")[0]


class Site:
    """A good job: each plugin's answer is OK."""

    def __init__(self, duplicity: Path, directory: Path) -> None:
        self.directory = directory
        (directory / "job").mkdir()
        self.lab = Lab(duplicity, directory / "job")
        self.lab.run("full", "--name=job", ago=2)
        self.running_url = f"file://{directory}/running"
        self.state = directory / "state"
        self.state.mkdir(mode=0o700)
        self.log = directory / "assets.log"
        self.log.write_text(good_run())
        self._right: dict[str, object] = {}
        self._drill()

    def _drill(self) -> None:
        """Write the history of a good drill."""
        identity = (self.lab.url, str(self.lab.archive), "job", *Prefixes())
        path = memory.default_path("restore", identity, str(self.state))
        good = history.Past(datetime.now(timezone.utc), None, "", 1, 1, 1000)
        assert not history.kept(path, history.History(good.time, good, (good,)))

    def call(self, plugin: str, *, duplicity: Path | None = None) -> Call:
        """Return the call of a plugin, with this duplicity or else the site's own."""
        lab = self.lab
        job: list[object] = ["-d", lab.url, "-a", lab.archive, "-n", "job"]
        asking = [*job, "--duplicity", duplicity or lab.duplicity]
        options: dict[str, list[object]] = {
            "freshness": asking,
            "process": ["--state-file", self.state_file("process"), "-d", self.running_url],
            "log": ["--state-file", self.state_file("log"), self.log],
            "restore": job,
            "triage": asking,
        }
        words = (BIN / PLUGINS[plugin], *options[plugin])
        mine = {"MAIL": str(self.log), "XDG_STATE_HOME": str(self.state)}
        return Call(tuple(map(str, words)), {**lab.environment, **mine})

    def state_file(self, plugin: str) -> Path:
        return self.state / f"{plugin}.json"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run a process named duplicity whose arguments are those of a backup, and which waits."""
        program = self.directory / "running" / "duplicity"
        program.parent.mkdir()
        program.write_text(
            f"#!{sys.executable} -I\nimport sys\nprint(flush=True)\nsys.stdin.read()\n"
        )
        program.chmod(0o755)
        with subprocess.Popen(
            [program, "full", "/source", self.running_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            yield
            process.kill()

    def untouched(self) -> object:
        """Return what no plugin may change: all but its state files and the TMPDIR's time."""
        found = fingerprint(self.directory)
        del found["job/tmp"]
        return {name: stat for name, stat in found.items() if not name.startswith("state")}

    def assert_right(self, plugin: str) -> None:
        """Demand that an undisturbed check is OK.

        Don't run it again if nothing has changed since it last was OK.
        """
        if self._right.get(plugin) != self._seen_by(plugin):
            assert_answer(plugin, run(self.call(plugin)), "O")
            self._right[plugin] = self._seen_by(plugin)

    def _seen_by(self, plugin: str) -> object:
        """Return what can change a plugin's answer, without other plugins' state files."""
        others = {f"state/{self.state_file(other).name}" for other in PLUGINS if other != plugin}
        found = fingerprint(self.directory)
        return {
            name: stat for name, stat in found.items() if name not in {"job/tmp", "state", *others}
        }


Disturbance = Callable[["subprocess.Popen[bytes]"], object]


def run(call: Call, disturb: Disturbance = lambda process: None) -> Ended:
    """Start a plugin, disturb it, and return its result when none of its children is left."""
    before = _children()
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    try:
        with subprocess.Popen(
            call.words,
            env=call.environment,
            stdin=call.stdin,
            stdout=call.stdout,
            stderr=call.stderr,
            preexec_fn=call.prepare,  # noqa: PLW1509 - there are no threads here
            cwd=call.cwd,
            start_new_session=True,
        ) as process:
            try:
                disturb(process)
                out, error = process.communicate(timeout=20)
            finally:
                process.kill()
        wait_until(lambda: not _children() - before)
    finally:
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 0)
    return Ended(process.returncode, (out or b"").decode(), (error or b"").decode())


def _children() -> set[int]:
    """Return this process's living children. It adopts orphans, and reaps dead children."""
    pids = set()
    for path in Path("/proc/self/task").glob("*/children"):
        with suppress(FileNotFoundError):
            pids |= set(map(int, path.read_text().split()))
    living = set()
    for pid in pids:
        with suppress(FileNotFoundError, ChildProcessError):
            if ") Z " not in Path(f"/proc/{pid}/stat").read_text():
                living.add(pid)
            elif threading.active_count() == 1:
                os.waitpid(pid, os.WNOHANG)
    return living


def assert_answer(plugin: str, ended: Ended, states: str) -> None:
    """Demand one valid output in one of the states (O, W, C, U), with that state's exit status.

    A triage that a signal ends has shown what it knew, and then reports the signal.
    """
    assert ended.error == "", ended.error
    assert ended.status in (0, 1, 2, 3), ended
    word = STATES[ended.status]
    assert word[0] in states, ended
    assert "Traceback" not in ended.out
    assert "error in the plugin" not in ended.out, ended
    assert ended.out.endswith("\n")
    title = f"DUPLICITY {plugin.upper()} {word} - "
    line, bar, performance = ended.first_line.partition(" | ")
    triage = plugin == "triage" and (line.startswith(f"job: {word}, ") or f"\n{title}" in ended.out)
    assert triage or line.startswith(title)
    assert "|" not in ended.out.replace(" | ", "", 1)
    assert all(_MEASURE.fullmatch(measure) for measure in performance.split(" ")) or not bar


def begun(process: subprocess.Popen[bytes]) -> None:
    """Wait until a plugin has executed its first line: it has blocked SIGTERM, or handles it.

    Before that the C library blocks all signals for a moment while Python starts (glibc 2.41 does).
    """
    bit, others = (1 << (number - 1) for number in (signal.SIGTERM, signal.SIGUSR1))
    while process.poll() is None:
        with suppress(FileNotFoundError, ProcessLookupError):
            status = Path(f"/proc/{process.pid}/status").read_text()
            masks = re.findall(r"(?m)^Sig(?:Blk|Cgt):\s*([0-9a-f]+)", status)
            if any(int(mask, 16) & bit and not int(mask, 16) & others for mask in masks):
                return
