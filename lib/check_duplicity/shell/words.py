"""Words and values: the pieces that they are made of, and what becomes of those."""

from __future__ import annotations

import re
from collections.abc import Iterable

from check_duplicity.values import NamedTuple

NAME = re.compile(r"[A-Za-z_]\w*", re.A)
_SPACES = re.compile(r"[ \t\n]+")
_ANSI_ESCAPE = re.compile(
    r"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|c(.)|(.))", re.S
)
_ANSI_LETTERS = dict(zip("abefnrtvE", "\a\b\x1b\f\n\r\t\v\x1b"))


class Segment(NamedTuple):
    """A piece of a value; ``known`` tells whether it is that, or how it is written."""

    text: str
    known: bool


Value = tuple[Segment, ...]


def known_text(value: Value) -> str | None:
    """Return a value if all of it is known."""
    if all(segment.known for segment in value):
        return "".join(segment.text for segment in value)
    return None


def value_of_text(text: str) -> Value:
    """Return a text that is known as a value."""
    return (Segment(text, known=True),) if text else ()


def length_of(values: Iterable[Value]) -> int:
    """Return how much it costs to put values somewhere: their characters, and one for each."""
    return sum(1 + sum(len(text) for text, _ in value) for value in values)


class Part(NamedTuple):
    """A piece of a word, before the word is split.

    ``kind`` is `KEPT` (never split), `SPLIT` (at its spaces), `OPEN` (can't be known) or
    `BREAK` (one word ends here, as between the elements of an array).
    """

    kind: str
    text: str = ""


KEPT, SPLIT, OPEN, BREAK = "kept", "split", "open", "break"


class Word(NamedTuple):
    """A word of a command, and its pieces that can't be known."""

    text: str
    line: int
    pieces: tuple[str, ...] = ()


def words_of(parts: Iterable[Part], line: int) -> list[Word]:
    """Split the pieces of a word into the words that the command gets."""
    fields: list[list[Part]] = [[]]
    for kind, text in parts:
        if kind == BREAK:
            fields.append([])
        elif kind == SPLIT:
            chunks = _SPACES.split(text)
            for chunk in chunks[:1]:
                fields[-1] += [Part(KEPT, chunk)] if chunk else []
            fields += [[Part(KEPT, chunk)] if chunk else [] for chunk in chunks[1:]]
        else:
            fields[-1].append(Part(kind, text))
    return [
        Word(
            "".join(part.text for part in field),
            line,
            tuple(part.text for part in field if part.kind == OPEN),
        )
        for field in fields
        if field
    ]


def joined(words: list[Word]) -> Word | None:
    """Return words as the one that eval reads; ``None`` if there are none."""
    if not words:
        return None
    pieces = tuple(piece for word in words for piece in word.pieces)
    return Word(" ".join(word.text for word in words), words[0].line, pieces)


def value_of(parts: Iterable[Part]) -> Value:
    """Join the pieces of a word into what a variable is assigned."""
    segments: list[Segment] = []
    texts: list[str] = []
    for kind, text in parts:
        if kind == OPEN:
            segments += value_of_text("".join(texts))
            segments.append(Segment(text, known=False))
            texts = []
        else:
            texts.append(" " if kind == BREAK else text)
    return (*segments, *value_of_text("".join(texts)))


def value_of_word(word: Word, text: str) -> Value:
    """Return what a word, or its end, is as a value."""
    segments: list[Segment] = []
    for piece in word.pieces:
        before, found, after = text.partition(piece)
        if found:
            segments += (*value_of_text(before), Segment(piece, known=False))
            text = after
    return (*segments, *value_of_text(text))


def decoded(text: str) -> str:
    """Return what stands in $'...', with its escapes replaced."""
    replaced = _ANSI_ESCAPE.sub(_ansi_character, text)
    try:
        # Bytes of UTF-8 may be written one by one: $'\xc3\xa4'.
        return replaced.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return replaced


def _ansi_character(match: re.Match[str]) -> str:
    octal, byte, short, long, control, letter = match.groups()
    if octal or byte:
        code = int(octal, 8) % 256 if octal else int(byte, 16)
        return chr(code) if code < 128 else chr(0xDC00 + code)
    if short or long:
        code = int(short or long, 16)
        return chr(code) if code < 0x110000 else match[0]
    if control:
        return chr(ord(control) & 31)
    return _ANSI_LETTERS.get(letter) or (letter if letter in "\\'\"?" else match[0])
