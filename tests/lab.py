"""A place where real duplicity makes real backups, and tests break them."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

from plugin import Result, freshness

DUPLICITIES = os.environ.get("DUPLICITIES")  # a directory with VERSION/bin/duplicity in it
ENVIRONMENT = {"PATH": os.environ["PATH"], "TZ": "UTC", "LC_ALL": "C.UTF-8"}


class Lab:
    """A job of one duplicity version: source, destination, archive directory.

    Used as a context, it ends the gpg-agent that duplicity's gpg leaves behind.
    """

    def __init__(self, duplicity: Path, directory: Path) -> None:
        self.duplicity = duplicity
        self.source = directory / "source"
        self.destination = directory / "destination"
        self.archive = directory / "archive"
        self.home = directory / "home"
        self.temporary = directory / "tmp"
        self.printed = ""  # by the last run
        for path in (self.source, self.destination, self.home, self.temporary):
            path.mkdir()
        (self.source / "file").write_bytes(os.urandom(1000))
        # By default gpg measures how long to derive a key can take, and lets it take as long.
        (self.home / ".gnupg").mkdir(mode=0o700)
        (self.home / ".gnupg" / "gpg.conf").write_text("s2k-count 65536\n")

    def __enter__(self) -> Lab:
        return self

    def __exit__(self, *exception: object) -> None:
        subprocess.run(["gpgconf", "--kill", "gpg-agent"], env=self.environment, check=False)

    @property
    def url(self) -> str:
        return f"file://{self.destination}"

    @property
    def version(self) -> tuple[int, ...]:
        """Major and minor number."""
        said = subprocess.run(
            [self.duplicity, "--version"], capture_output=True, text=True, check=True
        )
        return tuple(map(int, re.findall(r"duplicity (\d+)\.(\d+)", said.stdout)[0]))

    @property
    def environment(self) -> dict[str, str]:
        return {**ENVIRONMENT, "HOME": str(self.home), "TMPDIR": str(self.temporary)}

    def run(
        self,
        action: str,
        *options: object,
        passphrase: str | None = None,
        ago: float = 0,
        at: datetime | None = None,
        changed: bool = True,
    ) -> datetime:
        """Make a backup dated at a time, or ``ago`` hours ago; return that time."""
        made = at or datetime.now(timezone.utc).replace(microsecond=0) - timedelta(hours=ago)
        if changed:
            (self.source / "file").write_bytes(os.urandom(1000))
        encryption = [] if passphrase else ["--no-encryption"]
        time = f"--current-time={int(made.timestamp())}"
        done = subprocess.run(
            self.command(action, *encryption, *options, time),
            env={**self.environment, "PASSPHRASE": passphrase or ""},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=True,
            text=True,
        )
        self.printed = done.stdout
        return made

    def command(self, action: str, *options: object) -> list[str]:
        words = [self.duplicity, action, *options, "--archive-dir", self.archive]
        return [*map(str, words), str(self.source), self.url]

    def status(self, **environment: str) -> str:
        """Return duplicity's own status, by the job's archive directory."""
        words = [self.duplicity, "collection-status", "--archive-dir", self.archive, self.url]
        done = subprocess.run(
            list(map(str, words)),
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            text=True,
        )
        return done.stdout

    @contextmanager
    def running(self, action: str = "full", volumes: int = 3) -> Iterator[subprocess.Popen[bytes]]:
        """Run a backup that has made some volumes and will go on for long; kill it at the end."""
        with (self.source / "large").open("wb") as large:
            large.truncate(4 << 30)
        with subprocess.Popen(
            self.command(action, "--no-encryption", "--no-compression", "--volsize", "1"),
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process:
            try:
                wait_until(lambda: process.poll() is not None or self.volumes() >= volumes)
                assert process.poll() is None, "the backup has ended already"
                yield process
            finally:
                process.kill()
        (self.source / "large").unlink()

    def volumes(self) -> int:
        """Return the number of uncompressed volumes at the destination."""
        return len(list(self.destination.glob("*.difftar")))

    def check(self, *options: object, **keywords: object) -> Result:
        """Run the check for this job, with the library's defaults unless options are given."""
        base: list[object] = ["-d", self.url, "-a", self.archive, "--duplicity", self.duplicity]
        environment = {**self.environment, **keywords.pop("environment", {})}  # type: ignore[dict-item]
        result = freshness(*base, *options, environment=environment, **keywords)
        assert list(self.temporary.glob("check-duplicity-*")) == []
        return result


def fingerprint(directory: Path) -> dict[str, tuple[int, int, int]]:
    """Return every file below a directory with its size, inode and time of change."""
    stats = {path: path.lstat() for path in sorted(directory.rglob("*"))}
    return {
        str(path.relative_to(directory)): (stat.st_size, stat.st_ino, stat.st_mtime_ns)
        for path, stat in stats.items()
    }


def wait_until(true: object, seconds: float = 60) -> None:
    """Wait until a function returns true; fail after ``seconds``."""
    end = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def processes_of(text: str) -> list[int]:
    """Return the processes with a text in their command line, without zombies."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if text.encode() in (path / "cmdline").read_bytes():
                found.append(int(path.name))
        except OSError:
            continue
    return [pid for pid in found if pid != os.getpid()]
