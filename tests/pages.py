"""Read the literal blocks of the pages, with the marks that keep them from growing stale.

The mark is in a comment above the paragraph that introduces the block; no reader sees it::

    .. test: tests/e2e/test_from_nothing.py: test_by_hand
    .. made: tests/test_pages.py: test_an_interrupted_backup
    .. site: needs an IMAP server

``test`` names the test that runs the commands or checks the configuration. ``made`` names the test
that runs the commands and compares what they print; with UPDATE_PAGES in the environment (``make
pages``) it writes that into the page instead. ``site`` says why no test can run the block. In
Markdown a mark is ``<!-- test: ... -->``.
"""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Iterator
from typing import NamedTuple

from plugin import ROOT

PAGES = (
    "README.rst", "SECURITY.rst", "icinga/README.rst", "puppet/README.md",
    *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.rst")),
)  # fmt: skip
UPDATE = bool(os.environ.get("UPDATE_PAGES"))
KINDS = ("test", "made", "site")
INDENT = "    "

_MARK = re.compile(r"(?:\.\. |<!-- )(test|made|site): (.+?)(?: -->)?")


class Block(NamedTuple):
    """A literal block: the number of its first line in its page, from 1, and its mark."""

    page: str
    line: int
    text: str
    kind: str = ""
    mark: str = ""

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def test(self) -> tuple[str, str]:
        """Return the file and the name of the test that the mark names."""
        file, _, name = self.mark.partition(": ")
        return file, name


def blocks(page: str) -> list[Block]:
    """Return the literal blocks of a page, in their order.

    Raises `ValueError` for a mark that belongs to no block.
    """
    lines = (ROOT / page).read_text().split("\n")
    found = []
    kind = mark = ""
    number = 0
    while number < len(lines):
        marked = _MARK.fullmatch(lines[number])
        if marked:
            if mark:
                raise ValueError(f"{page}:{number}: no block has the mark {kind}: {mark}")
            kind, mark = marked.groups()
        number += 1
        if _begins(page, lines, number):
            text = list(_indented(lines, number))
            block = textwrap.dedent("\n".join(text)).rstrip("\n") + "\n"
            found.append(Block(page, number + 1, block.lstrip("\n"), kind, mark))
            kind = mark = ""
            number += len(text)
    if mark:
        raise ValueError(f"{page}: no block has the mark {kind}: {mark}")
    return [block._replace(line=_first(lines, block.line)) for block in found]


def marked(file: str, test: str) -> list[Block]:
    """Return the blocks whose mark names a test, in the order of the pages."""
    return [block for page in PAGES for block in blocks(page) if block.test == (file, test)]


def write(block: Block, text: str) -> None:
    """Replace a block's text in its page."""
    path = ROOT / block.page
    lines = path.read_text().split("\n")
    start = block.line - 1
    old = block.text.rstrip("\n").split("\n")
    assert [line.strip() for line in lines[start : start + len(old)]] == [s.strip() for s in old]
    new = textwrap.indent(text.rstrip("\n"), INDENT).split("\n")
    path.write_text("\n".join([*lines[:start], *new, *lines[start + len(old) :]]))


def _begins(page: str, lines: list[str], number: int) -> bool:
    """Return whether a literal block begins with the line of this index, counted from 0."""
    before = lines[number - 1]
    rest = lines[number : number + 2]
    if page.endswith(".md"):
        return not before and bool(rest) and rest[0].startswith(INDENT)
    follows = len(rest) == 2 and not rest[0] and rest[1].startswith(INDENT)
    return follows and before.endswith("::") and not before.startswith(".. ")


def _indented(lines: list[str], number: int) -> Iterator[str]:
    for line in lines[number:]:
        if line and not line.startswith(INDENT):
            return
        yield line


def _first(lines: list[str], number: int) -> int:
    """Return the first line from this one on that isn't empty, both counted from 1."""
    while not lines[number - 1]:
        number += 1
    return number
