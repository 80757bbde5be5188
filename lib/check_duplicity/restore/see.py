"""Let duplicity restore: start it, read its messages, and end it in time.

duplicity has two peculiarities (0.8.23 to 3.2.1). On a full disk it prints the error and never
ends. And after a failure it may leave a part of the file: only its exit status counts.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from datetime import datetime

from check_duplicity.duplicity.failure import last_words
from check_duplicity.duplicity.invocation import of_any_action
from check_duplicity.duplicity.restoring import (
    Ended,
    ended,
    informs,
    no_space,
    progress,
)
from check_duplicity.nagios.findings import CannotSee, Kind
from check_duplicity.restore import archive
from check_duplicity.restore.choose import NOWHERE
from check_duplicity.restore.model import Duplicity, Sample, Set
from check_duplicity.secrets import Secrets
from check_duplicity.system import child, rights

_LONGEST_LINE = 1 << 20  # bytes
_KEPT = 1 << 20  # bytes of the machine log
_ROOM = 64 << 20  # bytes that stay free besides the restored files
_COPIES = 3  # of a file: as it is restored, and twice while increments are applied to it


class Place:
    """A drill's private directory, in which it runs duplicity.

    ``directory`` has the archive directory ``archive``. Restored files lie at ``target`` until the
    next call. The drill removes the whole directory at its end. ``plain`` is whether the backup is
    not encrypted; duplicity would want a passphrase all the same.
    """

    def __init__(self, duplicity: Duplicity, directory: str, secrets: Secrets) -> None:
        self.archive = os.path.join(directory, "archive", "job")
        self.target = os.path.join(directory, "restored")
        self.plain = False
        self._environment: dict[str, str] = {}
        self._directory = directory
        self._duplicity = duplicity
        self._options = of_any_action(duplicity.options)
        self._command = rights.command(duplicity.command, rights.own_path())
        self._secrets = secrets
        self._temporary = os.path.join(directory, "tmp")

    def renew(self) -> None:
        """Forget the metadata of another chain."""
        child.remove(os.path.dirname(self.archive))
        os.mkdir(os.path.dirname(self.archive), 0o700)

    def fetch_metadata(self, time: datetime) -> Ended:
        """Let duplicity fetch all metadata of a chain, which it does to list the chain's files."""
        self.renew()
        return self._run("list-current-files", ["--time", _seconds(time)], (), _nothing)

    def restore(self, sample: Sample, chain: Sequence[Set], told: Callable[[int], None]) -> Ended:
        """Restore a sample; call ``told`` with the number of volumes read so far.

        Raises `CannotSee` if duplicity can't be started, or when time is up.
        """
        path = sample.path or f"{NOWHERE}{os.urandom(8).hex()}"
        words = ["-r", path, "--time", _seconds(chain[sample.at].time)]
        with archive.widened(chain, sample.wide):
            return self._run("restore", words, (self.target,), told)

    def has_room_for(self, size: int) -> bool:
        """Return whether there is room to restore a file of ``size`` bytes."""
        return shutil.disk_usage(self._directory).free >= _COPIES * size + _ROOM

    def _run(
        self, action: str, words: Sequence[str], target: Sequence[str], told: Callable[[int], None]
    ) -> Ended:
        """Run duplicity; if it lacks a passphrase, run it again with an empty one.

        duplicity asks for a passphrase whatever the encryption, and a key may have none.
        """
        first = self._run_once(action, words, target, told)
        if first.kind is not Kind.NO_PASSPHRASE or self._environment:
            return first
        self._environment = dict.fromkeys(["PASSPHRASE"], "")
        second = self._run_once(action, words, target, told)
        if second.kind not in (
            Kind.NO_PASSPHRASE, Kind.WRONG_PASSPHRASE, Kind.GPG, Kind.NO_DRILL
        ):  # fmt: skip
            return second
        self._environment = {}
        return first

    def _run_once(
        self, action: str, words: Sequence[str], target: Sequence[str], told: Callable[[int], None]
    ) -> Ended:
        for path in (self._temporary, *target):
            child.remove(path)
        os.mkdir(self._temporary, 0o700)
        where = ["--archive-dir", os.path.dirname(self.archive), "--name", "job"]
        own = ["-v5", "--log-fd", "2", "--num-retries", "2", *where]
        if self.plain and "--no-encryption" not in self._options:
            own.append("--no-encryption")
        url = self._duplicity.url
        line = [*self._command, action, *self._options, *own, *words, url, *target]
        given = {**self._duplicity.environment, **self._environment}
        variables = child.environment(self._temporary, given)
        process = child.start(line, variables)
        log = bytearray()
        informing = False
        try:
            assert process.stderr is not None
            while read := process.stderr.readline(_LONGEST_LINE):
                log += read
                del log[:-_KEPT]
                text = read.decode(errors="replace")
                told(progress(text))
                informing = informs(text, before=informing)
                if not informing and no_space(text):
                    return Ended(Kind.NO_ROOM, f"no space left in {self._directory}")
            end = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            assert end is not None
            by_itself = end.si_code == os.CLD_EXITED
            return ended(end.si_status, by_itself, self._hidden(log))
        except CannotSee as cut_short:
            said = last_words(self._hidden(log))
            detail = f"; duplicity's last words: {said}" if said else ""
            raise CannotSee(cut_short.kind, cut_short.reason + detail) from None
        finally:
            child.kill(process)

    def _hidden(self, log: bytearray) -> str:
        return self._secrets.hide(log.decode(errors="replace"))


def _nothing(volumes: int) -> None:
    pass


def _seconds(time: datetime) -> str:
    """Return a time in seconds since the epoch, which every version takes in any time zone."""
    return f"{time.timestamp():.0f}"
