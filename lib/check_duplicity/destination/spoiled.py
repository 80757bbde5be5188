"""Say which files of a backup set are empty or cut short."""

from __future__ import annotations

from check_duplicity.duplicity.collection import BackupSet, Spoiled
from check_duplicity.nagios.limits import plural


def spoiled_files(backup_set: BackupSet) -> str:
    """Return which files of a set are empty or cut short, as a clause: "volume 2 of 5 is empty"."""
    total = backup_set.volumes + backup_set.missing_volumes
    volumes = [file for file in backup_set.spoiled if file.number]
    empty = [file for file in volumes if not file.size]
    short = [file for file in volumes if file.size and file.sure]
    unsure = [file for file in volumes if not file.sure]
    said = [
        f"its {file.what} is {'cut short' if file.size else 'empty'}"
        for file in backup_set.spoiled
        if not file.number
    ]
    for files, what in ((unsure, "small"), (short, "cut short"), (empty, "empty")):
        if files:
            numbers = ", ".join(str(file.number) for file in files[:3]) + (", …" * bool(files[3:]))
            one = len(files) == 1
            sizes = f" ({_compared(files[0])})" if one and files[0].size else ""
            word = f"{plural(len(files), 'volume')} {numbers} of {total}"
            said.insert(0, f"{word} {'is' if one else 'are'} {what}{sizes}")
    return ", ".join(said)


def _compared(file: Spoiled) -> str:
    others = f", others {_size(file.largest)}" if file.largest > file.size else ""
    return _size(file.size) + others


def _size(size: int) -> str:
    if size < 1 << 10:
        return f"{size} {plural(size, 'byte')}"
    return f"{size / (1 << 10):.1f} KiB" if size < 1 << 20 else f"{size / (1 << 20):.1f} MiB"
