"""Read systemd's journal line by line, with ``journalctl --output=json``.

The fields are those of systemd.journal-fields(7), the same since systemd 236. Trusted fields begin
with ``_``; anybody can write the others.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence

from check_duplicity.nagios.findings import CannotSee, Kind
from check_duplicity.system import child, rights
from check_duplicity.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any

_LONGEST = 1 << 20  # bytes of a record; a longer one is left out
_FIELDS = (
    "MESSAGE", "MESSAGE_ID", "UNIT", "INVOCATION_ID", "EXIT_CODE", "EXIT_STATUS", "UNIT_RESULT",
    "JOB_RESULT", "_PID", "_UID", "_HOSTNAME", "_SYSTEMD_UNIT", "_SYSTEMD_INVOCATION_ID",
)  # fmt: skip
_NO_RIGHT = ("not seeing messages from other users", "insufficient permissions")


class Place(NamedTuple):
    """A journal, and which of its records to read.

    ``unit`` or else ``tag`` (``SYSLOG_IDENTIFIER``) selects records; ``where`` is a journal's file
    or directory, and empty for this machine's journal.
    """

    unit: str = ""
    tag: str = ""
    where: str = ""

    @property
    def options(self) -> list[str]:
        """The options for journalctl."""
        what = f"--unit={self.unit}" if self.unit else f"--identifier={self.tag}"
        option = "directory" if os.path.isdir(self.where) else "file"
        return [what, *([f"--{option}={self.where}"] if self.where else [])]


def records(place: Place, options: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the records of a place, the oldest first, as in journalctl's JSON.

    ``options`` say where to start. Raises `CannotSee`, with advice, if the journal is unreadable.
    """
    try:
        program = rights.command(["journalctl"], rights.own_path())
    except CannotSee as reason:
        if reason.kind is not Kind.NO_DUPLICITY:
            raise
        raise CannotSee(Kind.NOT_READABLE, "there is no journalctl on this machine") from None
    asked = ["--output=json", f"--output-fields={','.join(_FIELDS)}", "--no-pager", "--utc"]
    line = [*program, *asked, *place.options, *options]
    process = child.start(line, {"PATH": rights.own_path(), "LC_ALL": "C.UTF-8"}, output=True)
    assert process.stdout is not None
    said = ""
    try:
        while read := process.stdout.readline(_LONGEST):
            if not read.endswith(b"\n"):
                while (rest := process.stdout.readline(_LONGEST)) and not rest.endswith(b"\n"):
                    pass
            elif read.startswith(b"{"):
                yield json.loads(read)
            else:
                said = said or read.decode("utf-8", "replace").strip()
                _demand_right(said)
        end = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    except ValueError:
        raise CannotSee(Kind.NOT_READABLE, "journalctl writes what is no JSON") from None
    finally:
        child.kill(process)
    if end is not None and end.si_status and said:
        raise CannotSee(Kind.NOT_READABLE, said[:200])


def _demand_right(said: str) -> None:
    """Refuse a user who sees only messages of their own: a failed backup would look good."""
    if any(words in said for words in _NO_RIGHT):
        from check_duplicity.system.user import current

        reason = f"{current()} may not read the journal: usermod -aG systemd-journal {current()}"
        raise CannotSee(Kind.NOT_READABLE, reason)


def is_active(place: Place, invocation: str) -> bool | None:
    """Return whether a unit's invocation still runs on this machine; ``None`` if unknown."""
    if place.where or not place.unit:
        return None
    try:
        program = rights.command(["systemctl"], rights.own_path())
        show = [*program, "show", "--property=InvocationID,ActiveState", "--", place.unit]
        process = child.start(show, {"PATH": rights.own_path(), "LC_ALL": "C.UTF-8"}, output=True)
    except CannotSee:
        return None
    assert process.stdout is not None
    try:
        said = process.stdout.read(_LONGEST).decode("utf-8", "replace")
    finally:
        child.kill(process)
    shown = dict(line.partition("=")[::2] for line in said.splitlines())
    if "ActiveState" not in shown:
        return None  # There is no systemd, as in a container.
    active = shown["ActiveState"] in ("active", "activating", "deactivating", "reloading")
    return active and shown.get("InvocationID") == invocation
