"""Make chains for the tests of drills: sets with manifests as duplicity writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from check_duplicity.duplicity import volumes
from check_duplicity.restore.model import Set

Ends = Sequence[tuple[str, str]]


def manifest(source: object, ends: Ends, files: Mapping[str, str] = {}, host: str = "h") -> bytes:
    """Return a manifest: the first and last path of each volume, and the state of each file."""
    head = f"Hostname {host}\nLocaldir {quoted(str(source))}\n"
    body = "".join(
        f"Volume {number}:\n    StartingPath   {quoted(first)}  \n"
        f"    EndingPath     {quoted(last)}  \n    Hash SHA1 25e9356c\n"
        for number, (first, last) in enumerate(ends, 1)
    )
    listed = "".join(f"    {word:7}  {quoted(name)}\n" for name, word in files.items())
    text = f"{head}{body}Filelist {len(files)}\n{listed}"
    return text.encode(errors="surrogateescape")


def quoted(text: str) -> str:
    """Quote a path as duplicity's manifest.py does (0.8.23 to 3.2.1)."""
    if not re.search(r"(?a)[\s\\\"']", text):
        return text
    escaped = re.sub(r"(?a)[\s\\\"']", lambda found: f"\\x{ord(found[0]):02x}", text)
    return f'"{escaped}"'


def set_of(directory: Path, time: datetime, content: bytes) -> Set:
    """Return a set whose private manifest is in a directory."""
    path = directory / f"{time:%Y%m%dT%H%M%SZ}.manifest"
    path.write_bytes(content)
    with path.open("rb") as lines:
        return Set(time, str(path), volumes.read(lines))
