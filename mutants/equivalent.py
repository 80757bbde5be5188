"""The changes that are known to change nothing, each with its reason: equivalent.txt."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

LIST = Path(__file__).parent / "equivalent.txt"


class Equivalent(NamedTuple):
    """A change as a mutant has it, without the line's number: other lines may come and go."""

    file: str
    before: str
    after: str
    reason: str


def read_list(text: str) -> list[Equivalent]:
    """Read blocks of four parts: the file, ``- before``, ``+ after``, and the reason's lines.

    Lines that begin with # are comments. ValueError quotes a block that has not all of these.
    """
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    found = []
    for block in "\n".join(lines).split("\n\n"):
        if not block.strip():
            continue
        file, before, after, *reason = block.strip().splitlines() + [""] * 3
        why = " ".join(line.strip() for line in reason).strip()
        if before[:1] != "-" or after[:1] != "+" or not why:
            raise ValueError(f"not a file, a line with -, a line with + and a reason: {block!r}")
        found.append(Equivalent(file, before[1:].strip(), after[1:].strip(), why))
    return found
