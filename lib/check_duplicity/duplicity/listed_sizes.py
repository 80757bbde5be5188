"""Read the sizes in a listing of files that another tool has made. Pure.

Sizes are read only if the listing's format is certain: a column of numbers alone may be blocks
(``du``, ``ls -s``) or inodes (``ls -i``). Known are the formats of ``ls -l`` (GNU, busybox, BSD;
sftp, many ftp servers, ``cls -l`` of lftp and ``find -ls`` have it, too), ``rclone lsl``, ``gsutil
ls -l``, ``aws s3 ls``, ``s3cmd ls``, ``az``, ``mc ls``. Sizes in other units (``-h``) are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_SIZE = r"(?:(\d{1,18})B?|\d[\d.,]{0,18} ?[kKMGTPE]i?B?)"
_TIME = r"\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?"
_DAY = r"\d{4}-\d\d-\d\d"
_MONTH = r"(?:[^\W\d_]{1,12}\.?|\d{1,2}月)"  # in any language
_DATE = (
    rf"(?:{_DAY}(?: {_TIME}(?: [+-]\d{{4}})?)?|\d\d-\d\d {_TIME}"
    rf"|(?:{_MONTH} +\d{{1,2}}\.?日?|\d{{1,2}}\.? +{_MONTH}) +(?:{_TIME}(?: \d{{4}})?|\d{{4}}))"
)
# Blocks and inode may come first, and a path last. No links: they have a size of their own.
_LS = rf" *(?:\d+ +){{0,2}}-[rwxsStTlL-]{{9}}[+.@]? .{{0,200}}? {_SIZE} +{_DATE} +[\"']?(?:\S.*/)?"
_RCLONE = rf" *{_SIZE} +{_DAY}(?: {_TIME}|T{_TIME}Z) +(?:\S.*/)?"
_AWS = rf" *{_DAY} {_TIME} +{_SIZE}(?: +[0-9a-f-]{{32,40}})?(?: +[A-Z_]+)? +(?:\S.*/)?"
_AZURE = rf"{_SIZE}: (?:\S.*/)?"
_FORMS = tuple(map(re.compile, (_LS, _RCLONE, _AWS, _AZURE)))
# The table of az storage blob list -o table has the name first.
_AZURE_ROW = re.compile(
    r"(\S+) +(?:Block|Append|Page)Blob +(?:[A-Z]\w* +)?(\d{1,18}) +\S+/\S+ +\S.*"
)


# mc ls prints the time in brackets, and perhaps a storage class behind the size.
_MC_ROW = re.compile(rf"\[{_DAY} {_TIME} [\w+:-]{{1,6}}\] +({_SIZE}) +(?:[A-Z_]+ +)?(\S.*)")
_COLOUR = re.compile(r"\x1b\[[0-9;]*[mK]")


def name_last(line: str) -> str:
    """Return a line of a listing with the file's name at its end, and without a terminal's colours.

    Other columns of ``az`` and ``mc`` are dropped: only size and name are left.
    """
    line = _COLOUR.sub("", line) if "\x1b" in line else line
    if line.startswith("["):
        listed = _MC_ROW.fullmatch(line.rstrip())
        return f"{listed[1]}: {listed[3]}" if listed else line
    row = _AZURE_ROW.fullmatch(line.rstrip()) if "Blob " in line else None
    return f"{row[2]}: {row[1]}" if row else line


def read_sizes(files: Iterable[tuple[str, str]]) -> Iterator[tuple[str, int]]:
    """Yield names with sizes in bytes, from names and the text before each in its line.

    All lines must have the same format. Raises `ValueError` at the first that has another one.
    """
    form = None
    for name, before in files:
        if form is None:
            form = next((form for form in _FORMS if form.fullmatch(before)), None)
        match = form.fullmatch(before) if form else None
        if match is None:
            raise ValueError(f"no size in front of {name!r}")
        if match[1]:
            yield name, int(match[1])
