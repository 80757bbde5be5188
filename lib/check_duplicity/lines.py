"""Turn values into text: one line of characters that a terminal shows.

Foreign text (a path, a name, a URL, words of a mail) goes through ``one_line`` where it is printed,
and through ``pasted`` where it is a word of a command. So it can't begin a line that looks like one
of ours. ``is_plain`` tells whether a command line has nothing for a shell to interpret.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable

_ICINGAS = "|<>"  # Icinga or a browser would interpret these: see `output.harmless`.


def one_line(text: str) -> str:
    """Return text without characters that begin a new line or move a terminal's cursor."""
    text = text.replace("\t", " ")
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)


def pasted(words: Iterable[str]) -> str:
    """Return a command line that bash reads as these words, as ``shlex.join`` does for any shell.

    The line has only printable characters that `output.harmless` leaves unchanged: words with other
    characters are written as ``$'...'`` (bash(1), QUOTING). No word can have a NUL: it becomes "?".
    """
    return " ".join(map(_pasted, words))


def is_plain(command: str) -> bool:
    """Return whether a command line is words and blanks only, nothing for a shell to interpret."""
    return re.fullmatch(r"[\w@%+=:,./ -]+", command) is not None


def _pasted(word: str) -> str:
    if word.isprintable() and not set(word) & set(_ICINGAS):
        return shlex.quote(word)
    return f"$'{''.join(map(_escaped, word))}'"


def _escaped(character: str) -> str:
    """Escape a character inside of ``$'...'``; "!" and "'" as numbers, safe from bash's history."""
    if character == "\0":
        return "?"
    if character.isprintable() and character not in _ICINGAS + "\\'!":
        return character
    if character in "\n\t\\":
        return {"\n": r"\n", "\t": r"\t", "\\": r"\\"}[character]
    # Python represents bytes that aren't UTF-8 as surrogates (PEP 383).
    strange = "\ud800" <= character <= "\udfff" and not "\udc80" <= character <= "\udcff"
    data = character.encode(errors="surrogatepass" if strange else "surrogateescape")
    return "".join(f"\\x{byte:02x}" for byte in data)
