"""Make real journals of systemd from records, with systemd-journal-remote."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

REMOTE = shutil.which("systemd-journal-remote", path="/lib/systemd:/usr/lib/systemd")
needs_journal = pytest.mark.skipif(
    not (REMOTE and shutil.which("journalctl")), reason="needs journalctl, systemd-journal-remote"
)
# systemd's catalogue of messages (sd-messages.h).
STARTING = "7d4958e842da4a758f6c1cdc7b36dcc5"
EXITED = "98e322203f7a4ed290d09fe03c09fe15"
FAILED = "d9b373ed55a64feb8242e02dbe79a49c"
SUCCEEDED = "7ad2d189f7e94e70a38c781354912448"

Record = dict[str, "str | bytes | float"]


def of_unit(
    text: str,
    time: float,
    *,
    invocation: int,
    result: str | None = "success",
    unit: str = "bk.service",
    host: str = "h",
    **last: str,
) -> list[Record]:
    """Return the records of one invocation that ends at a time, as systemd 252 writes them.

    ``result`` is ``None`` if the invocation goes on; ``last`` has the fields of "Main process
    exited".
    """
    number = f"{invocation:032x}"
    systemd: Record = {
        "_PID": "1", "_UID": "0", "UNIT": unit, "INVOCATION_ID": number, "_HOSTNAME": host,
    }  # fmt: skip
    own: Record = {
        "_PID": str(1000 + invocation), "_UID": "0", "_SYSTEMD_UNIT": unit,
        "_SYSTEMD_INVOCATION_ID": number, "_HOSTNAME": host, "SYSLOG_IDENTIFIER": "duplicity",
    }  # fmt: skip
    records = [
        {**systemd, "time": time - 10, "MESSAGE": f"Starting {unit}", "MESSAGE_ID": STARTING}
    ]
    records += [{**own, "time": time - 5, "MESSAGE": line} for line in text.split("\n") if line]
    if last:
        code, status = last["EXIT_CODE"], last["EXIT_STATUS"]
        said = f"{unit}: Main process exited, code={code}, status={status}"
        records.append({**systemd, **last, "time": time, "MESSAGE": said, "MESSAGE_ID": EXITED})
    if result == "success":
        said = f"{unit}: Deactivated successfully."
        records.append({**systemd, "time": time, "MESSAGE": said, "MESSAGE_ID": SUCCEEDED})
    elif result:
        said = f"{unit}: Failed with result '{result}'."
        end: Record = {"MESSAGE": said, "MESSAGE_ID": FAILED, "UNIT_RESULT": result}
        records.append({**systemd, **end, "time": time})
    return records


def of_tag(text: str, time: float, *, tag: str = "bk", uid: int = 0, pid: int = 77) -> list[Record]:
    """Return lines as logger -t writes them."""
    own: Record = {"_PID": str(pid), "_UID": str(uid), "_HOSTNAME": "h", "SYSLOG_IDENTIFIER": tag}
    return [{**own, "time": time, "MESSAGE": line} for line in text.split("\n") if line]


def write(path: Path, records: Iterable[Record]) -> None:
    """Add records to a journal file, in the order of their times."""
    export = b"".join(map(_exported, enumerate(records, start=1)))
    assert REMOTE
    subprocess.run([REMOTE, f"--output={path}", "-"], input=export, check=True, capture_output=True)
    path.chmod(0o644)


def _exported(numbered: tuple[int, Record]) -> bytes:
    number, record = numbered
    head = (
        f"__REALTIME_TIMESTAMP={float(record['time']) * 1e6:.0f}\n"
        f"__MONOTONIC_TIMESTAMP={number}\n_BOOT_ID={1:032x}\n"
    )
    fields = b""
    for name, value in record.items():
        if name != "time":
            raw = value if isinstance(value, bytes) else str(value).encode()
            size = len(raw).to_bytes(8, "little")
            fields += name.encode() + b"\n" + size + raw + b"\n"
    return head.encode() + fields + b"\n"
