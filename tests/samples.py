"""Captured output, and the file names of collections by duplicity's rules."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

CAPTURES = Path(__file__).parent / "duplicity" / "captures"
NOW = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)


def ago(**age: float) -> datetime:
    return NOW - timedelta(**age)


def stamp(time: datetime) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ")


def good_run() -> str:
    """Return the output of a good backup that has just ended."""
    now = f"{time.time():.2f} (now)"
    good = (CAPTURES / "runs/3.2.1/good-full.out").read_text()
    return re.sub(r"(?m)^((?:Start|End)Time) .*", rf"\1 {now}", good)


def full(time: datetime, volumes: int = 1, suffix: str = ".gz") -> list[str]:
    """Return the names of a full set at the destination."""
    return _set(f"duplicity-full.{stamp(time)}", volumes, suffix) + [
        f"duplicity-full-signatures.{stamp(time)}.sigtar{suffix}"
    ]


def inc(start: datetime, time: datetime, volumes: int = 1, suffix: str = ".gz") -> list[str]:
    """Return the names of an incremental set that builds on the set of ``start``."""
    between = f"{stamp(start)}.to.{stamp(time)}"
    return _set(f"duplicity-inc.{between}", volumes, suffix) + [
        f"duplicity-new-signatures.{between}.sigtar{suffix}"
    ]


def unfinished(names: list[str]) -> list[str]:
    """Return a set's names before its run has ended: signatures and manifest come last."""
    return [name for name in names if "difftar" in name]


def _set(name: str, volumes: int, suffix: str) -> list[str]:
    manifest = ".manifest" + (suffix if suffix in (".gpg", ".p7m") else "")
    numbers = range(1, volumes + 1)
    return [f"{name}.vol{number}.difftar{suffix}" for number in numbers] + [name + manifest]
