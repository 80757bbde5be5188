"""A host below a directory, on which a test types a page's commands and reads their output.

The page's paths (/srv, /var and so on) lead below the directory, and appear in the output as in the
page. The time in the pages is `THEN`: something that happened 2 hours before the test is shown as 2
hours before `THEN`.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import pwd
import re
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

from pages import UPDATE, Block, marked, write
from plugin import BIN

Scene = Callable[["Stage"], None]

THEN = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)
USER = "govuk-backup"
PLUGINS, PROGRAMS = "/usr/lib/nagios/plugins", "/usr/bin"

# A path of the page; in a URL, only that of file://.
_PATH = re.compile(r"(?:(?<=file://)|(?<![\w/.*:-]))/(?=(?:srv|var|data|home|etc|opt)/)")
_DAY = re.compile(r"\d{4}-\d\d-\d\d(?= ·|$)", re.M)
_DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(?= UTC)")
_AGES = re.compile(r"\b(age|full_age|history)=(\d+)s")
# The text before a user's name, in commands and in sentences.
_BEFORE_USER = r"((?:-[iHle]*u|mail to|by|group|chown)\s)"
# Parts that may differ between a page and a test: times, durations in seconds, and pids.
_CHANGING = (
    (_DATE, "DATE"),
    (re.compile(r"\b(\d+[dh])(?: \d+m)?(?: \d+s)?\b"), r"\1"),
    (re.compile(r"\b(?:\d+m )?\d+s\b"), "0s"),
    (_AGES, r"\1=0s"),
    (re.compile(r"\bpid \d+"), "pid 0"),
    # Each duplicity version ends volumes at other places.
    (re.compile(r"\b\d\.jpg\b"), "0.jpg"),
    (re.compile(r"\bfrom \d volumes? of\b"), "from 1 volume of"),
    # Whether 2 hours ago was yesterday depends on the hour.
    (re.compile(r"four weeks .*"), "four weeks"),
)

# This duplicity lists the files at its last argument, a file:// URL, as a real one does with -v9.
_DUPLICITY = f"""#!{sys.executable} -I
import os, sys
names = sorted(os.listdir(sys.argv[-1][len("file://"):]))
sys.stderr.write(f". Extracting backup chains from list of files: {{names!r}}\\n")
"""


class Stage:
    """A host without a job. Ages count from ``began``."""

    def __init__(self, directory: Path) -> None:
        self.root = directory / "host"
        self.bin = directory / "bin"
        self.home = self.root / "home" / USER
        self.began = datetime.now(timezone.utc)
        for path in (self.home, self.bin, self.root / "tmp"):
            path.mkdir(parents=True)
        self.program("duplicity", _DUPLICITY)

    def program(self, name: str, text: str) -> None:
        """Put a program of this name in the PATH."""
        path = self.bin / name
        path.write_text(text)
        path.chmod(0o755)

    def ago(self, **age: float) -> datetime:
        return self.began - timedelta(**age)

    def path(self, path: str) -> Path:
        """Return the real path of a path of the page, and make the directories above it."""
        found = self.root / path.lstrip("/")
        found.parent.mkdir(parents=True, exist_ok=True)
        return found

    def write(self, path: str, text: str, **age: float) -> None:
        """Write a file that is this old."""
        found = self.path(path)
        found.write_text(text)
        changed = self.ago(**age).timestamp()
        os.utime(found, (changed, changed))

    def fill(self, directory: str, names: list[str], size: int = 26 << 20) -> None:
        """Make sparse files with duplicity's names; volumes have this size in bytes."""
        for name in names:
            with self.path(f"{directory}/{name}").open("wb") as file:
                file.truncate(size if ".vol" in name else 1000)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": f"{self.bin}:{BIN}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "TMPDIR": str(self.root / "tmp"),
            "XDG_STATE_HOME": str(self.root / "state"),
            "TZ": "UTC",
        }

    def here(self, command: str) -> str:
        """Return a command of the page with the paths of this host."""
        typed = command.replace(PLUGINS + "/", f"{BIN}/")
        return _PATH.sub(lambda _: f"{self.root}/", typed)

    def type(self, command: str) -> str:
        """Type a command into a shell, and return its output as the page would show it."""
        done = subprocess.run(
            ["bash", "-c", self.here(command)], cwd=self.root, env=self.environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False, timeout=120,
        )  # fmt: skip
        return self.shown(done.stdout, command)

    def shown(self, text: str, command: str) -> str:
        """Return a command's output with the page's paths, user and time."""
        user = pwd.getpwuid(os.geteuid()).pw_name
        # The archive directory is named after the URL.
        for url in re.findall(r"file://[\w/]+", command):
            text = text.replace(_name(self.here(url)), _name(url))
        text = as_installed(text.replace(str(self.root), ""))
        # The pages' user has a shell and isn't root, whoever runs the tests.
        text = text.replace(f"sudo -Hu {user} --", f"sudo -iu {user} --")
        if user == "root":
            line = f"{PLUGINS}/check_duplicity_process -u root"
            text = text.replace(f"sudo {line}", f"sudo -u root -- {line}")
        text = re.sub(rf"{_BEFORE_USER}{re.escape(user)}\b", rf"\g<1>{USER}", text)
        return then(text, self.began)

    def is_slow(self) -> bool:
        """Return whether ages may have grown by a minute since ``began``."""
        return time.time() - self.began.timestamp() > 55


def _name(url: str) -> str:
    return hashlib.md5(url.encode(), usedforsecurity=False).hexdigest()


def as_installed(text: str) -> str:
    """Return output with the paths of Debian's package."""
    text = re.sub(rf"{re.escape(str(BIN))}/(?=check_)", f"{PLUGINS}/", text)
    return re.sub(rf"{re.escape(str(BIN))}/(?=duplicity_)", f"{PROGRAMS}/", text)


def then(text: str, began: datetime) -> str:
    """Return output of the time ``began`` as it would have been at `THEN`."""
    moved = THEN - began.replace(second=0, microsecond=0)
    days = THEN.date() - began.date()

    def date(match: re.Match[str]) -> str:
        return f"{datetime.strptime(match[0], '%Y-%m-%d %H:%M') + moved:%Y-%m-%d %H:%M}"

    def day(match: re.Match[str]) -> str:
        return f"{datetime.strptime(match[0], '%Y-%m-%d') + days:%Y-%m-%d}"

    def seconds(match: re.Match[str]) -> str:
        return f"{match[1]}={int(match[2]) // 60 * 60}s"

    return _AGES.sub(seconds, _DAY.sub(day, _DATE.sub(date, text)))


def unchanging(text: str) -> str:
    """Return a text without the parts that differ each time that it is printed."""
    for pattern, instead in _CHANGING:
        text = pattern.sub(instead, text)
    return text


def session(block: Block, answer: Callable[[str], str]) -> str:
    """Return a block with the current output of its commands; ``answer`` runs one of them.

    A command begins with ``$`` or ``#``, and a backslash at the end of its line continues it.
    """
    commands = re.findall(r"^[$#] (?:.*\\\n)*.*\n", block.text, re.M)
    told = "".join(command + answer(command[2:]) for command in commands)
    return told.rstrip("\n") + "\n"


def compare(block: Block, made: str, unchanging: Callable[[str], str] = unchanging) -> None:
    """Fail if a page's block differs from the text ``made``, or write that into the page.

    ``unchanging`` removes the parts that may differ from both.
    """
    if unchanging(block.text) == unchanging(made):
        return
    if not UPDATE:
        lines = difflib.unified_diff(
            block.text.split("\n"), made.split("\n"), block.place, "made now", lineterm=""
        )
        raise AssertionError("stale, to be made anew by make pages:\n" + "\n".join(lines))
    write(block, _with_old_lines(block.text, made, unchanging))


def _with_old_lines(old: str, made: str, unchanging: Callable[[str], str]) -> str:
    """Return what was made with the lines of before where only what may be another is another."""
    before, now = old.split("\n"), made.split("\n")
    same = difflib.SequenceMatcher(None, list(map(unchanging, before)), list(map(unchanging, now)))
    for begin, here, length in same.get_matching_blocks():
        now[here : here + length] = before[begin : begin + length]
    return "\n".join(now)


def show(file: str, test: str, directories: Callable[[], Path], scene: Scene) -> None:
    """Type the commands of the blocks that are marked with a test, on a host with a scene.

    ``directories`` makes a directory for a host. If a host took a minute, its ages differ, and the
    function tries again with a new one.
    """
    found = marked(file, test)
    assert found, f"no block is marked with {file}: {test}"
    for _ in range(5):
        stage = Stage(directories())
        scene(stage)
        made = [session(block, stage.type) for block in found]
        if not stage.is_slow():
            break
    # From the bottom up, since writing a block moves the lines after it.
    for block, text in reversed(list(zip(found, made))):
        compare(block, text)
