"""Match a shell's patterns (POSIX.1-2017, 2.13) in bounded time; cut and replace matches."""

from __future__ import annotations

from collections.abc import Iterator

from check_duplicity.shell.words import KEPT, SPLIT, Part
from check_duplicity.values import NamedTuple

_MOST_STEPS = 100_000  # of one comparison
_SPECIAL = frozenset("*?[\\")


class Item(NamedTuple):
    """A character of a pattern; ``*`` and ``?`` are wildcards if they are ``special``."""

    text: str
    special: bool = False


Pattern = tuple[Item, ...]


def pattern_of(parts: list[Part], quoted: list[bool]) -> Pattern | None:
    """Return a word as a pattern; ``None`` if it isn't known, or has brackets or backslashes.

    ``quoted`` says for each part whether special characters in it stand for themselves.
    """
    items: list[Item] = []
    for part, plain in zip(parts, quoted):
        if part.kind not in (KEPT, SPLIT):
            return None
        if not plain and set("[\\") & set(part.text):
            return None
        items += (Item(c, not plain and c in "*?") for c in part.text)
    return tuple(items)


def has_special(text: str) -> bool:
    """Return whether a text may be a pattern for files."""
    return not _SPECIAL.isdisjoint(text)


def matches(text: str, pattern: Pattern) -> bool | None:
    """Return whether a pattern matches a whole text; ``None`` if that would take too long."""
    if len(text) * (len(pattern) + 1) > _MOST_STEPS:
        return None
    position = place = 0
    star, after = -1, 0
    while position < len(text):
        item = pattern[place] if place < len(pattern) else None
        if item == Item("*", True):
            star, after = place, position
            place += 1
        elif item is not None and (item == Item("?", True) or item == Item(text[position])):
            place, position = place + 1, position + 1
        elif star >= 0:
            after += 1
            place, position = star + 1, after
        else:
            return False
    return all(item == Item("*", True) for item in pattern[place:])


def cut(text: str, operator: str, pattern: Pattern) -> str | None:
    """Cut the match off the beginning (``#``, ``##``) or the end (``%``, ``%%``) of a text."""
    places = range(len(text) + 1)
    if len(text) * len(text) * (len(pattern) + 1) > _MOST_STEPS * 10:
        return None
    at_start, longest = operator[0] == "#", len(operator) == 2
    for place in places if at_start != longest else reversed(places):
        if matches(text[:place] if at_start else text[place:], pattern):
            return text[place:] if at_start else text[:place]
    return text


def replaced(text: str, operator: str, pattern: Pattern, by: str) -> str | None:
    """Replace the first match in a text (``/``), or all (``//``); ``None`` if it isn't known."""
    if not pattern:
        return text
    if pattern[0] in (Item("#"), Item("%")) or "&" in by or "\\" in by:
        return None  # anchored at an end; and bash 5.2 may replace & by the match
    if not any(item.special for item in pattern):
        plain = "".join(item.text for item in pattern)
        return text.replace(plain, by, 1 if operator == "/" else -1)
    if len(text) ** 3 * (len(pattern) + 1) > _MOST_STEPS * 10:
        return None
    return "".join(_replaced(text, operator == "/", pattern, by))


def _replaced(text: str, once: bool, pattern: Pattern, by: str) -> Iterator[str]:
    position = 0
    while position < len(text):
        end = next(
            (e for e in range(len(text), position, -1) if matches(text[position:e], pattern)), None
        )
        if end is None:
            yield text[position]
            position += 1
            continue
        yield by
        position = end
        if once:
            break
    yield text[position:]
