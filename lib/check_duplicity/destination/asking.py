"""Ask duplicity for the file names at the destination, and harm nothing.

duplicity gets a private, empty, temporary archive directory. In the job's own it would take the
lock: a backup that starts meanwhile fails with 23, and in 3.2.1 the loser also deletes the winner's
lock file. With a private one duplicity needs no passphrase and no key, and reports interrupted sets
as incomplete (tried on 0.8.23 to 3.2.1).
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence

from check_duplicity.duplicity.failure import failure, last_words, no_destination
from check_duplicity.duplicity.invocation import of_any_action
from check_duplicity.nagios.findings import CannotSee, Kind
from check_duplicity.secrets import Secrets
from check_duplicity.system import child, rights

_LONGEST_LINE = 96 << 20  # bytes; a million file names are 70 MB in one line
_KEPT = 4 << 20  # bytes of a machine log without names


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
    private = child.make_directory()
    # Early errors go to standard error, before duplicity opens a log: so the log goes there, too.
    own = ["-v9", "--no-encryption", "--log-fd", "2", "--archive-dir", private]
    line = [*command, "collection-status", "--num-retries", "1"]
    line += [*of_any_action(options), *own, url]
    began = time.time()
    duplicity = child.start(line, child.environment(private, environment))
    import shutil  # noqa: F401 - removing the directory needs it; duplicity starts meanwhile

    return Asked(duplicity, secrets, began)


class Asked:
    """A duplicity that was asked and has not answered yet.

    ``began`` is when it was asked, in seconds since the epoch: it looked at nothing before.
    """

    def __init__(self, process: subprocess.Popen[bytes], secrets: Secrets, began: float) -> None:
        self.began = began
        self._process = process
        self._secrets = secrets

    def log_until(self, enough: Callable[[str], bool]) -> str:
        """Return the first line of the machine log that is enough, without waiting for the rest.

        Without such a line, return the log's last part if duplicity ended well, or failed because
        there is no destination. Raises `CannotSee`, with duplicity's own reason if it failed
        otherwise, and with its last words if the check is cut short.
        """
        log = bytearray()
        assert self._process.stderr is not None
        try:
            while read := self._process.stderr.readline(_LONGEST_LINE):
                line = read.decode(errors="replace")
                if enough(line):
                    return line
                log += read
                del log[:-_KEPT]
            # Kill its group before reaping it: until then no other process can get its pid.
            end = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        except CannotSee as cut_short:
            said = last_words(self._text(log))
            detail = f"; duplicity's last words: {said}" if said else ""
            raise CannotSee(cut_short.kind, cut_short.reason + detail) from None
        finally:
            child.kill(self._process)
        assert end is not None
        if not end.si_status:
            return log.decode(errors="replace")
        text, by_itself = self._text(log), end.si_code == os.CLD_EXITED
        if by_itself and no_destination(text):
            return text
        raise CannotSee(Kind.DUPLICITY_FAILED, failure(end.si_status, by_itself, text))

    def _text(self, log: bytearray) -> str:
        return self._secrets.hide(log.decode(errors="replace"))
