"""Model words and values as pieces; split, join and decode them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from check_duplicity.shell.model import ShellError
from check_duplicity.values import NamedTuple

NAME = re.compile(r"[A-Za-z_]\w*", re.A)
_MARK = re.compile("([\ud800-\udbff])")
_SPACES = re.compile(r"[ \t\n]+")
_ANSI_ESCAPE = re.compile(
    r"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|c(.)|(.))", re.S
)
_ANSI_LETTERS = dict(zip("abefnrtvE", "\a\b\x1b\f\n\r\t\v\x1b"))


class Segment(NamedTuple):
    """A piece of a value: its text if that is ``known``, else how the script writes it."""

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


def common_ends(texts: Sequence[str]) -> tuple[str, str]:
    """Return the words that all texts begin with, and those that all end with."""
    before = _common(texts)
    after = _common([text[len(before) :][::-1] for text in texts])[::-1]
    blank = after.find(" ")
    return before[: before.rfind(" ") + 1], after[blank:] if blank >= 0 else ""


def _common(texts: Sequence[str]) -> str:
    """Return what all texts begin with."""
    first, last = min(texts), max(texts)
    same = next((n for n, pair in enumerate(zip(first, last)) if pair[0] != pair[1]), len(first))
    return first[:same]


def length_of(values: Iterable[Value]) -> int:
    """Return what copying values costs: their characters, and one for each value."""
    return sum(1 + sum(len(text) for text, _ in value) for value in values)


class Part(NamedTuple):
    """A piece of a word, before the word is split.

    ``kind`` is `KEPT` (never split), `SPLIT` (at its spaces), `OPEN` (unknown), `LOOSE` (unknown,
    and any number of words) or `BREAK` (a word ends here, as between the elements of an array).
    """

    kind: str
    text: str = ""


KEPT, SPLIT, OPEN, LOOSE, BREAK = "kept", "split", "open", "loose", "break"


class Word(NamedTuple):
    """A word of a command.

    ``pieces`` are its unknown pieces; ``loose`` tells whether it may be several words, or none.
    """

    text: str
    line: int
    pieces: tuple[str, ...] = ()
    loose: bool = False
    segments: Value = ()  # empty if the whole word is known

    @property
    def value(self) -> Value:
        """The word as a value."""
        return self.segments or value_of_text(self.text)

    def end(self, text: str) -> Word:
        """Return the end of the word; ``text`` is the text of that end."""
        skipped = len(self.text) - len(text)
        segments = []
        for segment in self.segments:
            rest = segment.text[skipped:] if segment.known else segment.text * (skipped <= 0)
            skipped = max(0, skipped - len(segment.text))
            if rest:
                segments.append(Segment(rest, segment.known))
        pieces = tuple(segment.text for segment in segments if not segment.known)
        return self._replace(text=text, pieces=pieces, segments=tuple(segments) if pieces else ())


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
    return [_word(field, line) for field in fields if field]


def _word(field: Sequence[Part], line: int) -> Word:
    text = "".join(part.text for part in field)
    unknown = [part for part in field if part.kind in (OPEN, LOOSE)]
    if not unknown:
        return Word(text, line)
    loose = any(part.kind == LOOSE for part in unknown)
    return Word(text, line, tuple(part.text for part in unknown), loose, value_of(field))


def joined(words: list[Word]) -> Word | None:
    """Join words with spaces, as eval does; return ``None`` if there are none."""
    if not words:
        return None
    parts = [(*value_of_text(" " * (count > 0)), *w.value) for count, w in enumerate(words)]
    pieces = tuple(piece for word in words for piece in word.pieces)
    segments = tuple(segment for part in parts for segment in part) if pieces else ()
    return Word(" ".join(word.text for word in words), words[0].line, pieces, False, segments)


class Marks:
    """Replaces unknown pieces by one character each in a text that is read as commands.

    These characters are halves of surrogate pairs, which no text that was read from a file has.
    """

    _FIRST, _MOST = 0xD800, 0x400

    def __init__(self) -> None:
        self._pieces: dict[str, str] = {}
        self._characters: dict[str, str] = {}

    def marked(self, word: Word) -> str:
        """Return the text of a word, with a mark for each unknown piece."""
        return "".join(text if known else self._mark(text) for text, known in word.value)

    def _mark(self, piece: str) -> str:
        if piece not in self._characters:
            if len(self._pieces) == self._MOST:
                raise ShellError("line 1: too much can't be known")
            character = chr(self._FIRST + len(self._pieces))
            self._characters[piece] = character
            self._pieces[character] = piece
        return self._characters[piece]

    def parts(self, text: str, kind: str, unknown: str) -> list[Part]:
        """Return the parts of a text: marks get the kind ``unknown``, the rest gets ``kind``."""
        if not self._pieces or not _MARK.search(text):
            return [Part(kind, text)]
        parts = []
        for chunk in _MARK.split(text):
            piece = self._pieces.get(chunk)
            if piece is not None:
                parts.append(Part(unknown, piece))
            elif chunk:
                parts.append(Part(kind, chunk))
        return parts


def without_marks(text: str) -> str:
    """Replace the characters that could be taken for marks, and remove NULs."""
    return _MARK.sub("\ufffd", text.replace("\0", ""))


def value_of(parts: Iterable[Part]) -> Value:
    """Join the pieces of a word into the value that a variable is assigned."""
    segments: list[Segment] = []
    texts: list[str] = []
    for kind, text in parts:
        if kind in (OPEN, LOOSE):
            segments += value_of_text("".join(texts))
            segments.append(Segment(text, known=False))
            texts = []
        else:
            texts.append(" " if kind == BREAK else text)
    return (*segments, *value_of_text("".join(texts)))


def decoded(text: str) -> str:
    """Replace the escapes in the text of $'...'."""
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
