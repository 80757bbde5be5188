"""Write lib/check_duplicity/duplicity/messages.json: duplicity's messages in other languages.

    python tests/make_messages.py .duplicity

The program reads the compiled messages (``share/locale``) of each duplicity in that directory, and
takes those whose English text the catalogue knows. It keeps the messages that are in the file
already, for the versions that aren't at hand.
"""

from __future__ import annotations

import gettext
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from check_duplicity.duplicity import catalogue, languages

_SAYS = re.compile(
    "|".join(
        f"(?:{pattern})"
        for pattern in (
            *catalogue.BEGINNINGS,
            *catalogue.ENDINGS,
            *catalogue.FAILURES,
            *(sign.pattern for sign in catalogue.WARNINGS),
            catalogue.CLEANED,
            catalogue.RETRY,
        )
    )
)
_FEWEST_LETTERS = 6  # in a message's fixed text; anybody may write a shorter one by chance


def translations(duplicities: Path) -> Iterator[tuple[str, str]]:
    """Yield the first line of each wanted message, in English and in another language."""
    for path in sorted(duplicities.glob("*/share/locale/*/LC_MESSAGES/duplicity.mo")):
        with path.open("rb") as opened:
            catalog = gettext.GNUTranslations(opened)._catalog  # type: ignore[attr-defined]
        for key, value in catalog.items():
            english = key[0] if isinstance(key, tuple) else key
            english, other = english.split("\n")[0].rstrip(), value.split("\n")[0].rstrip()
            if (
                english
                and other
                and other != english
                and _SAYS.match(languages.filled(english, "7" * 9))
            ):
                same = "".join(languages.pieces_of(other))
                if sum(map(str.isalpha, same)) >= _FEWEST_LETTERS:
                    yield english, other


def _joined(pieces: list[str]) -> str:
    return "%s".join(languages.pieces_of("%s".join(pieces)))


def main(duplicities: Path, target: Path) -> None:
    """Add the missing messages."""
    known: dict[str, set[str]] = {}
    before = json.loads(target.read_text()) if target.exists() else {}
    for entries in before.values():
        for english, *pieces in entries:
            known.setdefault(english, set()).add(_joined(pieces))
    for english, other in translations(duplicities):
        known.setdefault(english, set()).add(_joined(languages.pieces_of(other)))
    messages = languages.by_key({english: sorted(known[english]) for english in sorted(known)})
    lines = (
        f"{json.dumps(key, ensure_ascii=False)}: {json.dumps(messages[key], ensure_ascii=False)}"
        for key in sorted(messages)
    )
    target.write_text("{" + ",\n".join(lines) + "}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(languages.__file__).with_name("messages.json"))
