"""Read limits: Nagios ranges whose numbers may have units of time; format ages and times.

See the Monitoring Plugins' development guidelines, "Threshold and ranges".
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from datetime import datetime

from check_duplicity.values import NamedTuple

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_SIZES = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_NUMBER = r"\d{1,12}(?:\.\d{1,6})?"
# Kept as text: re compiles each on first use.
_AGE = rf"(?a){_NUMBER}|(?:{_NUMBER}[smhdw])+"
_PART = rf"(?a)({_NUMBER})([smhdw]?)"
_COUNT = rf"(?a){_NUMBER}"
_SIZE = rf"(?a)({_NUMBER})([KMGT]?)"
_RANGE = r"(@?)(?:([^:@]*):)?([^:@]*)"


class Limit(NamedTuple):
    """A range of good values, in base units (seconds or a count), and its original text.

    ``spec`` is the range in the guideline's own form: a bare limit is an upper limit.
    """

    text: str
    spec: str

    @property
    def upper(self) -> float | None:
        """The bound of a plain upper limit; ``None`` for any other range."""
        return float(self.spec[2:] or "inf") if self.spec.startswith("~:") else None


def age_limit(text: str) -> Limit:
    """Read an AGE: ``32h``, ``1d8h``, ``90`` (seconds), or a range of these: ``@1d:2d``.

    Raises `ValueError` with a correct example.
    """
    error = f"not an age: {text!r} (write 36h, 1d8h or a Nagios range of these)"
    return _limit(text, _AGE, error, _base_units)


def count_limit(text: str) -> Limit:
    """Read a range of numbers without units: ``14``, ``2:30``. Raises `ValueError`."""
    error = f"not a range: {text!r} (write 14 or a Nagios range: 2:30)"
    return _limit(text, _COUNT, error, _base_units)


def size_limit(text: str) -> Limit:
    """Read a range of bytes, with K, M, G or T of 1024: ``2T``, ``10G:``. Raises `ValueError`."""
    error = f"not a size: {text!r} (write 500M, 10G or a Nagios range of these: 10G:)"
    return _limit(text, _SIZE, error, _bytes)


def size(text: str) -> int:
    """Read one SIZE, in bytes: ``500M``, ``10G``. Raises `ValueError`."""
    if not re.fullmatch(_SIZE, text) or not _bytes(text):
        raise ValueError(f"not a size: {text!r} (write 500M or 10G)")
    return int(_bytes(text))


def count(text: str) -> int:
    """Read a count: ``4``. Raises `ValueError`."""
    if not re.fullmatch(r"(?a)[1-9]\d{0,5}", text):
        raise ValueError(f"not a number: {text!r} (write 1 to 999999)")
    return int(text)


def percent_limit(text: str) -> Limit:
    """Read from how many per cent on it is too much, or ``none``. Raises `ValueError`.

    Reaching the limit counts already, unlike with a Nagios range: so the range ends just below.
    """
    if text == "none":
        return Limit(text, "~:")
    if not re.fullmatch(r"(?a)[1-9]\d?|100", text):
        raise ValueError(f"not a percentage: {text!r} (write 1 to 100, or none)")
    return Limit(text, f"~:{int(text) - 1}")


def _limit(text: str, form: str, error: str, read: Callable[[str], float]) -> Limit:
    match = re.fullmatch(_RANGE, text)
    if match is None:
        raise ValueError(error)
    invert, start, end = match.groups()
    given = [bound for bound in (start, end) if bound not in ("", "~", None)]
    if end == "~":
        raise ValueError(error)
    if not all(re.fullmatch(form, bound) for bound in given) or not (given or start == "~"):
        raise ValueError(error)
    if len(given) == 2 and read(start) > read(end):
        raise ValueError(f"{error}: the start is above the end")
    if start is None:
        start = "0" if invert else "~"  # A bare limit is an upper limit.
    low = start if start == "~" else _plain(read(start))
    return Limit(text, f"{invert}{low}:{_plain(read(end)) if end else ''}")


def _bytes(text: str) -> float:
    match = re.fullmatch(_SIZE, text)
    return float(match[1]) * _SIZES[match[2]] if match else 0


def _base_units(text: str) -> float:
    return sum(float(number) * _UNITS[unit or "s"] for number, unit in re.findall(_PART, text))


def _plain(number: float) -> str:
    return f"{number:.6f}".rstrip("0").rstrip(".")


def format_age(seconds: float) -> str:
    """Return an age as people read it, in its two largest units: ``3d 4h``, ``5h 12m``, ``40s``."""
    left = abs(int(seconds))
    parts: list[str] = []
    for unit in "dhms":
        count, left = divmod(left, _UNITS[unit])
        if count or parts or unit == "s":
            parts.append(f"{count}{unit}")
    shown = [part for part in parts[:2] if not part.startswith("0")] or parts[:1]
    return " ".join(shown)


def format_size(size: float) -> str:
    """Return a size as people read it: ``512 B``, ``1.5 MiB``, ``2.0 TiB``."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.1f} {unit}" if unit != "B" else f"{size:.0f} B"
        size /= 1024
    return f"{size:.1f} TiB"


def format_time(time: datetime) -> str:
    """Return a time as it is printed: local, with its zone."""
    with contextlib.suppress(OverflowError, OSError):  # On datetime's first and last day.
        time = time.astimezone()
    return time.strftime("%Y-%m-%d %H:%M %Z")


def plural(count: int, noun: str) -> str:
    """Return a noun as it stands behind a number: 1 volume, 2 volumes."""
    return noun if count == 1 else f"{noun}s"
