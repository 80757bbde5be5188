#!/usr/bin/env python3
"""Print the section OPTIONS of a program's man page, for help2man: what its page here says of them.

    docs/man_options.py PROGRAM

--help has a line for an option; all of it is said below "Options" on the program's page, once. Read
is what stands there: terms with their text, paragraphs, and in both literals and links.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
SHARED = (
    "forms.rst"  # Has the options that all checks share; where a page links to it, they follow.
)
# A term in the first column and its text, or a paragraph.
BLOCK = re.compile(r"^(\S[^\n]*)\n((?: {4}[^\n]+\n)+)|^((?:\S[^\n]*\n)+)(?=\n|\Z)", re.M)


def section(page: str, heading: str) -> str:
    """Return the text below a heading of a page."""
    text = (HERE / page).read_text(encoding="utf-8")
    return re.split(r"\n[^\n]+\n-{4,}\n", text.split(f"\n{heading}\n---", 1)[1])[0].lstrip("-")


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """Yield terms with their text, and paragraphs with an empty term. Raises `ValueError`."""
    text = f"{text.strip()}\n"
    if left := BLOCK.sub("", text).strip():
        raise ValueError(f"neither a term with its text nor a paragraph: {left!r}")
    for term, indented, paragraph in BLOCK.findall(text):
        yield term, " ".join((indented or paragraph).split())


def options(program: str) -> Iterator[tuple[str, str]]:
    """Yield the options of a program, and those that all checks share."""
    for term, text in blocks(section(f"{program}.rst", "Options")):
        if f"<{SHARED}>" in text:
            shared = (HERE / SHARED).read_text(encoding="utf-8")
            yield "", text
            yield from (block for block in blocks(shared) if block[0].startswith("``-"))
        else:
            yield term, text


def roff(text: str) -> str:
    """Return a text in roff: literals are bold, and what stands for a value there is in italics."""
    text = re.sub(r"`([^`<]+) <([^>]+)>`_", r"\1 (docs/\2)", text)
    pieces = re.split(r"``(.+?)``", text.replace("\\", "\\e").replace("-", "\\-"))
    pieces[1::2] = (f"\\fB{value(literal)}\\fR" for literal in pieces[1::2])
    found = "".join(pieces)
    return "".join(c if c.isascii() else f"\\[u{ord(c):04X}]" for c in found)


def value(literal: str) -> str:
    """Set the words for values in italics: ``-d URL``. What is pasted stays ASCII."""
    literal = literal.replace("'", r"\(aq").replace("~", r"\(ti")
    return re.sub(r"(?<!\S)[A-Z][A-Z_]*\b", r"\\fI\g<0>\\fB", literal)


def main(program: str) -> None:
    """Print the section."""
    print("[OPTIONS]\n.nh")  # Not hyphenated: options are copied from here.
    for term, text in options(program):
        print(f".TP\n{roff(term)}" if term else ".PP")
        print(re.sub(r"^(?=[.'])", r"\\&", roff(text)))


if __name__ == "__main__":
    main(sys.argv[1])
