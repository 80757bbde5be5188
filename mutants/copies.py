"""A copy of the project with its tests and an environment of its own, to be changed and tested."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import psutil
from changes import Mutant, package_of

ROOT = Path(__file__).resolve().parent.parent
NOT_COPIED = shutil.ignore_patterns(
    ".git",
    ".venv",
    ".duplicity",
    ".moto",
    ".demo",
    ".picture",
    ".*_cache",
    ".hypothesis",
    "build",
    "dist",
    "found",
    "__pycache__",
)
NOT_FOR_TESTS = shutil.ignore_patterns("mypy*", "sqlalchemy", "atheris*", "aiohttp", "pip")
# Without what needs root, or takes long for what it shows of one changed line.
LEFT_OUT = "not root and not exhaustive and not spread"
# Watched they take minutes. Only what survives all others is given to those of its package.
SLOW = (
    "test_time_is_in_proportion_to_the_length",
    "test_hostile_mail_gives_one_valid_output",
    "test_a_cursor_changes_no_answer",
    "test_what_is_read_is_what_shells_run",
    "test_reading_few_messages_equals_reading_all",
    "test_a_plain_mail_is_read_as_any_other",
    "test_no_memory_is_nonsense_enough_to_end_a_check",
    "test_damaged_or_foreign_memory_changes_no_answer",
    "test_memory_changes_no_answer",
)
QUICK = " and ".join(f"not {name}" for name in SLOW)
NONE_CHOSEN = 5  # how pytest ends if it has nothing to do
LONGEST = 900.0  # seconds that tests have without a change, or that take long
DEADLINE = 60.0  # seconds that a mutant's tests have at least
TIMES_LONGER = 3.0  # how often as long as without a change they have


class Test(NamedTuple):
    """A test, and how many seconds it takes without a change."""

    name: str
    seconds: float


class Ended(NamedTuple):
    """How pytest has ended, what it said, and which tests failed only while they were watched."""

    status: int
    said: str
    failed: tuple[str, ...] = ()


class Copy:
    """A copy in a directory of its own, removed with it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.tree = directory / "tree"
        self.environment = directory / "venv"
        self.started: subprocess.Popen[str] | None = None
        shutil.copytree(ROOT, self.tree, ignore=NOT_COPIED, symlinks=True)
        shutil.copytree(sys.prefix, self.environment, ignore=NOT_FOR_TESTS, symlinks=True)
        (directory / "tmp").mkdir()
        for script in (self.environment / "bin").iterdir():
            if script.is_file() and not script.is_symlink():
                text = script.read_bytes()
                script.write_bytes(
                    text.replace(sys.prefix.encode(), str(self.environment).encode())
                )
        installed = self.environment.glob("lib/python*/site-packages/check_duplicity")
        self.library = next(iter(installed))
        hooks = directory / "hooks"
        hooks.mkdir()
        for name in ("mutants_watch.py", "watching.py"):
            shutil.copy(Path(__file__).parent / name, hooks)
        (self.library.parent / "mutants_watch.pth").write_text(
            f"{hooks}\nimport mutants_watch; mutants_watch.watch_this_process()\n"
        )

    def installed(self, file: str) -> Path:
        """Return where the copy has a module or a program installed."""
        if package_of(file) == "plugins":
            return self.environment / "bin" / Path(file).name
        return self.library / Path(file).relative_to("lib/check_duplicity")

    def notices(self, mutant: Mutant, tests: Sequence[Test], *, slow_too: bool) -> bool:
        """Return whether one of the tests notices a mutant, or else a slow one of its package."""
        path = self.installed(mutant.file)
        kept = path.read_text()
        code = mutant.code
        if package_of(mutant.file) == "plugins":  # with the first line that pip gave it
            code = kept.split("\n", 1)[0] + "\n" + code.split("\n", 1)[1]
        limit = max(DEADLINE, TIMES_LONGER * sum(test.seconds for test in tests))
        slow = ROOT / "tests" / package_of(mutant.file)
        try:
            _write(path, code)
            if self._fails(tests, limit):
                return True
            return slow_too and slow.is_dir() and self._fails_slowly(slow)
        finally:
            _write(path, kept)

    def _fails(self, tests: Sequence[Test], limit: float) -> bool:
        if not tests:
            return False
        self._choose([test.name for test in tests])
        paths = dict.fromkeys(file_of(test.name) for test in tests)
        ended = self.run(["-x", "-k", QUICK, *paths], limit)
        return ended.status not in (0, NONE_CHOSEN)

    def _fails_slowly(self, folder: Path) -> bool:
        self._choose(None)
        ended = self.run(["-x", "-k", " or ".join(SLOW), str(folder.relative_to(ROOT))])
        return ended.status not in (0, NONE_CHOSEN)

    def _choose(self, names: Sequence[str] | None) -> None:
        (self.directory / "wanted").write_text(json.dumps(names))

    def run(self, arguments: Sequence[str], limit: float = LONGEST) -> Ended:
        """Run tests until the limit (seconds) is over: what never ends has failed."""
        command: list[str | Path] = [
            "nice", self.environment / "bin" / "python", "-m", "pytest", "-q", "--no-header",
            "--tb=short", "-p", "no:cacheprovider", "-p", "watching", "-m", LEFT_OUT,
            *arguments,
        ]  # fmt: skip
        self.started = subprocess.Popen(
            command,
            cwd=self.tree,
            env=environment(TMPDIR=str(self.directory / "tmp")),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            said, _ = self.started.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            said = f"not done after {limit:.0f} s"
        finally:
            self.end()
        return Ended(self.started.wait(), said)

    def watch(self, path: str) -> Ended:
        """Run tests and note what each calls; those that fail are tried again by themselves."""
        for name in ("wanted", "current"):
            (self.directory / name).unlink(missing_ok=True)
        watched = self.run(["-k", QUICK, path])
        failed = re.findall(r"(?m)^(?:FAILED|ERROR) (.*?)(?: - .*)?$", watched.said)
        if watched.status == NONE_CHOSEN:
            return watched._replace(status=0)
        if not failed:
            return watched
        self._choose(failed)
        return self.run([path])._replace(failed=tuple(failed))

    def noted(self) -> list[str]:
        """Return the lines that the watched tests have left."""
        calls = self.directory / "calls"
        return calls.read_text().splitlines() if calls.exists() else []

    def end(self) -> None:
        """End the tests and all that they started from this copy."""
        if self.started is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.started.pid, signal.SIGKILL)
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if any(str(self.directory) in word for word in process.cmdline()):
                    process.kill()
        for left in (self.directory / "tmp").iterdir():
            shutil.rmtree(left, ignore_errors=True)


def _write(path: Path, code: str) -> None:
    """Write a file; Python compiles it anew, even if its size and second are the same."""
    path.write_text(code)
    for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
        compiled.unlink()


def file_of(test: str) -> str:
    """Return the file of a test, of which this is the name (``tests/test_a.py::test_b``)."""
    return test.split("::", 1)[0]


def environment(**more: str) -> dict[str, str]:
    """Return what tests get: no duplicity, and nothing that is set for Python or for make."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "USER", "LOGNAME")
    return {name: os.environ[name] for name in kept if name in os.environ} | more
