"""Values become text here: in one line, of characters that a terminal shows.

What isn't a text of ours (a path, a name, a URL, words of a mail) goes through ``one_line`` where
it is printed, and through ``pasted`` where it is a word of a command. So nothing in it begins a
line that looks like one of ours. ``is_plain`` tells whether a command line is only that.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable

_ICINGAS = "|<>"  # What Icinga or a browser would take for more than text: `output.harmless`.


def one_line(text: str) -> str:
    """Return text without what would begin a new line, or move a terminal's cursor."""
    text = text.replace("\t", " ")
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)


def pasted(words: Iterable[str]) -> str:
    """Return a command line that bash reads as these words, as ``shlex.join`` does for any shell.

    It is one line of printable characters, which `output.harmless` leaves as they are: words with
    others are written as ``$'...'`` (bash(1), QUOTING). No word can have a NUL, which becomes "?".
    """
    return " ".join(map(_pasted, words))


def is_plain(command: str) -> bool:
    """Whether a command line is just its words, between blanks: no shell has anything to read."""
    return re.fullmatch(r"[\w@%+=:,./ -]+", command) is not None


def _pasted(word: str) -> str:
    if word.isprintable() and not set(word) & set(_ICINGAS):
        return shlex.quote(word)
    return f"$'{''.join(map(_escaped, word))}'"


def _escaped(character: str) -> str:
    """A character inside of ``$'...'``; "!" and "'" as numbers, which bash's history can't read."""
    if character == "\0":
        return "?"
    if character.isprintable() and character not in _ICINGAS + "\\'!":
        return character
    if character in "\n\t\\":
        return {"\n": r"\n", "\t": r"\t", "\\": r"\\"}[character]
    # Other than UTF-8 stands as surrogates in Python's words (PEP 383).
    strange = "\ud800" <= character <= "\udfff" and not "\udc80" <= character <= "\udcff"
    data = character.encode(errors="surrogatepass" if strange else "surrogateescape")
    return "".join(f"\\x{byte:02x}" for byte in data)
