"""Translate duplicity's messages from other languages back to English.

The translations are duplicity's own: ``messages.json`` has the compiled messages (0.8 to 3.2, in
some 40 languages) that ``catalogue`` knows; tests/make_messages.py writes it. Blanks around the
values in a message don't count: terminals and mail change them, above all no-break spaces.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from check_duplicity.values import NamedTuple

_PLACE = r"%(?:\(\w+\))?[sdi]|\{[\w.]*\}"  # a placeholder in a message
_BEGINNING = 8  # characters of a key; shorter beginnings, and ends, have shorter keys
_SHORT = 4


def english(line: str) -> str:
    """Return a known translation's line in English, any other line unchanged."""
    known = _known()
    plain = line if line.isascii() else _plain(line)
    found = known.messages.get
    entries = found(plain[:_BEGINNING]) or found(plain[:_SHORT])
    if not entries and plain[-_SHORT:] not in known.ends:
        # Every message without a key has a colon, or a letter that English lacks.
        if ": " not in plain and plain.isascii():
            return line
        if not known.needles.search(plain):
            return line
    for key in (plain[:_BEGINNING], plain[:_SHORT], f"…{plain[-_SHORT:]}", ""):
        for message, *pieces in found(key, ()) if key or known.needles.search(plain) else ():
            put_in = _put_in(plain, pieces)
            if put_in is not None:
                return filled(message, put_in)
    return line


def has_inside(line: str) -> bool:
    """Whether `inside` can find anything; quicker than `inside`."""
    return not line.isascii() or not _known().words.isdisjoint(line.split())


def inside(line: str) -> Iterator[str]:
    """Yield in English the known messages in a line that begins with something else."""
    known = _known()
    line = line if line.isascii() else _plain(line)
    if not has_inside(line):
        return
    anywhere = line[-_SHORT:] in known.ends or known.needles.search(line)
    for at in range(1, len(line)):
        if anywhere or line[at : at + _SHORT] in known.begins:
            said = english(line[at:])
            if said != line[at:]:
                yield said


def filled(message: str, values: Sequence[str]) -> str:
    """Return a message with its placeholders filled, in order."""
    first, *others = re.split(_PLACE, message)
    rest = iter(values)
    return first + "".join(next(rest, "") + piece for piece in others)


def pieces_of(message: str) -> list[str]:
    """Return a message's pieces between its placeholders, without the blanks around them."""
    first, *others = map(_plain, re.split(_PLACE, message))
    if not others:
        return [first]
    *inner, last = others
    return [first.rstrip(), *(piece.strip() or piece for piece in inner), last.lstrip() or last]


def _plain(text: str) -> str:
    return text.replace("\xa0", " ").replace("\u202f", " ")


def by_key(messages: Mapping[str, Iterable[str]]) -> dict[str, list[list[str]]]:
    """Return translations by their beginning, or else end: each is its English, then its pieces.

    Longer ones come first: "La tentative de %s" is not "La tentative %s".
    """
    found: dict[str, list[list[str]]] = {"": []}
    for original, translated in messages.items():
        for message in translated:
            pieces = pieces_of(message)
            found.setdefault(_key(pieces), []).append([original, *pieces])
    return {key: sorted(entries, key=_length, reverse=True) for key, entries in found.items()}


def _length(entry: Sequence[str]) -> int:
    return sum(map(len, entry[1:]))


def _key(pieces: Sequence[str]) -> str:
    for size in (_BEGINNING, _SHORT):
        if len(pieces) == 1 or len(pieces[0]) >= size:
            return pieces[0][:size]
    return f"…{pieces[-1][-_SHORT:]}" if len(pieces[-1]) >= _SHORT else ""


def _put_in(line: str, pieces: Sequence[str]) -> list[str] | None:
    """Return the values between a message's pieces, if the line is that message; in linear time."""
    if not line.startswith(pieces[0]):
        return None
    values, at = [], len(pieces[0])
    for piece in pieces[1:]:
        found = line.find(piece, at) if piece else len(line)
        if found < 0:
            return None
        values.append(line[at:found].strip())
        at = found + len(piece)
    return values


class _Known(NamedTuple):
    """The messages by their keys, and indexes that quickly rule out any other line.

    ``begins`` and ``ends`` are the keys, cut to the shorter size. Messages without a key are found
    by their longest piece. ``words`` has one word of each message that is all ASCII.
    """

    messages: dict[str, list[list[str]]]
    begins: frozenset[str]
    ends: frozenset[str]
    needles: re.Pattern[str]
    words: frozenset[str]


@lru_cache(maxsize=1)
def _known() -> _Known:
    with open(os.path.join(os.path.dirname(__file__), "messages.json"), encoding="utf-8") as opened:
        messages: dict[str, list[list[str]]] = json.load(opened)
    needles = (max(pieces, key=len) for _, *pieces in messages[""])
    begins = frozenset(key[:_SHORT] for key in messages if not key.startswith("…"))
    ends = frozenset(key[1:] for key in messages if key.startswith("…"))
    everything = (pieces for entries in messages.values() for _, *pieces in entries)
    words = frozenset(_word(pieces) for pieces in everything if "".join(pieces).isascii())
    return _Known(messages, begins, ends, re.compile("|".join(map(re.escape, needles))), words)


def _word(pieces: Iterable[str]) -> str:
    """Return a message's longest word, if possible not the first: other text may touch that."""
    first, *others = " ".join(pieces).split()
    return max(others or [first], key=len)
